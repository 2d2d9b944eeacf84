//! A target's dump, loaded into an empty scratch database and compared.

use super::{Beat, ClusterMade, DatabaseDumped, Referred, ScratchInspected, ServerPlace};
use crate::manifest::{Check, DumpHeld, HeartbeatColumn};
use crate::model::{Name, Seconds, SourceId, TargetName};
use crate::plan::Link;
use crate::policy::Assertion;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LoadScratch {
    pub source: SourceId,
    /// That was dumped.
    pub database: Name,
    pub target: TargetName,
    pub at: ScratchAt,
    pub dump: DumpTaken,
    /// What the dump must equal, where it is not what the dump itself says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inspected: Option<Link<ScratchInspected>>,
    pub heartbeat: Option<HeartbeatColumn>,
    /// What is asked of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked: Option<Asked>,
    /// Where to.
    pub into: Name,
    pub streams: u32,
    /// How long its indexes and pages are looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amcheck: Option<Seconds>,
}

/// What a drill asks of a database beside that it is whole.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Asked {
    pub assertions: Vec<Assertion>,
    /// Rows that name files.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub references: Vec<Referred>,
    pub heartbeat_max_age: Seconds,
    /// The instant that the newest heartbeat is compared with.
    pub at: Timestamp,
}

/// Where dumps are loaded.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ScratchAt {
    /// An empty scratch cluster.
    Cluster(Link<ClusterMade>),
    /// A server of the user's, in a database that the run makes and drops.
    Server(ServerPlace),
}

/// A dump that is loaded.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DumpTaken {
    /// By a step of this run.
    Dumped(Link<DatabaseDumped>),
    /// By the backup.
    Held(DumpHeld),
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
    /// Statements that the server refused, with what it said; all else is there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub undone: Vec<String>,
    /// Objects that are not there, or are otherwise than the dump says.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub objects_differ: Vec<String>,
    /// Why objects were not compared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub objects_not_compared: Option<String>,
}
