//! Proofs of a closed drill, brought to a target that did not take them then.

use crate::model::{ObjectKey, RunId, TargetName};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SpreadProofs {
    /// The drill.
    pub run: RunId,
    /// Where some of them are missing.
    pub target: TargetName,
    /// Those of its proofs that are missing there; its own journal names them.
    pub keys: Vec<ObjectKey>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProofsSpread {
    /// Those that this target did not have, in the last attempt.
    pub brought: Vec<ObjectKey>,
    /// Those that could not be brought.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failed: Vec<ObjectKey>,
}
