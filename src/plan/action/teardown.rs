//! Everything scratch of this run, deleted.

use super::{ServerPlace, Tags};
use crate::model::{BucketName, Name, Region, SourceId, TargetName};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Teardown {
    /// Where its clusters are.
    pub clusters: Vec<ScratchPlace>,
    pub cluster_prefix: String,
    pub tags: Tags,
    pub bucket: BucketName,
    pub bucket_region: Region,
    pub bucket_endpoint: Option<String>,
    pub prefix: String,
    /// Where this run dumps to: uploads that nobody will complete are ended there.
    pub dumps: Vec<Dumps>,
    /// Databases that it makes on servers of the user's.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub databases: Vec<ScratchDatabase>,
}

/// One database, by its exact name; it is dropped only if its comment says that this run made it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ScratchDatabase {
    pub server: ServerPlace,
    pub name: Name,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ScratchPlace {
    pub region: Region,
    pub endpoint: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Dumps {
    pub source: SourceId,
    pub targets: Vec<TargetName>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TornDown {
    pub deleted: Vec<String>,
    /// Unfinished uploads of dumps that a target would not end; they hold no data that counts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left: Vec<String>,
}
