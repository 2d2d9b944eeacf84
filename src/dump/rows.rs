//! The digest of every table of a database, read through the same COPY lines that a dump stores.

use super::DumpError;
use super::queue::{Queue, in_sessions};
use crate::database::{Address, Database, DatabaseError, Holds, Table};
use crate::manifest::{TableDigest, TableRead};
use crate::model::Seconds;
use std::collections::{BTreeMap, BTreeSet};

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

    /// To be compared with what a dump lists: large objects and rows of extensions' tables that it
    /// says nothing of are no difference.
    pub fn listed(&self, wanted: &BTreeMap<String, TableDigest>) -> BTreeMap<String, TableDigest> {
        let mut tables = self.tables.clone();
        tables.retain(|name, _| wanted.contains_key(name) || !self.beside.contains(name));
        tables
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
    digest_older::<D>(address, None, streams, timeout).await
}

/// Of all rows, and in the same pass of those that are older than a horizon; where this user does
/// not read all tables as they are, of all rows alone.
///
/// # Errors
/// As [`digest_database`].
pub async fn digest_older<D: Database>(
    address: &Address,
    horizon: Option<u64>,
    streams: u32,
    timeout: Seconds,
) -> Result<Digests, DumpError> {
    let main = D::connect(address, timeout).await?;
    let mut digests = Digests::default();
    if !main.reads_all().await? {
        for (table, read) in main.digests_borrowing().await? {
            digests.note(&table, read)?;
        }
        return Ok(digests);
    }
    let left = Queue::new(main.tables().await?);
    let session = async || {
        let connection = D::connect(address, timeout).await?;
        if horizon.is_some() {
            connection.begin_snapshot().await?;
        }
        let mut all = Vec::new();
        while let Some(table) = left.next() {
            let read = match horizon.filter(|_| table.holds != Holds::LargeObjects) {
                Some(horizon) => {
                    let read = connection.ranged(&table, horizon).await;
                    read.map(|rows| (rows.all, Some(rows.older)))
                }
                None => connection.digest(&table).await.map(|all| (all, None)),
            };
            all.push((table, read));
        }
        Ok(all)
    };
    for (table, read) in in_sessions(streams, session).await? {
        let read = read.map(|(all, older)| {
            let named = older.map(|older| (table.full_name(), older));
            digests.older.extend(named);
            all
        });
        digests.note(&table, read)?;
    }
    Ok(digests)
}
