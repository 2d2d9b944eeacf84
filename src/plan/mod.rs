//! What will be done, decided before anything is done: an immutable list of steps with every name
//! in it.
//!
//! A plan is stored as entry 0 of its run. Whoever executes it has no choices left.

mod action;
mod backup;
mod drill;
mod names;
mod restore;

pub use action::{Action, BaseCopy, ClusterSpec, Source, StepRef, Tags, Unknown};
pub use backup::{BackupInput, backup, plan_targets};
pub use drill::{DrillInput, drill};
pub use names::{drill_cluster_id, drill_prefix, restored_tags, scratch_tags, snapshot_tags};
pub use restore::{RestoreInput, RestoreInto, restore};

use crate::manifest::{Sha256Hex, VaultId, sha256_hex};
use crate::policy::{
    AccountId, BucketName, KmsKey, LockMode, PolicyName, Provider, Region, Role, Runner, Seconds,
    TargetName,
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fmt;

/// Version of the stored form of a plan. Another one is refused (11): a newer program opened that
/// run.
pub const VERSION: u32 = 1;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    Backup,
    Drill,
    Restore,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Kind::Backup => "backup",
            Kind::Drill => "drill",
            Kind::Restore => "restore",
        })
    }
}

/// `backup-20261124T020000Z`, or for a manual run `drill-20261124T020311Z-1a2b3c4d`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RunId(pub String);

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// `copy-objects:central`
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct StepId(pub String);

impl fmt::Display for StepId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    pub version: u32,
    pub kind: Kind,
    pub policy: PolicyName,
    pub policy_sha256: Sha256Hex,
    pub run: RunId,
    /// The slot of the recovery point that is made (backup) or used (drill, restore), in its
    /// compact form.
    pub slot: String,
    pub vault: VaultId,
    /// The home's clock when the run was planned; everything relative starts here.
    pub opened_at: Timestamp,
    /// Later than this the run is abandoned.
    pub deadline_at: Timestamp,
    pub home: TargetName,
    pub targets: Vec<PlanTarget>,
    pub runner: Runner,
    pub step_attempts: u32,
    pub backoff: Seconds,
    pub poll_every: Seconds,
    pub steps: Vec<Step>,
}

/// A target as this run uses it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanTarget {
    pub name: TargetName,
    pub region: Region,
    pub bucket: BucketName,
    pub account: Option<AccountId>,
    pub provider: Provider,
    pub endpoint: Option<String>,
    pub kms_key: Option<KmsKey>,
    pub lock_mode: LockMode,
    /// Whole seconds; what this run writes here is locked until then.
    pub retain_until: Timestamp,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Step {
    pub id: StepId,
    pub role: Role,
    pub action: Action,
    /// Steps that must have succeeded.
    pub needs: Vec<StepId>,
    /// Done when everything else is over, whatever became of it (teardown).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub always: bool,
}

impl Plan {
    pub fn step(&self, id: &StepId) -> Option<&Step> {
        self.steps.iter().find(|s| &s.id == id)
    }
    pub fn target(&self, name: &TargetName) -> Option<&PlanTarget> {
        self.targets.iter().find(|t| &t.name == name)
    }

    /// SHA-256 over the actions, names and version ids; not over instants, which differ each time
    /// the same command is typed.
    pub fn hash(&self) -> Sha256Hex {
        let actions: Vec<_> = self
            .steps
            .iter()
            .map(|s| (&s.id, s.role, &s.action))
            .collect();
        let targets: Vec<_> = self
            .targets
            .iter()
            .map(|t| (&t.name, &t.bucket, &t.endpoint, t.lock_mode))
            .collect();
        let text = serde_json::to_vec(&(self.kind, &self.policy, &self.slot, targets, actions))
            .unwrap_or_default();
        sha256_hex(&text)
    }

    /// `lab` where any endpoint is on loopback: a figure of the lab is never shown without that
    /// word.
    pub fn measured_on(&self) -> &'static str {
        let local = |e: &str| crate::policy::on_loopback(e);
        if self
            .targets
            .iter()
            .filter_map(|t| t.endpoint.as_deref())
            .any(local)
        {
            "lab"
        } else {
            "aws"
        }
    }

    /// Every outside name that this plan would touch: endpoints, buckets, accounts, keys, clusters,
    /// snapshots.
    /// A stored plan may be executed only if one's own policy gives the same names.
    pub fn names(&self) -> BTreeSet<String> {
        let mut names = BTreeSet::new();
        for t in &self.targets {
            names.insert(format!(
                "bucket {} in {} at {}",
                t.bucket,
                t.region,
                t.endpoint.as_deref().unwrap_or("aws")
            ));
            names.insert(format!(
                "lock {} {} until {}",
                t.name,
                t.lock_mode.as_str(),
                t.retain_until
            ));
            names.extend(t.kms_key.iter().map(|k| format!("key {k}")));
        }
        names.extend(self.steps.iter().map(|s| {
            format!(
                "{} {} {}",
                s.id,
                s.role,
                serde_json::to_string(&s.action).unwrap_or_default()
            )
        }));
        names
    }
}

#[cfg(test)]
pub(crate) mod tests;
