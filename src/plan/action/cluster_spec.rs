//! A cluster to make, and one that was made.

use super::Tags;
use crate::model::{AccountId, ClusterId, Region};
use crate::policy::ClusterShape;
use serde::{Deserialize, Serialize};

/// A cluster to make from a snapshot, or empty.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClusterSpec {
    /// Of the first attempt; later attempts end in `-2`, `-3`, …
    pub id: ClusterId,
    pub region: Region,
    pub account: AccountId,
    pub endpoint: Option<String>,
    pub engine: String,
    pub engine_version: String,
    #[serde(flatten)]
    pub shape: ClusterShape,
    pub deletion_protection: bool,
    pub tags: Tags,
    pub master_user: String,
    pub database: String,
}

/// An available cluster, and the address at which it answered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClusterMade {
    pub id: ClusterId,
    pub region: Region,
    /// Of the service that made it.
    pub endpoint: Option<String>,
    pub host: String,
    pub port: u16,
    pub master_user: String,
    pub database: String,
    pub took_s: f64,
}
