//! Buckets reached inside the process: setting up, the workload's writes, damage behind the API's
//! back.

use super::S3;
use super::model::{Attributes, BucketMeta, Version, Versioning};
use super::receive::Summing;
use super::store::{Store, bucket};
use crate::workload::files::{Bucket, Meta};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

pub struct NewBucket<'a> {
    pub name: &'a str,
    pub account: &'a str,
    pub versioned: bool,
    pub object_lock: bool,
}

/// What may happen to a stored version although nobody may do it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Damage {
    /// One bit in the middle.
    Flip,
    /// The second half is gone.
    Truncate,
    /// Version and bytes are gone.
    Remove,
}

impl S3 {
    /// Harmless where the bucket is there.
    ///
    /// # Errors
    /// The disk's.
    pub fn ensure_bucket(&self, wanted: &NewBucket<'_>) -> Result<(), String> {
        if self.store.lock().contains_key(wanted.name) {
            return Ok(());
        }
        let meta = BucketMeta {
            name: wanted.name.into(),
            account: wanted.account.into(),
            created: self.store.clock.now(),
            versioning: if wanted.versioned || wanted.object_lock {
                Versioning::Enabled
            } else {
                Versioning::Never
            },
            object_lock: wanted.object_lock,
            default_retention: None,
            policy: None,
            configurations: BTreeMap::new(),
        };
        self.store.create_bucket(meta).map_err(|e| e.to_string())
    }

    /// Harms a stored version (the newest where none is named); locks do not count. Returns the
    /// version's id.
    ///
    /// # Errors
    /// There is no such version; the disk's.
    pub fn damage(
        &self,
        bucket_name: &str,
        key: &str,
        version: Option<&str>,
        how: Damage,
    ) -> Result<String, String> {
        let mut buckets = self.store.lock();
        let found = bucket(&mut buckets, bucket_name).map_err(|e| e.to_string())?;
        let version = found
            .version(key, version)
            .cloned()
            .ok_or_else(|| format!("no such version of {bucket_name}/{key}"))?;
        let path = self.store.data(bucket_name, &version.data);
        let done = match how {
            Damage::Flip => super::receive::flip_byte(&path),
            Damage::Truncate => std::fs::OpenOptions::new()
                .write(true)
                .open(&path)
                .and_then(|f| f.set_len(version.size / 2)),
            Damage::Remove => {
                found.take_version(key, &version.id);
                self.store.forget(bucket_name, &version);
                Ok(())
            }
        };
        done.map(|()| version.id)
            .map_err(|e| format!("{}: {e}", path.display()))
    }
}

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
