//! Names of the things that runs make: a function of vault, policy and slot, valid for the service.
//!
//! RDS: at most 63 of lower-case letters, digits and hyphens, a letter first, no double hyphen
//! (Amazon RDS API reference, CreateDBClusterSnapshot).

use super::Tags;
use crate::model::{
    AccountId, ClusterId, Name, PolicyName, Region, RunId, Sha256, Slot, SourceId, VaultId,
};
use jiff::Timestamp;

/// `dr-1a2b3c4d-shop-prod-5e6f70-20261124t020000z`: two policies of one vault may call their
/// sources alike, so both names go into the digits.
pub(super) fn snapshot(
    vault: &VaultId,
    policy: &PolicyName,
    source: &SourceId,
    slot: Slot,
) -> Name {
    let hash = Sha256::of(format!("{policy}/{source}").as_bytes());
    Name::new(format!(
        "dr-{}-{source}-{}-{}",
        vault.short(),
        &hash.0[..6],
        slot.to_string().to_ascii_lowercase()
    ))
}

pub(super) fn cluster_arn(region: &Region, account: &AccountId, id: &ClusterId) -> String {
    format!("arn:aws:rds:{region}:{account}:cluster:{id}")
}

pub(super) fn snapshot_arn(region: &Region, account: &AccountId, id: &Name) -> String {
    format!("arn:aws:rds:{region}:{account}:cluster-snapshot:{id}")
}

/// The beginning of every scratch cluster's name of one run. Policy and run id can be long, so
/// their hash stands for them.
pub fn drill_prefix(vault: &VaultId, policy: &PolicyName, run: &RunId) -> String {
    let hash = Sha256::of(format!("{policy}/{run}").as_bytes());
    format!("dr-drill-{}-{}", vault.short(), &hash.0[..10])
}

/// The beginning of every scratch database's name of one run, on a server of the user's.
pub fn drill_databases(vault: &VaultId, policy: &PolicyName, run: &RunId) -> String {
    drill_prefix(vault, policy, run).replace('-', "_") + "_"
}

/// Where the drills of a policy put files in the scratch bucket; each run has a folder below.
pub fn scratch_prefix(vault: &VaultId, policy: &PolicyName) -> String {
    format!("dr-drill/{}/{policy}/", vault.short())
}

/// The tag of a thing that goes by itself, and the instant that it names.
pub const EXPIRES_AT: &str = "dr:expires-at";

pub fn expires_at(tags: &Tags) -> Option<Timestamp> {
    tags.get(EXPIRES_AT)?.parse().ok()
}

/// A cluster is entered by the first of its databases.
pub(super) fn first(databases: &[Name]) -> String {
    databases
        .first()
        .map_or_else(|| "postgres".to_owned(), Name::to_string)
}

/// Name of the cluster in one attempt (1, 2, …) of the step that makes it.
pub fn cluster_id_of_attempt(first: &ClusterId, attempt: u32) -> ClusterId {
    if attempt <= 1 {
        first.clone()
    } else {
        ClusterId::new(format!("{first}-{attempt}"))
    }
}

/// What a thing that a run made says of itself; it is adopted by its tags.
pub(super) struct Tagged<'a> {
    pub vault: &'a VaultId,
    pub run: &'a RunId,
    /// ARN of the cluster or snapshot that its data is from, where it has such a source.
    pub source: Option<String>,
}

impl Tagged<'_> {
    pub fn scratch(&self, expires_at: Timestamp) -> Tags {
        self.tags("scratch", Some(expires_at))
    }

    pub fn restored(&self) -> Tags {
        self.tags("restored", None)
    }

    pub fn snapshot(&self, expires_at: Timestamp) -> Tags {
        self.tags("snapshot", Some(expires_at))
    }

    fn tags(&self, role: &'static str, expires_at: Option<Timestamp>) -> Tags {
        let mut tags: Tags = [
            ("dr:vault", self.vault.0.as_str()),
            ("dr:run", self.run.as_str()),
            ("dr:role", role),
        ]
        .into_iter()
        .chain(self.source.as_deref().map(|source| ("dr:source", source)))
        .map(|(k, v)| (k.to_owned(), v.to_owned()))
        .collect();
        if let Some(at) = expires_at {
            tags.insert(EXPIRES_AT.into(), at.to_string());
        }
        tags
    }
}
