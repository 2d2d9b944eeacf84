//! What a running cluster holds, read before its snapshot is asked for and once more after it is
//! available: what did not change in between is in every copy of it.

use crate::manifest::{Exception, HeartbeatColumn};
use crate::model::{ClusterId, Name, ObjectKey, Region, Seconds, SourceId, TargetName};
use crate::policy::Databases;
use serde::{Deserialize, Serialize};
use std::fmt;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReadReference {
    pub source: SourceId,
    pub moment: Moment,
    pub cluster: ClusterId,
    pub region: Region,
    pub endpoint: Option<String>,
    /// Who reads; the password is the executor's own.
    pub user: Name,
    pub databases: Databases,
    pub heartbeat: Option<HeartbeatColumn>,
    /// The snapshot does not wait longer.
    pub budget: Seconds,
    pub streams: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Moment {
    Before,
    After,
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Moment::Before => "before",
            Moment::After => "after",
        })
    }
}

/// What could not be read keeps no snapshot from being taken: it is told, and was not compared.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReferenceRead {
    /// What the cluster has, where all of its databases are wanted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub listed: Option<DatabasesListed>,
    /// What was stored; `None`: nothing could be read.
    pub document: Option<ObjectKey>,
    /// Targets that have it.
    pub at: Vec<TargetName>,
    pub tables: u64,
    pub rows: u64,
    /// What was not read, or not stored, and why: the first few.
    pub unread: Vec<String>,
    /// All of them.
    pub unread_count: u64,
    pub took_s: f64,
}

/// What a running server said that it has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DatabasesListed {
    Read(DatabasesRead),
    /// Why it could not be asked.
    Unread(String),
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DatabasesRead {
    /// Those that can be entered, and hold something.
    pub databases: Vec<Name>,
    /// All of them.
    pub there: Vec<Name>,
    /// Those that are not among `databases`, and why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exceptions: Vec<Exception>,
}
