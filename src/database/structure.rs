//! What lies below rows: whether indexes agree with their tables, and pages can be read.

use crate::model::Seconds;
use std::time::Duration;

/// Which indexes and tables are looked at, where not all can be.
#[derive(Clone, Copy)]
pub struct Sample<'a> {
    /// Decides their order: over several drills all have their turn.
    pub seed: u64,
    pub budget: Seconds,
    /// Of the budget, now.
    pub left: &'a dyn Fn() -> Duration,
}

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Structure {
    /// Indexes and tables, the system's own among them.
    pub of: u64,
    pub looked_at: u64,
    /// Each with what is wrong there, without values.
    pub damaged: Vec<String>,
    /// Why the rest was not looked at.
    pub not_looked: Option<String>,
}
