//! A bucket with Object Lock, made or adopted as a vault.

use crate::model::{TargetName, VaultId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MakeVault {
    pub target: TargetName,
    /// The same in every bucket of a policy.
    pub vault: VaultId,
    /// As `vault.json` says it; whole seconds.
    pub created: Timestamp,
    /// A bucket that locks everything for longer by itself is refused.
    pub max_lock_days: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VaultMade {
    pub bucket: BucketFound,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BucketFound {
    /// It was not there before.
    Created,
    /// It was there, with Object Lock.
    Adopted,
}
