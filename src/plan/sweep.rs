//! The plan of a sweep: what closed drills left, and proofs of theirs that a target lacks, each by
//! itself.

use super::opening::Opening;
use super::step::Steps;
use super::{Plan, SpreadProofs, SweepDrill};
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
    pub proofs: Vec<SpreadProofs>,
}

pub fn sweep(input: &SweepInput<'_>) -> Plan {
    let policy = input.policy;
    let mut steps = Steps::default();
    for drill in &input.drills {
        steps.add(Role::Driller, drill.clone(), &[]);
    }
    for proofs in &input.proofs {
        steps.add(Role::Driller, proofs.clone(), &[]);
    }
    let opening = Opening {
        kind: RunKind::Sweep,
        policy,
        policy_sha256: &input.policy_sha256,
        run: &input.run,
        slot: Slot::at(input.opened_at),
        vault: &input.vault,
        opened_at: input.opened_at,
        deadline: input.drill.schedule.deadline,
        journal_target: &input.journal_target,
        locked_from: input.opened_at,
    };
    opening.plan(steps)
}
