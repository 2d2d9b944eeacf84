//! Keys of everything in a vault (DESIGN: the vault).

use crate::journal::entry_name;
use crate::plan::RunId;
use crate::policy::{Path, PolicyName, TargetName};

pub const VAULT: &str = "vault.json";

pub fn policy(sha256: &str) -> String {
    format!("policies/{sha256}.yaml")
}
pub fn probes(target: &TargetName) -> String {
    format!("targets/{target}/")
}
pub fn probe_record(target: &TargetName, time: &str) -> String {
    format!("targets/{target}/probe-{time}.json")
}
pub fn runs(policy: &PolicyName) -> String {
    format!("runs/{policy}/")
}
pub fn run(policy: &PolicyName, run: &RunId) -> String {
    format!("runs/{policy}/{run}/")
}
pub fn entry(policy: &PolicyName, run: &RunId, seq: u64) -> String {
    format!("runs/{policy}/{run}/{}", entry_name(seq))
}
pub fn points(policy: &PolicyName) -> String {
    format!("points/{policy}/")
}
pub fn point(policy: &PolicyName, slot: &str) -> String {
    format!("points/{policy}/{slot}/point.json")
}
pub fn copy(policy: &PolicyName, slot: &str, target: &TargetName) -> String {
    format!("points/{policy}/{slot}/copies/{target}.json")
}
pub fn dumps(policy: &PolicyName, slot: &str) -> String {
    format!("points/{policy}/{slot}/dumps/")
}
pub fn proofs(policy: &PolicyName, slot: &str) -> String {
    format!("points/{policy}/{slot}/proofs/")
}
pub fn proof(
    policy: &PolicyName,
    slot: &str,
    run: &RunId,
    path: Path,
    target: &TargetName,
) -> String {
    format!("points/{policy}/{slot}/proofs/{run}-{path}-{target}.json")
}
