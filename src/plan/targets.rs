//! The targets of a policy as a run uses them.

use super::PlanTarget;
use crate::policy::Policy;
use jiff::Timestamp;

/// Targets with the instant that this run's objects are locked until, rounded up to whole seconds
/// (S3 keeps no more).
pub fn plan_targets(policy: &Policy, from: Timestamp) -> Vec<PlanTarget> {
    let whole = |t: Timestamp| Timestamp::from_second(t.as_second() + 1).unwrap_or(t);
    policy
        .targets
        .iter()
        .map(|t| PlanTarget {
            name: t.name.clone(),
            region: t.region.clone(),
            bucket: t.bucket.clone(),
            account: t.account.clone(),
            provider: t.provider,
            endpoint: policy.s3_endpoint(&t.region).map(str::to_owned),
            kms_key: t.kms_key.clone(),
            lock_mode: t.lock.mode,
            retain_until: whole(from + t.lock.retention.signed() + t.lock.grace.signed()),
            evidence_until: policy
                .evidence
                .as_ref()
                .map(|e| whole(from + e.retention.signed() + t.lock.grace.signed())),
        })
        .collect()
}
