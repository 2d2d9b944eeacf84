//! Files brought back from one target, every digest compared with the manifest.

use super::BaseCopy;
use crate::model::{BucketName, Provider, Region, SourceId, TargetName};
use crate::policy::FilesChecked;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RestoreFiles {
    pub source: SourceId,
    pub target: TargetName,
    pub manifest: BaseCopy,
    pub bucket: BucketName,
    pub region: Region,
    pub endpoint: Option<String>,
    /// Of the bucket that files go into.
    #[serde(default, skip_serializing_if = "Provider::is_aws")]
    pub provider: Provider,
    pub prefix: String,
    pub files: FilesChecked,
    pub in_flight: u32,
    pub part_size_bytes: u64,
    pub purpose: Purpose,
}

/// What becomes of the files that are brought back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Purpose {
    /// Read once more, compared, and deleted by the teardown.
    Scratch,
    /// They stay; nothing that is there already is overwritten.
    Kept,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FilesRestored {
    pub population: u64,
    pub restored: u64,
    /// Not looked at, because a sample was asked for.
    pub skipped: u64,
    pub bytes: u64,
    /// Files that are not what the manifest says.
    pub differing: u64,
    /// The first of them by name; the others are counted.
    pub mismatches: Vec<String>,
    pub answered_at: Timestamp,
    pub took_s: f64,
}
