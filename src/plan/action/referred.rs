//! Rows that name files, and where a target's list of these files is.

use super::BaseCopy;
use crate::policy::Reference;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Referred {
    pub reference: Reference,
    /// The manifest of the files' copy in the same point at the same target; absent: there is no
    /// complete one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held: Option<BaseCopy>,
}
