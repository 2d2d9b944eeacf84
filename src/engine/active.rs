//! One process's share of one run: intent, effect, evidence, and signs of life meanwhile.

use super::decide::{Decision, decide};
use super::hold::{Hold, hold};
use super::report::{FailedStep, Report, RunExit};
use super::runner::Runner;
use crate::journal::{Entry, Event, Outcome, RunState, exceptions};
use crate::model::{Role, StepId};
use crate::plan::Evidence;
use crate::report::{Fail, Failure, full};
use crate::steps::{Context, perform};
use crate::vault::{Appended, Key, VaultError};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;
use std::time::Instant;

/// A message of a failed step, in the journal: characters.
const MOST_OF_A_MESSAGE: usize = 2_000;

pub(super) struct Active<'a, 'w> {
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

enum Performed {
    Result(Result<Evidence, Fail>),
    Lost,
    Stopped,
}

impl<'a, 'w> Active<'a, 'w> {
    pub fn new(runner: &'a Runner<'w>, state: RunState, store_now: Timestamp) -> Self {
        Self {
            runner,
            state,
            store_at: (store_now, runner.world.monotonic()),
            appended_at: runner.world.boot_seconds(),
            acting: None,
            tried: BTreeMap::new(),
            executed: Vec::new(),
            failed: Vec::new(),
        }
    }

    pub fn report(self, left: RunExit, found_done: usize) -> Report {
        Report {
            state: self.state,
            left,
            executed: self.executed,
            found_done,
            failed: self.failed,
        }
    }

    pub async fn run(&mut self, head_age: SignedDuration) -> Result<RunExit, Fail> {
        if let Some(left) = self.enter(head_age).await? {
            return Ok(left);
        }
        loop {
            if self.runner.world.stopping() {
                return self.release("asked to stop", RunExit::Stopped).await;
            }
            match decide(&self.state, self.now(), self.runner.role, &self.tried) {
                Decision::Run(step) => {
                    if let Some(left) = self.step(&step).await? {
                        return Ok(left);
                    }
                }
                Decision::Finish(outcome) => return self.finish(outcome).await,
                Decision::HandOver(role) => {
                    let why = format!("the next step is the {role}'s");
                    return self.release(&why, RunExit::HandedOver(role)).await;
                }
                Decision::Leave => {
                    let why = "a step failed; the next tick tries again";
                    return self.release(why, RunExit::Open).await;
                }
            }
        }
    }

    pub async fn abandon(&mut self, head_age: SignedDuration) -> Result<RunExit, Fail> {
        match self.enter(head_age).await? {
            Some(left) => Ok(left),
            None => self.finish(Outcome::Abandoned).await,
        }
    }

    /// `Some`: the run is over, or somebody else's.
    async fn enter(&mut self, head_age: SignedDuration) -> Result<Option<RunExit>, Fail> {
        if let Some(outcome) = self.state.finished {
            return Ok(Some(RunExit::Finished(outcome)));
        }
        let dead = |p| !self.runner.world.alive(p);
        let me = &self.runner.identity;
        let takeover_after = self.state.plan.runner.takeover_after;
        let head = &self.state.head;
        let asked = self.runner.take_over;
        let (mine, silent) = ((&me.runner, &me.host), (head_age, takeover_after));
        let hold = hold(head, mine, silent, asked, dead);
        match hold {
            Hold::Ours | Hold::Free => Ok(None),
            Hold::Claim(why) => {
                let from = head.by.runner.clone();
                Ok(match self.append(Event::Claimed { from, why }).await? {
                    Append::Done => None,
                    Append::Lost => Some(RunExit::Superseded),
                })
            }
            Hold::Leave => {
                let by = &head.by;
                Ok(Some(RunExit::Busy {
                    holder: format!("{} pid {}", by.host.hostname, by.process.pid),
                    age_s: head_age.as_secs(),
                }))
            }
        }
    }

    async fn finish(&mut self, outcome: Outcome) -> Result<RunExit, Fail> {
        let exceptions = Some(exceptions(&self.state));
        let finished = Event::Finished {
            outcome,
            exceptions,
        };
        Ok(match self.append(finished).await? {
            Append::Done => RunExit::Finished(outcome),
            Append::Lost => RunExit::Superseded,
        })
    }

    fn now(&self) -> Timestamp {
        let passed =
            SignedDuration::try_from(self.store_at.1.elapsed()).unwrap_or(SignedDuration::ZERO);
        self.store_at.0 + passed
    }

