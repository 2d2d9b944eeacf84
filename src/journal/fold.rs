//! Entries to state. One match lists every legal move; all else is an error.

use super::{Entry, Event, Failure, Identity, LastSeen, MAX_ENTRIES, Outcome};
use crate::model::{Sha256, StepId};
use crate::plan::{Action, Evidence, Link, Output, Plan, Step};
use jiff::Timestamp;
use std::collections::BTreeMap;

/// Why entries do not make a run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Illegal {
    #[error("entry {0} is missing")]
    Gap(u64),
    #[error("entry {0} does not carry the digest of the entry before it")]
    Chain(u64),
    #[error("entry {seq}: {why}")]
    Move { seq: u64, why: String },
    #[error("the run has more than {MAX_ENTRIES} entries")]
    TooLong,
}

#[derive(Clone, Debug, PartialEq)]
pub enum StepState {
    Waiting,
    Running,
    Succeeded(Evidence),
    Failed {
        kind: Failure,
        code: String,
        message: String,
    },
}

/// The newest entry.
#[derive(Clone, Debug, PartialEq)]
pub struct Head {
    pub seq: u64,
    pub sha256: Sha256,
    pub by: Identity,
    pub released: bool,
}

/// A run as its journal tells it.
#[derive(Clone, Debug, PartialEq)]
pub struct RunState {
    pub plan: Plan,
    pub steps: BTreeMap<StepId, StepState>,
    /// `Failed` entries per step.
    pub failures: BTreeMap<StepId, u32>,
    pub finished: Option<Outcome>,
    pub head: Head,
    pub opened_by: Identity,
    /// What whoever opened it had seen of other runs.
    pub after: Vec<LastSeen>,
    /// Steps that somebody began and left without an end, and since when the first time: one whose
    /// runner dies again and again is not begun anew each time.
    pub left: BTreeMap<StepId, Timestamp>,
    /// Who did each finished step.
    pub done_by: BTreeMap<StepId, String>,
}

