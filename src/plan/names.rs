//! Names of the things that runs make: a function of vault, policy and slot, valid for the service.
//!
//! RDS: at most 63 of lower-case letters, digits and hyphens, a letter first, no double hyphen
//! (Amazon RDS API reference, CreateDBClusterSnapshot).

use super::RunId;
use super::action::{Tags, tags};
use crate::manifest::VaultId;
use crate::policy::{ClusterId, PolicyName};
use jiff::Timestamp;

/// `dr-1a2b3c4d-shop-20261124t020000z`
pub(super) fn snapshot(vault: &VaultId, policy: &PolicyName, slot: &str) -> String {
    format!(
        "dr-{}-{policy}-{}",
        vault.short(),
        slot.to_ascii_lowercase()
    )
}

pub(super) fn cluster_arn(region: &str, account: &str, id: &str) -> String {
    format!("arn:aws:rds:{region}:{account}:cluster:{id}")
}

pub(super) fn snapshot_arn(region: &str, account: &str, id: &str) -> String {
    format!("arn:aws:rds:{region}:{account}:cluster-snapshot:{id}")
}

/// The beginning of every scratch cluster's name of one run. A run id can be long, so its hash
/// stands for it.
pub fn drill_prefix(vault: &VaultId, run: &RunId) -> String {
    let hash = crate::manifest::sha256_hex(run.0.as_bytes());
    format!("dr-drill-{}-{}", vault.short(), &hash.0[..10])
}

/// Name of the cluster in one attempt (1, 2, …) of its create step.
pub fn drill_cluster_id(first: &ClusterId, attempt: u32) -> ClusterId {
    if attempt <= 1 {
        first.clone()
    } else {
        ClusterId::new(format!("{first}-{attempt}"))
    }
}

pub fn scratch_tags(vault: &VaultId, run: &RunId, source: &str, expires_at: Timestamp) -> Tags {
    tags(vault, run, "scratch", source, Some(expires_at))
}

pub fn restored_tags(vault: &VaultId, run: &RunId, source: &str) -> Tags {
    tags(vault, run, "restored", source, None)
}

pub fn snapshot_tags(vault: &VaultId, run: &RunId, source: &str, expires_at: Timestamp) -> Tags {
    tags(vault, run, "snapshot", source, Some(expires_at))
}
