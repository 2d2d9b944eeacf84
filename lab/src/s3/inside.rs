//! Buckets reached inside the process: setting up, the workload's writes, damage behind the API's
//! back.

use super::model::{Attributes, Version};
use super::receive::Summing;
use super::store::{Store, bucket};
use crate::workload::files::{Bucket, Meta};
use bytes::Bytes;
use std::sync::Arc;

pub(super) struct Inside {
    pub store: Arc<Store>,
    pub bucket: String,
}

impl Inside {
    fn push(&self, version: Version) -> Result<String, String> {
        let mut buckets = self.store.lock();
        let found = bucket(&mut buckets, &self.bucket).map_err(|e| e.to_string())?;
        self.store
            .push(found, version)
            .map(|v| v.id)
            .map_err(|e| e.to_string())
    }
}

#[async_trait::async_trait]
impl Bucket for Inside {
    async fn put(&self, key: &str, bytes: Bytes, meta: Meta) -> Result<String, String> {
        let (data, path) = self.store.new_data(&self.bucket);
        let mut summing = Summing::default();
        summing.update(&bytes);
        std::fs::write(&path, &bytes).map_err(|e| format!("{}: {e}", path.display()))?;
        let received = summing.finish();
        let etag = received.etag();
        let attributes = Attributes {
            content_type: meta.content_type,
            metadata: meta.metadata,
            tags: meta.tags,
            ..Attributes::default()
        };
        let sums = received.sums.only(super::model::Algorithm::Crc64nvme);
        self.push(Version {
            data,
            size: received.size,
            etag,
            sums,
            attributes,
            ..Version::new(key, self.store.clock.now())
        })
    }

    async fn delete(&self, key: &str) -> Result<String, String> {
        self.push(Version {
            marker: true,
            ..Version::new(key, self.store.clock.now())
        })
    }
}
