//! Runs. `decide` is pure: what a journal says next. `advance` is the only loop that acts.

mod active;
mod decide;
mod hold;

pub use decide::{Decision, decide};
pub use hold::{Hold, hold};

use crate::aws::Clients;
use crate::database::Address;
use crate::journal::{
    Actor, Entry, Event, Host, Identity, LastSeen, Outcome, Process, RunState, RunnerId,
};
use crate::model::{Role, StepId};
use crate::plan::Plan;
use crate::report::Fail;
use crate::steps::{Progress, Secrets};
use crate::vault::{Appended, JournalStore};
use crate::world::World;
use active::Active;
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;

/// What a process brings to a run.
pub struct Runner<'a> {
    pub world: &'a World,
    pub clients: &'a Clients,
    /// Where each role writes its entries, and as whom. At least one.
    pub journals: BTreeMap<Role, RoleJournal>,
    pub identity: ProcessIdentity,
    /// `None`: all roles, each with its own key.
    pub role: Option<Role>,
    pub progress: &'a dyn Progress,
    pub secrets: Secrets,
    pub database: Option<&'a Address>,
    /// Take over a run that another runner holds (an interactive restore).
    pub take_over: bool,
}

/// A role's way to the journal: its key, and who STS says that it is.
#[derive(Clone)]
pub struct RoleJournal {
    pub store: JournalStore,
    pub actor: Actor,
}

/// This process, whatever role it acts in.
#[derive(Clone, Debug)]
pub struct ProcessIdentity {
    pub runner: RunnerId,
    pub host: Host,
    pub process: Process,
}

impl ProcessIdentity {
    pub fn of(world: &World) -> Self {
        Self {
            runner: world.runner_id(),
            host: world.host(),
            process: world.process(),
        }
    }

    fn acting(&self, actor: &Actor) -> Identity {
        Identity {
            runner: self.runner.clone(),
            host: self.host.clone(),
            process: self.process,
            actor: actor.clone(),
        }
    }
}

impl Runner<'_> {
    /// The journal of a role; for entries that speak of no step, or of another role's, the first
    /// one at hand.
    fn journal_of(&self, role: Option<Role>) -> Result<&RoleJournal, Fail> {
        let own = role
            .and_then(|r| self.journals.get(&r))
            .or_else(|| self.journals.values().next());
        own.ok_or_else(|| Fail::bug("no role of this process may write the journal"))
    }
}

/// How a process left a run.
#[derive(Clone, Debug, PartialEq)]
pub enum RunExit {
    Finished(Outcome),
    /// Open: something failed, and the next tick tries again until the deadline.
    Open,
    /// The next step is another role's.
    HandedOver(Role),
    /// Asked to stop.
    Stopped,
    /// Another runner took the run over while we held it.
    Superseded,
    /// Another runner holds it.
    Busy {
        holder: String,
        age_s: i64,
    },
}

/// A step that this process could not do.
#[derive(Debug)]
pub struct FailedStep {
    pub step: StepId,
    pub fail: Fail,
}

#[derive(Debug)]
pub struct Report {
    pub state: RunState,
    pub left: RunExit,
    pub executed: Vec<(StepId, f64)>,
    /// Steps that had succeeded before this process came.
    pub found_done: usize,
    pub failed: Vec<FailedStep>,
}

/// Opens a run with its plan as entry 0. `None`: another runner opened it first; read it.
///
/// # Errors
/// The store's.
pub async fn open(runner: &Runner<'_>, plan: &Plan) -> Result<Option<RunState>, Fail> {
    open_after(runner, plan, None).await
}

/// As [`open`], for a local journal that goes on where the vault's could not.
///
/// # Errors
/// As [`open`].
pub async fn open_after(
    runner: &Runner<'_>,
    plan: &Plan,
    after: Option<LastSeen>,
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
