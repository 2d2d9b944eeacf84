//! What a restore is planned from.

use crate::manifest::{Captured, Copy, Point};
use crate::model::{
    BucketName, ClusterId, Method, Name, ObjectKey, Provider, Region, RunId, Seconds, Slot,
    SourceId, TargetName, VaultId, VersionId,
};
use crate::plan::{Against, PlanTarget, Refusals};
use crate::policy::{ClusterShape, Runner};
use jiff::Timestamp;

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

impl RestoreInto {
    /// Of a cluster that is made.
    pub fn shape(&self) -> Option<&ClusterShape> {
        match self {
            RestoreInto::Cluster { shape, .. } => Some(shape),
            RestoreInto::Database(_) | RestoreInto::Bucket { .. } => None,
        }
    }
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
    pub refusals: Refusals,
}

pub struct RestoreInput<'a> {
    pub vault: VaultId,
    pub journal_target: TargetName,
    pub run: RunId,
    pub opened_at: Timestamp,
    pub point: &'a Point,
    /// What is restored of it.
    pub captured: &'a Captured,
    pub method: Method,
    /// The target that data is taken from.
    pub target: TargetName,
    pub copy: Option<&'a Copy>,
    pub into: RestoreInto,
    /// What a restored database must equal.
    pub against: Vec<Against>,
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
    #[error("method {0} restores into another kind of destination")]
    Destination(Method),
}
