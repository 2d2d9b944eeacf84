//! What a closed drill left, deleted by a run of its own.

use super::Teardown;
use crate::model::{RunId, Slot};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SweepDrill {
    /// The drill.
    pub run: RunId,
    /// The point that it drilled; its dumps lie under it.
    pub slot: Slot,
    /// As that drill's own plan names it.
    pub teardown: Teardown,
}
