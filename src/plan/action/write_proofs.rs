//! One proof per method and target, passed or not.

use super::{ClusterMade, DumpLoaded, DumpTaken, FilesRestored, LockProbed, ScratchInspected};
use crate::model::{Method, Name, ObjectKey, SourceId, TargetName};
use crate::plan::Link;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WriteProofs {
    pub tried: Vec<Tried>,
}

/// A restore that this drill tries.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Tried {
    pub source: SourceId,
    pub target: TargetName,
    pub probed: Link<LockProbed>,
    #[serde(flatten)]
    pub by: TriedBy,
}

/// The steps that it consists of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "method", rename_all = "lowercase")]
pub enum TriedBy {
    Snapshot {
        cluster: Link<ClusterMade>,
        /// Of each of its databases.
        inspected: Vec<Inspected>,
        snapshot_at: Timestamp,
    },
    Dump {
        database: Name,
        dump: DumpTaken,
        loaded: Link<DumpLoaded>,
        snapshot_at: Timestamp,
    },
    Files {
        restored: Link<FilesRestored>,
    },
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Inspected {
    pub database: Name,
    pub by: Link<ScratchInspected>,
}

impl TriedBy {
    /// A dump is of one database; the other methods restore a source whole.
    pub fn database(&self) -> Option<&Name> {
        match self {
            TriedBy::Dump { database, .. } => Some(database),
            TriedBy::Snapshot { .. } | TriedBy::Files { .. } => None,
        }
    }

    pub fn method(&self) -> Method {
        match self {
            TriedBy::Snapshot { .. } => Method::Snapshot,
            TriedBy::Dump { .. } => Method::Dump,
            TriedBy::Files { .. } => Method::Files,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProofsWritten {
    pub keys: Vec<ObjectKey>,
    /// Targets that could not be written; the others have the proofs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failed: Vec<TargetName>,
    /// All of them passed, and there was one.
    pub passed: bool,
}
