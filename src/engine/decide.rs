//! What comes next in a run. Pure.

use crate::journal::{Outcome, RunState, StepState};
use crate::model::{Role, RunKind, StepId};
use crate::plan::{PublishPoint, Step, WriteProofs};
use crate::report::Failure;
use jiff::Timestamp;
use std::collections::BTreeMap;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    Run(StepId),
    /// Only another role's steps are left for now.
    HandOver(Role),
    /// Nothing more can be done now, and the run is not over.
    Leave,
    Finish(Outcome),
}

/// `tried`: how often this process began each step.
pub fn decide(
    state: &RunState,
    now: Timestamp,
    role: Option<Role>,
    tried: &BTreeMap<StepId, u32>,
) -> Decision {
    let expired = now >= state.plan.deadline_at;
    let ready: Vec<&Step> = state
        .plan
        .steps
        .iter()
        .filter(|s| may_run(state, s, (now, role), tried))
        .collect();
    let tries = |s: &Step| tried.get(&s.id).copied().unwrap_or(0);
    let at_work = |s: &Step| {
        let state = state.state(&s.id);
        matches!(state, StepState::Failed { kind, .. } if *kind == Failure::Working)
    };
    let not_mine = |s: &&&Step| role.is_some_and(|r| r != s.role);
    // What was tried least comes first, and what is only looked at again comes last: one branch
    // that does not get on holds up no other.
    let mine = ready.iter().filter(|s| !not_mine(s));
    let mine = mine.min_by_key(|s| (at_work(s), tries(s)));
    let others = ready.iter().filter(not_mine).find(|s| !at_work(s));
    match (mine, others) {
        // A role that has looked, and would only wait, lets the others on.
        (Some(step), Some(other)) if at_work(step) && tries(step) > 0 => {
            return Decision::HandOver(other.role);
        }
        (Some(step), _) => return Decision::Run(step.id.clone()),
        (None, Some(other)) => return Decision::HandOver(other.role),
        (None, None) => {}
    }
    if let Some(step) = ready.first() {
        return Decision::HandOver(step.role);
    }
    let all_done = state.plan.steps.iter().all(|s| state.succeeded(&s.id));
    let judged = state.plan.kind.shows_what_is()
        && state.plan.steps.iter().all(|s| {
            if s.always {
                state.succeeded(&s.id)
            } else {
                over(state, s)
            }
        });
    if all_done || (judged && !expired) {
        return Decision::Finish(outcome(state));
    }
    if expired
        && state
            .plan
            .steps
            .iter()
            .filter(|s| s.always)
            .all(|s| state.succeeded(&s.id) || spent(state, s, tried))
    {
        let published = state.done::<PublishPoint>().next().is_some();
        return Decision::Finish(if published {
            Outcome::Incomplete
        } else {
            Outcome::Abandoned
        });
    }
    Decision::Leave
}

/// Of a run that was done to its end. A drill is judged by its proofs, another run by its steps.
fn outcome(state: &RunState) -> Outcome {
    let passed = match state.plan.kind {
        RunKind::Drill => {
            let passed = state.done::<WriteProofs>().filter(|(.., w)| w.passed);
            passed.count() == state.plan.actions::<WriteProofs>().count()
        }
        _ => state.plan.steps.iter().all(|s| state.succeeded(&s.id)),
    };
    if passed {
        Outcome::Complete
    } else {
        Outcome::Failed
    }
}

/// This process has begun it often enough; for all but transient failures once is enough.
fn spent(state: &RunState, step: &Step, tried: &BTreeMap<StepId, u32>) -> bool {
    let tries = tried.get(&step.id).copied().unwrap_or(0);
    match state.state(&step.id) {
        StepState::Failed {
            kind: Failure::Unavailable,
            ..
        } => tries >= state.plan.step_attempts,
        StepState::Failed {
            kind: Failure::Working,
            ..
        } => false,
        StepState::Failed { .. } => tries >= 1,
        _ => false,
    }
}

/// A step that failed for good, in a run that shows what is.
fn given_up(state: &RunState, step: &Step) -> bool {
    let failures = state.failures.get(&step.id).copied().unwrap_or(0);
    match state.state(&step.id) {
        StepState::Failed {
            kind: Failure::Unavailable,
            ..
        } => failures >= state.plan.step_attempts,
        StepState::Failed {
            kind: Failure::Working,
            ..
        } => false,
        StepState::Failed { .. } => true,
        _ => false,
    }
}

/// Nothing will become of this step any more in such a run: done, given up, or behind one that was
/// given up.
fn over(state: &RunState, step: &Step) -> bool {
    state.succeeded(&step.id)
        || given_up(state, step)
        || step
            .needs
            .iter()
            .filter_map(|n| state.plan.step(n))
            .any(|n| !state.succeeded(&n.id) && over(state, n))
}

/// Whatever became of it: what only waits for its turn may go on. Steps of another role are that
/// role's to try again.
fn over_for_now(
    state: &RunState,
    step: &Step,
    (now, role): (Timestamp, Option<Role>),
    tried: &BTreeMap<StepId, u32>,
) -> bool {
    let not_ours = role.is_some_and(|r| r != step.role);
    let failed = match state.state(&step.id) {
        StepState::Failed { kind, .. } => *kind == Failure::Working || not_ours,
        // The run is ours now, so whoever began it is gone: for good, or until its next tick.
        StepState::Running => not_ours && long_left(state, step, now),
        _ => false,
    };
    let behind = step.needs.iter().filter_map(|n| state.plan.step(n));
    state.succeeded(&step.id)
        || failed
        || spent(state, step, tried)
        || behind
            .filter(|n| !state.succeeded(&n.id))
            .any(|n| over_for_now(state, n, (now, role), tried))
}

fn long_left(state: &RunState, step: &Step, now: Timestamp) -> bool {
    let since = state.left.get(&step.id);
    since.is_some_and(|at| now.duration_since(*at) >= state.plan.patience.signed())
}

fn may_run(
    state: &RunState,
    step: &Step,
    (now, role): (Timestamp, Option<Role>),
    tried: &BTreeMap<StepId, u32>,
) -> bool {
    let expired = now >= state.plan.deadline_at;
    if state.succeeded(&step.id) || spent(state, step, tried) {
        return false;
    }
    if step.always {
        // After everything else, in the plan's order; one that this process could not do does not
        // hold up the next.
        let others_over = state
            .plan
            .steps
            .iter()
            .filter(|s| !s.always)
            .all(|s| expired || over(state, s));
        let before = state
            .plan
            .steps
            .iter()
            .take_while(|s| s.id != step.id)
            .filter(|s| s.always);
        return others_over
            && before
                .into_iter()
                .all(|s| state.succeeded(&s.id) || spent(state, s, tried));
    }
    if expired || (state.plan.kind.shows_what_is() && given_up(state, step)) {
        return false;
    }
    let after = step.after.iter().filter_map(|id| state.plan.step(id));
    step.needs.iter().all(|n| state.succeeded(n))
        && after
            .into_iter()
            .all(|s| over_for_now(state, s, (now, role), tried))
}

#[cfg(test)]
mod tests;
