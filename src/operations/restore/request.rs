//! What a restore is asked for.

use crate::database::Secret;
use crate::model::{BucketName, ClusterId, Method, Name, Region, Slot, SourceId, TargetName};
use crate::operations::Loaded;
use crate::operations::vault_alone::{Endpoints, FromVault};
use crate::plan::Refusals;
use jiff::Timestamp;
use std::path::PathBuf;

pub struct RestoreRequest {
    pub source: RestoreSource,
    /// Credentials profile; absent: the policy's, or the platform's own chain.
    pub profile: Option<String>,
    pub endpoints: Endpoints,
    /// Without one nothing is planned.
    pub method: Option<Method>,
    /// Which of several.
    pub of: Option<SourceId>,
    /// Which of several databases of it was dumped.
    pub of_database: Option<Name>,
    pub point: Option<Slot>,
    pub before: Option<Timestamp>,
    pub target: Option<TargetName>,
    pub cluster: ClusterDestination,
    pub database: DatabaseDestination,
    pub bucket: BucketDestination,
    pub postgres_ca_file: Option<String>,
    pub incident_at: Option<Timestamp>,
    pub take_over: bool,
    pub journal_file: Option<PathBuf>,
}

/// Where to restore from.
pub enum RestoreSource {
    Vault(FromVault),
    Policy(Box<Loaded>),
}

#[derive(Default)]
pub struct ClusterDestination {
    pub id: Option<ClusterId>,
    pub instance_class: Option<Name>,
    pub subnet_group: Option<Name>,
    pub security_groups: Vec<Name>,
    pub parameter_group: Option<Name>,
    pub min_acu: Option<f64>,
    pub max_acu: Option<f64>,
    pub master_password: Option<Secret>,
}

#[derive(Default)]
pub struct DatabaseDestination {
    pub url: Option<String>,
    pub refusals: Refusals,
}

#[derive(Default)]
pub struct BucketDestination {
    pub bucket: Option<BucketName>,
    pub region: Option<Region>,
    pub endpoint: Option<String>,
    pub profile: Option<String>,
    pub prefix: String,
}
