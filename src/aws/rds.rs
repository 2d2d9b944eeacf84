//! Aurora clusters and their snapshots. Own polling, no SDK waiters: those give up on a throttle
//! and sleep up to half an hour.

mod clusters;
mod snapshots;

use super::settings::Settings;
use crate::model::Region;
use aws_sdk_rds::config::BehaviorVersion;
use aws_sdk_rds::types::Tag;
use std::collections::BTreeMap;

type Tags = BTreeMap<String, String>;

/// RDS of one region, seen with one key.
#[derive(Clone)]
pub struct Rds {
    client: aws_sdk_rds::Client,
    pub region: Region,
}

/// A cluster snapshot as described.
#[derive(Clone, Debug, PartialEq)]
pub struct SnapshotInfo {
    pub id: String,
    pub arn: String,
    pub cluster: String,
    pub status: String,
    pub created: Option<jiff::Timestamp>,
    pub engine: String,
    pub engine_version: String,
    pub master_user: String,
    pub encrypted: bool,
    pub kms_key: Option<String>,
    pub percent: i32,
    pub tags: Tags,
}

#[derive(Clone, Debug, PartialEq)]
pub struct ClusterInfo {
    pub id: String,
    pub arn: String,
    pub status: String,
    pub endpoint: Option<String>,
    pub port: Option<u16>,
    pub master_user: String,
    pub members: Vec<String>,
    pub deletion_protection: bool,
    pub tags: Tags,
}

#[cfg(test)]
impl ClusterInfo {
    /// An available cluster of which nothing counts but its name and tags.
    pub fn tagged(id: &str, tags: &[(&str, &str)]) -> Self {
        let tags = tags.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
        Self {
            id: id.into(),
            arn: format!("arn:aws:rds:eu-west-3:1:cluster:{id}"),
            status: "available".into(),
            endpoint: None,
            port: None,
            master_user: "m".into(),
            members: Vec::new(),
            deletion_protection: false,
            tags: tags.collect(),
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct InstanceInfo {
    pub id: String,
    pub status: String,
    pub cluster: Option<String>,
    pub tags: Tags,
}

/// What a polled status means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    Ready,
    Working,
    Failed,
}

/// Statuses are plain strings with no published list; what is known is here, the rest is still at
/// work until the deadline.
pub fn phase(status: &str) -> Phase {
    match status {
        "available" => Phase::Ready,
        "failed"
        | "deleted"
        | "deleting"
        | "cloning-failed"
        | "migration-failed"
        | "inaccessible-encryption-credentials"
        | "inaccessible-encryption-credentials-recoverable"
        | "insufficient-capacity"
        | "storage-full"
        | "restore-error" => Phase::Failed,
        s if s.starts_with("incompatible-") => Phase::Failed,
        _ => Phase::Working,
    }
}

/// Shape of a new cluster.
#[derive(Clone, Debug)]
pub struct NewCluster<'a> {
    pub id: &'a str,
    pub engine: &'a str,
    pub engine_version: &'a str,
    pub subnet_group: Option<&'a str>,
    pub security_groups: Vec<String>,
    pub parameter_group: Option<&'a str>,
    pub acu: Option<(f64, f64)>,
    pub deletion_protection: bool,
    pub tags: &'a Tags,
}

fn tags_in(tags: &[Tag]) -> Tags {
    tags.iter()
        .filter_map(|t| {
            Some((
                t.key()?.to_owned(),
                t.value().unwrap_or_default().to_owned(),
            ))
        })
        .collect()
}

fn tags_out(tags: &Tags) -> Option<Vec<Tag>> {
    Some(
        tags.iter()
            .map(|(k, v)| Tag::builder().key(k).value(v).build())
            .collect(),
    )
}

impl Rds {
    pub async fn new(settings: &Settings) -> Self {
        let mut config = aws_sdk_rds::Config::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(aws_sdk_rds::config::Region::new(settings.region.clone()))
            .credentials_provider(settings.keys().await)
            .timeout_config(settings.timeouts())
            .retry_config(settings.retries());
        if let Some(url) = &settings.endpoint {
            config = config.endpoint_url(url);
        }
        Self {
            client: aws_sdk_rds::Client::from_conf(config.build()),
            region: Region::new(settings.region.clone()),
        }
    }

    fn thing(&self, what: &str, id: &str) -> String {
        format!("{what} {id} in {}", self.region)
    }
}
