//! S3 of one region or provider: `s3s` speaks the protocol, `front` refuses what it lets through,
//! `gate` knows who may
//! do what and asks the hook, `ops` and the rooms below it are the service.

mod admission;
mod attributes;
mod buckets;
mod completion;
mod conditions;
mod configs;
mod contents;
mod convert;
mod copies;
mod deletes;
mod documents;
mod error;
mod front;
mod gate;
mod held;
mod inside;
mod listing;
mod locking;
mod locks;
mod model;
mod objects;
mod ops;
mod outgoing;
mod page;
mod policy;
mod reads;
mod receive;
mod spans;
mod store;
mod tags;
mod taking;
mod upload_lists;
mod uploads;
mod version_lists;

pub use inside::{Damage, NewBucket};

use crate::accounts::AWS_REGIONS;
use crate::clock::Clock;
use crate::hook::{Hook, Slot};
use crate::keyring::Keyring;
use crate::kms::Kms;
use crate::workload::files::Bucket;
pub use conditions::Conditional;
use ops::Ops;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use store::Store;

/// What S3 needs of the rest of the lab.
#[derive(Clone)]
pub struct Around {
    pub clock: Clock,
    pub hook: Hook,
    pub keys: Arc<Keyring>,
    pub kms: Kms,
}

/// A region's store, and whether the region is down.
type Member = (Arc<Store>, Arc<AtomicBool>);

/// The regions of one partition: what a server-side copy reaches, and where a bucket of another
/// region is.
#[derive(Clone, Default)]
pub(crate) struct Partition(Arc<Mutex<Vec<Member>>>);

impl Partition {
    /// The store that has a bucket, and whether its region is up.
    fn holder(&self, bucket: &str) -> Option<(Arc<Store>, bool)> {
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

pub struct S3 {
    pub(crate) store: Arc<Store>,
    around: Around,
    partition: Mutex<Partition>,
    down: Arc<AtomicBool>,
    service: Mutex<Option<s3s::service::S3Service>>,
}

impl S3 {
    /// # Errors
    /// The disk's; metadata that cannot be read.
    pub fn open(root: &Path, region: &str, around: Around) -> std::io::Result<Arc<Self>> {
        let store = Store::open(root, region, around.clock.clone())?;
        let s3 = Arc::new(Self {
            store,
            around,
            partition: Mutex::default(),
            down: Arc::default(),
            service: Mutex::default(),
        });
        S3::join(std::slice::from_ref(&s3));
        Ok(s3)
    }

    /// Makes these regions one partition: copies between them are server-side.
    pub fn join(regions: &[Arc<S3>]) {
        let stores = regions
            .iter()
            .map(|r| (r.store.clone(), r.down.clone()))
            .collect();
        let partition = Partition(Arc::new(Mutex::new(stores)));
        for region in regions {
            *region
                .partition
                .lock()
                .unwrap_or_else(PoisonError::into_inner) = partition.clone();
            *region
                .service
                .lock()
                .unwrap_or_else(PoisonError::into_inner) = Some(region.build(&partition));
        }
    }

    fn build(&self, partition: &Partition) -> s3s::service::S3Service {
        let ops = Ops {
            store: self.store.clone(),
            kms: self.around.kms.clone(),
            partition: partition.clone(),
        };
        let mut builder = s3s::service::S3ServiceBuilder::new(ops);
        builder.set_auth(gate::Auth {
            keys: self.around.keys.clone(),
            region: self.store.region.clone(),
        });
        builder.set_access(gate::Gate {
            store: self.store.clone(),
            keys: self.around.keys.clone(),
            hook: self.around.hook.clone(),
            partition: partition.clone(),
        });
        let mut config = s3s::config::S3Config::default();
        // The lab's clock can be moved; `front` compares with that one.
        config.presigned_url_max_skew_time_secs = u32::MAX;
        builder.set_config(Arc::new(s3s::config::StaticConfigProvider::new(Arc::new(
            config,
        ))));
        builder.build()
    }

    fn service(&self) -> Option<s3s::service::S3Service> {
        self.service
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// A region that is down is no source of a copy for the others either.
    pub fn set_down(&self, down: bool) {
        self.down.store(down, Ordering::Relaxed);
    }

    /// What it makes of writes with a condition from now on.
    pub fn set_conditional(&self, wanted: Conditional) {
        self.store.set_conditional(wanted);
    }

    pub fn bucket_names(&self) -> Vec<String> {
        self.store.bucket_names()
    }

    /// Unfinished multipart uploads in all buckets.
    pub fn open_uploads(&self) -> usize {
        self.store.open_uploads()
    }

    /// A bucket reached inside the process, for the workload.
    pub fn bucket(self: &Arc<Self>, name: &str) -> Arc<dyn Bucket> {
        Arc::new(inside::Inside {
            store: self.store.clone(),
            bucket: name.to_owned(),
        })
    }

    /// The other provider does less than AWS, on purpose.
    pub(crate) fn stingy(region: &str) -> bool {
        !AWS_REGIONS.contains(&region)
    }
}
