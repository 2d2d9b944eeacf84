//! The plan of a drill: restore an existing point into scratch things, from every target, and prove
//! it.

use super::names::{self, Tagged};
use super::step::Steps;
use super::targets::plan_targets;
use super::{
    BaseCopy, ClusterMade, ClusterSpec, CreateCluster, DumpDatabase, Dumps, InspectScratch, Link,
    LoadScratch, LockProbed, Plan, ProbeLock, Purpose, RestoreCluster, RestoreFiles,
    ScratchInspected, Tags, Teardown, Tried, TriedBy, VERSION, WriteProofs,
};
use crate::manifest::{CapturedCluster, Copy, Point, SnapshotCopy};
use crate::model::{
    ClusterId, Name, Provider, Region, Role, RunId, RunKind, Sha256, SourceId, TargetName, VaultId,
};
use crate::policy::{Drill, Policy};
use jiff::Timestamp;
use std::collections::BTreeMap;

pub struct DrillInput<'a> {
    pub policy: &'a Policy,
    pub drill: &'a Drill,
    pub policy_sha256: Sha256,
    pub vault: VaultId,
    pub journal_target: TargetName,
    pub run: RunId,
    pub opened_at: Timestamp,
    pub point: &'a Point,
    /// Complete copies of the point, in policy order.
    pub copies: &'a [Copy],
}

/// Which step tries the lock of each target.
type Probes = BTreeMap<TargetName, Link<LockProbed>>;

pub fn drill(input: &DrillInput<'_>) -> Plan {
    let (policy, point) = (input.policy, input.point);
    let mut steps = Steps::default();
    let mut tried = Vec::new();
    let probes = probes(input);
    if let Some((cluster, copy)) = restorable(input) {
        database_steps(input, (cluster, copy), &probes, &mut steps, &mut tried);
    }
    for copy in input.copies.iter().filter(|c| c.objects > 0) {
        let restored = steps.add(Role::Driller, restore_files(input, copy), &[]);
        tried.extend(probes.get(&copy.target).map(|probed| Tried {
            source: SourceId::files(),
            target: copy.target.clone(),
            probed: probed.clone(),
            by: TriedBy::Files { restored },
        }));
    }
    probe_steps(input, &mut steps);
    // Proofs are written of what could be tried; what failed gets a proof that says so.
    steps.add_always(Role::Driller, WriteProofs { tried });
    steps.add_always(Role::Driller, teardown(input));
    Plan {
        version: VERSION,
        kind: RunKind::Drill,
        policy: policy.name.clone(),
        policy_sha256: input.policy_sha256.clone(),
        run: input.run.clone(),
        slot: point.slot,
        vault: input.vault.clone(),
        opened_at: input.opened_at,
        deadline_at: input.opened_at + input.drill.schedule.deadline.signed(),
        journal_target: input.journal_target.clone(),
        targets: plan_targets(policy, input.opened_at),
        runner: policy.runner.clone(),
        step_attempts: policy.retry.steps,
        backoff: policy.retry.backoff,
        poll_every: policy.timeouts.poll_every,
        steps: steps.0,
    }
}

fn probes(input: &DrillInput<'_>) -> Probes {
    let targets = input.copies.iter().map(|c| &c.target);
    targets
        .map(|t| (t.clone(), Steps::coming::<ProbeLock>(t)))
        .collect()
}

fn probe_steps(input: &DrillInput<'_>, steps: &mut Steps) {
    let probe = &input.policy.probe;
    for copy in input.copies {
        let action = ProbeLock {
            target: copy.target.clone(),
            control: probe.control,
            lock: probe.lock,
        };
        steps.add(Role::Prober, action, &[]);
    }
}

/// The first copy of the snapshot, in the policy's order.
fn restorable<'a>(input: &DrillInput<'a>) -> Option<(&'a CapturedCluster, &'a SnapshotCopy)> {
    let cluster = input.point.cluster.as_ref()?;
    let target = &input.copies.iter().find(|c| c.snapshot.is_some())?.target;
    let copy = cluster.copies.iter().find(|c| &c.target == target)?;
    Some((cluster, copy))
}

fn database_steps(
    input: &DrillInput<'_>,
    (cluster, copy): (&CapturedCluster, &SnapshotCopy),
    probes: &Probes,
    steps: &mut Steps,
    tried: &mut Vec<Tried>,
) {
    let (policy, drill) = (input.policy, input.drill);
    let (prefix, snapshot_at) = (scratch_clusters(input), cluster.snapshot_at);
    let restore = RestoreCluster {
        spec: spec(input, cluster, ClusterId::new(format!("{prefix}-snapshot"))),
        snapshot_arn: copy.arn.clone(),
    };
    let restored = steps.add(Role::Driller, restore, &[]);
    let inspect = InspectScratch {
        target: copy.target.clone(),
        cluster: restored.clone(),
        heartbeat: cluster.heartbeat.clone(),
        snapshot_at,
        heartbeat_max_age: drill.heartbeat_max_age,
        assertions: drill.assertions.clone(),
        streams: policy.concurrency.streams,
    };
    let inspected = steps.add(Role::Driller, inspect, &[restored.step()]);
    tried.extend(probes.get(&copy.target).map(|probed| Tried {
        source: cluster.source.clone(),
        target: copy.target.clone(),
        probed: probed.clone(),
        by: TriedBy::Snapshot {
            cluster: restored.clone(),
            inspected: inspected.clone(),
            snapshot_at,
        },
    }));
    let create = CreateCluster {
        spec: spec(input, cluster, ClusterId::new(format!("{prefix}-empty"))),
    };
    let empty = steps.add(Role::Driller, create, &[inspected.step()]);
    let scratch = Scratch {
        cluster,
        restored,
        inspected,
        empty,
    };
    for (target, probed) in input
        .copies
        .iter()
        .filter_map(|c| probes.get_key_value(&c.target))
    {
        tried.push(Tried {
            source: cluster.source.clone(),
            target: target.clone(),
            probed: probed.clone(),
            by: dump_steps(input, target, &scratch, steps),
        });
    }
}

