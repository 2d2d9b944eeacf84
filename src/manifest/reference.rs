//! What a source was read to hold while its snapshot was taken: what a restored copy is compared
//! with.

use super::{DatabaseFacts, Document, Exception, Roles, TableDigest};
use crate::model::{Name, PolicyName, RunId, Sha256, Slot, SourceId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Ranges of one table, at most; fewer where it has few rows.
pub const MAX_RANGES: usize = 1024;

/// `points/<policy>/<slot>/sources/<source>/reference-before.json`: read before the snapshot was
/// asked for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReferenceBefore {
    pub policy: PolicyName,
    pub slot: Slot,
    pub run: RunId,
    pub source: SourceId,
    pub read: ServerReading,
}

impl Document for ReferenceBefore {
    const SCHEMA: &'static str = "dr/reference-before/1";
}

/// One reading of a server, all of it as of one instant per database.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ServerReading {
    /// By the server's clock.
    pub at: Timestamp,
    pub roles: Option<Roles>,
    pub databases: BTreeMap<Name, Reading>,
    /// What was not read, and why.
    pub unread: Vec<Exception>,
}

/// One reading of a database.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reading {
    /// Rows that a transaction of this number or a later one wrote are newer than the first
    /// reading.
    pub horizon: u64,
    pub tables: BTreeMap<String, TableRead>,
    pub sequences: BTreeMap<String, SequenceAt>,
    pub catalogue: Option<Catalogue>,
    /// Of the second reading: something was defined since the first one.
    pub defined: bool,
    pub facts: Option<DatabaseFacts>,
    /// Number of the newest heartbeat.
    pub heartbeat: Option<i64>,
}

impl Reading {
    /// To no more ranges than a document should hold.
    pub fn fold(&mut self, most_of_all: usize) {
        let mut each = MAX_RANGES;
        let count = |reading: &Self| {
            reading
                .tables
                .values()
                .map(|t| t.ranges.len())
                .sum::<usize>()
        };
        while count(self) > most_of_all && each > 1 {
            each /= 2;
            self.tables.values_mut().for_each(|t| t.fold_to(each));
        }
    }
}

/// The rows of one table that are older than the horizon: each falls into a range by its SHA-256.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableRead {
    /// All rows, newer ones too.
    pub rows: u64,
    /// As many as a power of two.
    pub ranges: Vec<TableDigest>,
}

impl TableRead {
    /// So many ranges that one holds some rows.
    pub fn folded(mut self) -> Self {
        const ROWS_EACH: usize = 16;
        let rows = usize::try_from(self.rows).unwrap_or(usize::MAX);
        let wanted = (rows / ROWS_EACH).next_power_of_two().min(MAX_RANGES);
        self.fold_to(wanted);
        self
    }

    pub fn fold_to(&mut self, wanted: usize) {
        while self.ranges.len() > wanted.max(1) {
            let half = self.ranges.len() / 2;
            let upper = self.ranges.split_off(half);
            let both = self.ranges.iter_mut().zip(upper);
            both.for_each(|(lower, upper)| lower.merge(upper));
        }
    }
}

/// Where a sequence was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SequenceAt {
    pub value: i64,
    pub increment: i64,
    /// The server's number of its file: another one where it was made to begin anew.
    pub file: u64,
    /// Values that a session takes at once.
    pub cache: i64,
    pub cycles: bool,
}

/// The schema of a database as `pg_dump` writes it, statement by statement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Catalogue {
    /// Major versions of server and program: others write the same schema in other words.
    pub server: String,
    pub program: String,
    /// By the SHA-256 of the statement's tokens.
    pub statements: BTreeMap<Sha256, StatementCount>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatementCount {
    pub times: u64,
    /// Its beginning, without values.
    pub begins: String,
}

/// `points/<policy>/<slot>/sources/<source>/reference.json`: what did not change between the
/// reading before the snapshot was asked for and the one after it was available, and what must
/// therefore be in every copy.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reference {
    pub policy: PolicyName,
    pub slot: Slot,
    pub run: RunId,
    pub source: SourceId,
    pub before_at: Timestamp,
    pub after_at: Timestamp,
    /// `None`: they were not read, or changed meanwhile.
    pub roles: Option<Roles>,
    pub databases: BTreeMap<Name, DatabaseReference>,
    pub unread: Vec<Exception>,
}

