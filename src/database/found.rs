//! What a database is asked for and what it answers, in no kind's words.

use super::error::DatabaseError;
use super::quote::qualified;
use crate::manifest::{Catalogue, MAX_RANGES, Roles, TableDigest, TableRead};
use crate::model::Seconds;
use futures_util::future::BoxFuture;

/// A table that holds rows of its own: ordinary tables and partitions; never partitioned roots,
/// views or foreign tables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    pub schema: String,
    pub name: String,
    /// Non-generated columns, sorted by name (bytewise), so that two databases with other column
    /// orders agree.
    pub columns: Vec<String>,
    pub pages: u64,
    /// Root of a table that is divided by hash above this part, at whichever level.
    pub hash_root: Option<(String, String)>,
    /// A copy of the server's files has its rows.
    pub logged: bool,
    /// Where row-level security may hide rows of it from somebody: a digest of what decides that.
    pub policies: Option<String>,
    pub holds: Holds,
}

/// What the rows of a table are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Holds {
    Rows,
    /// A table of an extension that keeps what users configured; the condition, in SQL, tells their
    /// rows from the extension's own. Empty: all are.
    Configuration(String),
    /// No table: the large objects of the database, in pieces.
    LargeObjects,
}

impl Table {
    /// `schema.table`, for people and for keys of digests; quoted where a dot or a quote would make
    /// two tables one.
    pub fn full_name(&self) -> String {
        let plain = [&self.schema, &self.name]
            .iter()
            .all(|n| !n.contains(['.', '"']));
        if plain {
            format!("{}.{}", self.schema, self.name)
        } else {
            qualified(&self.schema, &self.name)
        }
    }
}

/// All rows of a table, and those older than a horizon by their ranges.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RangedRows {
    pub all: TableDigest,
    pub older: TableRead,
}

impl Default for RangedRows {
    fn default() -> Self {
        Self {
            all: TableDigest::default(),
            older: TableRead {
                rows: 0,
                ranges: vec![TableDigest::default(); MAX_RANGES],
            },
        }
    }
}

impl RangedRows {
    /// Complete lines, each with `1` before its columns where it is newer, else `0`.
    pub fn add_lines(&mut self, lines: &[u8]) {
        let body = lines.strip_suffix(b"\n").unwrap_or(lines);
        for line in body.split(|b| *b == b'\n') {
            let (age, row) = line.split_at(line.len().min(1));
            let row = row.strip_prefix(b"\t").unwrap_or(row);
            let (digest, range) = TableDigest::of_line(row);
            self.all.merge(digest);
            self.older.rows += 1;
            if age == b"0" {
                self.older.ranges[usize::from(range) % MAX_RANGES].merge(digest);
            }
        }
    }
}

/// Of all rows of a table, and of those older than a horizon, where one was given.
pub type Rows = (TableDigest, Option<TableRead>);

/// What is damaged in a restored database to see whether a check notices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Damage {
    Row,
    Sequence,
    RowSecurity,
    Right,
    Trigger,
}

/// A database with one thing damaged.
#[derive(Clone, Debug)]
pub struct Control {
    /// What was damaged.
    pub what: String,
    pub seen: Seen,
}

/// What was read of it then.
#[derive(Clone, Debug)]
pub enum Seen {
    Table { name: String, digest: TableDigest },
    Sequences(SequencesBehind),
    Schema { before: Catalogue, after: Catalogue },
}

/// Pages of a table, from `from` up to, not including, `to`; `None`: to the end, wherever that is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pages {
    pub from: u64,
    pub to: Option<u64>,
}

impl Pages {
    pub const ALL: Self = Self { from: 0, to: None };
}

/// Where rows go, and which columns their lines have.
#[derive(Clone, Copy, Debug)]
pub struct Destination<'a> {
    pub schema: &'a str,
    pub table: &'a str,
    pub columns: &'a [String],
}

/// The two parts of a schema: what rows need to be loaded, and what is made faster after them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SchemaPart {
    BeforeRows,
    AfterRows,
}

impl SchemaPart {
    /// As the section of a dump is called that holds it.
    pub fn section(self) -> &'static str {
        match self {
            SchemaPart::BeforeRows => "pre-data",
            SchemaPart::AfterRows => "post-data",
        }
    }
}