/// Where dumps come from and are loaded into.
struct Scratch<'a> {
    cluster: &'a CapturedCluster,
    restored: Link<ClusterMade>,
    inspected: Link<ScratchInspected>,
    empty: Link<ClusterMade>,
}

fn dump_steps(
    input: &DrillInput<'_>,
    target: &TargetName,
    scratch: &Scratch<'_>,
    steps: &mut Steps,
) -> TriedBy {
    let concurrency = &input.policy.concurrency;
    let dump = DumpDatabase {
        target: target.clone(),
        source: scratch.cluster.source.clone(),
        database: Name::new(&*scratch.cluster.database),
        cluster: scratch.restored.clone(),
        inspected: scratch.inspected.clone(),
        streams: concurrency.streams,
        part_size_bytes: concurrency.part_size_bytes,
        chunk_pages: concurrency.chunk_pages,
    };
    let dumped = steps.add(Role::Driller, dump, &[scratch.inspected.step()]);
    let load = LoadScratch {
        target: target.clone(),
        cluster: scratch.empty.clone(),
        dumped: dumped.clone(),
        inspected: scratch.inspected.clone(),
        heartbeat: scratch.cluster.heartbeat.clone(),
        database: Name::new(format!("dr_load_{}", target.as_str().replace('-', "_"))),
        streams: concurrency.streams,
    };
    let loaded = steps.add(Role::Driller, load, &[scratch.empty.step(), dumped.step()]);
    TriedBy::Dump {
        dumped,
        loaded,
        snapshot_at: scratch.cluster.snapshot_at,
    }
}

fn scratch_clusters(input: &DrillInput<'_>) -> String {
    names::drill_prefix(&input.vault, &input.policy.name, &input.run)
}

/// Where the run's scratch clusters are: beside the snapshot's copy.
fn scratch_region(input: &DrillInput<'_>) -> Region {
    let cluster = input.point.cluster.as_ref();
    cluster
        .and_then(|c| c.copies.first())
        .map_or_else(|| input.drill.scratch_region.clone(), |c| c.region.clone())
}

fn scratch_tags(input: &DrillInput<'_>) -> Tags {
    let source = input.point.cluster.as_ref().map_or_else(String::new, |c| {
        names::cluster_arn(&c.region, &c.account, &c.id)
    });
    let expires_at = input.opened_at + input.drill.ttl.signed();
    let tagged = Tagged {
        vault: &input.vault,
        run: &input.run,
        source,
    };
    tagged.scratch(Timestamp::from_second(expires_at.as_second()).unwrap_or(input.opened_at))
}

fn spec(input: &DrillInput<'_>, cluster: &CapturedCluster, id: ClusterId) -> ClusterSpec {
    let region = scratch_region(input);
    ClusterSpec {
        id,
        endpoint: input.policy.rds_endpoint(&region).map(str::to_owned),
        region,
        account: input.drill.account.clone(),
        engine: cluster.engine.clone(),
        engine_version: cluster.engine_version.clone(),
        shape: input.drill.cluster.clone(),
        deletion_protection: false,
        tags: scratch_tags(input),
        master_user: cluster.master_user.clone(),
        database: cluster.database.clone(),
    }
}

fn restore_files(input: &DrillInput<'_>, copy: &Copy) -> RestoreFiles {
    let (drill, policy) = (input.drill, input.policy);
    let prefix = names::scratch_prefix(&input.vault, &policy.name);
    RestoreFiles {
        target: copy.target.clone(),
        manifest: BaseCopy::of(copy),
        bucket: drill.scratch_bucket.clone(),
        region: drill.scratch_region.clone(),
        endpoint: policy.s3_endpoint(&drill.scratch_region).map(str::to_owned),
        provider: provider_of(policy, &drill.scratch_region),
        prefix: format!("{prefix}{}/{}/", input.run, copy.target),
        files: drill.files.clone(),
        in_flight: policy.concurrency.objects,
        part_size_bytes: policy.concurrency.part_size_bytes,
        purpose: Purpose::Scratch,
    }
}

/// A region is at another provider where a target says so.
fn provider_of(policy: &Policy, region: &Region) -> Provider {
    policy
        .targets
        .iter()
        .find(|t| &t.region == region)
        .map_or(Provider::Aws, |t| t.provider)
}

fn teardown(input: &DrillInput<'_>) -> Teardown {
    let (drill, policy, region) = (input.drill, input.policy, scratch_region(input));
    let prefix = names::scratch_prefix(&input.vault, &policy.name);
    let dumps = input.point.cluster.as_ref().map(|cluster| Dumps {
        source: cluster.source.clone(),
        targets: input.copies.iter().map(|c| c.target.clone()).collect(),
    });
    Teardown {
        endpoint: policy.rds_endpoint(&region).map(str::to_owned),
        region,
        cluster_prefix: scratch_clusters(input),
        tags: scratch_tags(input),
        bucket: drill.scratch_bucket.clone(),
        bucket_region: drill.scratch_region.clone(),
        bucket_endpoint: policy.s3_endpoint(&drill.scratch_region).map(str::to_owned),
        prefix: format!("{prefix}{}/", input.run),
        dumps,
    }
}
