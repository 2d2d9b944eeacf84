//! The digest of every table of a database, read through the same COPY lines that a dump stores.

use super::DumpError;
use super::aside::Aside;
use super::queue::{Queue, in_sessions, ranges};
use super::write::FORGET_AFTER;
use crate::database::{Address, Database, DatabaseError, Holds, Pages, Rows, RowsOut, Table};
use crate::manifest::{TableDigest, TableRead};
use crate::model::Seconds;
use std::collections::{BTreeMap, BTreeSet};

/// Few enough that two sessions share a table, and end at about the same time.
const PAGES_AT_ONCE: u64 = 4096;

/// Digests by table; what could not be read, with the reason.
#[derive(Clone, Debug, Default)]
pub struct Digests {
    pub tables: BTreeMap<String, TableDigest>,
    pub unreadable: BTreeMap<String, String>,
    /// Rows older than the horizon that was asked for, where it was.
    pub older: BTreeMap<String, TableRead>,
    /// Those that older dumps do not list.
    beside: BTreeSet<String>,
}

impl Digests {
    pub fn rows(&self) -> u64 {
        self.tables.values().map(|t| t.rows).sum()
    }

    /// Without tables that hold nothing because a dump has no rows of them, each with the reason.
    pub fn without(mut self, unread: BTreeMap<String, String>) -> Self {
        self.tables.retain(|name, _| !unread.contains_key(name));
        self.unreadable.extend(unread);
        self
    }

    /// To be compared with what a dump lists: large objects and rows of extensions' tables that it
    /// says nothing of are no difference.
    pub fn listed(&self, wanted: &BTreeMap<String, TableDigest>) -> BTreeMap<String, TableDigest> {
        let mut tables = self.tables.clone();
        tables.retain(|name, _| wanted.contains_key(name) || !self.beside.contains(name));
        tables
    }

    pub(super) fn note_by_age(
        &mut self,
        table: &Table,
        read: Result<Rows, DatabaseError>,
    ) -> Result<(), DumpError> {
        let read = read.map(|(all, older)| {
            self.older
                .extend(older.map(|older| (table.full_name(), older)));
            all
        });
        self.note(table, read)
    }

    fn note(
        &mut self,
        table: &Table,
        read: Result<TableDigest, DatabaseError>,
    ) -> Result<(), DumpError> {
        let name = table.full_name();
        if table.holds != Holds::Rows {
            self.beside.insert(name.clone());
        }
        match read {
            Ok(digest) => drop(self.tables.insert(name, digest)),
            Err(e) if e.transient() => return Err(e.into()),
            Err(e) => drop(self.unreadable.insert(name, format!("{e}: {}", e.source))),
        }
        Ok(())
    }
}

/// # Errors
/// No connection. A table that cannot be read is in the result, not an error.
pub async fn digest_database<D: Database>(
    address: &Address,
    streams: u32,
    timeout: Seconds,
) -> Result<Digests, DumpError> {
    let main = D::connect(address, timeout).await?;
    let mut digests = Digests::default();
    if !main.reads_all().await? {
        for (table, read) in main.digests_borrowing(None).await? {
            digests.note_by_age(&table, read)?;
        }
        return Ok(digests);
    }
    let snapshot = main.begin_snapshot().await?;
    let tables = main.tables().await?;
    let left = Queue::new(ranges(&tables, PAGES_AT_ONCE));
    let session = async || {
        let connection = D::connect(address, timeout).await?;
        let (mut all, mut read) = (Vec::new(), 0);
        while let Some((n, pages)) = left.next() {
            // One that was refused has ended its transaction.
            if read % FORGET_AFTER == 0 || all.last().is_some_and(|(_, r)| Result::is_err(r)) {
                connection.join_snapshot(&snapshot).await?;
            }
            read += 1;
            all.push((n, digest(&connection, &tables[n], pages).await?));
        }
        Ok(all)
    };
    let mut of: Vec<_> = tables.iter().map(|_| Ok(TableDigest::default())).collect();
    for (n, read) in in_sessions(streams, session).await? {
        match (&mut of[n], read) {
            (Ok(sum), Ok(digest)) => sum.merge(digest),
            (Ok(_), refused) => of[n] = refused,
            (Err(_), _) => {}
        }
    }
    for (table, read) in tables.iter().zip(of) {
        digests.note(table, read)?;
    }
    Ok(digests)
}

/// Of some pages of a table. The inner error is the table's.
async fn digest(
    connection: &impl Database,
    table: &Table,
    pages: Pages,
) -> Result<Result<TableDigest, DatabaseError>, DumpError> {
    let mut aside = Aside::new(TableDigest::default(), TableDigest::add_lines);
    let read = async {
        let mut rows = connection.rows_out(table, pages).await?;
        while let Some(lines) = rows.next().await? {
            if aside.add(lines) {
                aside.hand_over().await?;
            }
        }
        Ok(())
    };
    match read.await {
        Ok(()) => Ok(Ok(aside.end().await?)),
        Err(DumpError::Database(e)) => Ok(Err(e)),
        Err(e) => Err(e),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_that_a_dump_has_no_rows_of_counts_as_one_that_cannot_be_read() {
        let mut digests = Digests::default();
        for name in ["a", "b"] {
            let mut digest = TableDigest::default();
            digest.add_line(b"1");
            digests.tables.insert(name.into(), digest);
        }
        let why = BTreeMap::from([("b".to_owned(), "not in the dump".to_owned())]);
        let without = digests.without(why.clone());
        assert_eq!(without.unreadable, why);
        assert_eq!(without.tables.keys().collect::<Vec<_>>(), ["a"]);
    }
}
