//! Recovery points: what a slot was to hold, and where.

use super::Document;
use crate::model::{
    BucketName, LockMode, PolicyName, Provider, Region, RunId, Sha256, Slot, SourceId, SourceKind,
    TargetName, VaultId,
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
    /// When its run was opened, by the journal target's clock: locks count from then, or from the
    /// slot if that is later.
    pub opened_at: Timestamp,
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
