//! A snapshot of the source cluster.

use super::Tags;
use crate::model::{AccountId, ClusterId, Name, Region, SourceId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TakeSnapshot {
    pub source: SourceId,
    pub cluster: ClusterId,
    pub region: Region,
    pub account: AccountId,
    pub endpoint: Option<String>,
    pub snapshot: Name,
    pub tags: Tags,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SnapshotTaken {
    pub arn: String,
    pub at: Timestamp,
    pub engine: String,
    pub engine_version: String,
    pub master_user: String,
    pub encrypted: bool,
    pub kms_key: Option<String>,
}
