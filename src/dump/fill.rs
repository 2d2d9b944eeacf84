//! Rows of a load: each stored object in one transaction, several at once. What one table is
//! refused keeps no other from its rows.

use super::DumpError;
use super::queue::{Queue, in_sessions};
use super::section::{LoadInput, fetch, loader};
use crate::database::{Database, DatabaseError, Destination, RowsIn};
use crate::manifest::{ChunkRow, TableRow};
use std::io::Read;
use std::sync::atomic::{AtomicU64, Ordering};

type Work<'a> = (&'a TableRow, &'a ChunkRow);

/// What one round left: work, each with what the server said.
type Refused<'a> = Vec<(Work<'a>, DatabaseError)>;

/// Bytes as stored, and rows that were refused, each with what the server said. Tables of
/// extensions come with keys to each other: what is refused is tried again as long as something is
/// taken.
///
/// # Errors
/// The connection's, the vault's, damage.
pub(super) async fn fill<D: Database>(
    input: &LoadInput<'_>,
) -> Result<(u64, Vec<String>), DumpError> {
    let tables = input.dump.tables.iter();
    let mut work: Vec<Work<'_>> = tables
        .flat_map(|t| t.chunks.iter().map(move |c| (t, c)))
        .collect();
    // The longest ones first: none of them is left to one session at the end.
    work.sort_by_key(|(_, chunk)| std::cmp::Reverse(chunk.size_bytes));
    let bytes = work.iter().map(|(_, chunk)| chunk.size_bytes).sum();
    let mut before = usize::MAX;
    loop {
        let refused = round::<D>(input, work).await?;
        if refused.is_empty() || refused.len() >= before {
            return Ok((bytes, refused.iter().map(told).collect()));
        }
        before = refused.len();
        work = refused.into_iter().map(|(one, _)| one).collect();
    }
}

fn told(((table, chunk), e): &(Work<'_>, DatabaseError)) -> String {
    let of = match &table.chunks[..] {
        [_] => String::new(),
        _ => format!(" in {}", chunk.key),
    };
    let code = e.code.as_deref().unwrap_or_default();
    format!("rows of {}{of}: {code} {}", table.name, e.source)
}

async fn round<'a, D: Database>(
    input: &LoadInput<'_>,
    work: Vec<Work<'a>>,
) -> Result<Refused<'a>, DumpError> {
    let (total, count) = (work.len() as u64, AtomicU64::new(0));
    let left = Queue::new(work);
    let session = async || {
        let (mut refused, mut kept) = (Refused::new(), None);
        while let Some(one) = left.next() {
            let connection = match kept.take() {
                Some(connection) => connection,
                None => loader::<D>(input).await?,
            };
            match chunk(input, &connection, one).await {
                // Its transaction is still open, or its COPY.
                Err(DumpError::Database(e)) if !e.transient() => refused.push((one, e)),
                other => {
                    other?;
                    kept = Some(connection);
                }
            }
            let done = count.fetch_add(1, Ordering::Relaxed) + 1;
            input.watch.told(done, total, "chunks");
        }
        Ok(refused)
    };
    in_sessions(input.streams, session).await
}

/// One stored object in one transaction with its item.
async fn chunk(
    input: &LoadInput<'_>,
    connection: &impl Database,
    (table, chunk): Work<'_>,
) -> Result<(), DumpError> {
    if connection.loaded(chunk.key.as_str()).await? {
        return Ok(());
    }
    let compressed = fetch(input.vault, chunk).await?;
    let (schema, name) = table
        .load_into
        .as_ref()
        .map_or((&table.schema, &table.table), |(s, n)| (s, n));
    let into = Destination {
        schema,
        table: name,
        columns: &table.columns,
    };
    let mut rows = connection.rows_in(&into).await?;
    let mut decoder = zstd::Decoder::new(&compressed[..])
        .map_err(|e| DumpError::Compression(chunk.key.to_string(), e))?;
    loop {
        let mut piece = vec![0; 256 << 10];
        let read = decoder
            .read(&mut piece)
            .map_err(|e| DumpError::Compression(chunk.key.to_string(), e))?;
        if read == 0 {
            break;
        }
        piece.truncate(read);
        rows.send(piece.into()).await?;
    }
    Ok(rows.commit(chunk.key.as_str()).await?)
}
