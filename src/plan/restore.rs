//! The plan of a restore, made from a vault alone.

use super::action::ClusterSpec;
use super::{Action, BaseCopy, Kind, Plan, PlanTarget, RunId, Step, StepId, VERSION, names};
use crate::manifest::{Copy, Point, VaultId};
use crate::policy::{
    BucketName, ClusterId, FilesChecked, Name, Provider, Region, Role, Runner, Seconds, TargetName,
};
use jiff::Timestamp;

/// Where to.
#[derive(Clone, Debug, PartialEq)]
pub enum RestoreInto {
    Cluster {
        id: ClusterId,
        instance_class: Name,
        subnet_group: Option<Name>,
        security_groups: Vec<Name>,
        parameter_group: Option<Name>,
        rds_endpoint: Option<String>,
    },
    Database {
        host: String,
        port: u16,
        database: String,
        user: String,
        dump_key: String,
        dump_version: String,
    },
    Bucket {
        bucket: BucketName,
        region: Region,
        endpoint: Option<String>,
        provider: Provider,
        prefix: String,
    },
}

pub struct RestoreInput<'a> {
    pub vault: VaultId,
    pub home: TargetName,
    pub run: RunId,
    pub opened_at: Timestamp,
    pub point: &'a Point,
    /// The target that data is taken from.
    pub target: TargetName,
    pub copy: Option<&'a Copy>,
    pub into: RestoreInto,
    pub targets: Vec<PlanTarget>,
    pub runner: Runner,
    pub poll_every: Seconds,
    pub streams: u32,
    pub in_flight: u32,
}

/// # Errors
/// A sentence that says what the point does not hold.
pub fn restore(input: &RestoreInput<'_>) -> Result<Plan, String> {
    let steps = match &input.into {
        RestoreInto::Cluster { .. } => cluster_steps(input)?,
        RestoreInto::Database {
            host,
            port,
            database,
            user,
            dump_key,
            dump_version,
        } => {
            let load = Action::LoadDump {
                target: input.target.clone(),
                dump_key: dump_key.clone(),
                dump_version: dump_version.clone(),
                host: host.clone(),
                port: *port,
                database: database.clone(),
                user: user.clone(),
                streams: input.streams,
            };
            vec![
                step("load-dump", load, &[]),
                check(input, None, "load-dump"),
            ]
        }
        RestoreInto::Bucket {
            bucket,
            region,
            endpoint,
            provider,
            prefix,
        } => {
            let copy = input.copy.ok_or_else(|| {
                format!(
                    "point {} has no files at target {}",
                    input.point.slot, input.target
                )
            })?;
            let action = Action::RestoreFiles {
                target: input.target.clone(),
                manifest: BaseCopy {
                    slot: copy.slot.clone(),
                    manifest_key: copy.manifest_key.clone(),
                    manifest_version: copy.manifest_version.clone(),
                    manifest_sha256: copy.manifest_sha256.clone(),
                },
                bucket: bucket.clone(),
                region: region.clone(),
                endpoint: endpoint.clone(),
                provider: *provider,
                prefix: prefix.clone(),
                files: FilesChecked::All,
                in_flight: input.in_flight,
                scratch: false,
            };
            vec![step("restore-files", action, &[])]
        }
    };
    Ok(Plan {
        version: VERSION,
        kind: Kind::Restore,
        policy: input.point.policy.clone(),
        policy_sha256: input.point.policy_sha256.clone(),
        run: input.run.clone(),
        slot: input.point.slot.clone(),
        vault: input.vault.clone(),
        opened_at: input.opened_at,
        deadline_at: input.opened_at + Seconds::hours(24).signed(),
        home: input.home.clone(),
        targets: input.targets.clone(),
        runner: input.runner.clone(),
        step_attempts: 5,
        backoff: Seconds(1),
        poll_every: input.poll_every,
        steps,
    })
}

fn step(id: &str, action: Action, needs: &[&str]) -> Step {
    Step {
        id: StepId(id.into()),
        role: Role::Restorer,
        action,
        needs: needs.iter().map(|n| StepId((*n).into())).collect(),
        always: false,
    }
}

fn check(input: &RestoreInput<'_>, cluster: Option<StepId>, after: &str) -> Step {
    let heartbeat = input
        .point
        .cluster
        .as_ref()
        .and_then(|c| c.heartbeat.clone());
    step(
        "check",
        Action::CheckRestored {
            cluster,
            heartbeat,
            point_at: input.point.at,
            streams: input.streams,
        },
        &[after],
    )
}

fn cluster_steps(input: &RestoreInput<'_>) -> Result<Vec<Step>, String> {
    let RestoreInto::Cluster {
        id,
        instance_class,
        subnet_group,
        security_groups,
        parameter_group,
        rds_endpoint,
    } = &input.into
    else {
        return Ok(Vec::new());
    };
    let cluster = input
        .point
        .cluster
        .as_ref()
        .ok_or_else(|| format!("point {} holds no cluster", input.point.slot))?;
    let copy = cluster
        .copies
        .iter()
        .find(|c| c.target == input.target)
        .ok_or_else(|| {
            format!(
                "point {} has no snapshot copy at target {}",
                input.point.slot, input.target
            )
        })?;
    let source = names::cluster_arn(
        cluster.region.as_str(),
        cluster.account.as_str(),
        cluster.id.as_str(),
    );
    let spec = ClusterSpec {
        id: id.clone(),
        region: copy.region.clone(),
        account: copy.account.clone(),
        endpoint: rds_endpoint.clone(),
        engine: cluster.engine.clone(),
        engine_version: cluster.engine_version.clone(),
        instance_class: instance_class.clone(),
        subnet_group: subnet_group.clone(),
        security_groups: security_groups.clone(),
        parameter_group: parameter_group.clone(),
        min_acu: None,
        max_acu: None,
        deletion_protection: true,
        tags: names::restored_tags(&input.vault, &input.run, &source),
        master_user: cluster.master_user.clone(),
        database: cluster.database.clone(),
    };
    let restore = Action::RestoreCluster {
        spec,
        snapshot_arn: copy.arn.clone(),
    };
    Ok(vec![
        step("restore-cluster", restore, &[]),
        check(
            input,
            Some(StepId("restore-cluster".into())),
            "restore-cluster",
        ),
    ])
}
