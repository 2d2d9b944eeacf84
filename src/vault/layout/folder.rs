//! What keys begin with, for listings.

use crate::model::{PolicyName, RunId, Slot, SourceId, TargetName};

pub const POINTS: &str = "points/";
pub const PROBE: &str = "probe/";
pub const TARGETS: &str = "targets/";

pub fn probes(target: &TargetName) -> String {
    format!("{TARGETS}{target}/")
}
pub fn runs(policy: &PolicyName) -> String {
    format!("runs/{policy}/")
}
pub fn run(policy: &PolicyName, run: &RunId) -> String {
    format!("runs/{policy}/{run}/")
}
pub fn points(policy: &PolicyName) -> String {
    format!("points/{policy}/")
}
pub fn point(policy: &PolicyName, slot: Slot) -> String {
    format!("points/{policy}/{slot}/")
}
pub fn proofs(policy: &PolicyName) -> String {
    format!("proofs/{policy}/")
}
pub fn proofs_of(policy: &PolicyName, slot: Slot) -> String {
    format!("proofs/{policy}/{slot}/")
}
pub fn manifests(policy: &PolicyName) -> String {
    format!("manifests/{policy}/")
}
pub fn manifests_of(policy: &PolicyName, slot: Slot) -> String {
    format!("manifests/{policy}/{slot}/")
}
pub fn manifests_of_source(policy: &PolicyName, slot: Slot, source: &SourceId) -> String {
    format!("manifests/{policy}/{slot}/{source}/")
}
pub fn dumps(policy: &PolicyName, source: &SourceId, slot: Slot) -> String {
    format!("dump/{policy}/{source}/{slot}/")
}
pub fn objects(policy: &PolicyName) -> [String; 2] {
    [
        format!("objects/{policy}/"),
        format!("objects-long/{policy}/"),
    ]
}
/// Of one database's dump.
pub fn dump_of(
    policy: &PolicyName,
    source: &SourceId,
    (slot, run): (Slot, &RunId),
    database: &str,
) -> String {
    let of_run = dump(policy, source, slot, run);
    format!("{of_run}{}/", super::segment::encoded(database))
}
pub fn dump(policy: &PolicyName, source: &SourceId, slot: Slot, run: &RunId) -> String {
    format!("dump/{policy}/{source}/{slot}/{run}/")
}
