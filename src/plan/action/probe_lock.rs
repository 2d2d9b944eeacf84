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
    pub passed: bool,
    pub why: String,
}
