//! What the format has for the versions to come. `policy check` refuses it until it is done.

use super::timing::Schedule;
use crate::model::{LockMode, Name, Seconds};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// When copies are read again, how much of them at a time, and after how long all were.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Verification {
    pub schedule: Schedule,
    pub level: VerifyLevel,
    /// Within this time every object was read once.
    pub rotation: Seconds,
}

/// How a copy is looked at, each more than the one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum VerifyLevel {
    Listed,
    Head,
    Read,
}

/// A server that dumps are loaded into by a drill, in place of a scratch cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScratchServer {
    pub host: Name,
    #[serde(default = "postgres_port")]
    pub port: u16,
    pub user: Name,
    pub password_file: String,
    pub ca_file: Option<String>,
}

fn postgres_port() -> u16 {
    5432
}

/// The lock of a snapshot's copy, in a vault of AWS Backup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SnapshotLock {
    pub mode: LockMode,
    pub retention: Seconds,
}
