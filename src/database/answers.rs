//! What statements of the user's answer.

use super::error::DatabaseError;

/// Takes what a statement answers, row by row, and keeps of it what it needs.
pub trait Each {
    /// Names of the columns, before the first row.
    ///
    /// # Errors
    /// Why rows of such columns cannot be taken; none is read then.
    fn columns(&mut self, names: &[&str]) -> Result<(), String>;

    /// Values as text, NULL as `None`.
    fn row(&mut self, values: &[Option<&str>]);
}

/// A statement of the user's may look, not change: whatever it did is undone.
///
/// # Errors
/// The outer ones are the session's, the inner ones are the statement's own.
#[expect(
    async_fn_in_trait,
    reason = "all kinds are in this crate, and no session leaves the task that opened it"
)]
pub trait Answers {
    /// The first column of the first row.
    async fn ask(
        &self,
        statement: &str,
    ) -> Result<Result<Option<String>, DatabaseError>, DatabaseError>;

    /// All rows, however many: one is read after the other.
    async fn ask_each(
        &self,
        statement: &str,
        each: &mut dyn Each,
    ) -> Result<Result<(), DatabaseError>, DatabaseError>;
}
