//! The digest of every table of a database, read through the same COPY lines that a dump stores.

use super::DumpError;
use crate::database::{Address, Connection, Table};
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

/// Adds each of the complete lines to a digest, without their newlines.
pub(super) fn add_lines(digest: &mut TableDigest, lines: &[u8]) {
    let body = lines.strip_suffix(b"\n").unwrap_or(lines);
    body.split(|b| *b == b'\n')
        .for_each(|line| digest.add_line(line));
}

/// # Errors
/// No connection. A table that cannot be read is in the result, not an error.
pub async fn digest_database(
    address: &Address,
    streams: u32,
    timeout: Seconds,
) -> Result<Digests, DumpError> {
    let tables = address.connect(timeout).await?.tables().await?;
    let read = futures_util::stream::iter(tables).map(|table| async move {
        let connection = address.connect(timeout).await?;
        let result = digest_table(&connection, &table).await;
        Ok::<_, DumpError>((table.full_name(), result))
    });
    let mut read = read.buffer_unordered(streams as usize);
    let mut digests = Digests::default();
    while let Some(one) = read.next().await {
        match one? {
            (name, Ok(digest)) => drop(digests.tables.insert(name, digest)),
            (name, Err(DumpError::Database(e))) if !e.transient() => drop(
                digests
                    .unreadable
                    .insert(name, format!("{e}: {}", e.source)),
            ),
            (_, Err(e)) => return Err(e),
        }
    }
    Ok(digests)
}

async fn digest_table(connection: &Connection, table: &Table) -> Result<TableDigest, DumpError> {
    let mut digest = TableDigest::default();
    let mut lines = connection.copy_out(&table.copy_out(0, None)).await?;
    while let Some(bytes) = lines.next().await? {
        add_lines(&mut digest, &bytes);
    }
    Ok(digest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_counted_without_their_newlines_and_an_empty_line_is_a_row() {
        let (mut one, mut two) = (TableDigest::default(), TableDigest::default());
        add_lines(&mut one, b"a\n\nb\n");
        [&b"b"[..], b"", b"a"].iter().for_each(|l| two.add_line(l));
        assert_eq!(one, two);
        assert_eq!(one.rows, 3);
    }
}
