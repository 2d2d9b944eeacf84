//! The plan of a backup run.

use super::action::Source;
use super::{Action, BaseCopy, Kind, Plan, PlanTarget, RunId, Step, StepId, VERSION, names};
use crate::manifest::{Sha256Hex, VaultId};
use crate::policy::{AccountId, Policy, Role, TargetName};
use jiff::Timestamp;
use std::collections::BTreeMap;

/// What a plan depends on beside the policy.
pub struct BackupInput<'a> {
    pub policy: &'a Policy,
    pub policy_sha256: Sha256Hex,
    pub vault: VaultId,
    pub home: TargetName,
    /// Compact slot.
    pub slot: String,
    pub slot_at: Timestamp,
    pub run: RunId,
    pub opened_at: Timestamp,
    /// Newest complete copy at each target, by target.
    pub bases: BTreeMap<TargetName, BaseCopy>,
}

pub fn backup(input: &BackupInput<'_>) -> Plan {
    let policy = input.policy;
    let mut steps = Vec::new();
    let snapshot_needs = cluster_steps(input, &mut steps);
    let list = StepId("list-objects".into());
    if !policy.sources.buckets.is_empty() {
        // After the snapshot: rows that the snapshot holds then find their files, never the other
        // way round.
        steps.push(Step {
            id: list.clone(),
            role: Role::Copier,
            action: Action::ListObjects {
                sources: sources(policy),
                list_prefix: format!("manifests/{}/{}", policy.name, input.slot),
            },
            needs: snapshot_needs.clone(),
            always: false,
        });
    }
    for target in &policy.targets {
        target_steps(input, &target.name, &snapshot_needs, &list, &mut steps);
    }
    Plan {
        version: VERSION,
        kind: Kind::Backup,
        policy: policy.name.clone(),
        policy_sha256: input.policy_sha256.clone(),
        run: input.run.clone(),
        slot: input.slot.clone(),
        vault: input.vault.clone(),
        opened_at: input.opened_at,
        deadline_at: input.opened_at + policy.schedule.deadline.signed(),
        home: input.home.clone(),
        targets: plan_targets(policy, input.slot_at.max(input.opened_at)),
        runner: policy.runner.clone(),
        step_attempts: policy.retry.steps,
        backoff: policy.retry.backoff,
        poll_every: policy.timeouts.poll_every,
        steps,
    }
}

/// Targets with the instant that this run's objects are locked until, rounded up to whole seconds
/// (some stores drop the rest).
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
            retain_until: whole(from + t.lock.retention.signed() + t.lock.slack.signed()),
        })
        .collect()
}

fn sources(policy: &Policy) -> Vec<Source> {
    let one = |b: &crate::policy::SourceBucket| Source {
        bucket: b.clone(),
        endpoint: policy.s3_endpoint(&b.region).map(str::to_owned),
    };
    policy.sources.buckets.iter().map(one).collect()
}

/// Snapshot and share; returns what later steps need.
fn cluster_steps(input: &BackupInput<'_>, steps: &mut Vec<Step>) -> Vec<StepId> {
    let policy = input.policy;
    let Some(cluster) = &policy.sources.cluster else {
        return Vec::new();
    };
    let id = names::snapshot(&input.vault, &policy.name, &input.slot);
    let source = names::cluster_arn(
        cluster.region.as_str(),
        cluster.account.as_str(),
        cluster.id.as_str(),
    );
    let longest = policy
        .targets
        .iter()
        .map(|t| t.lock.retention)
        .max()
        .unwrap_or(crate::policy::Seconds::days(1));
    let expires_at = Timestamp::from_second((input.opened_at + longest.signed()).as_second())
        .unwrap_or(input.opened_at);
    let endpoint = policy.rds_endpoint(&cluster.region).map(str::to_owned);
    let take = StepId("take-snapshot".into());
    steps.push(Step {
        id: take.clone(),
        role: Role::Scheduler,
        action: Action::TakeSnapshot {
            cluster: cluster.id.clone(),
            region: cluster.region.clone(),
            account: cluster.account.clone(),
            endpoint: endpoint.clone(),
            snapshot: id.clone(),
            database: cluster.database.to_string(),
            heartbeat: cluster.heartbeat.as_ref().map(Into::into),
            tags: names::snapshot_tags(&input.vault, &input.run, &source, expires_at),
        },
        needs: Vec::new(),
        always: false,
    });
    let mut with: Vec<AccountId> = policy
        .targets
        .iter()
        .filter_map(|t| t.native.as_ref())
        .map(|n| n.account.clone())
        .filter(|a| a != &cluster.account)
        .collect();
    with.sort();
    with.dedup();
    if with.is_empty() {
        return vec![take];
    }
    let share = StepId("share-snapshot".into());
    steps.push(Step {
        id: share.clone(),
        role: Role::Scheduler,
        action: Action::ShareSnapshot {
            region: cluster.region.clone(),
            endpoint,
            snapshot: id,
            with,
        },
        needs: vec![take.clone()],
        always: false,
    });
    vec![take, share]
}

