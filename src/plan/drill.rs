//! The plan of a drill: restore an existing point into scratch things, from every target, and prove
//! it.

use super::action::ClusterSpec;
use super::backup::plan_targets;
use super::{Action, BaseCopy, Kind, Plan, RunId, Step, StepId, VERSION, names};
use crate::manifest::{CapturedCluster, Copy, HeartbeatColumn, Point, Sha256Hex, VaultId};
use crate::policy::{ClusterId, Drill, Policy, Provider, Region, Role, TargetName};
use jiff::Timestamp;

pub struct DrillInput<'a> {
    pub policy: &'a Policy,
    pub drill: &'a Drill,
    pub policy_sha256: Sha256Hex,
    pub vault: VaultId,
    pub home: TargetName,
    pub run: RunId,
    pub opened_at: Timestamp,
    pub point: &'a Point,
    /// Complete copies of the point, in policy order.
    pub copies: &'a [Copy],
}

pub fn drill(input: &DrillInput<'_>) -> Plan {
    let (policy, point) = (input.policy, input.point);
    let mut steps = Vec::new();
    let prefix = names::drill_prefix(&input.vault, &input.run);
    let native = input
        .copies
        .iter()
        .find(|c| c.native.is_some())
        .map(|c| c.target.clone());
    if let (Some(cluster), Some(target)) = (&point.cluster, &native) {
        cluster_steps(input, cluster, target, &prefix, &mut steps);
    }
    for copy in input.copies.iter().filter(|c| c.objects > 0) {
        steps.push(files_step(input, copy));
    }
    for copy in input.copies {
        let action = Action::ProbeLock {
            target: copy.target.clone(),
            control: policy.probe.control,
            lock: policy.probe.lock,
        };
        steps.push(step(
            format!("probe:{}", copy.target),
            Role::Prober,
            action,
            &[],
        ));
    }
    // Proofs are written of what could be tried; what failed gets a proof that says so.
    let targets = input.copies.iter().map(|c| c.target.clone()).collect();
    steps.push(Step {
        always: true,
        ..step(
            "write-proofs".into(),
            Role::Driller,
            Action::WriteProofs { targets, native },
            &[],
        )
    });
    steps.push(Step {
        always: true,
        ..step(
            "teardown".into(),
            Role::Driller,
            teardown(input, prefix),
            &[],
        )
    });
    Plan {
        version: VERSION,
        kind: Kind::Drill,
        policy: policy.name.clone(),
        policy_sha256: input.policy_sha256.clone(),
        run: input.run.clone(),
        slot: point.slot.clone(),
        vault: input.vault.clone(),
        opened_at: input.opened_at,
        deadline_at: input.opened_at + input.drill.schedule.deadline.signed(),
        home: input.home.clone(),
        targets: plan_targets(policy, input.opened_at),
        runner: policy.runner.clone(),
        step_attempts: policy.retry.steps,
        backoff: policy.retry.backoff,
        poll_every: policy.timeouts.poll_every,
        steps,
    }
}

fn step(id: String, role: Role, action: Action, needs: &[&str]) -> Step {
    Step {
        id: StepId(id),
        role,
        action,
        needs: needs.iter().map(|n| StepId((*n).into())).collect(),
        always: false,
    }
}

fn cluster_steps(
    input: &DrillInput<'_>,
    cluster: &CapturedCluster,
    native: &TargetName,
    prefix: &str,
    steps: &mut Vec<Step>,
) {
    let (policy, drill) = (input.policy, input.drill);
    let Some(copy) = cluster.copies.iter().find(|c| &c.target == native) else {
        return;
    };
    let streams = policy.concurrency.streams;
    let restore = Action::RestoreScratch {
        spec: spec(input, cluster, format!("{prefix}-native")),
        snapshot_arn: copy.arn.clone(),
    };
    steps.push(step("restore-cluster".into(), Role::Driller, restore, &[]));
    let inspect = Action::InspectScratch {
        cluster: StepId("restore-cluster".into()),
        heartbeat: cluster.heartbeat.clone(),
        snapshot_at: cluster.snapshot_at,
        heartbeat_max_age: drill.heartbeat_max_age,
        assertions: drill.assertions.clone(),
        streams,
    };
    steps.push(step(
        "inspect".into(),
        Role::Driller,
        inspect,
        &["restore-cluster"],
    ));
    steps.push(step(
        "create-empty".into(),
        Role::Driller,
        Action::CreateEmpty {
            spec: spec(input, cluster, format!("{prefix}-empty")),
        },
        &["inspect"],
    ));
    for copy in input.copies {
        let name = &copy.target;
        let dump = Action::DumpTo {
            target: name.clone(),
            cluster: StepId("restore-cluster".into()),
            prefix: format!("dump/{}/{}/{}", policy.name, input.point.slot, input.run),
            streams,
            part_size_bytes: policy.concurrency.part_size_bytes,
            chunk_pages: policy.concurrency.chunk_pages,
        };
        steps.push(step(
            format!("dump:{name}"),
            Role::Driller,
            dump,
            &["inspect"],
        ));
        let load = Action::LoadFrom {
            target: name.clone(),
            cluster: StepId("create-empty".into()),
            database: format!("dr_load_{}", name.as_str().replace('-', "_")),
            dump_key: dump_key(input, name),
            streams,
        };
        steps.push(step(
            format!("load:{name}"),
            Role::Driller,
            load,
            &["create-empty", &format!("dump:{name}")],
        ));
    }
}

