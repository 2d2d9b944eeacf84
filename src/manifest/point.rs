//! Recovery points: what a slot was to hold, what of it was captured, and where a target holds it.

use super::Document;
use crate::model::{
    AccountId, BucketName, ClusterId, KmsKey, LockMode, Method, Name, ObjectKey, PolicyName,
    Provider, Region, RunId, Sha256, Slot, SourceId, SourceKind, TargetName, VaultId, VersionId,
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// `vault.json`; never changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vault {
    pub id: VaultId,
    pub created: Timestamp,
}

impl Document for Vault {
    const SCHEMA: &'static str = "dr/vault/1";
}

/// `points/<policy>/<slot>/point.json`: what its run was to capture, and where to; known before the
/// first byte was copied. Each source has documents of its own, so that one that cannot be taken
/// keeps no other one waiting.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Point {
    pub policy: PolicyName,
    pub policy_sha256: Sha256,
    pub slot: Slot,
    pub run: RunId,
    pub sources: Vec<PointSource>,
    /// Where the targets are, so that a vault found alone leads to the others.
    pub targets: Vec<PointTarget>,
}

impl Document for Point {
    const SCHEMA: &'static str = "dr/point/1";
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PointSource {
    pub id: SourceId,
    pub kind: SourceKind,
    /// Targets that are to hold a copy.
    pub targets: Vec<TargetName>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PointTarget {
    pub name: TargetName,
    pub region: Region,
    pub bucket: BucketName,
    pub provider: Provider,
    pub endpoint: Option<String>,
    pub lock_mode: LockMode,
    pub retain_until: Timestamp,
}

impl Point {
    /// Sources that a target is to hold a copy of.
    pub fn expected_at<'a>(
        &'a self,
        target: &'a TargetName,
    ) -> impl Iterator<Item = &'a SourceId> + 'a {
        let sources = self.sources.iter();
        sources
            .filter(|s| s.targets.contains(target))
            .map(|s| &s.id)
    }
}

/// `points/<policy>/<slot>/sources/<source>/captured.json`: one source as it was captured, and how
/// to restore it; no target's state.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Captured {
    pub policy: PolicyName,
    pub slot: Slot,
    pub run: RunId,
    pub source: SourceId,
    /// The instant that its data stands for.
    pub at: Timestamp,
    #[serde(flatten)]
    pub what: What,
}

impl Document for Captured {
    const SCHEMA: &'static str = "dr/captured/1";
}

/// By the kind of its source.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum What {
    Aurora(CapturedCluster),
    Bucket(CapturedBucket),
}

impl Captured {
    pub fn cluster(&self) -> Option<&CapturedCluster> {
        match &self.what {
            What::Aurora(cluster) => Some(cluster),
            What::Bucket(_) => None,
        }
    }

    pub fn bucket(&self) -> Option<&CapturedBucket> {
        match &self.what {
            What::Bucket(bucket) => Some(bucket),
            What::Aurora(_) => None,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CapturedCluster {
    pub id: ClusterId,
    pub region: Region,
    pub account: AccountId,
    pub snapshot_arn: String,
    pub engine: String,
    pub engine_version: String,
    pub master_user: String,
    /// Those that are checked and dumped.
    pub databases: Vec<Name>,
    pub heartbeat: Option<HeartbeatColumn>,
    /// Copies by target; their names are known before they exist, a copy's document says that one
    /// does.
    pub copies: Vec<SnapshotCopy>,
}

impl CapturedCluster {
    /// The heartbeat of one of its databases.
    pub fn heartbeat_of(&self, database: &Name) -> Option<HeartbeatColumn> {
        let heartbeat = self.heartbeat.as_ref();
        heartbeat.filter(|h| &h.database == database).cloned()
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeartbeatColumn {
    pub database: Name,
    pub table: String,
    pub id: String,
    pub at: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SnapshotCopy {
    pub target: TargetName,
    pub region: Region,
    pub account: AccountId,
    pub arn: String,
    pub kms_key: KmsKey,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CapturedBucket {
    pub name: BucketName,
    pub region: Region,
    pub prefix: String,
    pub list_key: ObjectKey,
    pub list_sha256: Sha256,
    pub versions: u64,
    pub delete_markers: u64,
    pub bytes: u64,
}

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
    Files(FilesHeld),
}

impl Copy {
    pub fn method(&self) -> Method {
        match self.held {
            Held::Snapshot(_) => Method::Snapshot,
            Held::Files(_) => Method::Files,
        }
    }

    pub fn files(&self) -> Option<&FilesHeld> {
        match &self.held {
            Held::Files(files) => Some(files),
            Held::Snapshot(_) => None,
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
