//! Everything that a point references, read again at each target that holds it.

use crate::manifest::Verified;
use crate::model::{LockMode, Region, Slot, TargetName};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VerifyPoint {
    /// Absent: the newest that can be shown.
    pub point: Option<Slot>,
    /// Absent: all of them.
    pub target: Option<TargetName>,
    pub in_flight: u32,
    /// Services that are asked for snapshots' copies, by region, where they are not AWS's own.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub rds_endpoints: BTreeMap<Region, String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PointVerified {
    /// `None`: no point could be shown; the findings say why.
    pub point: Option<Slot>,
    pub targets: Vec<TargetRead>,
    /// What is wrong, counted by its code; warnings are not among them.
    pub wrong: Vec<CodeCounted>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CodeCounted {
    pub code: String,
    pub findings: u64,
}

/// What was read at one target.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TargetRead {
    pub target: TargetName,
    pub lock_mode: LockMode,
    pub verified: Verified,
}
