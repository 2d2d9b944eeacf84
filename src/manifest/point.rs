//! Recovery points: what was captured, and where a target holds it.

use super::{Document, Sha256Hex};
use crate::policy::{
    AccountId, BucketName, ClusterId, KmsKey, LockMode, PolicyName, Provider, Region, TargetName,
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::fmt;

/// 128 random bits as 32 hex digits; the same in every bucket of one policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct VaultId(pub String);

impl VaultId {
    /// The first eight digits, which are part of the names of things.
    pub fn short(&self) -> &str {
        self.0.get(..8).unwrap_or(&self.0)
    }
}

impl fmt::Display for VaultId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

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
    pub policy_sha256: Sha256Hex,
    pub slot: String,
    pub run: String,
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
    pub copies: Vec<NativeCopy>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeartbeatColumn {
    pub table: String,
    pub id: String,
    pub at: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NativeCopy {
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
    pub listed_at: Timestamp,
    pub list_key: String,
    pub list_sha256: Sha256Hex,
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
    pub slot: String,
    pub run: String,
    pub target: TargetName,
    pub native: Option<NativeState>,
    pub manifest_key: String,
    pub manifest_version: String,
    pub manifest_sha256: Sha256Hex,
    pub objects: u64,
    pub delete_markers: u64,
    pub bytes: u64,
    pub verified: Verified,
    pub lock_mode: LockMode,
    pub retain_until: Timestamp,
}

impl Document for Copy {
    const SCHEMA: &'static str = "dr/copy/1";
}

/// The snapshot copy as the service described it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NativeState {
    pub arn: String,
    pub kms_key: Option<String>,
    pub encrypted: bool,
    /// A native snapshot copy has no lock of its own.
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
