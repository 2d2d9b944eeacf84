//! The lock of one target, tried.

use crate::model::{Seconds, TargetName};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ProbeLock {
    pub target: TargetName,
    pub control: Seconds,
    pub lock: Seconds,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LockProbed {
    /// It decides a race of conditional writes, so that it can hold a journal.
    pub conditional: bool,
    pub why: String,
}
