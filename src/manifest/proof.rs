//! Dumps and proofs.

use super::{Document, Exception, TableDigest};
use crate::model::{
    Method, Name, ObjectKey, PolicyName, RunId, Sha256, Slot, SourceId, TargetName, VersionId,
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// `points/<policy>/<slot>/dumps/<run>/<source>/<database>/<target>.json`: one logical dump at one
/// target, with every object that it consists of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Dump {
    pub policy: PolicyName,
    pub slot: Slot,
    pub run: RunId,
    pub source: SourceId,
    pub target: TargetName,
    pub at: Timestamp,
    pub database: String,
    pub server_version: String,
    /// Schema and roles, applied in this order: `roles` (`globals` is the same for psql),
    /// `pre-data`, then rows, then `sequences`, `post-data`.
    pub sections: Vec<Section>,
    pub tables: Vec<TableRow>,
    /// Tables whose rows the server did not give; they are not among `tables`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub unread: BTreeMap<String, UnreadRows>,
    pub collations: BTreeMap<String, String>,
    /// What was not dumped, and why.
    pub excluded: BTreeMap<String, String>,
}

impl Dump {
    /// Of each table, by its name.
    pub fn digests(&self) -> BTreeMap<String, TableDigest> {
        let tables = self.tables.iter();
        tables.map(|t| (t.name.clone(), t.digest)).collect()
    }

    /// Of tables that it has no rows of.
    pub fn exceptions(&self) -> impl Iterator<Item = Exception> + '_ {
        self.unread.iter().map(|(table, unread)| Exception {
            thing: format!("{ROWS_OF}{table} of database {}", self.database),
            code: unread.code.clone(),
            why: unread.why.clone(),
        })
    }

    /// Whether it is of rows of a table.
    pub fn is_of_rows(exception: &Exception) -> bool {
        exception.thing.starts_with(ROWS_OF)
    }

    /// What of gathered tables cannot be compared with it, because it has not all of their rows.
    pub fn incomplete(&self) -> BTreeSet<String> {
        let unread = self.unread.iter();
        unread
            .map(|(name, u)| u.load_into.as_ref().map_or(name.clone(), root))
            .collect()
    }

    /// Tables that should be there and tables that are, as they are compared with each other:
    /// without what it has not all rows of.
    pub fn comparable(
        &self,
        wanted: &BTreeMap<String, TableDigest>,
        found: &BTreeMap<String, TableDigest>,
    ) -> [BTreeMap<String, TableDigest>; 2] {
        let incomplete = self.incomplete();
        [wanted, found].map(|tables| {
            let mut tables = self.gathered(tables);
            tables.retain(|name, _| !incomplete.contains(name));
            tables
        })
    }

    /// The same tables as another database is compared by: parts by hash of one root are one thing,
    /// because their rows may lie in other parts there.
    pub fn gathered(
        &self,
        tables: &BTreeMap<String, TableDigest>,
    ) -> BTreeMap<String, TableDigest> {
        let read = self.tables.iter().map(|t| (&t.name, &t.load_into));
        let unread = self.unread.iter().map(|(name, u)| (name, &u.load_into));
        let roots = read.chain(unread);
        let roots = roots.filter_map(|(name, into)| Some((name, root(into.as_ref()?))));
        let roots: BTreeMap<&String, String> = roots.collect();
        let mut gathered: BTreeMap<String, TableDigest> = BTreeMap::new();
        for (name, digest) in tables {
            let of = roots.get(name).unwrap_or(name);
            gathered.entry(of.clone()).or_default().merge(*digest);
        }
        gathered
    }
}

/// Why a dump has no row of a table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnreadRows {
    /// A code that has a page in runbooks/.
    pub code: String,
    pub why: String,
    /// As of the tables that it has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub load_into: Option<(String, String)>,
    /// What was put of it before the server gave no more: nothing to load.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub chunks: Vec<ChunkRow>,
}

const ROWS_OF: &str = "rows of ";

fn root((schema, root): &(String, String)) -> String {
    format!("parts of {schema}.{root}")
}

