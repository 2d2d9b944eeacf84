//! Recovery points: what was captured, and where a target holds it.

use super::Document;
use crate::model::{
    AccountId, BucketName, ClusterId, KmsKey, LockMode, ObjectKey, PolicyName, Provider, Region,
    RunId, Sha256, Slot, SourceId, TargetName, VaultId, VersionId,
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

/// `points/<policy>/<slot>/point.json`: what was captured and how to restore it; no target's state.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Point {
    pub policy: PolicyName,
    pub policy_sha256: Sha256,
    pub slot: Slot,
    pub run: RunId,
    /// The instant that the point stands for: the snapshot's, or the listing's where there is no
    /// cluster.
    pub at: Timestamp,
    pub cluster: Option<CapturedCluster>,
    pub files: Vec<CapturedBucket>,
    /// Where the targets are, so that a vault found alone leads to the others.
    pub targets: Vec<PointTarget>,
}

impl Document for Point {
    const SCHEMA: &'static str = "dr/point/1";
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CapturedCluster {
    pub source: SourceId,
    pub id: ClusterId,
    pub region: Region,
    pub account: AccountId,
    pub snapshot_arn: String,
    pub snapshot_at: Timestamp,
    pub engine: String,
    pub engine_version: String,
    pub master_user: String,
    pub database: String,
    pub heartbeat: Option<HeartbeatColumn>,
    /// Copies by target; their names are known before they exist, `copies/<target>.json` says that
    /// one does.
    pub copies: Vec<SnapshotCopy>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeartbeatColumn {
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
    pub source: SourceId,
    pub name: BucketName,
    pub region: Region,
    pub prefix: String,
    pub listed_at: Timestamp,
    pub list_key: ObjectKey,
    pub list_sha256: Sha256,
    pub versions: u64,
    pub delete_markers: u64,
    pub bytes: u64,
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

/// `points/<policy>/<slot>/copies/<target>.json`: this target is complete and was read back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Copy {
    pub policy: PolicyName,
    pub slot: Slot,
    pub run: RunId,
    pub target: TargetName,
    pub snapshot: Option<SnapshotState>,
    pub manifest_key: ObjectKey,
    pub manifest_version: VersionId,
    pub manifest_sha256: Sha256,
    pub objects: u64,
    pub delete_markers: u64,
    pub bytes: u64,
    pub verified: Verified,
    pub lock_mode: LockMode,
    pub retain_until: Timestamp,
}

impl Copy {
    /// Whether files were copied; a copy of a snapshot alone has no manifest.
    pub fn has_files(&self) -> bool {
        !self.manifest_key.as_str().is_empty()
    }
}

impl Document for Copy {
    const SCHEMA: &'static str = "dr/copy/1";
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
