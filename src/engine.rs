//! Runs. `decide` is pure: what a journal says next. `advance` is the only loop that acts.

mod decide;
mod hold;

pub use decide::{Decision, decide};
pub use hold::{Hold, hold};

use crate::aws::Clients;
use crate::journal::{
    Actor, Entry, Event, Failure, Host, Identity, LastSeen, Outcome, Process, RunState, RunnerId,
};
use crate::plan::{Plan, StepId};
use crate::policy::Role;
use crate::steps::{Context, Progress, Secrets, StepError, perform};
use crate::vault::{Appended, JournalStore, VaultError};
use crate::world::World;
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;
use std::time::Instant;

/// What a process brings to a run.
pub struct Runner<'a> {
    pub world: &'a World,
    pub clients: &'a Clients,
    /// Where each role writes its entries, and as whom. At least one.
    pub desks: BTreeMap<Role, Desk>,
    pub identity: Whoami,
    /// `None`: all roles, each with its own key.
    pub role: Option<Role>,
    pub progress: &'a dyn Progress,
    pub secrets: Secrets,
    pub database: Option<&'a crate::database::Address>,
    /// Take over a run that another runner holds (an interactive restore).
    pub take_over: bool,
}

/// A role's way to the journal: its key, and who STS says that it is.
#[derive(Clone)]
pub struct Desk {
    pub journal: JournalStore,
    pub actor: Actor,
}

/// This process, whatever role it acts in.
#[derive(Clone, Debug)]
pub struct Whoami {
    pub runner: RunnerId,
    pub host: Host,
    pub process: Process,
}

impl Whoami {
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
    /// The desk of a role; for entries that speak of no step, or of another role's, the first one
    /// at hand.
    fn desk(&self, role: Option<Role>) -> Result<&Desk, VaultError> {
        let own = role
            .and_then(|r| self.desks.get(&r))
            .or_else(|| self.desks.values().next());
        own.ok_or_else(|| {
            crate::aws::Error::new(
                crate::aws::Kind::Invalid,
                "journal",
                "",
                "NoRole",
                "no role may write this journal",
            )
            .into()
        })
    }
}

