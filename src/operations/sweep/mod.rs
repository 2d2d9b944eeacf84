//! What closed drills left: scratch things whose teardown failed until the deadline, and proofs
//! that a target did not take. A tick of the driller sweeps the former once their time is over, by
//! the teardown that their own plan names, and only if it is the one that this policy would make;
//! it brings the latter from the targets that have them. Both in a run of its own.

mod lacking;
mod left;
mod owed;
mod planned;

use self::left::Of;
use self::owed::{left_by, not_swept, proofs_of};
use self::planned::{Place, What, again, planned};
use super::joining::Advanced;
use super::known_runs::known_runs;
use super::session::Session;
use crate::engine::RunExit;
use crate::journal::RunState;
use crate::model::{RunId, RunKind, StepId};
use crate::plan::{Action, Plan, SpreadProofs, SweepDrill};
use crate::policy::Policy;
use crate::report::{Code, Fail, Finding};
use crate::targets::Reached;
use std::collections::BTreeSet;

/// Drills that one run sweeps; a bug that takes everything for a leftover is caught by arithmetic.
const MAX_RUNS: usize = 5;
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
    let at_work = match resumed(session, reached, &mut swept).await {
        Ok(steps) => steps,
        Err(fail) => {
            swept.advanced.push(Err(fail));
            return swept;
        }
    };
    let Some(drill) = &session.loaded.policy.drill else {
        return swept;
    };
    let policy = &session.loaded.policy;
    let of = Of {
        vault: &reached.id,
        policy: &policy.name,
        now: reached.now,
    };
    let (left, findings) = left::left(session, of, drill).await;
    swept.findings.extend(findings);
    let (lacking, findings) = lacking::lacking(reached, policy).await;
    swept.findings.extend(findings);
    let runs = left.iter().chain(lacking.iter().map(|(run, _)| run));
    let (states, findings) = journals(session, reached, runs.cloned().collect()).await;
    swept.findings.extend(findings);
    let mut what = What::default();
    for state in states.iter().filter(|s| left.contains(&s.plan.run)) {
        let own = left_by(state, policy, of);
        let told = not_swept(state, own.as_ref(), of);
        swept.findings.extend(told.map(|f| f.place(&reached.name)));
        what.drills.extend(own);
    }
    let state = |run: &RunId| states.iter().find(|s| &s.plan.run == run);
    let proofs = lacking.iter();
    let proofs = proofs.filter_map(|(run, target)| proofs_of(state(run)?, policy, target));
    what.proofs.extend(proofs);
    if what.drills.len() > MAX_RUNS {
        let message = format!(
            "{} closed drills seem to have left scratch things, at most {MAX_RUNS} are swept at \
             once; look at them first",
            what.drills.len()
        );
        let finding = Finding::error(Code::TooMany, message);
        let finding = finding.thing(&reached.id).place(&reached.name);
        swept.findings.push(finding);
        what.drills.clear();
    }
    what.drills.retain(|d| !at_work.contains(&d.step_id()));
    what.proofs.retain(|p| !at_work.contains(&p.step_id()));
    if what.drills.is_empty() && what.proofs.is_empty() {
        return swept;
    }
    let (of, place) = ((policy, &session.loaded.sha256), Place::of(reached));
    if let Some(plan) = planned(of, place, what) {
        let again = |policy: &Policy, stored: &Plan| again(policy, stored, &states, place);
        let opened = session.open(reached, &plan, &again).await;
        swept.advanced.push(opened);
    }
    swept
}

/// The steps of those that are open still.
async fn resumed(
    session: &Session<'_>,
    reached: &Reached,
    swept: &mut Swept,
) -> Result<BTreeSet<StepId>, Fail> {
    let runs = known_runs(reached, session.loaded, RunKind::Sweep).await?;
    let found = session.open_runs(reached, &runs).await?;
    swept.findings.extend(found.findings);
    let (mut open, place) = (BTreeSet::new(), Place::of(reached));
    for read in found.open {
        let plan = &read.state.plan;
        let drills = plan.actions::<SweepDrill>().map(|(_, d)| &d.run);
        let proofs = plan.actions::<SpreadProofs>().map(|(_, p)| &p.run);
        let runs: BTreeSet<RunId> = drills.chain(proofs).take(MOST_READ).cloned().collect();
        let steps: Vec<StepId> = plan.steps.iter().map(|s| s.id.clone()).collect();
        let (states, findings) = journals(session, reached, runs).await;
        swept.findings.extend(findings);
        let again = |policy: &Policy, stored: &Plan| again(policy, stored, &states, place);
        let advanced = session.join(reached, read, &again).await;
        if !matches!(&advanced, Ok(a) if matches!(a.report.left, RunExit::Finished(_))) {
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
