//! A dump, loaded into a database of the user's.

use crate::model::{ObjectKey, SourceId, TargetName, VersionId};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LoadDump {
    pub source: SourceId,
    pub target: TargetName,
    pub dump_key: ObjectKey,
    pub dump_version: VersionId,
    pub host: String,
    pub port: u16,
    pub database: String,
    pub user: String,
    pub streams: u32,
}
