//! What is promised of a restore.

use crate::model::Seconds;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What is promised of one method: of each source, and each database, that it restores.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Objective {
    pub rto: Seconds,
    pub rpo: Seconds,
    /// A proof older than this proves no more that a restore would work today.
    pub proof_age: Option<Seconds>,
    /// Rows that were restored were compared with those of their source no longer ago than this:
    /// of a snapshot with what `reader` saw beside it.
    pub compared: Option<Seconds>,
}
