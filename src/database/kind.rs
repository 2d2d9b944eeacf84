//! What dumps, loads, proofs and steps ask of a database, whatever kind it is. How it is asked is
//! the kind's own; what becomes of the answers is theirs.

use super::address::Address;
use super::answers::Answers;
use super::comparable::Comparable;
use super::error::DatabaseError;
use super::found::{
    AsFound, Begun, Destination, Difference, Dropped, Keep, LeftOut, Pages, Refused, Rows,
    SchemaAsFound, SchemaError, SchemaPart, SequencesBehind, Table, Takes, Undone, Watch, Which,
};
use crate::manifest::{DatabaseFacts, HeartbeatColumn, Roles};
use crate::model::Seconds;
use crate::plan::Beat;
use bytes::Bytes;
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

/// A table, and the digest of its rows or why it cannot be read.
pub type Read = (Table, Result<Rows, DatabaseError>);

/// One session in one database. Every session reads and writes values in the same text form,
/// whatever the database's own settings are.
///
/// # Errors
/// Each method fails as the server does, or with the connection to it.
#[expect(
    async_fn_in_trait,
    reason = "all kinds are in this crate, and no session leaves the task that opened it"
)]
pub trait Database: Comparable + Answers {
    /// What reads a schema as text.
    type SchemaReader;
    /// Text that was found to hold statements and nothing else.
    type Script;
    type RowsOut<'a>: RowsOut
    where
        Self: 'a;
    type RowsIn<'a>: RowsIn
    where
        Self: 'a;

    /// # Errors
    /// No connection, a refused password, a certificate that the bundle does not cover.
    async fn connect(address: &Address, timeout: Seconds) -> Result<Self, DatabaseError>;

    /// The smallest question that there is.
    async fn answers(&self) -> Result<(), DatabaseError>;

    /// By the server's clock; `None` where what it says is no instant.
    async fn now(&self) -> Result<Option<Timestamp>, DatabaseError>;

    async fn server_version(&self) -> Result<String, DatabaseError>;

    /// Names of all databases of the server but templates and the platform's own, whether they can
    /// be entered or not.
    async fn databases(&self) -> Result<Vec<String>, DatabaseError>;

    /// Databases of the server that say something of themselves, each with what it says.
    async fn databases_commented(&self) -> Result<Vec<(String, String)>, DatabaseError>;

    /// A database with a comment that says whose it is; one that is there and says so, or says
    /// nothing under a name that nobody else would choose, is taken. What is loaded into it may
    /// say more. False: it is somebody else's.
    /// `like`: with its encoding and collation, where this server has them.
    async fn make_database(
        &self,
        name: &str,
        comment: &str,
        like: Option<&DatabaseFacts>,
    ) -> Result<bool, DatabaseError>;

    /// Only one whose comment says whose it is, or that has none, as a crash right after its making
    /// leaves it: the name is a run's alone.
    async fn drop_database(&self, name: &str, comment: &str) -> Result<Dropped, DatabaseError>;

    /// Tables that hold rows of their own, in the order of their names.
    async fn tables(&self) -> Result<Vec<Table>, DatabaseError>;

    async fn roles(&self) -> Result<Roles, DatabaseError>;

    /// Where the roles of a server, `here`, differ from those of a dump, in the dump's order.
    fn role_differences(wanted: &Roles, here: &Roles) -> Vec<Difference>;

    /// Versions of the collations in use: an index built under another version of the same name can
    /// be wrong.
    async fn collations(&self) -> Result<BTreeMap<String, String>, DatabaseError>;

    /// How many there are of what no dump holds.
    async fn count(&self, what: LeftOut) -> Result<u64, DatabaseError>;

    /// Sequences that number a column, and those that the column has overtaken.
    async fn sequences_behind(&self) -> Result<SequencesBehind, DatabaseError>;

    /// Statements that set every sequence to where it is. Sequences are not under a snapshot: read
    /// after it they may be ahead, never behind.
    async fn sequences(&self) -> Result<String, DatabaseError>;

