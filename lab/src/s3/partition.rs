//! What the regions of one partition know of each other, and one request on its way.

use super::store::Store;
use crate::accounts::AWS_REGIONS;
use crate::hook::Slot;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// A region's store, and whether the region is down.
pub(crate) type Member = (Arc<Store>, Arc<AtomicBool>);

/// The regions of one partition: what a server-side copy reaches, and where a bucket of another
/// region is.
#[derive(Clone, Default)]
pub(crate) struct Partition(pub Arc<Mutex<Vec<Member>>>);

impl Partition {
    /// The store that has a bucket, and whether its region is up.
    pub fn holder(&self, bucket: &str) -> Option<(Arc<Store>, bool)> {
        let stores = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        stores
            .iter()
            .find(|(s, _)| s.lock().contains_key(bucket))
            .map(|(s, down)| (s.clone(), !down.load(Ordering::Relaxed)))
    }
}

/// One request on its way through `front`, `gate` and the service.
pub(crate) struct Trip {
    pub slot: Arc<Slot>,
    /// A fault wants the connection closed without an answer.
    pub cut: AtomicBool,
}

/// The other provider does less than AWS, on purpose.
pub(crate) fn stingy(region: &str) -> bool {
    !AWS_REGIONS.contains(&region)
}
