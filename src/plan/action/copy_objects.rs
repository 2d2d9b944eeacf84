//! What the list names and the target lacks, copied; the object manifest.

use super::{ListedSource, ObjectsListed};
use crate::manifest::{Exception, FilesHeld};
use crate::model::{ObjectKey, Sha256, Slot, SourceId, TargetName, VersionId};
use crate::plan::Link;
use crate::report::Code;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CopyObjects {
    pub source: SourceId,
    pub target: TargetName,
    pub listed: Link<ObjectsListed>,
    pub bucket: ListedSource,
    pub base: Option<BaseCopy>,
    pub in_flight: u32,
    pub part_size_bytes: u64,
}

/// The copy that unchanged objects are taken from at one target.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BaseCopy {
    pub slot: Slot,
    pub manifest_key: ObjectKey,
    pub manifest_version: VersionId,
    pub manifest_sha256: Sha256,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObjectsCopied {
    pub manifest_key: ObjectKey,
    pub manifest_version: VersionId,
    pub manifest_sha256: Sha256,
    pub objects: u64,
    pub delete_markers: u64,
    pub bytes: u64,
    pub put: u64,
    pub reused: u64,
    pub extended: u64,
    pub not_kept: NotKept,
}

/// Properties of objects that are not in the vault, counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotKept {
    /// Objects whose tags may not be read.
    pub tags_denied: u64,
    /// Objects of which the store says nothing about tags, or whose version cannot be asked for
    /// them.
    pub tags_unknown: u64,
}

impl NotKept {
    /// As a copy's document names it.
    pub fn exceptions(&self) -> Vec<Exception> {
        let told = [
            (self.tags_denied, "they may not be read"),
            (self.tags_unknown, "their store says nothing of them"),
        ];
        let counted = told.into_iter().filter(|(n, _)| *n > 0);
        counted
            .map(|(n, why)| Exception {
                thing: format!("the tags of {n} objects"),
                code: Code::TagsNotKept.to_string(),
                why: why.to_owned(),
            })
            .collect()
    }
}

impl BaseCopy {
    /// The manifest of a complete copy.
    pub fn of(slot: Slot, files: &FilesHeld) -> Self {
        Self {
            slot,
            manifest_key: files.manifest_key.clone(),
            manifest_version: files.manifest_version.clone(),
            manifest_sha256: files.manifest_sha256.clone(),
        }
    }
}
