//! The digest of every table of a database, read through the same COPY lines that a dump stores.

use super::DumpError;
use super::queue::{Queue, in_sessions};
use crate::database::{Address, Database, DatabaseError, Holds, Table};
use crate::manifest::TableDigest;
use crate::model::Seconds;
use std::collections::{BTreeMap, BTreeSet};

/// Digests by table; what could not be read, with the reason.
#[derive(Clone, Debug, Default)]
pub struct Digests {
    pub tables: BTreeMap<String, TableDigest>,
    pub unreadable: BTreeMap<String, String>,
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
        let mut all = Vec::new();
        while let Some(table) = left.next() {
            let read = connection.digest(&table).await;
            all.push((table, read));
        }
        Ok(all)
    };
    for (table, read) in in_sessions(streams, session).await? {
        digests.note(&table, read)?;
    }
    Ok(digests)
}
