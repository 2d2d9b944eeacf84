//! What failed, whatever kind of database it is.

use crate::report::{Code, Fail};

/// A failed statement or connection.
#[derive(Debug, thiserror::Error)]
#[error("{operation} on {database}{}",
code.as_ref().map(|c| format!(" ({c})")).unwrap_or_default())]
pub struct DatabaseError {
    pub operation: String,
    pub database: String,
    /// SQLSTATE, where the server answered.
    pub code: Option<String>,
    /// Holds no value of a row.
    #[source]
    pub source: Box<dyn std::error::Error + Send + Sync>,
}

impl From<DatabaseError> for Fail {
    fn from(e: DatabaseError) -> Self {
        let code = if e.transient() {
            Code::DatabaseUnavailable
        } else {
            Code::DatabaseRefused
        };
        Fail::caused(code, e)
    }
}

impl DatabaseError {
    /// The server did not answer, is starting, or is shutting down.
    pub fn transient(&self) -> bool {
        self.code
            .as_ref()
            .is_none_or(|c| c.starts_with("08") || c.starts_with("57P") || c.starts_with("53"))
    }

    /// The server goes on, and so would another transaction: it is this statement that it does not
    /// do. Not what passes, nor what a newer snapshot would cure (40001, 72000).
    pub fn of_statement(&self) -> bool {
        !self.transient() && !self.class("40001") && !self.class("72000")
    }

    /// What was done when policies were found to hide rows.
    pub const HIDES_ROWS: &'static str = "read a table with policies";

    /// Policies hide rows from this user.
    pub fn hides_rows(&self) -> bool {
        self.operation == Self::HIDES_ROWS
    }

    /// One transaction wanted more locks than there are.
    pub(super) fn out_of_locks(&self) -> bool {
        self.class("53200")
    }

    /// The server answered, and let nobody in with this name and password.
    pub fn denied(&self) -> bool {
        self.class("28")
    }

    /// The server answered, and has no such database.
    pub fn no_database(&self) -> bool {
        self.class("3D000")
    }

    /// In place of a SQLSTATE: no copy of the server's files has it.
    pub const NOT_IN_A_COPY: &'static str = "not-in-a-copy";

    /// No copy of the server's files has it, so that nothing can be compared.
    pub fn in_no_copy(&self) -> bool {
        self.class(Self::NOT_IN_A_COPY)
    }

    /// It is there, and not ours to read.
    pub fn forbidden(&self) -> bool {
        self.class("42501")
    }

    fn class(&self, beginning: &str) -> bool {
        self.code.as_ref().is_some_and(|c| c.starts_with(beginning))
    }
}
