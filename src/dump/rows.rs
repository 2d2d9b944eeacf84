//! The digest of every table of a database, read through the same COPY lines that a dump stores.

use super::DumpError;
use crate::database::{Address, Database, DatabaseError};
use crate::manifest::TableDigest;
use crate::model::Seconds;
use futures_util::StreamExt;
use std::collections::BTreeMap;

/// Digests by table; what could not be read, with the reason.
#[derive(Clone, Debug, Default)]
pub struct Digests {
    pub tables: BTreeMap<String, TableDigest>,
    pub unreadable: BTreeMap<String, String>,
}

impl Digests {
    pub fn rows(&self) -> u64 {
        self.tables.values().map(|t| t.rows).sum()
    }

    fn note(
        &mut self,
        name: String,
        read: Result<TableDigest, DatabaseError>,
    ) -> Result<(), DumpError> {
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
    let tables = main.tables().await?;
    let mut digests = Digests::default();
    if !main.reads_all().await? {
        let read = main.digests_borrowing(&tables).await?;
        for (table, read) in tables.iter().zip(read) {
            digests.note(table.full_name(), read)?;
        }
        return Ok(digests);
    }
    let read = futures_util::stream::iter(tables).map(|table| async move {
        let digest = D::connect(address, timeout).await?.digest(&table).await;
        Ok::<_, DumpError>((table.full_name(), digest))
    });
    let mut read = read.buffer_unordered(streams as usize);
    while let Some(one) = read.next().await {
        let (name, read) = one?;
        digests.note(name, read)?;
    }
    Ok(digests)
}
