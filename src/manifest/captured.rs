//! One source of a recovery point, as it was captured.

use super::{Document, Dump, Exception};
use crate::model::{
    AccountId, BucketName, ClusterId, KmsKey, Name, ObjectKey, PolicyName, Region, RunId, Sha256,
    Slot, SourceId, TargetName,
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// `points/<policy>/<slot>/sources/<source>/captured.json`: one source as it was captured, and how
/// to restore it; no target's state.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Captured {
    pub policy: PolicyName,
    pub slot: Slot,
    pub run: RunId,
    pub source: SourceId,
    /// The instant that its data stands for.
    pub at: Timestamp,
    #[serde(flatten)]
    pub what: What,
}

impl Document for Captured {
    const SCHEMA: &'static str = "dr/captured/1";
}

/// By the kind of its source.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum What {
    Aurora(CapturedCluster),
    Postgres(CapturedServer),
    Bucket(CapturedBucket),
}

impl Captured {
    pub fn cluster(&self) -> Option<&CapturedCluster> {
        match &self.what {
            What::Aurora(cluster) => Some(cluster),
            What::Postgres(_) | What::Bucket(_) => None,
        }
    }

    pub fn bucket(&self) -> Option<&CapturedBucket> {
        match &self.what {
            What::Bucket(bucket) => Some(bucket),
            What::Aurora(_) | What::Postgres(_) => None,
        }
    }

    /// Those that are dumped.
    pub fn databases(&self) -> &[Name] {
        match &self.what {
            What::Aurora(cluster) => &cluster.databases,
            What::Postgres(server) => &server.databases,
            What::Bucket(_) => &[],
        }
    }

    /// The heartbeat of one of its databases.
    pub fn heartbeat_of(&self, database: &Name) -> Option<HeartbeatColumn> {
        let heartbeat = match &self.what {
            What::Aurora(cluster) => cluster.heartbeat.as_ref(),
            What::Postgres(server) => server.heartbeat.as_ref(),
            What::Bucket(_) => None,
        };
        heartbeat.filter(|h| &h.database == database).cloned()
    }

    /// What of its source is in no copy, or looked at in none.
    pub fn exceptions(&self) -> &[Exception] {
        match &self.what {
            What::Aurora(cluster) => &cluster.exceptions,
            What::Postgres(server) => &server.exceptions,
            What::Bucket(_) => &[],
        }
    }

    /// The instant that a dump of it stands for: of a cluster, whose snapshot was dumped, that of
    /// the snapshot; of a server that of the dump itself.
    pub fn dumped_at(&self, dump: &Dump) -> Timestamp {
        match &self.what {
            What::Postgres(_) => dump.at,
            What::Aurora(_) | What::Bucket(_) => self.at,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CapturedCluster {
    pub id: ClusterId,
    pub region: Region,
    pub account: AccountId,
    pub snapshot_arn: String,
    pub engine: String,
    pub engine_version: String,
    pub master_user: String,
    /// Those that are checked and dumped.
    pub databases: Vec<Name>,
    pub heartbeat: Option<HeartbeatColumn>,
    /// Copies by target; their names are known before they exist, a copy's document says that one
    /// does.
    pub copies: Vec<SnapshotCopy>,
    /// What of the source is checked and dumped by nobody.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exceptions: Vec<Exception>,
}

/// A server that is dumped as it runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CapturedServer {
    pub host: Name,
    pub port: u16,
    pub server_version: String,
    /// Those that were there to be dumped.
    pub databases: Vec<Name>,
    pub heartbeat: Option<HeartbeatColumn>,
    /// What of the source is in no dump.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exceptions: Vec<Exception>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeartbeatColumn {
    pub database: Name,
    pub table: String,
    pub id: String,
    pub at: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SnapshotCopy {
    pub target: TargetName,
    pub region: Region,
    pub account: AccountId,
    pub arn: String,
    pub kms_key: KmsKey,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CapturedBucket {
    pub name: BucketName,
    pub region: Region,
    pub prefix: String,
    pub list_key: ObjectKey,
    pub list_sha256: Sha256,
    pub versions: u64,
    pub delete_markers: u64,
    pub bytes: u64,
}
