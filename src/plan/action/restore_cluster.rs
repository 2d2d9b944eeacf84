//! A cluster from a snapshot's copy: scratch in a drill, for good in a restore.

use super::ClusterSpec;
use crate::model::SourceId;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RestoreCluster {
    pub source: SourceId,
    pub spec: ClusterSpec,
    pub snapshot_arn: String,
}
