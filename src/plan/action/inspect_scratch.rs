//! What the restored scratch cluster holds: side effects off, digests of all tables, heartbeat,
//! assertions.

use super::{ClusterMade, Referred};
use crate::manifest::{Check, HeartbeatColumn, TableDigest};
use crate::model::{Name, Seconds, SourceId, TargetName};
use crate::plan::Link;
use crate::policy::Assertion;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct InspectScratch {
    pub source: SourceId,
    pub database: Name,
    /// The target whose snapshot copy was restored.
    pub target: TargetName,
    pub cluster: Link<ClusterMade>,
    pub heartbeat: Option<HeartbeatColumn>,
    pub snapshot_at: Timestamp,
    pub heartbeat_max_age: Seconds,
    pub assertions: Vec<Assertion>,
    /// Rows that name files.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub references: Vec<Referred>,
    pub streams: u32,
    /// Of a hundred rows, so many must be such that they can be compared with the source; absent
    /// where nobody reads it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_comparable: Option<u32>,
    /// How long its indexes and pages are looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amcheck: Option<Seconds>,
}

/// The newest heartbeat: its number and the instant of its commit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Beat {
    pub id: Option<i64>,
    pub at: Option<Timestamp>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScratchInspected {
    pub checks: Vec<Check>,
    pub tables: BTreeMap<String, TableDigest>,
    pub heartbeat: Beat,
    /// What would have acted on the world.
    pub disabled: Vec<String>,
    /// What was changed so that every row could be read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub opened: Vec<String>,
    pub took_s: f64,
}
