//! What closed drills left: scratch things whose teardown failed until the deadline, and proofs
//! that a target did not take. A tick of the driller sweeps the former once their time is over, by
//! the teardown that their own plan names, and only if it is the one that this policy would make;
//! it brings the latter from the targets that have them. Both in a run of its own.

mod lacking;
mod left;
mod owed;
mod planned;

use self::lacking::Lacks;
use self::left::Of;
use self::owed::{left_by, not_swept, proofs_of};
use self::planned::{Place, What, again, mark_of_proofs, planned};
use super::joining::Advanced;
use super::known_runs::known_runs;
use super::session::Session;
use crate::engine::RunExit;
use crate::journal::RunState;
use crate::model::{RunId, RunKind, Slot, StepId, TargetName};
use crate::plan::{Action, Plan, SpreadProofs, SweepDrill};
use crate::policy::{Drill, Policy};
use crate::report::{Code, Fail, Finding};
use crate::targets::Reached;
use crate::vault::RunRef;
use jiff::SignedDuration;
use std::collections::BTreeSet;

/// Drills that one run sweeps; a bug that takes everything for a leftover is caught by arithmetic.
const MAX_RUNS: usize = 5;
/// Drills whose proofs one tick brings, each in a run of its own; they take turns.
const MAX_PROOFS: usize = 5;
/// Proofs that a target did not take are offered to it again after so long.
const AGAIN_AFTER: SignedDuration = SignedDuration::from_hours(6);
/// Drills whose journals are read for one sweep that is resumed, whatever it says.
const MOST_READ: usize = 30;

/// What became of it: runs that were advanced, and what is to be said beside their reports.
#[derive(Default)]
pub(super) struct Swept {
    pub advanced: Vec<Result<Advanced, Fail>>,
    pub findings: Vec<Finding>,
}

/// Resumes the sweeps that are open, and looks for what none of them is at.
pub(super) async fn sweep(session: &Session<'_>, reached: &Reached) -> Swept {
    let mut swept = Swept::default();
    let known = known_runs(reached, session.loaded, RunKind::Sweep).await;
    let resumed = match &known {
        Ok(runs) => resumed(session, reached, runs, &mut swept).await,
        Err(_) => Ok(BTreeSet::new()),
    };
    match (known, resumed) {
        (Ok(known), Ok(at_work)) => {
            if let Some(drill) = &session.loaded.policy.drill {
                leftovers(session, reached, (drill, &at_work), &mut swept).await;
                proofs(session, reached, (&known, &at_work), &mut swept).await;
            }
        }
        (Err(fail), _) | (_, Err(fail)) => swept.advanced.push(Err(fail)),
    }
    swept
}

/// Scratch things of closed drills.
async fn leftovers(
    session: &Session<'_>,
    reached: &Reached,
    (drill, at_work): (&Drill, &BTreeSet<StepId>),
    swept: &mut Swept,
) {
    let policy = &session.loaded.policy;
    let of = Of {
        vault: &reached.id,
        policy: &policy.name,
        now: reached.now,
    };
    let (runs, findings) = left::left(session, of, drill).await;
    swept.findings.extend(findings);
    let (states, findings) = journals(session, reached, runs).await;
    swept.findings.extend(findings);
    let mut drills = Vec::new();
    for state in &states {
        let own = left_by(state, policy, of);
        let told = not_swept(state, own.as_ref(), of);
        swept.findings.extend(told.map(|f| f.place(&reached.name)));
        drills.extend(own);
    }
    drills.retain(|d| !at_work.contains(&d.step_id()));
    if drills.len() > MAX_RUNS {
        let message = format!(
            "{} closed drills seem to have left scratch things, at most {MAX_RUNS} are swept at \
             once; look at them first",
            drills.len()
        );
        let finding = Finding::error(Code::TooMany, message);
        let finding = finding.thing(&reached.id).place(&reached.name);
        swept.findings.push(finding);
    } else if !drills.is_empty() {
        let what = What {
            drills,
            ..What::default()
        };
        opened(session, reached, (what, &states), swept).await;
    }
}

