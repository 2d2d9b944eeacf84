//! Where a target holds a source of a recovery point.

use super::{Document, Exception};
use crate::model::{
    LockMode, Method, Name, ObjectKey, PolicyName, RunId, Sha256, Slot, SourceId, TargetName,
    VersionId,
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// `points/<policy>/<slot>/copies/<source>/<target>.json`: this target holds the whole of that
/// source, and it was read back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Copy {
    pub policy: PolicyName,
    pub slot: Slot,
    pub run: RunId,
    pub source: SourceId,
    pub target: TargetName,
    #[serde(flatten)]
    pub held: Held,
    pub lock_mode: LockMode,
    pub retain_until: Timestamp,
}

impl Document for Copy {
    const SCHEMA: &'static str = "dr/copy/1";
}

/// By the method that restores it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "method", rename_all = "lowercase")]
pub enum Held {
    Snapshot(SnapshotState),
    Dump(DumpsHeld),
    Files(FilesHeld),
}

impl Copy {
    pub fn method(&self) -> Method {
        match self.held {
            Held::Snapshot(_) => Method::Snapshot,
            Held::Dump(_) => Method::Dump,
            Held::Files(_) => Method::Files,
        }
    }

    pub fn files(&self) -> Option<&FilesHeld> {
        match &self.held {
            Held::Files(files) => Some(files),
            Held::Snapshot(_) | Held::Dump(_) => None,
        }
    }

    pub fn dumps(&self) -> &[DumpHeld] {
        match &self.held {
            Held::Dump(held) => &held.dumps,
            Held::Snapshot(_) | Held::Files(_) => &[],
        }
    }

    /// What of its source it does not hold.
    pub fn exceptions(&self) -> &[Exception] {
        match &self.held {
            Held::Dump(held) => &held.exceptions,
            Held::Files(held) => &held.exceptions,
            Held::Snapshot(_) => &[],
        }
    }

    /// Earliest lock end of what was read back.
    pub fn locked_until(&self) -> Timestamp {
        let read_back = self.files().and_then(|f| f.verified.retain_until_min);
        read_back.unwrap_or(self.retain_until)
    }
}

/// The snapshot copy as the service described it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SnapshotState {
    pub arn: String,
    pub kms_key: Option<String>,
    pub encrypted: bool,
    /// A snapshot copy has no lock of its own.
    pub immutable: bool,
}

/// Dumps of a server's databases.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DumpsHeld {
    pub dumps: Vec<DumpHeld>,
    /// Databases that could not be dumped.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exceptions: Vec<Exception>,
}

/// One dump, by its document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DumpHeld {
    pub database: Name,
    /// The instant of its snapshot, by the server's clock.
    pub at: Timestamp,
    pub key: ObjectKey,
    pub version: VersionId,
    pub tables: u64,
    pub rows: u64,
    pub bytes: u64,
    /// Kinds of things that the dump leaves out.
    pub excluded: u64,
}

/// Files, by their object manifest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FilesHeld {
    pub manifest_key: ObjectKey,
    pub manifest_version: VersionId,
    pub manifest_sha256: Sha256,
    pub objects: u64,
    pub delete_markers: u64,
    pub bytes: u64,
    pub verified: Verified,
    /// What of the objects was not kept.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exceptions: Vec<Exception>,
}

/// What a verification looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verified {
    pub population: u64,
    pub tested: u64,
    pub bytes: u64,
    pub lock_ok: u64,
    /// Objects whose lock could not be read.
    pub unknown: u64,
    /// Earliest lock end among what was read back.
    pub retain_until_min: Option<Timestamp>,
}

impl Verified {
    /// One more object whose lock is as it must be.
    pub fn count_locked(&mut self, until: Timestamp) {
        self.lock_ok += 1;
        let earliest = self.retain_until_min.map_or(until, |m| m.min(until));
        self.retain_until_min = Some(earliest);
    }
}
