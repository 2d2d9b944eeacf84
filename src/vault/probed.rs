//! What a probe found, as it is stored.

use crate::manifest::Document;
use crate::model::{LockMode, TargetName};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Records of probes that are listed: a drill each hour for five years.
pub(super) const MOST_PROBES: usize = 50_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Refused what it must refuse, and the control could be deleted.
    Locked,
    /// A locked version was deleted or its lock shortened.
    Open,
    /// The control failed as well, or something could not be written or read: nothing is known.
    Unknown,
}

/// What a probe found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProbeOutcome {
    pub verdict: Verdict,
    /// Won a race of conditional writes exactly once: this target can hold the journal.
    pub conditional: bool,
    pub why: String,
}

/// `targets/<target>/probe-<time>.json`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProbeRecord {
    pub target: TargetName,
    pub at: Timestamp,
    pub mode: LockMode,
    #[serde(flatten)]
    pub outcome: ProbeOutcome,
}

impl Document for ProbeRecord {
    const SCHEMA: &'static str = "dr/probe/1";
}
