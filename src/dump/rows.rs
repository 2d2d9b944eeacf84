//! The digest of every table of a database, read through the same COPY lines that a dump stores.

use super::DumpError;
use crate::database::{Address, Database};
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
}

/// # Errors
/// No connection. A table that cannot be read is in the result, not an error.
pub async fn digest_database<D: Database>(
    address: &Address,
    streams: u32,
    timeout: Seconds,
) -> Result<Digests, DumpError> {
    let tables = D::connect(address, timeout).await?.tables().await?;
    let read = futures_util::stream::iter(tables).map(|table| async move {
        let digest = D::connect(address, timeout).await?.digest(&table).await;
        Ok::<_, DumpError>((table.full_name(), digest))
    });
    let mut read = read.buffer_unordered(streams as usize);
    let mut digests = Digests::default();
    while let Some(one) = read.next().await {
        match one? {
            (name, Ok(digest)) => drop(digests.tables.insert(name, digest)),
            (name, Err(e)) if !e.transient() => drop(
                digests
                    .unreadable
                    .insert(name, format!("{e}: {}", e.source)),
            ),
            (_, Err(e)) => return Err(e.into()),
        }
    }
    Ok(digests)
}
