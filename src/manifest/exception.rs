//! A thing that was not protected, and why.

use crate::model::Name;
use crate::report::Code;
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

impl Exception {
    /// Of a whole database.
    pub fn of_database(database: &Name, code: Code, why: impl Into<String>) -> Self {
        Self {
            thing: thing(database),
            code: code.to_string(),
            why: why.into(),
        }
    }

    /// Whether it is of this whole database.
    pub fn is_of_database(&self, database: &Name) -> bool {
        self.thing == thing(database)
    }
}

fn thing(database: &Name) -> String {
    format!("database {database}")
}
