//! A restored database that is about to be used: the first answer, then everything counted.

use super::{Beat, ClusterMade};
use crate::manifest::{HeartbeatColumn, TableDigest};
use crate::model::{Name, ObjectKey, SourceId, TargetName};
use crate::plan::Link;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CheckRestored {
    pub source: SourceId,
    pub restored: Restored,
    /// Those of a cluster; empty: the one that was given.
    pub databases: Vec<Name>,
    pub heartbeat: Option<HeartbeatColumn>,
    pub streams: u32,
    /// Dumps of the same point: what was restored must equal them, table by table. Empty: there is
    /// none to compare with.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub against: Vec<Against>,
}

/// A dump of one database, at the target that is restored from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Against {
    pub database: Name,
    pub target: TargetName,
    pub dump: ObjectKey,
}

/// What was restored.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Restored {
    Cluster(Link<ClusterMade>),
    /// The database of the user's that the dump was loaded into.
    Given,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RestoredChecked {
    pub tables: u64,
    pub rows: u64,
    pub heartbeat: Beat,
    /// By `schema.table`, or by `database.schema.table` where there are several.
    pub digests: BTreeMap<String, TableDigest>,
    /// Tables that were compared with a dump; `None`: there was none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compared: Option<u64>,
    /// What was restored otherwise than the dump says, a table each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub differs: Vec<String>,
    /// When the first checked query was answered; the RTO ends here.
    pub answered_at: Timestamp,
    pub took_s: f64,
}