/// Why a schema is not read.
#[derive(Debug, thiserror::Error)]
pub enum SchemaError {
    /// No program here can read the server; says what to install.
    #[error("{0}")]
    NoReader(String),
    #[error(transparent)]
    Database(#[from] DatabaseError),
}

/// Where what a dump says of a restored database is kept, once that database is changed so that it
/// can be read.
#[derive(Clone, Copy, Debug)]
pub struct Keep<'a> {
    /// A run's own, beside the restored one.
    pub database: &'a str,
    /// Says whose it is.
    pub comment: &'a str,
    pub timeout: Seconds,
}

/// What a dump says of a database beside its rows, before anything was changed.
#[derive(Clone, Debug)]
pub struct AsFound {
    pub roles: Roles,
    /// `None`: nothing was changed in the database itself.
    pub schema: Option<SchemaAsFound>,
}

#[derive(Clone, Debug)]
pub struct SchemaAsFound {
    pub sections: Vec<(SchemaPart, String)>,
    pub sequences: String,
}

/// What no dump holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LeftOut {
    /// That this user may not read.
    LargeObjects,
    /// Tables of extensions whose rows are users', and that this user may not read as they are.
    Configuration,
    Tablespaces,
    Subscriptions,
    /// Of user mappings of foreign servers.
    MappingOptions,
    /// That serve no query.
    InvalidIndexes,
    /// Of tables that inherit, where it is not that of their parents.
    ColumnOrder,
    ExtensionOwners,
    /// In which part a row of a table lies that is divided by the hash of an enumeration.
    PartsByEnum,
    /// Tables that are not logged and hold no rows.
    Unlogged,
}

/// Sequences that number a column, and those of them that the column has overtaken.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SequencesBehind {
    pub looked_at: u64,
    pub behind: Vec<String>,
    /// Whose column could not be read, each with what the server said.
    pub unread: Vec<String>,
}

/// What became of a database that was to be dropped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Dropped {
    Done,
    NotThere,
    /// Its comment says something else: it is somebody else's.
    NotOurs(Option<String>),
}

/// Whether a load of this database began and did not end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Begun {
    Not,
    /// With the mark that it left, where it is one of ours.
    By(Option<String>),
}

/// Who is told how far a load is.
pub trait Watch: Sync {
    /// So many of so many, of what.
    fn told(&self, done: u64, total: u64, unit: &str);

    /// Until what takes long is looked at again; false: nobody is told of it any more.
    fn pause(&self) -> BoxFuture<'_, bool>;
}

/// Which statements of a part of a dump.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// What is made.
    Objects,
    /// Who may do what with it.
    Rights,
    /// What would act on all that comes after it.
    EventTriggers,
}

/// What a database takes over of the one that was dumped, beside what is in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Takes {
    /// `sessions`: so many must be able to enter.
    All { sessions: u32 },
    /// It is a run's own, and says so; only its run enters.
    WithoutName,
}

/// A statement of a load that the server refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Undone {
    /// Its beginning, without values.
    pub what: String,
    /// SQLSTATE and what the server said, without values.
    pub why: String,
}

/// One thing about roles that is otherwise than in the dump; values of settings are not repeated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    pub role: String,
    /// Empty: the role itself.
    pub what: String,
    pub text: String,
}

/// One thing about roles that a server refused to make.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Together they name a [`Difference`].
    pub role: String,
    pub what: String,
    /// What the server said, without values.
    pub why: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_tables_have_one_name() {
        let name = |schema: &str, name: &str| {
            Table {
                schema: schema.into(),
                name: name.into(),
                columns: Vec::new(),
                pages: 0,
                hash_root: None,
                logged: true,
                policies: None,
                holds: Holds::Rows,
            }
            .full_name()
        };
        assert_eq!(name("app", "orders"), "app.orders");
        let all = [
            name("app", "a.b"),
            name("app.a", "b"),
            name("\"app", "x"),
            name("app\".\"a", "b"),
            name("app", "a\".\"b"),
        ];
        assert_eq!(
            all.iter().collect::<std::collections::BTreeSet<_>>().len(),
            all.len(),
            "{all:?}"
        );
    }
}
