//! A restored database that is about to be used: the first answer, then everything counted.

use super::{Beat, ClusterMade};
use crate::manifest::{HeartbeatColumn, TableDigest};
use crate::model::{Name, SourceId};
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
    /// When the first checked query was answered; the RTO ends here.
    pub answered_at: Timestamp,
    pub took_s: f64,
}
