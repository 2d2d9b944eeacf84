//! How a process left a run, and what it did of it.

use crate::journal::{Outcome, RunState};
use crate::model::{Role, StepId};
use crate::report::Fail;

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
