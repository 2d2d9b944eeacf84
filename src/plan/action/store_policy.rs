//! A policy beside what is made by it: a vault describes itself.

use crate::model::{Sha256, TargetName};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StorePolicy {
    pub target: TargetName,
    /// Of its text, which the plan does not hold.
    pub policy: Sha256,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyStored {
    pub bytes: u64,
}
