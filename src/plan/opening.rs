//! What a plan that a policy gives has beside its steps.

use super::step::Steps;
use super::targets::plan_targets;
use super::{Plan, VERSION};
use crate::model::{RunId, RunKind, Seconds, Sha256, Slot, TargetName, VaultId};
use crate::policy::Policy;
use jiff::Timestamp;

pub(super) struct Opening<'a> {
    pub kind: RunKind,
    pub policy: &'a Policy,
    pub policy_sha256: &'a Sha256,
    pub run: &'a RunId,
    pub slot: Slot,
    pub vault: &'a VaultId,
    pub opened_at: Timestamp,
    /// After the opening.
    pub deadline: Seconds,
    pub journal_target: &'a TargetName,
    /// What the locks of this run are counted from.
    pub locked_from: Timestamp,
}

impl Opening<'_> {
    pub fn plan(self, steps: Steps) -> Plan {
        let policy = self.policy;
        Plan {
            version: VERSION,
            kind: self.kind,
            policy: policy.name.clone(),
            policy_sha256: self.policy_sha256.clone(),
            run: self.run.clone(),
            slot: self.slot,
            vault: self.vault.clone(),
            opened_at: self.opened_at,
            deadline_at: self.opened_at + self.deadline.signed(),
            journal_target: self.journal_target.clone(),
            targets: plan_targets(policy, self.locked_from),
            runner: policy.runner.clone(),
            step_attempts: policy.retry.steps,
            backoff: policy.retry.backoff,
            poll_every: policy.timeouts.poll_every,
            patience: policy.timeouts.patience,
            steps: steps.0,
        }
    }
}