/// How a process left a run.
#[derive(Clone, Debug, PartialEq)]
pub enum Left {
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

#[derive(Clone, Debug, PartialEq)]
pub struct FailedStep {
    pub step: StepId,
    pub kind: Failure,
    pub code: String,
    pub message: String,
}

#[derive(Clone, Debug)]
pub struct Report {
    pub state: RunState,
    pub left: Left,
    pub executed: Vec<(StepId, f64)>,
    /// Steps that had succeeded before this process came.
    pub found_done: usize,
    pub failed: Vec<FailedStep>,
}

/// Opens a run with its plan as entry 0. `None`: another runner opened it first; read it.
///
/// # Errors
/// The store's.
pub async fn open(runner: &Runner<'_>, plan: &Plan) -> Result<Option<RunState>, VaultError> {
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
) -> Result<Option<RunState>, VaultError> {
    let desk = runner.desk(plan.steps.first().map(|s| s.role))?;
    let entry = Entry {
        seq: 0,
        prev: None,
        at: plan.opened_at,
        by: runner.identity.acting(&desk.actor),
        event: Event::Opened {
            plan: Box::new(plan.clone()),
            after,
        },
    };
    match desk.journal.append(&plan.policy, &plan.run, &entry).await? {
        Appended::Ours(sha256) => Ok(crate::journal::fold([(&entry, sha256)]).ok()),
        Appended::Lost => Ok(None),
    }
}

/// One process's share of one run.
struct Active<'a, 'w> {
    runner: &'a Runner<'w>,
    state: RunState,
    /// The store's time when the run was read, and our monotonic clock then.
    store_at: (Timestamp, Instant),
    /// CLOCK_BOOTTIME of our newest append.
    appended_at: f64,
    /// Role of the step at hand, whose key writes the entries.
    acting: Option<Role>,
    tried: BTreeMap<StepId, u32>,
    executed: Vec<(StepId, f64)>,
    failed: Vec<FailedStep>,
}

enum Append {
    Done,
    Lost,
}

/// Goes on with a run as far as this process can.
///
/// # Errors
/// The journal cannot be read or written.
pub async fn advance(
    runner: &Runner<'_>,
    state: RunState,
    head_age: SignedDuration,
    store_now: Timestamp,
) -> Result<Report, VaultError> {
    let found_done = state
        .plan
        .steps
        .iter()
        .filter(|s| state.succeeded(&s.id))
        .count();
    let mut active = Active {
        runner,
        state,
        store_at: (store_now, runner.world.monotonic()),
        appended_at: runner.world.boot_seconds(),
        acting: None,
        tried: BTreeMap::new(),
        executed: Vec::new(),
        failed: Vec::new(),
    };
    let left = active.run(head_age).await?;
    Ok(Report {
        state: active.state,
        left,
        executed: active.executed,
        found_done,
        failed: active.failed,
    })
}

impl Active<'_, '_> {
    async fn run(&mut self, head_age: SignedDuration) -> Result<Left, VaultError> {
        if let Some(outcome) = self.state.finished {
            return Ok(Left::Finished(outcome));
        }
        let dead = |p| !self.runner.world.alive(p);
        let me = &self.runner.identity;
        match hold(
            &self.state.head,
            (&me.runner, &me.host),
            head_age,
            self.state.plan.runner.takeover_after,
            self.runner.take_over,
            dead,
        ) {
            Hold::Ours | Hold::Free => {}
            Hold::Claim(why) => {
                let from = self.state.head.by.runner.clone();
                if let Append::Lost = self.append(Event::Claimed { from, why }).await? {
                    return Ok(Left::Superseded);
                }
            }
            Hold::Leave => {
                let by = &self.state.head.by;
                return Ok(Left::Busy {
                    holder: format!("{} pid {}", by.host.hostname, by.process.pid),
                    age_s: head_age.as_secs(),
                });
            }
        }
        loop {
            if self.runner.world.stopping() {
                return self.release("asked to stop", Left::Stopped).await;
            }
            match decide(&self.state, self.now(), self.runner.role, &self.tried) {
                Decision::Run(step) => {
                    if let Some(left) = self.step(&step).await? {
                        return Ok(left);
                    }
                }
                Decision::Finish(outcome) => {
                    return Ok(match self.append(Event::Finished { outcome }).await? {
                        Append::Done => Left::Finished(outcome),
                        Append::Lost => Left::Superseded,
                    });
                }
                Decision::HandOver(role) => {
                    return self
                        .release(
                            &format!("the next step is the {role}'s"),
                            Left::HandedOver(role),
                        )
                        .await;
                }
                Decision::Leave => {
                    return self
                        .release("a step failed; the next tick tries again", Left::Open)
                        .await;
                }
            }
        }
    }

    fn now(&self) -> Timestamp {
        let passed =
            SignedDuration::try_from(self.store_at.1.elapsed()).unwrap_or(SignedDuration::ZERO);
        self.store_at.0 + passed
    }

    async fn release(&mut self, why: &str, left: Left) -> Result<Left, VaultError> {
        if self.state.head.released {
            return Ok(left);
        }
        Ok(
            match self.append(Event::Released { why: why.into() }).await? {
                Append::Done => left,
                Append::Lost => Left::Superseded,
            },
        )
    }

    /// Appends at the head that we know; whoever was faster wins.
    async fn append(&mut self, event: Event) -> Result<Append, VaultError> {
        let plan = &self.state.plan;
        let desk = self.runner.desk(self.acting)?;
        let entry = Entry {
            seq: self.state.head.seq + 1,
            prev: Some(self.state.head.sha256.clone()),
            at: self.now(),
            by: self.runner.identity.acting(&desk.actor),
            event,
        };
        match desk.journal.append(&plan.policy, &plan.run, &entry).await? {
            Appended::Ours(sha256) => {
                let key = crate::vault::layout::entry(&plan.policy, &plan.run, entry.seq);
                self.state
                    .apply(&entry, sha256)
                    .map_err(|e| VaultError::Damaged {
                        target: self.state.plan.home.clone(),
                        key,
                        why: e.to_string(),
                    })?;
                self.appended_at = self.runner.world.boot_seconds();
                Ok(Append::Done)
            }
            Appended::Lost => Ok(Append::Lost),
        }
    }

