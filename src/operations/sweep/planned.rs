//! The plan of a sweep from what was found, and a stored one again from the journals of its drills.

use super::super::planning;
use super::left::Of;
use super::owed::{left_by, proofs_of};
use crate::journal::RunState;
use crate::model::{Mark, RunId, RunKind, Sha256, Slot, TargetName, VaultId};
use crate::plan::{Plan, SpreadProofs, SweepDrill, SweepInput, sweep as plan};
use crate::policy::Policy;
use crate::targets::Reached;
use jiff::Timestamp;

/// Where a sweep is planned, and when.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub vault: &'a VaultId,
    pub journal_target: &'a TargetName,
    pub now: Timestamp,
}

impl<'a> Place<'a> {
    pub(super) fn of(reached: &'a Reached) -> Self {
        Self {
            vault: &reached.id,
            journal_target: &reached.name,
            now: reached.now,
        }
    }
}

/// Of the sweep that brings the proofs of one drill.
pub(super) fn mark_of_proofs(of: &RunId) -> Mark {
    Mark::of(&Sha256::of(format!("proofs of {of}").as_bytes()).0)
}

/// What one sweep does: the leftovers of some drills, or the proofs of one.
#[derive(Default)]
pub(super) struct What {
    pub drills: Vec<SweepDrill>,
    pub proofs: Vec<SpreadProofs>,
}

/// `None`: the policy has no drills.
pub(super) fn planned(
    (policy, sha256): (&Policy, &Sha256),
    place: Place<'_>,
    what: What,
) -> Option<Plan> {
    let drills = what.drills.iter().map(|d| d.run.to_string());
    let names: Vec<String> = drills.collect();
    let mark = match what.proofs.first() {
        Some(proofs) => mark_of_proofs(&proofs.run),
        None => Mark::of(&Sha256::of(names.join(" ").as_bytes()).0),
    };
    Some(plan(&SweepInput {
        policy,
        policy_sha256: sha256.clone(),
        drill: policy.drill.as_ref()?,
        vault: place.vault.clone(),
        journal_target: place.journal_target.clone(),
        run: RunId::manual(RunKind::Sweep, Slot::at(place.now), &mark),
        opened_at: place.now,
        drills: what.drills,
        proofs: what.proofs,
    }))
}

/// A stored sweep planned again from the journals of the drills that it names.
pub(super) fn again(
    policy: &Policy,
    stored: &Plan,
    drills: &[RunState],
    place: Place<'_>,
) -> Option<Plan> {
    if stored.kind != RunKind::Sweep || !planning::made_by(stored, place.now) {
        return None;
    }
    let of = Of {
        vault: place.vault,
        policy: &policy.name,
        now: stored.opened_at,
    };
    let state = |run: &RunId| drills.iter().find(|s| &s.plan.run == run);
    let drills = stored.actions::<SweepDrill>();
    let drills = drills.map(|(_, named)| left_by(state(&named.run)?, policy, of));
    let proofs = stored.actions::<SpreadProofs>();
    let proofs = proofs.map(|(_, named)| {
        let keys = named.keys.iter().cloned().collect();
        proofs_of(state(&named.run)?, policy, &named.target, &keys)
    });
    let what = What {
        drills: drills.collect::<Option<_>>()?,
        proofs: proofs.collect::<Option<_>>()?,
    };
    let place = Place {
        journal_target: &stored.journal_target,
        now: stored.opened_at,
        ..place
    };
    planned((policy, &stored.policy_sha256), place, what)
}