    /// Statements that make the large objects of the database, empty, with all that belongs to them
    /// beside their bytes.
    async fn large_objects(&self) -> Result<String, DatabaseError>;

    /// Begins to read as of now; returns the name by which other sessions join.
    async fn begin_snapshot(&self) -> Result<String, DatabaseError>;

    /// Reads as of the instant at which another session began.
    async fn join_snapshot(&self, snapshot: &str) -> Result<(), DatabaseError>;

    /// Keeps tables from being emptied while they are read.
    async fn hold(&self, tables: &[Table]) -> Result<(), DatabaseError>;

    /// Rows in the form that is stored: one line each, columns sorted by name.
    async fn rows_out(&self, of: &Table, pages: Pages) -> Result<Self::RowsOut<'_>, DatabaseError>;

    /// Whether this user reads all tables as they are.
    async fn reads_all(&self) -> Result<bool, DatabaseError>;

    /// Of all tables of a restored database that this user does not read as they are, one after the
    /// other: what that needs is undone.
    async fn digests_borrowing(&self, horizon: Option<u64>) -> Result<Vec<Read>, DatabaseError>;

    /// Changes a restored database that is a run's own, so that its user can read all of it in any
    /// session; what a dump says of it is kept first. Returns what was changed.
    async fn open_up(&self, keep: &Keep<'_>) -> Result<Vec<String>, DatabaseError>;

    /// What was kept so; `None` where nothing had to be changed.
    ///
    /// # Errors
    /// `NoReader`: the schema could not be read then.
    async fn as_found(&self, keep: &Keep<'_>) -> Result<Option<AsFound>, SchemaError>;

    /// The newest heartbeat of a restored database; both fields are `None` where the table is
    /// empty.
    async fn heartbeat(&self, column: &HeartbeatColumn) -> Result<Beat, DatabaseError>;

    /// Whether the schema of a server of this major version can be read from here.
    ///
    /// # Errors
    /// `NoReader`: it cannot; says what to install.
    async fn readable(major: u32) -> Result<(), SchemaError>;

    /// # Errors
    /// As [`Database::readable`]; the server's.
    async fn schema_reader(&self) -> Result<Self::SchemaReader, SchemaError>;

    /// What a dump says of the schema now, as of a snapshot.
    ///
    /// # Errors
    /// `NoReader`: nothing here can read it, or something in it is called so that the reader would
    /// take its name for something else; says what to install. The server's.
    async fn schema_as_it_is(&self, snapshot: &str) -> Result<SchemaAsFound, SchemaError>;

    /// The schema as statements, as of a snapshot.
    async fn schema(
        &self,
        reader: &Self::SchemaReader,
        part: SchemaPart,
        snapshot: &str,
    ) -> Result<String, DatabaseError>;

    /// Statements for whoever has a dump and not this program: they make the roles that are
    /// missing.
    async fn roles_by_hand(&self, roles: &Roles) -> Result<String, DatabaseError>;

    /// The mark of the load that ended in this database.
    async fn ended(&self) -> Result<Option<String>, DatabaseError>;

    /// What belongs to the database and to no schema of it.
    async fn facts(&self) -> Result<DatabaseFacts, DatabaseError>;

    /// Statements that give this database what another one had.
    fn dress(&self, facts: &DatabaseFacts, takes: Takes) -> String;

    /// What a database, `here`, has otherwise than a dump, and no load changes.
    fn database_differences(wanted: &DatabaseFacts, here: &DatabaseFacts) -> Vec<String>;

    /// For a dump that does not say who may enter: whoever could before its load.
    async fn open_again(&self) -> Result<(), DatabaseError>;

    /// What an empty database does not have and no extension brought.
    async fn things(&self) -> Result<u64, DatabaseError>;

    /// Whose load of this database is unfinished; all marks begin with `prefix`.
    async fn begun(&self, prefix: &str) -> Result<Begun, DatabaseError>;

    /// Marks the database as being loaded.
    async fn begin_load(&self, mark: &str) -> Result<(), DatabaseError>;

    /// For a session that loads: what the server forgets in a crash, it forgets with the item that
    /// says so, until the end of the load makes all of it last; and indexes are built with room.
    async fn hurry(&self) -> Result<(), DatabaseError>;

    /// Becomes a member of the roles of a dump, so that it can give them what is theirs; until the
    /// end of the load.
    async fn join_roles(&self, roles: &BTreeSet<String>, item: &str) -> Result<(), DatabaseError>;

    /// Joins what it lacks to read all that was loaded; until the end of the load.
    async fn join_readers(&self) -> Result<(), DatabaseError>;

    /// Whether this user may say something of the database, as every load does in the end.
    async fn owns_database(&self) -> Result<bool, DatabaseError>;

    /// Roles that statements give something to, or speak for.
    fn owners(script: &Self::Script) -> BTreeSet<String>;

    /// Whether what an item stands for was loaded, and committed.
    async fn loaded(&self, item: &str) -> Result<bool, DatabaseError>;

    /// Makes the roles that are missing, all in one transaction with its item, and leaves those
    /// that are `there`. What the server refused is returned, with what it said.
    async fn make_roles(
        &self,
        wanted: &Roles,
        there: &BTreeSet<String>,
        item: &str,
    ) -> Result<Vec<Refused>, DatabaseError>;

    /// # Errors
    /// Something in the text is no statement; says what.
    fn script(text: String) -> Result<Self::Script, &'static str>;

    /// Runs the statements of a part of a load, without those that set what this server does not
    /// know, from where an earlier attempt was. One that is refused keeps no other from it.
    async fn run(
        &self,
        script: &Self::Script,
        which: Which,
        part: &str,
    ) -> Result<(), DatabaseError>;

    /// The same, with `others` for what may be built beside each other. `what`: statements, which
    /// of them, the part.
    async fn run_beside(
        &self,
        others: &[Self],
        what: (&Self::Script, Which, &str),
        watch: &dyn Watch,
    ) -> Result<(), DatabaseError>;

    /// Once more what was refused in all parts; what is refused again.
    async fn try_again(&self) -> Result<Vec<Undone>, DatabaseError>;

    /// What two texts of a schema have otherwise, by the beginnings of statements; those that were
    /// refused are known. `None`: they cannot be compared.
    fn schema_differences(
        stored: &Self::Script,
        here: &Self::Script,
        refused: &BTreeSet<String>,
    ) -> Option<Vec<String>>;

    /// Begins a transaction that loads rows, as they were read.
    async fn rows_in(&self, into: &Destination<'_>) -> Result<Self::RowsIn<'_>, DatabaseError>;

    /// The items go and the mark stays, in one transaction: a crash leaves one of them, never
    /// neither.
    async fn end_load(&self, mark: &str) -> Result<(), DatabaseError>;

    /// The mark goes too: what was loaded was looked at. One of a load that has not ended stays.
    async fn forget_load(&self) -> Result<(), DatabaseError>;

    /// Switches off what would act on the world; names of what was on.
    async fn side_effects_off(&self) -> Result<Vec<String>, DatabaseError>;
}

/// Rows coming out of a table.
#[expect(async_fn_in_trait, reason = "as at `Database`")]
pub trait RowsOut {
    /// The next complete lines, newlines included; `None` at the end.
    ///
    /// # Errors
    /// The server's, also in the middle of the rows.
    async fn next(&mut self) -> Result<Option<Bytes>, DatabaseError>;
}

/// Rows going into a table, in a transaction of their own.
#[expect(async_fn_in_trait, reason = "as at `Database`")]
pub trait RowsIn: Sized {
    /// Takes bytes as they come: a line may begin in one piece and end in the next.
    ///
    /// # Errors
    /// The server's: the row that it refuses.
    async fn send(&mut self, bytes: Bytes) -> Result<(), DatabaseError>;

    /// Commits the rows together with their item.
    ///
    /// # Errors
    /// The server's: constraints are checked here.
    async fn commit(self, item: &str) -> Result<(), DatabaseError>;
}
