//! The logical dump of the scratch cluster's database, into one target.

use super::{ClusterMade, ScratchInspected};
use crate::manifest::Exception;
use crate::model::{Name, ObjectKey, SourceId, TargetName, VersionId};
use crate::plan::Link;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DumpDatabase {
    pub target: TargetName,
    pub source: SourceId,
    pub database: Name,
    pub cluster: Link<ClusterMade>,
    /// The dump must equal what was read there.
    pub inspected: Link<ScratchInspected>,
    pub streams: u32,
    pub part_size_bytes: u64,
    pub chunk_pages: u32,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DatabaseDumped {
    /// The dump's document.
    pub key: ObjectKey,
    pub version: VersionId,
    pub tables: u64,
    pub rows: u64,
    pub bytes: u64,
    /// Kinds of things that the dump leaves out.
    pub excluded: u64,
    /// Tables that it has no rows of.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exceptions: Vec<Exception>,
    pub took_s: f64,
}
