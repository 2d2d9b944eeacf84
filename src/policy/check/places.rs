//! Sources, targets, and the endpoints that they are spoken to at.

use super::trouble::Found;
use crate::model::{Provider, Region, Seconds, endpoint_allowed};
use crate::policy::{Policy, SourceBucket, Target};
use crate::report::Code;

pub(super) fn sources(policy: &Policy, found: &mut Found) {
    if policy.sources.cluster.is_none() && policy.sources.buckets.is_empty() {
        found.error(
            Code::PolicyEmpty,
            "sources",
            "nothing to protect: name a `cluster` or at least one of `buckets`",
        );
    }
    if policy.targets.is_empty() {
        found.error(
            Code::PolicyEmpty,
            "targets",
            "no target: name at least one bucket that copies go to",
        );
    }
    for (n, bucket) in policy.sources.buckets.iter().enumerate() {
        let same = |b: &SourceBucket| {
            b.name == bucket.name
                && (b.prefix.starts_with(&bucket.prefix) || bucket.prefix.starts_with(&b.prefix))
        };
        if policy.sources.buckets[..n].iter().any(same) {
            found.error(
                Code::PolicyDuplicate,
                format!("sources.buckets[{n}].name"),
                format!(
                    "`{}` is listed already with an overlapping prefix",
                    bucket.name
                ),
            );
        }
        if policy.targets.iter().any(|t| t.bucket == bucket.name) {
            found.error(
                Code::PolicyLoop,
                format!("sources.buckets[{n}].name"),
                format!("`{}` is a target as well", bucket.name),
            );
        }
    }
    if let Some(h) = policy
        .sources
        .cluster
        .as_ref()
        .and_then(|c| c.heartbeat.as_ref())
        && h.table.split('.').count() != 2
    {
        found.error(
            Code::PolicyHeartbeat,
            "sources.cluster.heartbeat.table",
            format!("`{}`: write it as schema.table", h.table),
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
    let primary: Vec<&Region> = policy
        .sources
        .cluster
        .iter()
        .map(|c| &c.region)
        .chain(policy.sources.buckets.iter().map(|b| &b.region))
        .collect();
    if primary.contains(&&target.region) {
        found.warning(
            Code::TargetSameRegion,
            place("region"),
            format!(
                "`{}` is also a source's region: it is lost with it",
                target.region
            ),
        );
    }
    if target.snapshots.is_some() && target.provider == Provider::Compatible {
        found.error(
            Code::SnapshotsElsewhere,
            place("snapshots"),
            "cluster snapshots can only be copied to a region of AWS",
        );
    }
    if target.snapshots.is_some() && policy.sources.cluster.is_none() {
        found.error(
            Code::SnapshotsNoCluster,
            place("snapshots"),
            "there is no `sources.cluster` to copy",
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