impl Document for Dump {
    const SCHEMA: &'static str = "dr/dump/1";
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Section {
    pub name: String,
    #[serde(flatten)]
    pub chunk: ChunkRow,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TableRow {
    /// `schema.table`, unquoted.
    pub name: String,
    pub schema: String,
    pub table: String,
    /// Columns in the order of the COPY lines.
    pub columns: Vec<String>,
    /// Rows of a part by hash go into the root: enum hashes differ between databases.
    pub load_into: Option<(String, String)>,
    pub digest: TableDigest,
    pub chunks: Vec<ChunkRow>,
}

/// One stored object of a dump: zstd over COPY text or SQL.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChunkRow {
    pub key: ObjectKey,
    pub version: VersionId,
    pub size_bytes: u64,
    pub sha256: Sha256,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CheckResult {
    Passed,
    Failed,
    /// Could not be looked at: never counts as passed.
    Unknown,
}

/// One check of a drill, with the size of what it speaks of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    pub id: String,
    pub source: SourceId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub database: Option<Name>,
    pub method: Method,
    pub target: TargetName,
    pub result: CheckResult,
    pub population: u64,
    pub tested: u64,
    pub skipped: u64,
    /// What was found, or why something was skipped.
    pub why: Option<String>,
}

/// `proofs/<policy>/<slot>/<drill run>/<source>/<method>/<target>.json`, of a dump
/// `…/<source>/dump/<database>/<target>.json`: a restore of this source of this point by this
/// method from this target was tried.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Proof {
    pub policy: PolicyName,
    pub slot: Slot,
    pub run: RunId,
    pub source: SourceId,
    /// Of a dump, which is of one database.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub database: Option<Name>,
    pub method: Method,
    pub target: TargetName,
    /// Who restored it.
    pub actor: String,
    pub at: Timestamp,
    pub passed: bool,
    pub checks: Vec<Check>,
    pub checked: u64,
    pub not_checked: u64,
    pub excluded: u64,
    pub measured: Measured,
    /// Key of the dump that a proof of method `dump` speaks of.
    pub dump: Option<ObjectKey>,
}

impl Proof {
    /// Whether it passed, and rows of every database were compared with the source's own: with what
    /// a reader saw there beside a snapshot, or a dump that was read of it.
    pub fn compared(&self) -> bool {
        let id = match self.method {
            Method::Snapshot => "source-rows",
            Method::Dump => "equal",
            Method::Files => return false,
        };
        let mut asked = self.checks.iter().filter(|c| c.id == id).peekable();
        self.passed && asked.peek().is_some() && asked.all(|c| c.tested > 0)
    }
}

impl Document for Proof {
    const SCHEMA: &'static str = "dr/proof/1";
}

/// What the drill measured. A figure of the lab never stands without that word.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    pub measured_on: String,
    pub rto_s: f64,
    /// How much older than the snapshot the newest heartbeat in it is.
    pub snapshot_lag_s: Option<f64>,
    pub tables: u64,
    pub rows: u64,
    pub objects: u64,
    pub bytes: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_by_hash_of_one_root_are_compared_as_one_and_others_as_they_are() {
        let row = |name: &str, root: Option<&str>| TableRow {
            name: format!("a.{name}"),
            schema: "a".into(),
            table: name.into(),
            columns: Vec::new(),
            load_into: root.map(|r| ("a".into(), r.into())),
            digest: TableDigest::default(),
            chunks: Vec::new(),
        };
        let dump = Dump {
            policy: PolicyName::new("p"),
            slot: Slot::parse("20260101T000000Z").unwrap(),
            run: RunId::parse("drill-20260101T000000Z").unwrap(),
            source: SourceId::new("s"),
            target: TargetName::new("t"),
            at: Timestamp::UNIX_EPOCH,
            database: "d".into(),
            server_version: "15".into(),
            sections: Vec::new(),
            tables: vec![row("one", Some("r")), row("two", Some("r")), row("x", None)],
            collations: BTreeMap::new(),
            unread: BTreeMap::new(),
            excluded: BTreeMap::new(),
        };
        let of = |rows: [(&str, &[&str]); 3]| {
            let digest = |lines: &[&str]| {
                let mut digest = TableDigest::default();
                lines.iter().for_each(|l| digest.add_line(l.as_bytes()));
                digest
            };
            let all = rows.map(|(name, lines)| (format!("a.{name}"), digest(lines)));
            dump.gathered(&BTreeMap::from(all))
        };
        let wanted = of([("one", &["1"]), ("two", &["2", "3"]), ("x", &["4"])]);
        assert_eq!(wanted.len(), 2);
        let moved = of([("one", &["3", "2"]), ("two", &["1"]), ("x", &["4"])]);
        assert_eq!(wanted, moved);
        let lost = of([("one", &["3", "2"]), ("two", &[]), ("x", &["4"])]);
        assert_ne!(wanted, lost);
        let other = of([("one", &["1"]), ("two", &["2", "3", "4"]), ("x", &[])]);
        assert_ne!(wanted, other);
    }
}
