//! The plan of a backup run.

use super::names::{self, Tagged};
use super::step::Steps;
use super::targets::plan_targets;
use super::{
    BaseCopy, ClusterParts, CopyObjects, CopyParts, CopySnapshot, FileParts, Link, ListObjects,
    ListedSource, ObjectsListed, Plan, PublishPoint, ShareSnapshot, SnapshotTaken, TakeSnapshot,
    VERSION, VerifyCopies,
};
use crate::manifest::SnapshotCopy;
use crate::model::{
    AccountId, Name, Role, RunId, RunKind, Seconds, Sha256, Slot, StepId, TargetName, VaultId,
};
use crate::policy::{AuroraSource, Policy, SnapshotTarget, Target};
use jiff::Timestamp;
use std::collections::BTreeMap;

/// What a plan depends on beside the policy.
pub struct BackupInput<'a> {
    pub policy: &'a Policy,
    pub policy_sha256: Sha256,
    pub vault: VaultId,
    pub journal_target: TargetName,
    pub slot: Slot,
    pub run: RunId,
    pub opened_at: Timestamp,
    /// Newest complete copy at each target, by target.
    pub bases: BTreeMap<TargetName, BaseCopy>,
}

pub fn backup(input: &BackupInput<'_>) -> Plan {
    let policy = input.policy;
    let mut steps = Steps::default();
    let snapshot = planned_cluster(policy)
        .map(|(cluster, database)| snapshot_steps(input, cluster, database, &mut steps));
    let listed = list_step(policy, snapshot.as_ref(), &mut steps);
    let targets = || policy.targets.iter();
    let copies: Vec<CopyParts> = targets()
        .map(|t| copy_parts(t, snapshot.is_some(), listed.is_some()))
        .collect();
    for (target, own) in targets().zip(&copies) {
        if let Some(snapshot) = &snapshot {
            copy_snapshot(input, target, snapshot, &mut steps);
        }
        if let Some(listed) = &listed {
            file_steps(input, target, listed, &mut steps);
        }
        publish(input, own, &copies, (&snapshot, &listed), &mut steps);
    }
    Plan {
        version: VERSION,
        kind: RunKind::Backup,
        policy: policy.name.clone(),
        policy_sha256: input.policy_sha256.clone(),
        run: input.run.clone(),
        slot: input.slot,
        vault: input.vault.clone(),
        opened_at: input.opened_at,
        deadline_at: input.opened_at + policy.schedule.deadline.signed(),
        journal_target: input.journal_target.clone(),
        targets: plan_targets(policy, input.slot.time().max(input.opened_at)),
        runner: policy.runner.clone(),
        step_attempts: policy.retry.steps,
        backoff: policy.retry.backoff,
        poll_every: policy.timeouts.poll_every,
        steps: steps.0,
    }
}

/// The cluster that is backed up, with its database: `policy check` lets no more of them pass.
fn planned_cluster(policy: &Policy) -> Option<(&AuroraSource, &Name)> {
    let cluster = policy.clusters().next()?;
    Some((cluster, cluster.databases.only()?))
}

fn sources(policy: &Policy) -> Vec<ListedSource> {
    let buckets = policy.buckets();
    buckets.map(|b| ListedSource::of(policy, b)).collect()
}

/// The snapshot's steps, for those that build on it.
struct SnapshotSteps<'a> {
    cluster: &'a AuroraSource,
    database: &'a Name,
    name: Name,
    taken: Link<SnapshotTaken>,
    /// Also that it is shared, where that is needed.
    done: Vec<StepId>,
}

fn ends_at(from: Timestamp, kept: Seconds) -> Timestamp {
    Timestamp::from_second((from + kept.signed()).as_second()).unwrap_or(from)
}

/// Snapshot and share.
fn snapshot_steps<'a>(
    input: &BackupInput<'a>,
    cluster: &'a AuroraSource,
    database: &'a Name,
    steps: &mut Steps,
) -> SnapshotSteps<'a> {
    let policy = input.policy;
    let name = names::snapshot(&input.vault, &policy.name, input.slot);
    let longest = policy.targets.iter().map(|t| t.lock.retention).max();
    let tagged = Tagged {
        vault: &input.vault,
        run: &input.run,
        source: names::cluster_arn(&cluster.region, &cluster.account, &cluster.cluster),
    };
    let endpoint = policy.rds_endpoint(&cluster.region).map(str::to_owned);
    let take = TakeSnapshot {
        cluster: cluster.cluster.clone(),
        region: cluster.region.clone(),
        account: cluster.account.clone(),
        endpoint: endpoint.clone(),
        snapshot: name.clone(),
        tags: tagged.snapshot(ends_at(
            input.opened_at,
            longest.unwrap_or(Seconds::days(1)),
        )),
    };
    let taken = steps.add(Role::Scheduler, take, &[]);
    let mut done = vec![taken.step().clone()];
    let mut with: Vec<AccountId> = policy
        .targets
        .iter()
        .filter_map(|t| t.snapshots.as_ref())
        .map(|s| s.account.clone())
        .filter(|a| a != &cluster.account)
        .collect();
    with.sort();
    with.dedup();
    if !with.is_empty() {
        let share = ShareSnapshot {
            region: cluster.region.clone(),
            endpoint,
            snapshot: name.clone(),
            with,
        };
        let shared = steps.add(Role::Scheduler, share, &[taken.step()]);
        done.push(shared.step().clone());
    }
    SnapshotSteps {
        cluster,
        database,
        name,
        taken,
        done,
    }
}