impl Document for Reference {
    const SCHEMA: &'static str = "dr/reference/1";
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DatabaseReference {
    pub horizon: u64,
    pub tables: BTreeMap<String, TableReference>,
    pub sequences: BTreeMap<String, SequenceBetween>,
    pub catalogue: Option<CatalogueReference>,
    pub facts: Option<DatabaseFacts>,
    /// Newest before the snapshot was asked for.
    pub heartbeat: Option<i64>,
}

impl DatabaseReference {
    /// How many ranges each of its tables is read in.
    pub fn ranges(&self) -> BTreeMap<String, usize> {
        let tables = self.tables.iter();
        tables.map(|(name, t)| (name.clone(), t.ranges)).collect()
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableReference {
    /// Before the snapshot was asked for.
    pub rows: u64,
    pub ranges: usize,
    /// Of those ranges from which no row went, in hexadecimal, lowest first.
    pub stayed: String,
    /// Of all rows in them.
    pub digest: TableDigest,
    /// The other ranges.
    pub lost: BTreeMap<usize, RangePair>,
}

/// A range from which rows went between two readings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RangePair {
    pub before: TableDigest,
    pub after: TableDigest,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SequenceBetween {
    pub before: i64,
    pub after: i64,
    pub increment: i64,
    pub cache: i64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CatalogueReference {
    /// Of statements that were there both times.
    #[serde(flatten)]
    pub stayed: Catalogue,
    /// Some came, went, or were made anew: a copy is not compared with them.
    pub changed: bool,
}

/// Which of the ranges are set, in hexadecimal: range 0 is the lowest bit of the first digit.
pub fn ranges_to_hex(set: &[bool]) -> String {
    let digit = |four: &[bool]| {
        let bits = four.iter().enumerate();
        let value: u32 = bits.map(|(n, set)| u32::from(*set) << n).sum();
        char::from_digit(value, 16).unwrap_or('0')
    };
    set.chunks(4).map(digit).collect()
}

/// What is no digit sets none.
pub fn ranges_from_hex(text: &str) -> Vec<bool> {
    let digits = text.chars().map(|c| c.to_digit(16).unwrap_or(0));
    digits
        .flat_map(|d| (0..4).map(move |n| d >> n & 1 == 1))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_folded_without_losing_a_row() {
        let mut read = TableRead {
            rows: 0,
            ranges: vec![TableDigest::default(); MAX_RANGES],
        };
        let mut all = TableDigest::default();
        for n in 0..200_u32 {
            let line = n.to_string();
            all.add_line(line.as_bytes());
            read.ranges[n as usize % MAX_RANGES].add_line(line.as_bytes());
            read.rows += 1;
        }
        let folded = read.clone().folded();
        assert_eq!(folded.ranges.len(), 16);
        let mut one = folded.clone();
        one.fold_to(0);
        assert_eq!(one.ranges, [all]);
        let many = TableRead {
            rows: 1_000_000,
            ..read
        };
        assert_eq!(many.folded().ranges.len(), MAX_RANGES);
    }

    proptest::proptest! {
        #[test]
        fn ranges_are_written_and_read_again(set: Vec<bool>) {
            let mut read = ranges_from_hex(&ranges_to_hex(&set));
            read.truncate(set.len());
            proptest::prop_assert_eq!(read, set);
        }
    }

    #[test]
    fn a_database_of_many_tables_has_fewer_ranges_for_each() {
        let table = || TableRead {
            rows: 1_000_000,
            ranges: vec![TableDigest::default(); MAX_RANGES],
        };
        let mut reading = Reading {
            horizon: 1,
            tables: (0..1000).map(|n| (n.to_string(), table())).collect(),
            sequences: BTreeMap::new(),
            catalogue: None,
            defined: false,
            facts: None,
            heartbeat: None,
        };
        reading.fold(100_000);
        assert!(reading.tables.values().all(|t| t.ranges.len() == 64));
    }
}
