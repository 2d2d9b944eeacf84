//! What is told of one policy.

use crate::manifest::Exception;
use crate::model::{Method, Name, PolicyName, RunId, Slot, SourceId, StepId, TargetName};
use jiff::Timestamp;
use serde::Serialize;
use std::fmt;

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Status {
    pub name: PolicyName,
    pub last_slot: Option<Timestamp>,
    pub next_slot: Option<Timestamp>,
    pub missed_slots: u64,
    pub open_runs: Vec<OpenRun>,
    pub newest: Option<Newest>,
    pub newest_proven: Vec<Proven>,
    pub drills: Drills,
    pub objectives: Vec<Met>,
    pub retention: Retention,
    pub checked: u64,
    pub not_checked: u64,
    pub excluded: u64,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Newest {
    pub point: Slot,
    pub at: Timestamp,
    pub age_s: i64,
    /// Sources that were to be in it and are not.
    pub not_captured: Vec<SourceId>,
    pub exceptions: Vec<NotProtected>,
    pub targets: Vec<TargetState>,
}

/// A thing that is in the point and not protected.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct NotProtected {
    pub source: SourceId,
    /// Absent: at no target.
    pub target: Option<TargetName>,
    #[serde(flatten)]
    pub exception: Exception,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TargetState {
    pub name: TargetName,
    pub state: CopyState,
    pub immutable: Immutable,
    /// Sources that it is to hold a complete copy of and does not.
    pub missing: Vec<SourceId>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum CopyState {
    Complete,
    /// Of some sources, not of all.
    Partial,
    Missing,
    Away,
}

impl fmt::Display for CopyState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            CopyState::Complete => "complete",
            CopyState::Partial => "partial",
            CopyState::Missing => "missing",
            CopyState::Away => "away",
        })
    }
}

/// Files and dumps are locked; a snapshot copy is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Immutable {
    Yes,
    No,
    FilesOnly,
    Unknown,
}

impl fmt::Display for Immutable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Immutable::Yes => "yes",
            Immutable::No => "no",
            Immutable::FilesOnly => "files-only",
            Immutable::Unknown => "unknown",
        })
    }
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Proven {
    pub source: SourceId,
    pub method: Method,
    /// Of a dump.
    pub database: Option<Name>,
    pub target: TargetName,
    pub point: Slot,
    /// Age of the point.
    pub age_s: i64,
    pub proof_age_s: i64,
    /// Age of the newest proof of the same that compared rows with the source's.
    pub compared_age_s: Option<i64>,
    pub rto_s: f64,
    /// What would be lost if the source died now and this point were restored.
    pub rpo_s: f64,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Drills {
    pub last: Option<LastDrill>,
    pub next: Option<Timestamp>,
    pub missed: u64,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LastDrill {
    pub run: RunId,
    pub at: Timestamp,
    pub result: DrillResult,
    pub failed: Vec<FailedProof>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum DrillResult {
    Passed,
    Failed,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FailedProof {
    pub source: SourceId,
    pub database: Option<Name>,
    pub method: Method,
    pub target: TargetName,
    pub why: String,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Met {
    pub source: SourceId,
    /// Of a dump.
    pub database: Option<Name>,
    pub method: Method,
    pub rto_s: u64,
    pub rpo_s: u64,
    /// The best proven figures, where there are any.
    pub measured_rto_s: Option<f64>,
    pub measured_rpo_s: Option<f64>,
    /// How old the newest proof may be, where that is promised.
    pub proof_age_s: Option<u64>,
    pub measured_proof_age_s: Option<i64>,
    /// How old the newest comparison with the source may be, where that is promised.
    pub compared_s: Option<u64>,
    pub measured_compared_age_s: Option<i64>,
    pub met: bool,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Retention {
    pub earliest_unlock: Option<Timestamp>,
    /// Complete copies of the newest point whose lock ends before the policy's retention after
    /// their slot.
    pub below_policy: u64,
}

/// An open run, as status shows it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct OpenRun {
    pub run: RunId,
    pub step: Option<StepId>,
    pub holder: String,
    pub head_age_s: i64,
}
