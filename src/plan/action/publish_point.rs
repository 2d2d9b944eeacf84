//! `point.json` and `copies/<target>.json`, to every target that answers.

use super::{CopiesVerified, ObjectsCopied, ObjectsListed, SnapshotCopied, SnapshotTaken};
use crate::manifest::{HeartbeatColumn, SnapshotCopy};
use crate::model::{AccountId, ClusterId, Name, Region, SourceId, TargetName};
use crate::plan::Link;
use crate::policy::Heartbeat;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PublishPoint {
    /// The target that is complete now.
    pub target: TargetName,
    pub cluster: Option<ClusterParts>,
    pub listed: Option<Link<ObjectsListed>>,
    /// Of each target, this one among them: one that was away when an earlier copy was published
    /// gets that one's document as well.
    pub copies: Vec<CopyParts>,
}

/// What a point says of the cluster.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClusterParts {
    pub source: SourceId,
    pub id: ClusterId,
    pub region: Region,
    pub account: AccountId,
    pub database: Name,
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
    pub snapshot: Option<Link<SnapshotCopied>>,
    pub files: Option<FileParts>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FileParts {
    pub copied: Link<ObjectsCopied>,
    pub verified: Link<CopiesVerified>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PointPublished {
    /// Targets that have the documents now.
    pub point_at: Vec<TargetName>,
    /// Targets that could not be written.
    pub failed: Vec<TargetName>,
}

/// The heartbeat as a point carries it.
impl From<&Heartbeat> for HeartbeatColumn {
    fn from(h: &Heartbeat) -> Self {
        Self {
            table: h.table.clone(),
            id: h.id.clone(),
            at: h.at.clone(),
        }
    }
}
