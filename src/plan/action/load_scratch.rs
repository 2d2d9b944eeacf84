//! A target's dump, loaded into an empty database of the scratch cluster and compared.

use super::{Beat, ClusterMade, DatabaseDumped, ScratchInspected};
use crate::manifest::{Check, HeartbeatColumn};
use crate::model::{Name, SourceId, TargetName};
use crate::plan::Link;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LoadScratch {
    pub source: SourceId,
    /// That was dumped.
    pub database: Name,
    pub target: TargetName,
    pub cluster: Link<ClusterMade>,
    pub dumped: Link<DatabaseDumped>,
    pub inspected: Link<ScratchInspected>,
    pub heartbeat: Option<HeartbeatColumn>,
    /// Where to.
    pub into: Name,
    pub streams: u32,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DumpLoaded {
    pub checks: Vec<Check>,
    pub tables: u64,
    pub rows: u64,
    pub bytes: u64,
    pub took_s: f64,
    pub heartbeat: Beat,
    /// What the server has otherwise than the dump, and was not changed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exceptions: Vec<String>,
}