/// After the snapshot: rows that the snapshot holds then find their files, never the other way
/// round.
fn list_step(
    policy: &Policy,
    snapshot: Option<&SnapshotSteps<'_>>,
    steps: &mut Steps,
) -> Option<Link<ObjectsListed>> {
    let sources = sources(policy);
    if sources.is_empty() {
        return None;
    }
    let list = ListObjects { sources };
    let needs: Vec<&StepId> = snapshot.iter().flat_map(|s| &s.done).collect();
    Some(steps.add(Role::Copier, list, &needs))
}

/// What the documents of a target's copy are made from. Each target's documents go to all of them,
/// so they are known before the first step of the second target.
fn copy_parts(target: &Target, cluster: bool, files: bool) -> CopyParts {
    let name = &target.name;
    let snapshot = cluster && target.snapshots.is_some();
    CopyParts {
        target: name.clone(),
        published: Steps::coming::<PublishPoint>(name),
        snapshot: snapshot.then(|| Steps::coming::<CopySnapshot>(name)),
        files: files.then(|| FileParts {
            copied: Steps::coming::<CopyObjects>(name),
            verified: Steps::coming::<VerifyCopies>(name),
        }),
    }
}

fn copy_snapshot(
    input: &BackupInput<'_>,
    target: &Target,
    snapshot: &SnapshotSteps<'_>,
    steps: &mut Steps,
) {
    let Some(place) = &target.snapshots else {
        return;
    };
    let (policy, cluster) = (input.policy, snapshot.cluster);
    let source_arn = names::snapshot_arn(&cluster.region, &cluster.account, &snapshot.name);
    let tagged = Tagged {
        vault: &input.vault,
        run: &input.run,
        source: source_arn.clone(),
    };
    let share_with = policy
        .drill
        .iter()
        .map(|d| d.account.clone())
        .filter(|a| a != &place.account)
        .collect();
    let copy = CopySnapshot {
        target: target.name.clone(),
        taken: snapshot.taken.clone(),
        source_arn,
        region: target.region.clone(),
        account: place.account.clone(),
        endpoint: policy.rds_endpoint(&target.region).map(str::to_owned),
        copy: snapshot.name.clone(),
        kms_key: place.kms_key.clone(),
        share_with,
        tags: tagged.snapshot(ends_at(input.opened_at, target.lock.retention)),
    };
    let needs: Vec<&StepId> = snapshot.done.iter().collect();
    steps.add(Role::Copier, copy, &needs);
}

fn file_steps(
    input: &BackupInput<'_>,
    target: &Target,
    listed: &Link<ObjectsListed>,
    steps: &mut Steps,
) {
    let concurrency = &input.policy.concurrency;
    let base = input.bases.get(&target.name).cloned();
    let copy = CopyObjects {
        target: target.name.clone(),
        listed: listed.clone(),
        sources: sources(input.policy),
        base: base.clone(),
        in_flight: concurrency.objects,
        part_size_bytes: concurrency.part_size_bytes,
    };
    let copied = steps.add(Role::Copier, copy, &[listed.step()]);
    let verify = VerifyCopies {
        target: target.name.clone(),
        copied: copied.clone(),
        base,
        in_flight: concurrency.objects,
    };
    steps.add(Role::Copier, verify, &[copied.step()]);
}

fn publish(
    input: &BackupInput<'_>,
    own: &CopyParts,
    copies: &[CopyParts],
    (snapshot, listed): (&Option<SnapshotSteps<'_>>, &Option<Link<ObjectsListed>>),
    steps: &mut Steps,
) {
    let mut needs: Vec<&StepId> = own.snapshot.iter().map(Link::step).collect();
    match &own.files {
        Some(files) => needs.push(files.verified.step()),
        None => needs.extend(snapshot.iter().flat_map(|s| &s.done)),
    }
    let publish = PublishPoint {
        target: own.target.clone(),
        cluster: snapshot.as_ref().map(|s| cluster_parts(input.policy, s)),
        listed: listed.clone(),
        copies: copies.to_vec(),
    };
    steps.add(Role::Copier, publish, &needs);
}

fn cluster_parts(policy: &Policy, snapshot: &SnapshotSteps<'_>) -> ClusterParts {
    let cluster = snapshot.cluster;
    let copy = |target: &Target, place: &SnapshotTarget| SnapshotCopy {
        target: target.name.clone(),
        region: target.region.clone(),
        account: place.account.clone(),
        arn: names::snapshot_arn(&target.region, &place.account, &snapshot.name),
        kms_key: place.kms_key.clone(),
    };
    let copies = policy
        .targets
        .iter()
        .filter_map(|t| Some(copy(t, t.snapshots.as_ref()?)));
    ClusterParts {
        source: cluster.id.clone(),
        id: cluster.cluster.clone(),
        region: cluster.region.clone(),
        account: cluster.account.clone(),
        database: snapshot.database.clone(),
        heartbeat: cluster.heartbeat.as_ref().map(Into::into),
        taken: snapshot.taken.clone(),
        copies: copies.collect(),
    }
}
