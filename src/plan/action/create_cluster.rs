//! An empty scratch cluster, which dumps are loaded into.

use super::ClusterSpec;
use crate::model::SourceId;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CreateCluster {
    pub source: SourceId,
    pub spec: ClusterSpec,
}
