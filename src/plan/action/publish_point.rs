//! What makes a copy count: `point.json`, what was captured of a source, and the document of each
//! of its copies that is complete, to every target that answers.

use super::{
    AllDatabases, CopiesVerified, ObjectsCopied, ObjectsListed, ServerDumped, ServerRead,
    SnapshotCopied, SnapshotTaken,
};
use crate::manifest::{HeartbeatColumn, PointSource, SnapshotCopy};
use crate::model::{AccountId, ClusterId, Name, Region, SourceId, TargetName};
use crate::plan::Link;
use crate::policy::Heartbeat;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PublishPoint {
    pub source: SourceId,
    /// The target whose copy of the source is complete now.
    pub target: TargetName,
    /// All that the point is to hold.
    pub sources: Vec<PointSource>,
    pub captured: CaptureParts,
    /// Of each target, this one among them: one that was away when an earlier copy was published
    /// gets that one's document as well.
    pub copies: Vec<CopyParts>,
}

/// What the document of a source is made from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum CaptureParts {
    Aurora(Box<ClusterParts>),
    Postgres(ServerParts),
    Bucket { listed: Link<ObjectsListed> },
}

/// What is told of a server.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ServerParts {
    pub host: Name,
    pub port: u16,
    pub heartbeat: Option<HeartbeatColumn>,
    pub read: Link<ServerRead>,
}

/// What is told of a cluster.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClusterParts {
    pub id: ClusterId,
    pub region: Region,
    pub account: AccountId,
    pub databases: Vec<Name>,
    /// Where all of its databases are wanted: `databases` names none then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub all: Option<AllDatabases>,
    pub heartbeat: Option<HeartbeatColumn>,
    pub taken: Link<SnapshotTaken>,
    /// Their names are known before they exist.
    pub copies: Vec<SnapshotCopy>,
}

/// What a copy's document is made from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CopyParts {
    pub target: TargetName,
    pub published: Link<PointPublished>,
    #[serde(flatten)]
    pub held: HeldParts,
}

/// By the method that restores it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "method", rename_all = "lowercase")]
pub enum HeldParts {
    Snapshot {
        copied: Link<SnapshotCopied>,
    },
    Dump {
        dumped: Link<ServerDumped>,
    },
    Files {
        copied: Link<ObjectsCopied>,
        verified: Link<CopiesVerified>,
    },
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PointPublished {
    /// Targets that have the documents now.
    pub point_at: Vec<TargetName>,
    /// Targets that could not be written.
    pub failed: Vec<TargetName>,
    /// Documents that later evidence refers to, and whose lock could not be extended.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub short: Vec<String>,
}

/// The heartbeat as a point carries it.
impl From<&Heartbeat> for HeartbeatColumn {
    fn from(h: &Heartbeat) -> Self {
        Self {
            database: h.database.clone(),
            table: h.table.clone(),
            id: h.id.clone(),
            at: h.at.clone(),
        }
    }
}
