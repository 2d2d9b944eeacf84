//! A bucket as it is held in memory, and read from disk at the start.

use super::error::no_such_upload;
use super::model::{BucketMeta, Upload, Version};
use s3s::S3Result;
use serde::de::DeserializeOwned;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

pub struct Bucket {
    pub meta: BucketMeta,
    /// Oldest first.
    pub keys: BTreeMap<String, Vec<Version>>,
    pub uploads: BTreeMap<String, Upload>,
    pub(super) next_seq: u64,
}

impl Bucket {
    pub fn latest(&self, key: &str) -> Option<&Version> {
        self.keys.get(key).and_then(|v| v.last())
    }

    /// A version by id, or the newest; markers too.
    pub fn version(&self, key: &str, id: Option<&str>) -> Option<&Version> {
        match id {
            None => self.latest(key),
            Some(id) => self
                .keys
                .get(key)
                .and_then(|v| v.iter().find(|v| v.id == id)),
        }
    }

    pub fn version_mut(&mut self, key: &str, id: Option<&str>) -> Option<&mut Version> {
        let versions = self.keys.get_mut(key)?;
        match id {
            None => versions.last_mut(),
            Some(id) => versions.iter_mut().find(|v| v.id == id),
        }
    }

    pub fn take_version(&mut self, key: &str, id: &str) -> Option<Version> {
        let versions = self.keys.get_mut(key)?;
        let at = versions.iter().position(|v| v.id == id)?;
        let version = versions.remove(at);
        if versions.is_empty() {
            self.keys.remove(key);
        }
        Some(version)
    }

    /// # Errors
    /// `NoSuchUpload`.
    pub fn upload(&mut self, key: &str, id: &str) -> S3Result<&mut Upload> {
        self.uploads
            .get_mut(id)
            .filter(|u| u.key == key)
            .ok_or_else(no_such_upload)
    }
}

fn read_all<T: DeserializeOwned>(folder: &Path) -> std::io::Result<Vec<T>> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|e| e == "json") {
            let bytes = std::fs::read(&path)?;
            all.push(
                serde_json::from_slice(&bytes)
                    .map_err(|e| std::io::Error::other(format!("{}: {e}", path.display())))?,
            );
        }
    }
    Ok(all)
}

/// Bytes that nothing names are removed.
pub(super) fn load(folder: &Path, meta: BucketMeta) -> std::io::Result<Bucket> {
    let mut versions: Vec<Version> = read_all(&folder.join("versions"))?;
    versions.sort_by_key(|v| v.seq);
    let next_seq = versions.last().map_or(1, |v| v.seq + 1);
    let uploads: BTreeMap<String, Upload> = read_all::<Upload>(&folder.join("uploads"))?
        .into_iter()
        .map(|u| (u.id.clone(), u))
        .collect();
    let mut named: BTreeSet<String> = uploads
        .values()
        .flat_map(|u| u.parts.values().map(|p| p.data.clone()))
        .collect();
    let mut keys: BTreeMap<String, Vec<Version>> = BTreeMap::new();
    for version in versions {
        let of_key = keys.entry(version.key.clone()).or_default();
        if version.id == "null" {
            of_key.retain(|v| v.id != "null");
        }
        of_key.push(version);
    }
    named.extend(keys.values().flatten().map(|v| v.data.clone()));
    for entry in std::fs::read_dir(folder.join("data"))? {
        let path = entry?.path();
        if path
            .file_name()
            .and_then(|n| n.to_str())
            .is_none_or(|n| !named.contains(n))
        {
            std::fs::remove_file(path)?;
        }
    }
    Ok(Bucket {
        meta,
        keys,
        uploads,
        next_seq,
    })
}
