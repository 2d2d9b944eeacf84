//! What will be done, decided before anything is done: an immutable list of steps with every name
//! in it.
//!
//! A plan is stored as entry 0 of its run. Whoever executes it has no choices left.

mod action;
mod backup;
mod drill;
mod link;
mod methods;
mod names;
mod new_cluster;
mod opening;
mod places;
mod restore;
mod step;
mod sweep;
mod targets;
mod verbs;

pub use action::*;
pub use backup::{BackupInput, backup};
pub use drill::{DrillInput, drill};
pub use link::Link;
pub use methods::{DrilledFrom, drilled_from};
pub use names::{
    EXPIRES_AT, cluster_id_of_attempt, drill_databases, drill_prefix, expires_at, scratch_prefix,
};
pub use restore::{IntoDatabase, RestoreInput, RestoreInto, Unavailable, restore};
pub use step::Step;
pub use sweep::{SweepInput, sweep};
pub use targets::plan_targets;
pub use verbs::VerbInput;

use crate::model::{
    AccountId, BucketName, KmsKey, Lock, LockMode, PolicyName, Provider, Region, RunId, RunKind,
    Seconds, Sha256, Slot, StepId, TargetName, VaultId,
};
use crate::policy::Runner;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::BTreeSet;

/// Version of the stored form of a plan. Another one is refused (11): a newer program opened that
/// run.
pub const VERSION: u32 = 1;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    pub version: u32,
    pub kind: RunKind,
    pub policy: PolicyName,
    pub policy_sha256: Sha256,
    pub run: RunId,
    /// The slot of the recovery point that is made (backup) or used (drill, restore).
    pub slot: Slot,
    pub vault: VaultId,
    /// The journal target's clock when the run was planned; everything relative starts here.
    pub opened_at: Timestamp,
    /// Later than this the run is abandoned.
    pub deadline_at: Timestamp,
    /// The target that holds this run's journal.
    pub journal_target: TargetName,
    pub targets: Vec<PlanTarget>,
    pub runner: Runner,
    pub step_attempts: u32,
    pub backoff: Seconds,
    pub poll_every: Seconds,
    /// So long a step waits before the other branches get their turn.
    pub patience: Seconds,
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
    /// Whole seconds; the data that this run writes here is locked until then.
    pub retain_until: Timestamp,
    /// The same of its journal, points, proofs, probes and policy; absent: as the data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence_until: Option<Timestamp>,
}

impl PlanTarget {
    /// What this run's data is locked with here.
    pub fn lock(&self) -> Lock {
        Lock {
            mode: self.lock_mode,
            retain_until: self.retain_until,
        }
    }

    /// What the record of this run is locked with here.
    pub fn evidence_lock(&self) -> Lock {
        Lock {
            mode: self.lock_mode,
            retain_until: self.evidence_until.unwrap_or(self.retain_until),
        }
    }
}

impl Plan {
    pub fn step(&self, id: &StepId) -> Option<&Step> {
        self.steps.iter().find(|s| &s.id == id)
    }
    pub fn target(&self, name: &TargetName) -> Option<&PlanTarget> {
        self.targets.iter().find(|t| &t.name == name)
    }

    /// All actions of one kind, with their steps.
    pub fn actions<A: Action + 'static>(&self) -> impl Iterator<Item = (&Step, &A)> {
        self.steps
            .iter()
            .filter_map(|s| Some((s, A::in_plan(&s.action)?)))
    }

    /// SHA-256 over the actions, names and version ids; not over instants, which differ each time
    /// the same command is typed.
    pub fn hash(&self) -> Sha256 {
        let actions: Vec<_> = self
            .steps
            .iter()
            .map(|s| (&s.id, s.role, lasting(&s.action)))
            .collect();
        let targets: Vec<_> = self
            .targets
            .iter()
            .map(|t| (&t.name, &t.bucket, &t.endpoint, t.lock_mode))
            .collect();
        let text = serde_json::to_vec(&(self.kind, &self.policy, &self.slot, targets, actions))
            .expect("a plan is text, numbers and lists of them");
        Sha256::of(&text)
    }

    /// `lab` where any endpoint is on loopback: a figure of the lab is never shown without that
    /// word.
    pub fn measured_on(&self) -> &'static str {
        let local = |e: &str| crate::model::on_loopback(e);
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
                "lock {} {} until {}, evidence until {}",
                t.name,
                t.lock_mode.as_str(),
                t.retain_until,
                t.evidence_lock().retain_until
            ));
            names.extend(t.kms_key.iter().map(|k| format!("key {k}")));
        }
        names.extend(self.steps.iter().map(|s| {
            let action = serde_json::to_string(&s.action).expect("an action is text and numbers");
            format!("{} {} {action}", s.id, s.role)
        }));
        names
    }
}

/// What is compared with may change between two commands, when a drill proves another dump: the
/// same things are made.
fn lasting(action: &StoredAction) -> Cow<'_, StoredAction> {
    match action {
        StoredAction::CheckRestored(check) if !check.against.is_empty() => {
            let against = Vec::new();
            Cow::Owned(StoredAction::CheckRestored(CheckRestored {
                against,
                ..check.clone()
            }))
        }
        other => Cow::Borrowed(other),
    }
}

#[cfg(test)]
pub(crate) mod tests;
