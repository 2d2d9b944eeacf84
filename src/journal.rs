//! The journal of a run: entries, what may follow what, and the state that they add up to. Pure.
//!
//! An entry is one create-only object; each carries the SHA-256 of the one before. State is never
//! stored, only folded.

mod databases;
mod exceptions;
mod fold;

pub use databases::{databases_of, of_clusters};
pub use exceptions::exceptions;
pub use fold::{Head, Illegal, RunState, StepState, fold};

use crate::manifest::{Document, FormatError};
use crate::model::{Sha256, StepId, TargetName};
use crate::plan::{Evidence, Plan, VERSION};
use crate::report::Failure;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A run has at most this many entries, `Alive` apart.
pub const MAX_ENTRIES: u64 = 5_000;

/// 128 random bits per process, 32 hex digits.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RunnerId(pub String);

/// The machine a runner is on; equal values mean that its processes can be looked up from here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Host {
    pub boot_id: String,
    pub pid_namespace: String,
    pub machine_id: String,
    pub hostname: String,
}

/// A process, so that one with a reused number is not taken for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Process {
    pub pid: u32,
    /// Clock ticks after boot (field 22 of /proc/PID/stat).
    pub started: u64,
}

/// Who did it, as STS says, or the key where STS does not answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actor {
    pub id: String,
    pub basis: ActorBasis,
}

/// How it is known who did it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ActorBasis {
    /// STS said so.
    Sts,
    /// STS did not answer; the id is the key's.
    Key,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    pub runner: RunnerId,
    pub host: Host,
    pub process: Process,
    pub actor: Actor,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    Complete,
    /// Its deadline came before all of its targets were complete.
    Incomplete,
    /// A drill that was done to its end, and a restore that it tried did not pass.
    Failed,
    Abandoned,
}

impl Outcome {
    pub fn as_str(self) -> &'static str {
        match self {
            Outcome::Complete => "complete",
            Outcome::Incomplete => "incomplete",
            Outcome::Failed => "failed",
            Outcome::Abandoned => "abandoned",
        }
    }
}

/// The newest entry of another run, as whoever opens one has seen it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastSeen {
    /// Where its journal is.
    pub target: TargetName,
    pub run: crate::model::RunId,
    pub seq: u64,
    pub sha256: Sha256,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "lowercase")]
pub enum Event {
    Opened {
        plan: Box<Plan>,
        /// The newest runs of each kind at each journal target that answered, so that none can
        /// vanish unseen; of a local journal the entry that it goes on from.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        after: Vec<LastSeen>,
    },
    Started {
        step: StepId,
    },
    /// The holder lives; written while a step lasts.
    Alive,
    /// Taken over from a holder that went silent or whose process is gone.
    Claimed {
        from: RunnerId,
        why: String,
    },
    /// Free at once: the next step is another role's, or the process ends on purpose.
    Released {
        why: String,
    },
    Succeeded {
        step: StepId,
        evidence: Evidence,
    },
    Failed {
        step: StepId,
        kind: Failure,
        code: String,
        message: String,
    },
    Finished {
        outcome: Outcome,
        /// What the run did not keep, carry or apply; whoever reads only the ends of a journal is
        /// told it as well. Absent: an older program wrote it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        exceptions: Option<u64>,
    },
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    pub seq: u64,
    /// SHA-256 of the stored bytes of the entry before; absent in entry 0.
    pub prev: Option<Sha256>,
    /// The journal target's clock as last heard by the writer; for people. Order is `seq`, age is
    /// the store's.
    pub at: Timestamp,
    #[serde(flatten)]
    pub by: Identity,
    #[serde(flatten)]
    pub event: Event,
}

impl Document for Entry {
    const SCHEMA: &'static str = "dr/entry/1";
}

/// `00000042`
pub fn entry_name(seq: u64) -> String {
    format!("{seq:08}")
}

/// Reads one stored entry.
///
/// # Errors
/// Not an entry of this version, or one with a plan of another version.
pub fn read(bytes: &[u8]) -> Result<(Entry, Sha256), FormatError> {
    match Entry::from_bytes(bytes) {
        Ok(entry) => Ok((entry, Sha256::of(bytes))),
        // A plan that a newer program made can hold actions that do not even parse here; that is no
        // damage.
        Err(FormatError::Json { .. }) if foreign_plan(bytes).is_some() => {
            Err(FormatError::Version {
                found: format!("dr/plan/{}", foreign_plan(bytes).unwrap_or_default()),
                wanted: "dr/plan/1",
            })
        }
        Err(e) => Err(e),
    }
}

/// Version of the plan in an entry, where it is not ours.
fn foreign_plan(bytes: &[u8]) -> Option<u64> {
    let value: serde_json::Value = serde_json::from_slice(bytes).ok()?;
    value["plan"]["version"]
        .as_u64()
        .filter(|v| *v != u64::from(VERSION))
}

#[cfg(test)]
pub(crate) mod tests;
