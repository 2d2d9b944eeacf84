//! Loading a dump into an empty database, from one target, every byte checked.
//!
//! Progress is in the database itself (`dr_restore.progress`, one row per stored object, written in
//! the transaction that
//! loaded it), so that a killed load goes on where it was. At the end that schema goes and a
//! comment on the database stays.

use super::progress::{LoadInput, done};
use super::section::fetch;
use super::{DumpError, roles, section};
use crate::database::{Connection, ident, literal, qualified};
use crate::manifest::{ChunkRow, TableRow};
use futures_util::StreamExt;
use std::io::Read;

pub struct Loaded {
    pub bytes: u64,
    /// Where the server's roles are otherwise than the dump's, and why: a load makes roles that are
    /// missing and changes none.
    pub exceptions: Vec<String>,
}

/// # Errors
/// `Refused`: the database is not empty and was not begun by this load. `Damaged`: stored bytes
/// differ.
pub async fn load(input: &LoadInput<'_>) -> Result<Loaded, DumpError> {
    let main = input.address.connect(input.timeout).await?;
    let mark = format!("restored by dr: {}", input.mark);
    let wanted = section::roles(input).await?;
    if comment(&main).await?.as_deref() == Some(&mark) {
        return Ok(Loaded {
            bytes: 0,
            exceptions: roles::exceptions(&main, &wanted).await?,
        });
    }
    begin(&main, &mark).await?;
    let exceptions = roles::make(&main, &wanted).await?;
    section::apply(input, &main, "pre-data").await?;
    let bytes = tables(input).await?;
    section::apply(input, &main, "sequences").await?;
    section::apply(input, &main, "post-data").await?;
    let database = ident(&input.address.database);
    // One transaction: a crash leaves the progress or the finished mark, never neither.
    main.execute(&format!(
        "BEGIN; DROP SCHEMA dr_restore CASCADE; COMMENT ON DATABASE {database} IS {}; COMMIT",
        literal(&mark)
    ))
    .await?;
    main.execute("ANALYZE").await?;
    Ok(Loaded { bytes, exceptions })
}

async fn comment(main: &Connection) -> Result<Option<String>, DumpError> {
    Ok(main
        .value(
            "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = \
     current_database()",
        )
        .await?)
}

/// Claims an empty database, or finds that this load began it.
async fn begin(main: &Connection, mark: &str) -> Result<(), DumpError> {
    let begun = main
        .value("SELECT to_regclass('dr_restore.progress')::text")
        .await?;
    if begun.is_some() {
        let by = main
            .value("SELECT item FROM dr_restore.progress WHERE item LIKE 'restored by dr: %'")
            .await?;
        if by.as_deref() == Some(mark) {
            return Ok(());
        }
        return Err(DumpError::Refused(
            "another restore began in this database; give an empty one".into(),
        ));
    }
    let count = "SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
     WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' \
         AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')";
    let count = main.value(count).await?.unwrap_or_default();
    if count != "0" {
        return Err(DumpError::Refused(format!(
            "the database is not empty: it has {count} tables, views, indexes or sequences; give \
             an empty one"
        )));
    }
    let create = format!(
        "BEGIN; CREATE SCHEMA dr_restore; CREATE TABLE dr_restore.progress (item text PRIMARY \
         KEY, at timestamptz NOT NULL DEFAULT now()); INSERT INTO dr_restore.progress (item) \
         VALUES ({}); COMMIT",
        literal(mark)
    );
    Ok(main.execute(&create).await?)
}

async fn tables(input: &LoadInput<'_>) -> Result<u64, DumpError> {
    let work: Vec<(&TableRow, &ChunkRow)> = input
        .dump
        .tables
        .iter()
        .flat_map(|t| t.chunks.iter().map(move |c| (t, c)))
        .collect();
    let (total, mut count, mut bytes) = (work.len() as u64, 0, 0);
    let loads = futures_util::stream::iter(work).map(|(table, chunk)| async move {
        let connection = input.address.connect(input.timeout).await?;
        if !done(&connection, chunk.key.as_str()).await? {
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

/// One chunk in one transaction with its progress row.
async fn rows(
    input: &LoadInput<'_>,
    connection: &Connection,
    table: &TableRow,
    chunk: &ChunkRow,
) -> Result<(), DumpError> {
    let compressed = fetch(input, chunk).await?;
    let (schema, name) = table
        .load_into
        .as_ref()
        .map_or((&table.schema, &table.table), |(s, n)| (s, n));
    let columns = table
        .columns
        .iter()
        .map(|c| ident(c))
        .collect::<Vec<_>>()
        .join(", ");
    // Without columns COPY takes no list, and an empty line is a row.
    let list = if columns.is_empty() {
        String::new()
    } else {
        format!(" ({columns})")
    };
    connection.execute("BEGIN").await?;
    let mut copy = connection
        .copy_in(&format!(
            "COPY {}{list} FROM STDIN",
            qualified(schema, name)
        ))
        .await?;
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
        copy.send(piece.into()).await?;
    }
    copy.finish().await?;
    Ok(connection
        .execute(&format!(
            "INSERT INTO dr_restore.progress (item) VALUES ({}); COMMIT",
            literal(chunk.key.as_str())
        ))
        .await?)
}