impl RunState {
    pub fn state(&self, step: &StepId) -> &StepState {
        self.steps.get(step).unwrap_or(&StepState::Waiting)
    }
    pub fn evidence(&self, step: &StepId) -> Option<&Evidence> {
        match self.state(step) {
            StepState::Succeeded(evidence) => Some(evidence),
            _ => None,
        }
    }
    /// What the step behind a link left, once it has succeeded.
    pub fn output<T: Output>(&self, link: &Link<T>) -> Option<&T> {
        T::in_journal(self.evidence(link.step())?)
    }
    /// Every action of one kind that succeeded, with what it left.
    pub fn done<A: Action + 'static>(&self) -> impl Iterator<Item = (&Step, &A, &A::Output)> {
        self.plan.actions::<A>().filter_map(|(step, action)| {
            let output = A::Output::in_journal(self.evidence(&step.id)?)?;
            Some((step, action, output))
        })
    }
    pub fn succeeded(&self, step: &StepId) -> bool {
        self.evidence(step).is_some()
    }
    /// One-based number of the attempt that would start now.
    pub fn attempt(&self, step: &StepId) -> u32 {
        self.failures.get(step).copied().unwrap_or(0) + 1
    }
    pub fn current_step(&self) -> Option<&StepId> {
        self.steps
            .iter()
            .find(|(_, s)| **s == StepState::Running)
            .map(|(id, _)| id)
    }

    fn open(entry: &Entry, sha256: Sha256) -> Result<Self, Illegal> {
        let Event::Opened { plan, after } = &entry.event else {
            return Err(Illegal::Move {
                seq: 0,
                why: "the first entry is not Opened".into(),
            });
        };
        Ok(Self {
            plan: (**plan).clone(),
            steps: plan
                .steps
                .iter()
                .map(|s| (s.id.clone(), StepState::Waiting))
                .collect(),
            failures: BTreeMap::new(),
            finished: None,
            head: Head {
                seq: 0,
                sha256,
                by: entry.by.clone(),
                released: false,
            },
            opened_by: entry.by.clone(),
            after: after.clone(),
            left: BTreeMap::new(),
            done_by: BTreeMap::new(),
        })
    }

    /// Applies the next entry.
    ///
    /// # Errors
    /// A gap, a broken chain, or a move that is not legal from here.
    pub fn apply(&mut self, entry: &Entry, sha256: Sha256) -> Result<(), Illegal> {
        let seq = self.head.seq + 1;
        if entry.seq != seq {
            return Err(Illegal::Gap(seq));
        }
        if entry.prev.as_ref() != Some(&self.head.sha256) {
            return Err(Illegal::Chain(seq));
        }
        let illegal = |why: String| Err(Illegal::Move { seq, why });
        if self.finished.is_some() {
            return illegal("after Finished".into());
        }
        let holder = &self.head.by.runner;
        let takes_free_run = self.head.released;
        let claims = matches!(&entry.event, Event::Claimed { from, .. } if from == holder);
        if entry.by.runner != *holder && !takes_free_run && !claims {
            return illegal(format!(
                "runner {} wrote while {} held the run",
                entry.by.runner.0, holder.0
            ));
        }
        match (&entry.event, self.step_of(&entry.event)) {
            (
                Event::Started { step },
                Some(StepState::Waiting | StepState::Failed { .. } | StepState::Running),
            ) => {
                self.steps.insert(step.clone(), StepState::Running);
            }
            (Event::Succeeded { step, evidence }, Some(StepState::Running)) => {
                self.left.remove(step);
                self.steps
                    .insert(step.clone(), StepState::Succeeded(evidence.clone()));
                self.done_by.insert(step.clone(), entry.by.actor.id.clone());
            }
            (
                Event::Failed {
                    step,
                    kind,
                    code,
                    message,
                },
                Some(StepState::Running),
            ) => {
                *self.failures.entry(step.clone()).or_default() += 1;
                self.left.remove(step);
                self.steps.insert(
                    step.clone(),
                    StepState::Failed {
                        kind: *kind,
                        code: code.clone(),
                        message: message.clone(),
                    },
                );
            }
            (Event::Claimed { .. } | Event::Released { .. }, _) => self.leave(entry.at),
            (Event::Alive, _) => {}
            (Event::Finished { outcome, .. }, _) => self.finished = Some(*outcome),
            (Event::Opened { .. }, _) => return illegal("a second Opened".into()),
            (_, None) => return illegal("a step that is not in the plan".into()),
            (_, Some(state)) => return illegal(format!("not from {state:?}")),
        }
        let released = matches!(entry.event, Event::Released { .. });
        self.head = Head {
            seq,
            sha256,
            by: entry.by.clone(),
            released,
        };
        Ok(())
    }

    /// Whoever was at work is gone; what was left before stays as it was.
    fn leave(&mut self, at: Timestamp) {
        let running = self.steps.iter().filter(|(_, s)| **s == StepState::Running);
        for (step, _) in running {
            self.left.entry(step.clone()).or_insert(at);
        }
    }

    fn step_of(&self, event: &Event) -> Option<&StepState> {
        match event {
            Event::Started { step }
            | Event::Succeeded { step, .. }
            | Event::Failed { step, .. } => self.steps.get(step),
            _ => None,
        }
    }
}

/// All entries of a run, in order, with the digest of each one's stored bytes.
///
/// # Errors
/// As [`RunState::apply`]; also when there is none.
pub fn fold<'a>(
    entries: impl IntoIterator<Item = (&'a Entry, Sha256)>,
) -> Result<RunState, Illegal> {
    let mut entries = entries.into_iter();
    let (first, sha256) = entries.next().ok_or(Illegal::Gap(0))?;
    if first.seq != 0 || first.prev.is_some() {
        return Err(Illegal::Gap(0));
    }
    let mut state = RunState::open(first, sha256)?;
    let mut counted = 0;
    for (entry, sha256) in entries {
        counted += u64::from(!matches!(entry.event, Event::Alive));
        if counted > MAX_ENTRIES {
            return Err(Illegal::TooLong);
        }
        state.apply(entry, sha256)?;
    }
    Ok(state)
}