    /// Intent, effect, evidence. `Some`: leave the run.
    async fn step(&mut self, id: &StepId) -> Result<Option<Left>, VaultError> {
        self.acting = self.state.plan.step(id).map(|s| s.role);
        // Written before the effect: a crash after it is seen as Running, and the effect is
        // observed before it is done again.
        if let Append::Lost = self.append(Event::Started { step: id.clone() }).await? {
            return Ok(Some(Left::Superseded));
        }
        *self.tried.entry(id.clone()).or_default() += 1;
        let start = self.runner.world.monotonic();
        let result = match self.perform_alive(id).await? {
            Performed::Result(result) => result,
            Performed::Lost => return Ok(Some(Left::Superseded)),
            Performed::Stopped => {
                return self.release("asked to stop", Left::Stopped).await.map(Some);
            }
        };
        let took_s = start.elapsed().as_secs_f64();
        let event = match result {
            Ok(evidence) => {
                self.executed.push((id.clone(), took_s));
                self.failed.retain(|f| &f.step != id);
                Event::Succeeded {
                    step: id.clone(),
                    evidence,
                }
            }
            Err(error) => self.failure(id, &error),
        };
        let failed_transiently = matches!(
            &event,
            Event::Failed {
                kind: Failure::Unavailable,
                ..
            }
        );
        if let Append::Lost = self.append(event).await? {
            return Ok(Some(Left::Superseded));
        }
        if failed_transiently {
            self.runner
                .world
                .sleep(self.state.plan.backoff.as_duration())
                .await;
        }
        Ok(None)
    }

    fn failure(&mut self, id: &StepId, error: &StepError) -> Event {
        let message: String = error.full().chars().take(2_000).collect();
        self.failed.retain(|f| &f.step != id);
        self.failed.push(FailedStep {
            step: id.clone(),
            kind: error.kind,
            code: error.code.into(),
            message: message.clone(),
        });
        Event::Failed {
            step: id.clone(),
            kind: error.kind,
            code: error.code.into(),
            message,
        }
    }

    /// The effect, with a sign of life every `alive_every`. Dropping the future is safe: every
    /// effect is observed before it is repeated.
    async fn perform_alive(&mut self, id: &StepId) -> Result<Performed, VaultError> {
        let state = self.state.clone();
        let Some(step) = state.plan.step(id) else {
            return Ok(Performed::Result(Err(StepError::bug(format!(
                "no step {id}"
            )))));
        };
        let runner = self.runner;
        let ctx = Context {
            world: runner.world,
            clients: runner.clients,
            plan: &state.plan,
            state: &state,
            role: step.role,
            step,
            progress: runner.progress,
            secrets: runner.secrets.clone(),
            database: runner.database,
        };
        let effect = perform(&ctx);
        tokio::pin!(effect);
        let every = state.plan.runner.alive_every.as_duration();
        let held_for_s = state
            .plan
            .runner
            .takeover_after
            .0
            .saturating_sub(state.plan.runner.margin.0);
        loop {
            tokio::select! {
                result = &mut effect => return Ok(Performed::Result(result)),
                () = runner.world.sleep(every) => {
                    if runner.world.stopping() {
                        return Ok(Performed::Stopped);
                    }
                    match self.append(Event::Alive).await {
                        Ok(Append::Done) => {}
                        Ok(Append::Lost) => return Ok(Performed::Lost),
                        // The store is away for a moment. We hold the run only as long as
                        // nobody may take it over.
                        Err(e) if e.transient() && self.still_held(held_for_s) => {}
                        Err(e) => return Err(e),
                    }
                }
            }
        }
    }

    /// Whether our last append is younger than what a run may be silent for.
    fn still_held(&self, held_for_s: u64) -> bool {
        self.runner.world.boot_seconds() - self.appended_at < held_for_s as f64
    }
}

enum Performed {
    Result(Result<crate::journal::Evidence, StepError>),
    Lost,
    Stopped,
}
