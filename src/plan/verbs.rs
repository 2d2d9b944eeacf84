//! Plans of verbs that do one thing at each target: make it a vault, try its lock, store a policy
//! there, read what it holds.

use super::opening::Opening;
use super::step::Steps;
use super::{MakeVault, Plan, ProbeLock, StorePolicy, VerifyPoint};
use crate::model::{Role, RunId, Seconds, Sha256, TargetName, VaultId};
use crate::policy::Policy;
use jiff::Timestamp;

/// What was begun and not ended by then is given up.
const SOON: Seconds = Seconds::hours(1);
/// Reading every byte of a point takes as long as it takes.
const LATE: Seconds = Seconds::hours(24);

pub struct VerbInput<'a> {
    pub policy: &'a Policy,
    pub policy_sha256: &'a Sha256,
    pub vault: &'a VaultId,
    pub journal_target: &'a TargetName,
    pub run: RunId,
    pub opened_at: Timestamp,
}

impl VerbInput<'_> {
    /// Buckets made into vaults, each for itself, and then probed.
    pub fn init(&self, targets: &[TargetName]) -> Plan {
        let mut steps = Steps::default();
        let whole = Timestamp::from_second(self.opened_at.as_second());
        let created = whole.unwrap_or(self.opened_at);
        let named = self.policy.targets.iter();
        for target in named.filter(|t| targets.contains(&t.name)) {
            let made = MakeVault {
                target: target.name.clone(),
                vault: self.vault.clone(),
                created,
                max_lock_days: target.lock.max_lock_days,
            };
            let made = steps.add(Role::Copier, made, &[]);
            steps.add(Role::Prober, self.probed(&target.name), &[made.step()]);
        }
        self.plan(steps, SOON)
    }

    pub fn probe(&self, targets: &[TargetName]) -> Plan {
        let mut steps = Steps::default();
        for target in targets {
            steps.add(Role::Prober, self.probed(target), &[]);
        }
        self.plan(steps, SOON)
    }

    /// By the role that is about to open a run which names the policy.
    pub fn policy(&self, role: Role, targets: &[TargetName]) -> Plan {
        let mut steps = Steps::default();
        for target in targets {
            let stored = StorePolicy {
                target: target.clone(),
                policy: self.policy_sha256.clone(),
            };
            steps.add(role, stored, &[]);
        }
        self.plan(steps, SOON)
    }

    pub fn verify(&self, role: Role, asked: VerifyPoint) -> Plan {
        let mut steps = Steps::default();
        steps.add(role, asked, &[]);
        // Whoever waits for it decides whether all is read once more.
        Plan {
            step_attempts: 1,
            ..self.plan(steps, LATE)
        }
    }

    fn probed(&self, target: &TargetName) -> ProbeLock {
        ProbeLock {
            target: target.clone(),
            control: self.policy.probe.control,
            lock: self.policy.probe.lock,
        }
    }

    fn plan(&self, steps: Steps, deadline: Seconds) -> Plan {
        let opening = Opening {
            kind: self.run.kind(),
            policy: self.policy,
            policy_sha256: self.policy_sha256,
            run: &self.run,
            slot: self.run.slot(),
            vault: self.vault,
            opened_at: self.opened_at,
            deadline,
            journal_target: self.journal_target,
            locked_from: self.opened_at,
        };
        opening.plan(steps)
    }
}
