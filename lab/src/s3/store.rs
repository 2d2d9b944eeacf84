//! Buckets, versions and uploads of one region: an index in memory, JSON beside the bytes on disk.
//!
//! `buckets/<bucket>/bucket.json`, `versions/<seq>.json`, `uploads/<id>.json`, `data/<random>`.
//! Every JSON file is renamed into
//! place, so a kill leaves the state before or after; bytes that no JSON file names are removed at
//! the next start.

use super::conditions::Conditional;
use super::error::{error, io, no_such_bucket};
use super::held::{Bucket, load};
use super::model::{BucketMeta, Upload, Version, Versioning};
use crate::accounts::{AWS_REGIONS, random_text};
use crate::clock::Clock;
use s3s::S3Result;
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// One region's S3.
pub struct Store {
    pub region: String,
    pub clock: Clock,
    root: PathBuf,
    buckets: Mutex<BTreeMap<String, Bucket>>,
    conditional: Mutex<Conditional>,
}

pub type Buckets<'a> = MutexGuard<'a, BTreeMap<String, Bucket>>;

fn write_json(path: &Path, value: &impl Serialize) -> S3Result<()> {
    let new = path.with_extension("json.new");
    let bytes =
        serde_json::to_vec(value).map_err(|e| error(500, "InternalError", e.to_string()))?;
    std::fs::write(&new, bytes)
        .and_then(|()| std::fs::rename(&new, path))
        .map_err(|e| io("writing metadata", &e))
}

impl Store {
    /// # Errors
    /// The disk's; metadata that cannot be read.
    pub fn open(root: &Path, region: &str, clock: Clock) -> std::io::Result<Arc<Self>> {
        let store = Self {
            region: region.into(),
            clock,
            root: root.join("buckets"),
            buckets: Mutex::default(),
            conditional: Mutex::new(if AWS_REGIONS.contains(&region) {
                Conditional::Keep
            } else {
                Conditional::Refuse
            }),
        };
        std::fs::create_dir_all(&store.root)?;
        for entry in std::fs::read_dir(&store.root)? {
            let folder = entry?.path();
            let Ok(bytes) = std::fs::read(folder.join("bucket.json")) else {
                continue;
            };
            let meta: BucketMeta = serde_json::from_slice(&bytes)?;
            let bucket = load(&folder, meta)?;
            store.lock().insert(bucket.meta.name.clone(), bucket);
        }
        Ok(Arc::new(store))
    }

    pub fn conditional(&self) -> Conditional {
        *self
            .conditional
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    pub fn set_conditional(&self, wanted: Conditional) {
        *self
            .conditional
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = wanted;
    }

    pub fn lock(&self) -> Buckets<'_> {
        self.buckets.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn folder(&self, bucket: &str) -> PathBuf {
        self.root.join(bucket)
    }

    /// A file for bytes that are not named yet.
    pub fn new_data(&self, bucket: &str) -> (String, PathBuf) {
        let name = random_text(24);
        let path = self.data(bucket, &name);
        (name, path)
    }

    pub fn data(&self, bucket: &str, name: &str) -> PathBuf {
        self.folder(bucket).join("data").join(name)
    }

    /// Makes a bucket that must not exist.
    ///
    /// # Errors
    /// The disk's.
    pub fn create_bucket(&self, meta: BucketMeta) -> S3Result<()> {
        let folder = self.folder(&meta.name);
        for name in ["versions", "uploads", "data"] {
            std::fs::create_dir_all(folder.join(name)).map_err(|e| io("making a bucket", &e))?;
        }
        let mut buckets = self.lock();
        write_json(&folder.join("bucket.json"), &meta)?;
        buckets.insert(
            meta.name.clone(),
            Bucket {
                meta,
                keys: BTreeMap::new(),
                uploads: BTreeMap::new(),
                next_seq: 1,
            },
        );
        Ok(())
    }

    /// # Errors
    /// The disk's.
    pub fn remove_bucket(&self, buckets: &mut Buckets<'_>, name: &str) -> S3Result<()> {
        buckets.remove(name);
        std::fs::remove_dir_all(self.folder(name)).map_err(|e| io("removing a bucket", &e))
    }

    /// # Errors
    /// The disk's.
    pub fn save_meta(&self, bucket: &Bucket) -> S3Result<()> {
        write_json(
            &self.folder(&bucket.meta.name).join("bucket.json"),
            &bucket.meta,
        )
    }

    fn version_file(&self, bucket: &str, seq: u64) -> PathBuf {
        self.folder(bucket)
            .join("versions")
            .join(format!("{seq:012}.json"))
    }

    /// # Errors
    /// The disk's.
    pub fn save_version(&self, bucket: &str, version: &Version) -> S3Result<()> {
        write_json(&self.version_file(bucket, version.seq), version)
    }

    /// Adds a version as the newest of its key; in a bucket without versioning it replaces the
    /// `null` one. A crash between the
    /// two files leaves the older `null` version beside the newer one, and loading keeps the newer.
    ///
    /// # Errors
    /// The disk's.
    pub fn push(&self, bucket: &mut Bucket, mut version: Version) -> S3Result<Version> {
        version.seq = bucket.next_seq;
        bucket.next_seq += 1;
        version.id = if bucket.meta.versioning == Versioning::Enabled {
            random_text(32)
        } else {
            "null".into()
        };
        self.save_version(&bucket.meta.name, &version)?;
        let versions = bucket.keys.entry(version.key.clone()).or_default();
        let replaced: Vec<Version> = if version.id == "null" {
            versions.extract_if(.., |v| v.id == "null").collect()
        } else {
            Vec::new()
        };
        versions.push(version.clone());
        for old in replaced {
            self.forget(&bucket.meta.name, &old);
        }
        Ok(version)
    }

    /// Removes the files of a version that is out of the index. Metadata first: bytes without a
    /// name are swept.
    pub fn forget(&self, bucket: &str, version: &Version) {
        drop(std::fs::remove_file(self.version_file(bucket, version.seq)));
        if !version.data.is_empty() {
            drop(std::fs::remove_file(self.data(bucket, &version.data)));
        }
    }

    /// # Errors
    /// The disk's.
    pub fn save_upload(&self, bucket: &str, upload: &Upload) -> S3Result<()> {
        write_json(
            &self
                .folder(bucket)
                .join("uploads")
                .join(format!("{}.json", upload.id)),
            upload,
        )
    }

    pub fn drop_upload(&self, bucket: &mut Bucket, id: &str) {
        if let Some(upload) = bucket.uploads.remove(id) {
            drop(std::fs::remove_file(
                self.folder(&bucket.meta.name)
                    .join("uploads")
                    .join(format!("{id}.json")),
            ));
            for part in upload.parts.values() {
                drop(std::fs::remove_file(
                    self.data(&bucket.meta.name, &part.data),
                ));
            }
        }
    }

    /// Unfinished multipart uploads in all buckets.
    pub fn open_uploads(&self) -> usize {
        self.lock().values().map(|b| b.uploads.len()).sum()
    }

    pub fn bucket_names(&self) -> Vec<String> {
        self.lock().keys().cloned().collect()
    }
}

/// The bucket in the index.
///
/// # Errors
/// `NoSuchBucket`.
pub fn bucket<'a>(buckets: &'a mut Buckets<'_>, name: &str) -> S3Result<&'a mut Bucket> {
    buckets.get_mut(name).ok_or_else(|| no_such_bucket(name))
}
