//! What a restore is asked for.

use crate::database::Secret;
use crate::model::{
    BucketName, ClusterId, Method, Name, PolicyName, Region, Slot, TargetName, endpoint_allowed,
};
use crate::operations::Loaded;
use crate::report::Fail;
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::path::PathBuf;

pub struct RestoreRequest {
    pub source: RestoreSource,
    /// Credentials profile; absent: the policy's, or the platform's own chain.
    pub profile: Option<String>,
    pub endpoints: Endpoints,
    /// Without one nothing is planned.
    pub method: Option<Method>,
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

/// A vault alone.
pub struct FromVault {
    pub bucket: BucketName,
    pub region: Region,
    /// Which policy's points, where the vault holds several.
    pub of: Option<PolicyName>,
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
}

#[derive(Default)]
pub struct BucketDestination {
    pub bucket: Option<BucketName>,
    pub region: Option<Region>,
    pub endpoint: Option<String>,
    pub profile: Option<String>,
    pub prefix: String,
}

/// `--endpoint URL` is the vault's S3; `--endpoint rds=URL` and so on name others.
#[derive(Clone, Debug, Default)]
pub struct Endpoints(BTreeMap<String, String>);

impl Endpoints {
    /// # Errors
    /// Exit 2: not a URL, plain HTTP to another host, an unknown service.
    pub fn parse(flags: &[String]) -> Result<Self, Fail> {
        let mut endpoints = BTreeMap::new();
        for flag in flags {
            let (service, url) = match flag.split_once('=') {
                Some((service, url)) if !service.contains(':') => (service, url),
                _ => ("s3", flag.as_str()),
            };
            if !["s3", "rds", "sts"].contains(&service) {
                return Err(Fail::usage(format!(
                    "--endpoint {flag}: no service `{service}`; services are s3, rds and sts"
                )));
            }
            endpoint_allowed(url)
                .map_err(|why| Fail::usage(format!("--endpoint {service}: {why}")))?;
            endpoints.insert(service.to_owned(), url.trim_end_matches('/').to_owned());
        }
        Ok(Self(endpoints))
    }

    pub fn of(&self, service: &str) -> Option<String> {
        self.0.get(service).cloned()
    }
}
