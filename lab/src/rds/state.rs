//! What exists in RDS, region by region, and what follows from it: status, visibility, quotas. No
//! effects.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

pub type Tags = BTreeMap<String, String>;

/// Manual snapshots of one account in one region.
pub const SNAPSHOT_QUOTA: usize = 100;
/// Copies from another region that may be under way in one region, for one account.
pub const COPY_QUOTA: usize = 5;

/// A thing on its way: ready when its bytes are there and its time has passed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Making {
    pub done: bool,
    pub ready_at: Timestamp,
    #[serde(default)]
    pub failed: Option<String>,
}

impl Making {
    pub fn until(ready_at: Timestamp) -> Self {
        Self {
            done: false,
            ready_at,
            failed: None,
        }
    }

    pub fn ready(&self, now: Timestamp) -> bool {
        self.done && self.failed.is_none() && now >= self.ready_at
    }

    /// `meanwhile` is the service's word for being made.
    pub fn status<'a>(&self, now: Timestamp, meanwhile: &'a str) -> &'a str {
        match (&self.failed, self.ready(now)) {
            (Some(_), _) => "failed",
            (None, true) => "available",
            (None, false) => meanwhile,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    pub id: String,
    pub account: String,
    pub cluster: String,
    pub cluster_created: Timestamp,
    pub created: Timestamp,
    pub engine: String,
    pub engine_version: String,
    pub master_user: String,
    pub database: Option<String>,
    pub kms_key: String,
    pub tags: Tags,
    /// Accounts that may restore and copy it.
    pub shared_with: Vec<String>,
    /// ARN of what it was copied from.
    pub source: Option<String>,
    /// Copied from another region: counts towards `COPY_QUOTA` while it is made.
    pub from_other_region: bool,
    pub bytes: u64,
    pub making: Making,
}

impl Snapshot {
    pub fn status(&self, now: Timestamp) -> &'static str {
        self.making.status(
            now,
            if self.source.is_some() {
                "copying"
            } else {
                "creating"
            },
        )
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cluster {
    pub id: String,
    pub account: String,
    pub created: Timestamp,
    pub engine: String,
    pub engine_version: String,
    pub master_user: String,
    pub database: Option<String>,
    pub port: u16,
    pub kms_key: String,
    pub deletion_protection: bool,
    pub scaling: Option<(String, String)>,
    pub tags: Tags,
    pub making: Making,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Instance {
    pub id: String,
    pub account: String,
    pub cluster: String,
    pub class: String,
    pub created: Timestamp,
    pub tags: Tags,
    pub making: Making,
}

/// One region. Ids are unique in it, whatever the account (stricter than the service).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Region {
    pub snapshots: BTreeMap<String, Snapshot>,
    pub clusters: BTreeMap<String, Cluster>,
    pub instances: BTreeMap<String, Instance>,
}

impl Region {
    pub fn instances_of(&self, cluster: &str) -> Vec<&Instance> {
        self.instances
            .values()
            .filter(|i| i.cluster == cluster)
            .collect()
    }

    pub fn snapshots_owned(&self, account: &str) -> usize {
        self.snapshots
            .values()
            .filter(|s| s.account == account)
            .count()
    }

    pub fn copies_under_way(&self, account: &str, now: Timestamp) -> usize {
        let busy = |s: &&Snapshot| {
            s.from_other_region && s.account == account && s.status(now) == "copying"
        };
        self.snapshots.values().filter(busy).count()
    }
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    pub regions: BTreeMap<String, Region>,
}

impl State {
    pub fn region(&self, name: &str) -> Region {
        self.regions.get(name).cloned().unwrap_or_default()
    }

    pub fn region_mut(&mut self, name: &str) -> &mut Region {
        self.regions.entry(name.to_owned()).or_default()
    }

    /// What a lab that was killed left half made will never be finished; a server just starts
    /// again.
    pub fn after_restart(&mut self) {
        for region in self.regions.values_mut() {
            let snapshots = region.snapshots.values_mut().map(|s| &mut s.making);
            let clusters = region.clusters.values_mut().map(|c| &mut c.making);
            for making in snapshots.chain(clusters).filter(|m| !m.done) {
                making.failed = Some("the lab was stopped meanwhile".into());
            }
        }
    }

    /// Every port that a cluster has, running or not.
    pub fn ports(&self) -> Vec<u16> {
        self.regions
            .values()
            .flat_map(|r| r.clusters.values().map(|c| c.port))
            .collect()
    }
}

/// `arn:aws:rds:REGION:ACCOUNT:KIND:ID`
pub fn arn(region: &str, account: &str, kind: &str, id: &str) -> String {
    format!("arn:aws:rds:{region}:{account}:{kind}:{id}")
}

/// Region, kind and id of an ARN.
pub fn parse_arn(text: &str) -> Option<(&str, &str, &str)> {
    let mut parts = text.splitn(7, ':');
    let (head, service) = (parts.next()?, parts.nth(1)?);
    let (region, kind, id) = (parts.next()?, parts.nth(1)?, parts.next()?);
    (head == "arn" && service == "rds").then_some((region, kind, id))
}

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Who {
    pub role: crate::accounts::Role,
    pub account: String,
}

impl Who {
    pub fn admin(&self) -> bool {
        self.role == crate::accounts::Role::Admin
    }

    pub fn owns(&self, account: &str) -> bool {
        self.admin() || self.account == account
    }

    pub fn may_restore(&self, snapshot: &Snapshot) -> bool {
        self.owns(&snapshot.account)
            || snapshot
                .shared_with
                .iter()
                .any(|a| a == &self.account || a == "all")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("a second")
    }

    #[test]
    fn ready_needs_the_bytes_and_the_time() {
        let mut making = Making::until(at(10));
        assert_eq!(making.status(at(20), "copying"), "copying");
        making.done = true;
        assert_eq!(making.status(at(9), "copying"), "copying");
        assert_eq!(making.status(at(10), "copying"), "available");
        making.failed = Some("x".into());
        assert_eq!(making.status(at(10), "copying"), "failed");
    }

    #[test]
    fn arns_are_read_back() {
        let text = arn("eu-west-3", "111111111111", "cluster-snapshot", "a-b");
        assert_eq!(
            parse_arn(&text),
            Some(("eu-west-3", "cluster-snapshot", "a-b"))
        );
        assert_eq!(parse_arn("arn:aws:s3:::bucket"), None);
        assert_eq!(parse_arn("a-b"), None);
    }
}
