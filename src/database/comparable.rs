//! What a comparison of a restored copy with its running source asks of both.

use super::error::DatabaseError;
use super::found::{Control, Damage, RangedRows, Rows, SchemaAsFound, Table};
use super::structure::{Sample, Structure};
use crate::manifest::{Catalogue, HeartbeatColumn, SequenceAt};
use crate::model::Seconds;
use std::collections::BTreeMap;

/// # Errors
/// Each method fails as the server does, or with the connection to it.
#[expect(
    async_fn_in_trait,
    reason = "all kinds are in this crate, and no session leaves the task that opened it"
)]
pub trait Comparable: Sized {
    /// The first transaction whose rows a reader of the open snapshot may not see.
    async fn horizon(&self) -> Result<u64, DatabaseError>;

    /// In the open transaction: longer than this no statement takes, nor waits for a lock.
    async fn limit(&self, to: Seconds) -> Result<(), DatabaseError>;

    /// Of all rows of a table, and of those that transactions before `horizon` wrote, in the open
    /// transaction.
    ///
    /// # Errors
    /// The server's; policies would hide rows from this user: says what to type.
    async fn ranged(&self, of: &Table, horizon: u64) -> Result<RangedRows, DatabaseError>;

    /// The same of a copy, whose large objects and unlogged tables have no rows by age.
    async fn rows_by_age(&self, of: &Table, horizon: u64) -> Result<Rows, DatabaseError>;

    /// `None`: this user may not read it.
    async fn sequence_values(&self) -> Result<BTreeMap<String, Option<SequenceAt>>, DatabaseError>;

    /// Whether something was defined by transactions from `horizon` on.
    async fn defined_since(&self, horizon: u64) -> Result<bool, DatabaseError>;

    /// The transaction that read is over.
    async fn end_reading(&self) -> Result<(), DatabaseError>;

    /// The number of the newest heartbeat, by the rights that this user has.
    async fn newest_beat(&self, column: &HeartbeatColumn) -> Result<Option<i64>, DatabaseError>;

    /// Digests of a schema's statements; `None`: it is not to be told what they are.
    fn catalogue(schema: SchemaAsFound) -> Option<Catalogue>;

    /// Damages one thing of a restored database that is a run's own, looks, and undoes it. `pick`:
    /// which one. `None`: there is none, or the server lets none be damaged. All but rows and
    /// sequences: only where the schema was kept before.
    async fn control(
        &self,
        damage: Damage,
        pick: u64,
        tables: Vec<Table>,
    ) -> Result<Option<Control>, DatabaseError>;

    /// Whether indexes agree with their tables and pages can be read, in a restored database.
    async fn structure(&self, sample: Sample<'_>) -> Result<Structure, DatabaseError>;
}
