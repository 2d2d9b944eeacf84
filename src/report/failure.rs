//! How a step fails.

use serde::{Deserialize, Serialize};

/// How a failed step failed, for whoever decides about trying again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Failure {
    /// The far side did not answer or asked to wait.
    Unavailable,
    /// It is at work, and others need not wait for it.
    Working,
    /// Waiting will not cure it.
    Stuck,
    /// A guard said no.
    Refused,
    /// Data is not what it should be.
    Finding,
}
