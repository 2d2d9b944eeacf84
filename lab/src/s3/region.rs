//! S3 of one region, and how regions are joined.

use super::conditions::Conditional;
use super::gate;
use super::inside::Inside;
use super::ops::Ops;
use super::partition::Partition;
use super::store::Store;
use crate::clock::Clock;
use crate::hook::Hook;
use crate::keyring::Keyring;
use crate::kms::Kms;
use crate::workload::files::Bucket;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// What S3 needs of the rest of the lab.
#[derive(Clone)]
pub struct Around {
    pub clock: Clock,
    pub hook: Hook,
    pub keys: Arc<Keyring>,
    pub kms: Kms,
}

pub struct S3 {
    pub(crate) store: Arc<Store>,
    pub(super) around: Around,
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

    pub(super) fn service(&self) -> Option<s3s::service::S3Service> {
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
        Arc::new(Inside {
            store: self.store.clone(),
            bucket: name.to_owned(),
        })
    }
}
