//! Runs. `decide` is pure: what a journal says next. `advance` is the only loop that acts.

mod active;
mod decide;
mod hold;
mod report;
mod runner;

pub use decide::{Decision, decide};
pub use hold::{Hold, hold};
pub use report::{FailedStep, Report, RunExit};
pub use runner::{ProcessIdentity, RoleJournal, Runner};

use crate::journal::{Entry, Event, LastSeen, RunState};
use crate::plan::Plan;
use crate::report::Fail;
use crate::vault::Appended;
use active::Active;
use jiff::{SignedDuration, Timestamp};

/// Opens a run with its plan as entry 0, after what was seen of other runs. `None`: another runner
/// opened it first; read it.
///
/// # Errors
/// The store's.
pub async fn open(
    runner: &Runner<'_>,
    plan: &Plan,
    after: Vec<LastSeen>,
) -> Result<Option<RunState>, Fail> {
    let own = runner.journal_of(plan.steps.first().map(|s| s.role))?;
    let entry = Entry {
        seq: 0,
        prev: None,
        at: plan.opened_at,
        by: runner.identity.acting(&own.actor),
        event: Event::Opened {
            plan: Box::new(plan.clone()),
            after,
        },
    };
    match own.store.append(&plan.policy, &plan.run, &entry).await? {
        Appended::Ours(sha256) => Ok(crate::journal::fold([(&entry, sha256)]).ok()),
        Appended::Lost => Ok(None),
    }
}

/// Resumes a run and goes on as far as this process can.
///
/// # Errors
/// The journal cannot be read or written.
pub async fn advance(
    runner: &Runner<'_>,
    state: RunState,
    head_age: SignedDuration,
    store_now: Timestamp,
) -> Result<Report, Fail> {
    let found_done = state
        .plan
        .steps
        .iter()
        .filter(|s| state.succeeded(&s.id))
        .count();
    let mut active = Active::new(runner, state, store_now);
    // Boxed, so that callers stay small whatever a step waits for.
    let left = Box::pin(active.run(head_age)).await?;
    Ok(active.report(left, found_done))
}

/// Ends a run that nobody will finish: its time is over, or its policy is no longer this one.
///
/// # Errors
/// The journal cannot be written.
pub async fn abandon(
    runner: &Runner<'_>,
    state: RunState,
    head_age: SignedDuration,
    store_now: Timestamp,
) -> Result<Report, Fail> {
    let found_done = state.plan.steps.len();
    let mut active = Active::new(runner, state, store_now);
    let left = active.abandon(head_age).await?;
    Ok(active.report(left, found_done))
}
