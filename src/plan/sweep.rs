//! The plan of a sweep: what closed drills left, each by itself.

use super::step::Steps;
use super::targets::plan_targets;
use super::{Plan, SweepDrill, VERSION};
use crate::model::{Role, RunId, RunKind, Sha256, Slot, TargetName, VaultId};
use crate::policy::{Drill, Policy};
use jiff::Timestamp;

pub struct SweepInput<'a> {
    pub policy: &'a Policy,
    pub policy_sha256: Sha256,
    pub drill: &'a Drill,
    pub vault: VaultId,
    pub journal_target: TargetName,
    pub run: RunId,
    pub opened_at: Timestamp,
    pub drills: Vec<SweepDrill>,
}

pub fn sweep(input: &SweepInput<'_>) -> Plan {
    let policy = input.policy;
    let mut steps = Steps::default();
    for drill in &input.drills {
        steps.add(Role::Driller, drill.clone(), &[]);
    }
    Plan {
        version: VERSION,
        kind: RunKind::Sweep,
        policy: policy.name.clone(),
        policy_sha256: input.policy_sha256.clone(),
        run: input.run.clone(),
        slot: Slot::at(input.opened_at),
        vault: input.vault.clone(),
        opened_at: input.opened_at,
        deadline_at: input.opened_at + input.drill.schedule.deadline.signed(),
        journal_target: input.journal_target.clone(),
        targets: plan_targets(policy, input.opened_at),
        runner: policy.runner.clone(),
        step_attempts: policy.retry.steps,
        backoff: policy.retry.backoff,
        poll_every: policy.timeouts.poll_every,
        patience: policy.timeouts.patience,
        steps: steps.0,
    }
}