    async fn release(&mut self, why: &str, left: RunExit) -> Result<RunExit, Fail> {
        if self.state.head.released {
            return Ok(left);
        }
        let released = Event::Released { why: why.into() };
        Ok(match self.append(released).await? {
            Append::Done => left,
            Append::Lost => RunExit::Superseded,
        })
    }

    /// Appends at the head that we know; whoever was faster wins.
    async fn append(&mut self, event: Event) -> Result<Append, Fail> {
        let plan = &self.state.plan;
        let own = self.runner.journal_of(self.acting)?;
        let entry = Entry {
            seq: self.state.head.seq + 1,
            prev: Some(self.state.head.sha256.clone()),
            at: self.now(),
            by: self.runner.identity.acting(&own.actor),
            event,
        };
        match own.store.append(&plan.policy, &plan.run, &entry).await? {
            Appended::Ours(sha256) => {
                let damaged = VaultError::Damaged {
                    target: plan.journal_target.clone(),
                    key: Key::entry(&plan.policy, &plan.run, entry.seq).to_string(),
                    why: "an entry of ours does not follow the one before it".into(),
                };
                self.state.apply(&entry, sha256).map_err(|_| damaged)?;
                self.appended_at = self.runner.world.boot_seconds();
                Ok(Append::Done)
            }
            Appended::Lost => Ok(Append::Lost),
        }
    }

    /// Intent, effect, evidence. `Some`: leave the run.
    async fn step(&mut self, id: &StepId) -> Result<Option<RunExit>, Fail> {
        self.acting = self.state.plan.step(id).map(|s| s.role);
        // Written before the effect: a crash after it is seen as Running, and the effect is
        // observed before it is done again.
        if let Append::Lost = self.append(Event::Started { step: id.clone() }).await? {
            return Ok(Some(RunExit::Superseded));
        }
        *self.tried.entry(id.clone()).or_default() += 1;
        let start = self.runner.world.monotonic();
        let result = match self.perform_alive(id).await? {
            Performed::Result(result) => result,
            Performed::Lost => return Ok(Some(RunExit::Superseded)),
            Performed::Stopped => {
                return self
                    .release("asked to stop", RunExit::Stopped)
                    .await
                    .map(Some);
            }
        };
        let (event, failure) = match result {
            Ok(evidence) => {
                self.executed
                    .push((id.clone(), start.elapsed().as_secs_f64()));
                self.failed.retain(|f| &f.step != id);
                let step = id.clone();
                (Event::Succeeded { step, evidence }, None)
            }
            Err(fail) => {
                let failure = fail.failure();
                (self.failure(id, fail), Some(failure))
            }
        };
        if let Append::Lost = self.append(event).await? {
            return Ok(Some(RunExit::Superseded));
        }
        if failure == Some(Failure::Unavailable) {
            let backoff = self.state.plan.backoff.as_duration();
            self.runner.world.sleep(backoff).await;
        }
        Ok(None)
    }

    fn failure(&mut self, id: &StepId, fail: Fail) -> Event {
        let event = Event::Failed {
            step: id.clone(),
            kind: fail.failure(),
            code: fail.code.to_string(),
            message: full(&fail).chars().take(MOST_OF_A_MESSAGE).collect(),
        };
        self.failed.retain(|f| &f.step != id);
        self.failed.push(FailedStep {
            step: id.clone(),
            fail,
        });
        event
    }

    /// The effect, with a sign of life every `alive_every`. Dropping the future is safe: every
    /// effect is observed before it is repeated.
    async fn perform_alive(&mut self, id: &StepId) -> Result<Performed, Fail> {
        let state = self.state.clone();
        let Some(step) = state.plan.step(id) else {
            let bug = Fail::bug(format!("the plan has no step {id}"));
            return Ok(Performed::Result(Err(bug)));
        };
        let runner = self.runner;
        let ctx = Context {
            world: runner.world,
            clients: runner.clients,
            plan: &state.plan,
            state: &state,
            role: step.role,
            step: &step.id,
            progress: runner.progress,
            secrets: runner.secrets.clone(),
            logins: &runner.logins,
            database: runner.database,
            policy: runner.policy,
            said: &runner.said,
        };
        let effect = perform(&step.action, &ctx);
        tokio::pin!(effect);
        let own = &state.plan.runner;
        let every = own.alive_every.as_duration();
        let held_for_s = own.takeover_after.0.saturating_sub(own.margin.0);
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
                        // The store is away for a moment. We hold the run only as long as nobody
                        // may take it over.
                        Err(e) if e.failure() == Failure::Unavailable
                            && self.still_held(held_for_s) => {}
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
