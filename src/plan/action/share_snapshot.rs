//! The accounts of the vaults may copy the snapshot.

use crate::model::{AccountId, Name, Region, SourceId};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ShareSnapshot {
    pub source: SourceId,
    pub region: Region,
    pub endpoint: Option<String>,
    pub snapshot: Name,
    pub with: Vec<AccountId>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SnapshotShared {
    pub with: Vec<String>,
}
