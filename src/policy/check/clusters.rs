//! Clusters that are made: by a drill, and by a restore.

use super::trouble::Found;
use crate::policy::Policy;
use crate::report::Code;

pub(super) fn clusters(policy: &Policy, found: &mut Found) {
    let none = policy.clusters().next().is_none();
    if none && policy.restore.is_some() {
        found.error(
            Code::SnapshotsNoCluster,
            "restore.cluster",
            "there is no source of kind `aurora` to restore into one; leave `restore` out",
        );
    }
    if none {
        return;
    }
    let drilled = policy.drill.as_ref().map(|d| ("drill.cluster", &d.cluster));
    let restored = policy.restore.as_ref();
    let restored = restored.map(|r| ("restore.cluster", &r.cluster));
    for (place, shape) in drilled.into_iter().chain(restored) {
        if let Err(why) = shape.check_capacity() {
            found.error(Code::ServerlessCapacity, place, why);
        }
    }
}
