//! The plan of a restore, made from a vault alone.

use super::names::{self, Tagged};
use super::step::Steps;
use super::{
    BaseCopy, CheckRestored, ClusterSpec, LoadDump, Plan, PlanTarget, Purpose, RestoreCluster,
    RestoreFiles, Restored, Step, VERSION,
};
use crate::manifest::{Copy, Point};
use crate::model::{
    BucketName, ClusterId, ObjectKey, Provider, Region, Role, RunId, RunKind, Seconds, Slot,
    TargetName, VaultId, VersionId,
};
use crate::policy::{ClusterShape, FilesChecked, Runner};
use jiff::Timestamp;

/// An incident lasts longer than any schedule's deadline.
const DEADLINE: Seconds = Seconds::hours(24);
const STEP_ATTEMPTS: u32 = 5;
const BACKOFF: Seconds = Seconds(1);

/// Where to.
#[derive(Clone, Debug, PartialEq)]
pub enum RestoreInto {
    Cluster {
        id: ClusterId,
        shape: ClusterShape,
        rds_endpoint: Option<String>,
    },
    Database {
        host: String,
        port: u16,
        database: String,
        user: String,
        dump_key: ObjectKey,
        dump_version: VersionId,
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
    pub journal_target: TargetName,
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
    pub part_size_bytes: u64,
}

/// What a point does not hold.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unavailable {
    #[error("point {0} has no files at target {1}")]
    Files(Slot, TargetName),
    #[error("point {0} holds no cluster")]
    Cluster(Slot),
    #[error("point {0} has no snapshot copy at target {1}")]
    Snapshot(Slot, TargetName),
}

/// # Errors
/// The point does not hold what is wanted.
pub fn restore(input: &RestoreInput<'_>) -> Result<Plan, Unavailable> {
    Ok(Plan {
        version: VERSION,
        kind: RunKind::Restore,
        policy: input.point.policy.clone(),
        policy_sha256: input.point.policy_sha256.clone(),
        run: input.run.clone(),
        slot: input.point.slot,
        vault: input.vault.clone(),
        opened_at: input.opened_at,
        deadline_at: input.opened_at + DEADLINE.signed(),
        journal_target: input.journal_target.clone(),
        targets: input.targets.clone(),
        runner: input.runner.clone(),
        step_attempts: STEP_ATTEMPTS,
        backoff: BACKOFF,
        poll_every: input.poll_every,
        steps: steps(input)?,
    })
}

fn steps(input: &RestoreInput<'_>) -> Result<Vec<Step>, Unavailable> {
    let mut steps = Steps::default();
    match &input.into {
        RestoreInto::Cluster {
            id,
            shape,
            rds_endpoint,
        } => {
            let restore = restore_cluster(input, id, shape, rds_endpoint.as_ref())?;
            let made = steps.add(Role::Restorer, restore, &[]);
            let needs = made.step().clone();
            let check = check(input, Restored::Cluster(made));
            steps.add(Role::Restorer, check, &[&needs]);
        }
        RestoreInto::Database {
            host,
            port,
            database,
            user,
            dump_key,
            dump_version,
        } => {
            let load = LoadDump {
                target: input.target.clone(),
                dump_key: dump_key.clone(),
                dump_version: dump_version.clone(),
                host: host.clone(),
                port: *port,
                database: database.clone(),
                user: user.clone(),
                streams: input.streams,
            };
            let loaded = steps.add(Role::Restorer, load, &[]);
            let check = check(input, Restored::Given);
            steps.add(Role::Restorer, check, &[loaded.step()]);
        }
        RestoreInto::Bucket {
            bucket,
            region,
            endpoint,
            provider,
            prefix,
        } => {
            let copy = input
                .copy
                .ok_or_else(|| Unavailable::Files(input.point.slot, input.target.clone()))?;
            let restore = RestoreFiles {
                target: input.target.clone(),
                manifest: BaseCopy::of(copy),
                bucket: bucket.clone(),
                region: region.clone(),
                endpoint: endpoint.clone(),
                provider: *provider,
                prefix: prefix.clone(),
                files: FilesChecked::All,
                in_flight: input.in_flight,
                part_size_bytes: input.part_size_bytes,
                purpose: Purpose::Kept,
            };
            steps.add(Role::Restorer, restore, &[]);
        }
    }
    Ok(steps.0)
}

fn check(input: &RestoreInput<'_>, restored: Restored) -> CheckRestored {
    let cluster = input.point.cluster.as_ref();
    CheckRestored {
        restored,
        heartbeat: cluster.and_then(|c| c.heartbeat.clone()),
        streams: input.streams,
    }
}

fn restore_cluster(
    input: &RestoreInput<'_>,
    id: &ClusterId,
    shape: &ClusterShape,
    rds_endpoint: Option<&String>,
) -> Result<RestoreCluster, Unavailable> {
    let slot = input.point.slot;
    let cluster = input.point.cluster.as_ref();
    let cluster = cluster.ok_or(Unavailable::Cluster(slot))?;
    let copy = cluster
        .copies
        .iter()
        .find(|c| c.target == input.target)
        .ok_or_else(|| Unavailable::Snapshot(slot, input.target.clone()))?;
    let tagged = Tagged {
        vault: &input.vault,
        run: &input.run,
        source: names::cluster_arn(&cluster.region, &cluster.account, &cluster.id),
    };
    let spec = ClusterSpec {
        id: id.clone(),
        region: copy.region.clone(),
        account: copy.account.clone(),
        endpoint: rds_endpoint.cloned(),
        engine: cluster.engine.clone(),
        engine_version: cluster.engine_version.clone(),
        shape: shape.clone(),
        deletion_protection: true,
        tags: tagged.restored(),
        master_user: cluster.master_user.clone(),
        database: cluster.database.clone(),
    };
    Ok(RestoreCluster {
        spec,
        snapshot_arn: copy.arn.clone(),
    })
}
