//! Setting up, and damage behind the API's back.

use super::model::{BucketMeta, Versioning};
use super::region::S3;
use super::store::bucket;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

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