/// Proofs that a target lacks: not those that are being brought, or were offered a while ago.
async fn proofs(
    session: &Session<'_>,
    reached: &Reached,
    (known, at_work): (&[RunRef], &BTreeSet<StepId>),
    swept: &mut Swept,
) {
    let policy = &session.loaded.policy;
    let (lacking, findings) = lacking::lacking(reached, policy).await;
    swept.findings.extend(findings);
    let offered = |run: &RunId| {
        let mark = mark_of_proofs(run);
        let since = Slot::at(reached.now - AGAIN_AFTER);
        let sweep = |r: &RunRef| r.run == RunId::manual(RunKind::Sweep, r.slot, &mark);
        known.iter().any(|r| r.slot > since && sweep(r))
    };
    let busy = |run: &RunId, lacks: &Lacks| {
        let step = |target: &TargetName| spread(run, target).step_id();
        lacks.keys().any(|t| at_work.contains(&step(t)))
    };
    let mut drills: Vec<(RunId, Lacks)> = lacking
        .into_iter()
        .filter(|(run, lacks)| !offered(run) && !busy(run, lacks))
        .collect();
    // What cannot be brought stays missing: in turns it keeps nothing else from being looked at.
    let turn = reached.now.as_second().unsigned_abs() / 60;
    let first = turn.checked_rem(drills.len() as u64).unwrap_or_default();
    drills.rotate_left(usize::try_from(first).unwrap_or_default());
    for (run, lacks) in drills.into_iter().take(MAX_PROOFS) {
        let (states, findings) = journals(session, reached, [run].into()).await;
        swept.findings.extend(findings);
        let Some(state) = states.first() else {
            continue;
        };
        let own = lacks.iter();
        let own = own.filter_map(|(target, keys)| proofs_of(state, policy, target, keys));
        let what = What {
            proofs: own.collect(),
            ..What::default()
        };
        if !what.proofs.is_empty() {
            opened(session, reached, (what, &states), swept).await;
        }
    }
}

/// By its name alone.
fn spread(run: &RunId, target: &TargetName) -> SpreadProofs {
    SpreadProofs {
        run: run.clone(),
        target: target.clone(),
        keys: Vec::new(),
    }
}

async fn opened(
    session: &Session<'_>,
    reached: &Reached,
    (what, states): (What, &[RunState]),
    swept: &mut Swept,
) {
    let (loaded, place) = (session.loaded, Place::of(reached));
    if let Some(plan) = planned((&loaded.policy, &loaded.sha256), place, what) {
        let again = |policy: &Policy, stored: &Plan| again(policy, stored, states, place);
        let opened = session.open(reached, &plan, &again).await;
        swept.advanced.push(opened);
    }
}

/// The steps of those that are open still.
async fn resumed(
    session: &Session<'_>,
    reached: &Reached,
    runs: &[RunRef],
    swept: &mut Swept,
) -> Result<BTreeSet<StepId>, Fail> {
    let found = session.open_runs(reached, runs).await?;
    swept.findings.extend(found.findings);
    let (mut open, place) = (BTreeSet::new(), Place::of(reached));
    for read in found.open {
        let plan = &read.state.plan;
        let drills = plan.actions::<SweepDrill>().map(|(_, d)| &d.run);
        let proofs = plan.actions::<SpreadProofs>().map(|(_, p)| &p.run);
        let named: BTreeSet<RunId> = drills.chain(proofs).take(MOST_READ).cloned().collect();
        let steps: Vec<StepId> = plan.steps.iter().map(|s| s.id.clone()).collect();
        let (states, findings) = journals(session, reached, named.clone()).await;
        swept.findings.extend(findings);
        // Without a drill's journal nothing says that the plan is ours: it waits until that can be
        // read again, and the other drills that it names are planned anew.
        if states.len() < named.len() {
            if reached.now >= plan.deadline_at {
                let ended = session.end(read).await;
                swept.advanced.push(ended.map(Advanced::from));
            }
            continue;
        }
        let again = |policy: &Policy, stored: &Plan| again(policy, stored, &states, place);
        let advanced = session.join(reached, read, &again).await;
        if matches!(&advanced, Ok(a) if !matches!(a.report.left, RunExit::Finished(_))) {
            open.extend(steps);
        }
        swept.advanced.push(advanced);
    }
    Ok(open)
}

/// What these drills' journals say; one that says nothing hides no other.
async fn journals(
    session: &Session<'_>,
    reached: &Reached,
    runs: BTreeSet<RunId>,
) -> (Vec<RunState>, Vec<Finding>) {
    let (mut states, mut findings) = (Vec::new(), Vec::new());
    for run in runs {
        let finding = match session.read_anywhere(reached, &run).await {
            Ok(Some(read)) => {
                states.push(read.state);
                continue;
            }
            Ok(None) => {
                let message = format!(
                    "{run} left scratch things or lacks a proof, and no target that answers has \
                     its journal; that is left alone"
                );
                Finding::warning(Code::RunMissing, message)
            }
            Err(fail) => Finding::from(fail),
        };
        findings.push(finding.thing(&run).place(&reached.name));
    }
    (states, findings)
}

#[cfg(test)]
mod tests;
