//! Sources, targets, and the endpoints that they are spoken to at.

use super::stores::{Store, lost_together};
use super::trouble::Found;
use crate::model::{Provider, Seconds, endpoint_allowed};
use crate::policy::{BucketSource, Databases, Policy, Source, Target};
use crate::report::Code;

pub(super) fn sources(policy: &Policy, found: &mut Found) {
    if policy.sources.is_empty() {
        found.error(
            Code::PolicyEmpty,
            "sources",
            "nothing to protect: name at least one source",
        );
    }
    if policy.targets.is_empty() {
        found.error(
            Code::PolicyEmpty,
            "targets",
            "no target: name at least one bucket that copies go to",
        );
    }
    for (n, source) in policy.sources.iter().enumerate() {
        for earlier in &policy.sources[..n] {
            overlap(policy, (n, source), earlier, found);
        }
        match source {
            Source::Bucket(bucket) => no_target(policy, n, bucket, found),
            Source::Aurora(_) => {
                databases(n, source, found);
                let nowhere = !policy.targets.iter().any(|t| t.snapshots.is_some());
                // With a drill that is said of the drill.
                if nowhere && policy.drill.is_none() {
                    let message = "no target has `snapshots`, so it would be protected nowhere";
                    found.error(Code::DrillNoCopy, format!("sources[{n}].cluster"), message);
                }
            }
            Source::Postgres(_) => databases(n, source, found),
        }
    }
}

/// What two sources both protect would be stored twice and restored twice.
fn overlap(policy: &Policy, (n, later): (usize, &Source), earlier: &Source, found: &mut Found) {
    let store = |source| Store::of_source(policy, source);
    let (field, what) = match (earlier, later) {
        (Source::Bucket(a), Source::Bucket(b))
            if a.bucket == b.bucket
                && store(a).is(store(b))
                && (a.prefix.starts_with(&b.prefix) || b.prefix.starts_with(&a.prefix)) =>
        {
            (
                "bucket",
                format!("bucket `{}` with an overlapping prefix", b.bucket),
            )
        }
        (Source::Aurora(a), Source::Aurora(b))
            if (&a.cluster, &a.region, &a.account) == (&b.cluster, &b.region, &b.account) =>
        {
            ("cluster", format!("cluster `{}`", b.cluster))
        }
        (Source::Postgres(a), Source::Postgres(b)) if (&a.host, a.port) == (&b.host, b.port) => {
            ("host", format!("the server at {}:{}", b.host, b.port))
        }
        _ => return,
    };
    found.error(
        Code::PolicyDuplicate,
        format!("sources[{n}].{field}"),
        format!("{what} is source `{}` already", earlier.id()),
    );
}

fn no_target(policy: &Policy, n: usize, source: &BucketSource, found: &mut Found) {
    let here = Store::of_source(policy, source);
    let same = |t: &Target| t.bucket == source.bucket && Store::of_target(policy, t).is(here);
    if policy.targets.iter().any(same) {
        found.error(
            Code::PolicyLoop,
            format!("sources[{n}].bucket"),
            format!("`{}` is a target as well", source.bucket),
        );
    }
}

fn databases(n: usize, source: &Source, found: &mut Found) {
    let Some(databases) = source.databases() else {
        return;
    };
    if let Databases::These(names) = databases {
        let place = format!("sources[{n}].databases");
        if names.is_empty() {
            let message = "no database: list at least one, or write `all`";
            found.error(Code::PolicyEmpty, place.clone(), message);
        }
        let again = names
            .iter()
            .enumerate()
            .find(|(i, d)| names[..*i].contains(d));
        if let Some((_, name)) = again {
            found.error(
                Code::PolicyDuplicate,
                place,
                format!("`{name}` is listed twice"),
            );
        }
    }
    let Some(heartbeat) = source.heartbeat() else {
        return;
    };
    let place = |field: &str| format!("sources[{n}].heartbeat.{field}");
    if heartbeat.table.split('.').count() != 2 {
        found.error(
            Code::PolicyHeartbeat,
            place("table"),
            format!("`{}`: write it as schema.table", heartbeat.table),
        );
    }
    if !databases.names(&heartbeat.database) {
        found.error(
            Code::PolicyHeartbeat,
            place("database"),
            format!(
                "`{}` is none of this source's `databases`, so its heartbeat would never be read",
                heartbeat.database
            ),
        );
    }
}

pub(super) fn target(policy: &Policy, n: usize, target: &Target, found: &mut Found) {
    let place = |field: &str| format!("targets[{n}].{field}");
    let lock = &target.lock;
    let locked_s = lock.retention.0 + lock.grace.0;
    let max_s = u64::from(lock.max_lock_days) * 86_400;
    if lock.retention.0 == 0 {
        found.error(
            Code::LockNone,
            place("lock.retention"),
            "a retention of nothing locks nothing",
        );
    }
    if locked_s > max_s {
        found.error(
            Code::LockTooLong,
            place("lock.retention"),
            format!(
                "retention and grace are {}, more than max_lock_days: {}",
                Seconds(locked_s),
                lock.max_lock_days
            ),
        );
    }
    evidence(policy, target, found);
    lost_together(policy, n, target, found);
    if target.snapshots.is_some() && target.provider == Provider::Compatible {
        found.error(
            Code::SnapshotsElsewhere,
            place("snapshots"),
            "cluster snapshots can only be copied to a region of AWS",
        );
    }
    if target.snapshots.is_some() && policy.clusters().next().is_none() {
        found.error(
            Code::SnapshotsNoCluster,
            place("snapshots"),
            "there is no source of kind `aurora` to copy",
        );
    }
    if target.provider == Provider::Compatible && policy.s3_endpoint(&target.region).is_none() {
        found.error(
            Code::EndpointMissing,
            place("provider"),
            format!(
                "a compatible provider needs `endpoints.{}.s3`",
                target.region
            ),
        );
    }
}

/// What proves a copy must not be gone before the copy is.
fn evidence(policy: &Policy, target: &Target, found: &mut Found) {
    let Some(rule) = &policy.evidence else {
        return;
    };
    let (name, data) = (&target.name, target.lock.retention);
    if rule.retention < data {
        found.error(
            Code::EvidenceShort,
            "evidence.retention",
            format!(
                "{} is less than the data at `{name}` is kept: {data}",
                rule.retention
            ),
        );
    }
    let locked_s = rule.retention.0 + target.lock.grace.0;
    if locked_s > u64::from(rule.max_lock_days) * 86_400 {
        found.error(
            Code::LockTooLong,
            "evidence.retention",
            format!(
                "with the grace of `{name}` it is {}, more than max_lock_days: {}",
                Seconds(locked_s),
                rule.max_lock_days
            ),
        );
    }
}

/// Plain HTTP only to loopback; a policy must not be able to send data in the clear.
pub(super) fn endpoints(policy: &Policy, found: &mut Found) {
    for (region, endpoints) in &policy.endpoints {
        for (service, url) in [
            ("s3", &endpoints.s3),
            ("rds", &endpoints.rds),
            ("sts", &endpoints.sts),
            ("kms", &endpoints.kms),
        ] {
            let Some(url) = url else { continue };
            if let Err(why) = endpoint_allowed(url) {
                found.error(Code::Endpoint, format!("endpoints.{region}.{service}"), why);
            }
        }
    }
}
