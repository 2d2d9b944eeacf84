//! A thing that was not protected, and why.

use serde::{Deserialize, Serialize};

/// Counted and named wherever it could be taken for done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exception {
    /// What it is about, such as `database ledger`.
    pub thing: String,
    /// A code that has a page in runbooks/.
    pub code: String,
    pub why: String,
}
