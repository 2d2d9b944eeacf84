//! The plan of a restore, made from a vault alone.

use super::new_cluster::{Life, NewCluster};
use super::step::Steps;
use super::{
    BaseCopy, CheckRestored, LoadDump, Plan, PlanTarget, Purpose, RestoreCluster, RestoreFiles,
    Restored, Step, VERSION,
};
use crate::manifest::{Captured, CapturedCluster, Copy, HeartbeatColumn, Point};
use crate::model::{
    BucketName, ClusterId, Name, ObjectKey, Provider, Region, Role, RunId, RunKind, Seconds, Slot,
    SourceId, TargetName, VaultId, VersionId,
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
    Database(IntoDatabase),
    Bucket {
        bucket: BucketName,
        region: Region,
        endpoint: Option<String>,
        provider: Provider,
        prefix: String,
    },
}

/// A database of the user's, and the dump that it gets.
#[derive(Clone, Debug, PartialEq)]
pub struct IntoDatabase {
    pub host: String,
    pub port: u16,
    pub database: String,
    pub user: String,
    /// The dumped database.
    pub of: Name,
    pub dump_key: ObjectKey,
    pub dump_version: VersionId,
}

pub struct RestoreInput<'a> {
    pub vault: VaultId,
    pub journal_target: TargetName,
    pub run: RunId,
    pub opened_at: Timestamp,
    pub point: &'a Point,
    /// What is restored of it.
    pub captured: &'a Captured,
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
    #[error("point {0} has no files of source {1} at target {2}")]
    Files(Slot, SourceId, TargetName),
    #[error("source {1} of point {0} is no cluster")]
    Cluster(Slot, SourceId),
    #[error("point {0} has no snapshot copy of source {1} at target {2}")]
    Snapshot(Slot, SourceId, TargetName),
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
        // Nothing else waits for its turn.
        patience: DEADLINE,
        steps: steps(input)?,
    })
}

fn steps(input: &RestoreInput<'_>) -> Result<Vec<Step>, Unavailable> {
    let mut steps = Steps::default();
    let source = &input.captured.source;
    match &input.into {
        RestoreInto::Cluster {
            id,
            shape,
            rds_endpoint,
        } => {
            let restore = restore_cluster(input, id, shape, rds_endpoint.as_ref())?;
            let made = steps.add(Role::Restorer, restore, &[]);
            let needs = made.step().clone();
            let cluster = captured_cluster(input)?;
            let (databases, heartbeat) = (cluster.databases.clone(), cluster.heartbeat.clone());
            let check = check(input, Restored::Cluster(made), databases, heartbeat);
            steps.add(Role::Restorer, check, &[&needs]);
        }
        RestoreInto::Database(into) => {
            let loaded = steps.add(Role::Restorer, load_dump(input, into), &[]);
            let heartbeat = input.captured.heartbeat_of(&into.of);
            let check = check(input, Restored::Given, Vec::new(), heartbeat);
            steps.add(Role::Restorer, check, &[loaded.step()]);
        }
        RestoreInto::Bucket {
            bucket,
            region,
            endpoint,
            provider,
            prefix,
        } => {
            let slot = input.point.slot;
            let files = input
                .copy
                .and_then(Copy::files)
                .ok_or_else(|| Unavailable::Files(slot, source.clone(), input.target.clone()))?;
            let restore = RestoreFiles {
                source: source.clone(),
                target: input.target.clone(),
                manifest: BaseCopy::of(slot, files),
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

fn load_dump(input: &RestoreInput<'_>, into: &IntoDatabase) -> LoadDump {
    LoadDump {
        source: input.captured.source.clone(),
        target: input.target.clone(),
        dump_key: into.dump_key.clone(),
        dump_version: into.dump_version.clone(),
        host: into.host.clone(),
        port: into.port,
        database: into.database.clone(),
        user: into.user.clone(),
        streams: input.streams,
    }
}

fn check(
    input: &RestoreInput<'_>,
    restored: Restored,
    databases: Vec<Name>,
    heartbeat: Option<HeartbeatColumn>,
) -> CheckRestored {
    CheckRestored {
        source: input.captured.source.clone(),
        restored,
        databases,
        heartbeat,
        streams: input.streams,
    }
}

fn captured_cluster<'a>(input: &RestoreInput<'a>) -> Result<&'a CapturedCluster, Unavailable> {
    let (slot, captured) = (input.point.slot, input.captured);
    let none = || Unavailable::Cluster(slot, captured.source.clone());
    captured.cluster().ok_or_else(none)
}

fn restore_cluster(
    input: &RestoreInput<'_>,
    id: &ClusterId,
    shape: &ClusterShape,
    rds_endpoint: Option<&String>,
) -> Result<RestoreCluster, Unavailable> {
    let (slot, source) = (input.point.slot, &input.captured.source);
    let cluster = captured_cluster(input)?;
    let copy = cluster
        .copies
        .iter()
        .find(|c| c.target == input.target)
        .ok_or_else(|| Unavailable::Snapshot(slot, source.clone(), input.target.clone()))?;
    let new = NewCluster {
        captured: cluster,
        copy,
        id: id.clone(),
        account: &copy.account,
        endpoint: rds_endpoint.map(String::as_str),
        shape,
        life: Life::Restored,
    };
    Ok(RestoreCluster {
        source: source.clone(),
        spec: new.spec(&input.vault, &input.run),
        snapshot_arn: copy.arn.clone(),
    })
}
