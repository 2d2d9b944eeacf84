//! Clusters that are made: by a drill, and by a restore.

use super::trouble::Found;
use crate::policy::{Databases, Policy, Source};
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
    readings(policy, found);
    let drilled = policy.drill.as_ref().map(|d| ("drill.cluster", &d.cluster));
    let restored = policy.restore.as_ref();
    let restored = restored.map(|r| ("restore.cluster", &r.cluster));
    for (place, shape) in drilled.into_iter().chain(restored) {
        if let Err(why) = shape.check_capacity() {
            found.error(Code::ServerlessCapacity, place, why);
        }
    }
}

/// How running clusters are read.
fn readings(policy: &Policy, found: &mut Found) {
    for (n, source) in policy.sources.iter().enumerate() {
        let Source::Aurora(cluster) = source else {
            continue;
        };
        if cluster.databases == Databases::All && cluster.reader.is_none() {
            found.error(
                Code::PolicyServer,
                format!("sources[{n}].databases"),
                "which databases there are is asked of the running cluster: name who asks in \
                 `reader`, `user` and `password_file`, or list them",
            );
        }
        let Some(reading) = &cluster.reference else {
            continue;
        };
        if cluster.reader.is_none() {
            found.error(
                Code::PolicyServer,
                format!("sources[{n}].reader"),
                "`reference` says how the cluster is read: name who does, `user` and \
                 `password_file`",
            );
        }
        if reading.min_comparable > 100 {
            found.error(
                Code::PolicyServer,
                format!("sources[{n}].reference.min_comparable"),
                format!(
                    "{} of a hundred rows cannot be demanded",
                    reading.min_comparable
                ),
            );
        }
        if reading.budget.0 == 0 {
            found.error(
                Code::PolicyServer,
                format!("sources[{n}].reference.budget"),
                "no time to read in; leave `reader` out where nothing is to be read",
            );
        }
    }
}