fn dump_key(input: &DrillInput<'_>, target: &TargetName) -> String {
    format!(
        "points/{}/{}/dumps/{}-{target}.json",
        input.policy.name, input.point.slot, input.run
    )
}

fn spec(input: &DrillInput<'_>, cluster: &CapturedCluster, id: String) -> ClusterSpec {
    let drill = input.drill;
    let region = cluster
        .copies
        .first()
        .map_or_else(|| drill.scratch_region.clone(), |c| c.region.clone());
    let expires_at = Timestamp::from_second((input.opened_at + drill.ttl.signed()).as_second())
        .unwrap_or(input.opened_at);
    let source = names::cluster_arn(
        cluster.region.as_str(),
        cluster.account.as_str(),
        cluster.id.as_str(),
    );
    ClusterSpec {
        id: ClusterId::new(id),
        endpoint: input.policy.rds_endpoint(&region).map(str::to_owned),
        region,
        account: drill.account.clone(),
        engine: cluster.engine.clone(),
        engine_version: cluster.engine_version.clone(),
        instance_class: drill.cluster.instance_class.clone(),
        subnet_group: drill.cluster.subnet_group.clone(),
        security_groups: drill.cluster.security_groups.clone(),
        parameter_group: drill.cluster.parameter_group.clone(),
        min_acu: drill.cluster.min_acu,
        max_acu: drill.cluster.max_acu,
        deletion_protection: false,
        tags: names::scratch_tags(&input.vault, &input.run, &source, expires_at),
        master_user: cluster.master_user.clone(),
        database: cluster.database.clone(),
    }
}

fn files_step(input: &DrillInput<'_>, copy: &Copy) -> Step {
    let drill = input.drill;
    let action = Action::RestoreFiles {
        target: copy.target.clone(),
        manifest: BaseCopy {
            slot: copy.slot.clone(),
            manifest_key: copy.manifest_key.clone(),
            manifest_version: copy.manifest_version.clone(),
            manifest_sha256: copy.manifest_sha256.clone(),
        },
        bucket: drill.scratch_bucket.clone(),
        region: drill.scratch_region.clone(),
        endpoint: input
            .policy
            .s3_endpoint(&drill.scratch_region)
            .map(str::to_owned),
        provider: provider_of(input.policy, &drill.scratch_region),
        prefix: format!(
            "dr-drill/{}/{}/{}/",
            input.vault.short(),
            input.run,
            copy.target
        ),
        files: drill.files.clone(),
        in_flight: input.policy.concurrency.objects,
        scratch: true,
    };
    step(
        format!("restore-files:{}", copy.target),
        Role::Driller,
        action,
        &[],
    )
}

/// A region is at another provider where a target says so.
fn provider_of(policy: &Policy, region: &Region) -> Provider {
    policy
        .targets
        .iter()
        .find(|t| &t.region == region)
        .map_or(Provider::Aws, |t| t.provider)
}

fn teardown(input: &DrillInput<'_>, cluster_prefix: String) -> Action {
    let drill = input.drill;
    let region = input
        .point
        .cluster
        .as_ref()
        .and_then(|c| c.copies.first())
        .map_or_else(|| drill.scratch_region.clone(), |c| c.region.clone());
    let source = input.point.cluster.as_ref().map_or_else(String::new, |c| {
        names::cluster_arn(c.region.as_str(), c.account.as_str(), c.id.as_str())
    });
    let expires_at = Timestamp::from_second((input.opened_at + drill.ttl.signed()).as_second())
        .unwrap_or(input.opened_at);
    Action::Teardown {
        endpoint: input.policy.rds_endpoint(&region).map(str::to_owned),
        region,
        cluster_prefix,
        tags: names::scratch_tags(&input.vault, &input.run, &source, expires_at),
        bucket: drill.scratch_bucket.clone(),
        bucket_region: drill.scratch_region.clone(),
        bucket_endpoint: input
            .policy
            .s3_endpoint(&drill.scratch_region)
            .map(str::to_owned),
        prefix: format!("dr-drill/{}/{}/", input.vault.short(), input.run),
    }
}

/// The heartbeat as a point carries it.
impl From<&crate::policy::Heartbeat> for HeartbeatColumn {
    fn from(h: &crate::policy::Heartbeat) -> Self {
        Self {
            table: h.table.clone(),
            id: h.id.clone(),
            at: h.at.clone(),
        }
    }
}
