//! Loading a dump into an empty database, from one target, every byte checked.
//!
//! Progress is in the database itself, one item per stored object, written in the transaction that
//! loaded it, so that a killed load goes on where it was. At the end the items go and a comment on
//! the database stays.

use super::section::{LoadInput, fetch};
use super::{DumpError, roles, section};
use crate::database::{Begun, Database, Destination, RowsIn};
use crate::manifest::{ChunkRow, TableRow};
use futures_util::StreamExt;
use std::io::Read;

/// How every mark begins.
const MARK: &str = "restored by dr: ";

pub struct Loaded {
    pub bytes: u64,
    /// Where the server's roles are otherwise than the dump's, and why: a load makes roles that are
    /// missing and changes none.
    pub exceptions: Vec<String>,
}

/// # Errors
/// `Refused`: the database is not empty and was not begun by this load. `Damaged`: stored bytes
/// differ.
pub async fn load<D: Database>(input: &LoadInput<'_>) -> Result<Loaded, DumpError> {
    let main = D::connect(input.address, input.timeout).await?;
    let mark = format!("{MARK}{}", input.mark);
    let wanted = section::roles(input).await?;
    if main.comment().await?.as_deref() == Some(&mark) {
        return Ok(Loaded {
            bytes: 0,
            exceptions: roles::exceptions(&main, &wanted).await?,
        });
    }
    begin(&main, &mark).await?;
    let exceptions = roles::make(&main, &wanted).await?;
    main.join_roles(&wanted, "memberships").await?;
    section::apply(input, &main, "pre-data").await?;
    let bytes = tables::<D>(input).await?;
    section::apply(input, &main, "sequences").await?;
    section::apply(input, &main, "post-data").await?;
    main.end_load(&mark).await?;
    Ok(Loaded { bytes, exceptions })
}

/// Claims an empty database, or finds that this load began it.
async fn begin(main: &impl Database, mark: &str) -> Result<(), DumpError> {
    match main.begun(MARK).await? {
        Begun::Not => {}
        Begun::By(by) if by.as_deref() == Some(mark) => return Ok(()),
        Begun::By(_) => {
            return Err(DumpError::Refused(
                "another restore began in this database; give an empty one".into(),
            ));
        }
    }
    let count = main.things().await?;
    if count > 0 {
        return Err(DumpError::Refused(format!(
            "the database is not empty: it has {count} tables, views, indexes or sequences; give \
             an empty one"
        )));
    }
    Ok(main.begin_load(mark).await?)
}

async fn tables<D: Database>(input: &LoadInput<'_>) -> Result<u64, DumpError> {
    let work: Vec<(&TableRow, &ChunkRow)> = input
        .dump
        .tables
        .iter()
        .flat_map(|t| t.chunks.iter().map(move |c| (t, c)))
        .collect();
    let (total, mut count, mut bytes) = (work.len() as u64, 0, 0);
    let loads = futures_util::stream::iter(work).map(|(table, chunk)| async move {
        let connection = D::connect(input.address, input.timeout).await?;
        if !connection.loaded(chunk.key.as_str()).await? {
            rows(input, &connection, table, chunk).await?;
        }
        Ok::<_, DumpError>(chunk.size_bytes)
    });
    let mut loads = loads.buffer_unordered(input.streams as usize);
    while let Some(size_bytes) = loads.next().await {
        bytes += size_bytes?;
        count += 1;
        (input.progress)(count, total);
    }
    Ok(bytes)
}

/// One chunk in one transaction with its item.
async fn rows(
    input: &LoadInput<'_>,
    connection: &impl Database,
    table: &TableRow,
    chunk: &ChunkRow,
) -> Result<(), DumpError> {
    let compressed = fetch(input, chunk).await?;
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
