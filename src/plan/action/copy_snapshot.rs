//! The snapshot's copy in a target's region, under that region's key.

use super::{SnapshotTaken, Tags};
use crate::manifest::SnapshotState;
use crate::model::{AccountId, KmsKey, Name, Region, SourceId, TargetName};
use crate::plan::Link;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CopySnapshot {
    pub source: SourceId,
    pub target: TargetName,
    pub taken: Link<SnapshotTaken>,
    pub source_arn: String,
    pub region: Region,
    pub account: AccountId,
    pub endpoint: Option<String>,
    pub copy: Name,
    pub kms_key: KmsKey,
    pub share_with: Vec<AccountId>,
    pub tags: Tags,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SnapshotCopied {
    pub state: SnapshotState,
}