fn target_steps(
    input: &BackupInput<'_>,
    name: &TargetName,
    snapshot_needs: &[StepId],
    list: &StepId,
    steps: &mut Vec<Step>,
) {
    let policy = input.policy;
    let Some(target) = policy.target(name) else {
        return;
    };
    let mut publish_needs = Vec::new();
    if let (Some(native), Some(cluster)) = (&target.native, &policy.sources.cluster) {
        let id = names::snapshot(&input.vault, &policy.name, &input.slot);
        let source_arn =
            names::snapshot_arn(cluster.region.as_str(), cluster.account.as_str(), &id);
        let step = StepId(format!("copy-snapshot:{name}"));
        let expires_at =
            Timestamp::from_second((input.opened_at + target.lock.retention.signed()).as_second())
                .unwrap_or(input.opened_at);
        let mut share_with: Vec<AccountId> = policy
            .drill
            .iter()
            .map(|d| d.account.clone())
            .filter(|a| a != &native.account)
            .collect();
        share_with.sort();
        steps.push(Step {
            id: step.clone(),
            role: Role::Copier,
            action: Action::CopySnapshot {
                target: name.clone(),
                region: target.region.clone(),
                account: native.account.clone(),
                endpoint: policy.rds_endpoint(&target.region).map(str::to_owned),
                copy: id,
                kms_key: native.kms_key.clone(),
                share_with,
                tags: names::snapshot_tags(&input.vault, &input.run, &source_arn, expires_at),
                source_arn,
            },
            needs: snapshot_needs.to_vec(),
            always: false,
        });
        publish_needs.push(step);
    }
    if policy.sources.buckets.is_empty() {
        publish_needs.extend(snapshot_needs.iter().cloned());
    } else {
        let (copy, verify) = (
            StepId(format!("copy-objects:{name}")),
            StepId(format!("verify:{name}")),
        );
        let manifest_key = format!("manifests/{}/{}/{name}.jsonl.zst", policy.name, input.slot);
        let (in_flight, part_size_bytes) = (
            policy.concurrency.objects,
            policy.concurrency.part_size_bytes,
        );
        let action = Action::CopyObjects {
            target: name.clone(),
            base: input.bases.get(name).cloned(),
            manifest_key,
            in_flight,
            part_size_bytes,
        };
        steps.push(Step {
            id: copy.clone(),
            role: Role::Copier,
            action,
            needs: vec![list.clone()],
            always: false,
        });
        steps.push(Step {
            id: verify.clone(),
            role: Role::Copier,
            action: Action::VerifyCopies {
                target: name.clone(),
                in_flight,
            },
            needs: vec![copy],
            always: false,
        });
        publish_needs.push(verify);
    }
    steps.push(Step {
        id: StepId(format!("publish:{name}")),
        role: Role::Copier,
        action: Action::PublishPoint {
            target: name.clone(),
        },
        needs: publish_needs,
        always: false,
    });
}
