//! Loading a dump into an empty database, from one target, every byte checked.
//!
//! Progress is in the database itself (`dr_restore.progress`, one row per stored object, written in
//! the transaction that
//! loaded it), so that a killed load goes on where it was. At the end that schema goes and a
//! comment on the database stays.

use super::DumpError;
use crate::database::{Address, Connection, ident, literal, qualified};
use crate::manifest::{ChunkRow, Dump, TableRow};
use crate::model::{Seconds, Sha256};
use crate::vault::Vault;
use bytes::Bytes;
use futures_util::StreamExt;
use std::io::Read;

/// No chunk of ours is larger than this compressed.
const MAX_CHUNK_BYTES: u64 = 1 << 30;

pub struct LoadInput<'a> {
    pub address: &'a Address,
    pub vault: &'a Vault,
    pub dump: &'a Dump,
    /// Names this load; a database that another load began is not touched.
    pub mark: &'a str,
    pub streams: u32,
    pub timeout: Seconds,
    pub progress: &'a (dyn Fn(u64, u64) + Sync),
}

pub struct Loaded {
    pub bytes: u64,
    /// Statements of the globals section that the server refused; roles that exist already, mostly.
    pub warnings: Vec<String>,
}

/// # Errors
/// `Refused`: the database is not empty and was not begun by this load. `Damaged`: stored bytes
/// differ.
pub async fn load(input: &LoadInput<'_>) -> Result<Loaded, DumpError> {
    let main = input.address.connect(input.timeout).await?;
    let mark = format!("restored by dr: {}", input.mark);
    if comment(&main).await?.as_deref() == Some(&mark) {
        return Ok(Loaded {
            bytes: 0,
            warnings: Vec::new(),
        });
    }
    begin(&main, &mark).await?;
    let mut loaded = Loaded {
        bytes: 0,
        warnings: Vec::new(),
    };
    if let Some(globals) = find(input, "globals") {
        let sql = fetch_sql(input, globals).await?;
        loaded.warnings = apply_each(&main, &sql).await;
    }
    section(input, &main, "pre-data").await?;
    loaded.bytes = tables(input).await?;
    section(input, &main, "sequences").await?;
    section(input, &main, "post-data").await?;
    let database = ident(&input.address.database);
    // One transaction: a crash leaves the progress or the finished mark, never neither.
    main.execute(&format!(
        "BEGIN; DROP SCHEMA dr_restore CASCADE; COMMENT ON DATABASE {database} IS {}; COMMIT",
        literal(&mark)
    ))
    .await?;
    main.execute("ANALYZE").await?;
    Ok(loaded)
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

fn find<'a>(input: &'a LoadInput<'_>, name: &str) -> Option<&'a ChunkRow> {
    input
        .dump
        .sections
        .iter()
        .find(|s| s.name == name)
        .map(|s| &s.chunk)
}

/// A stored object, checked against its digest before a byte of it is used.
async fn fetch(input: &LoadInput<'_>, chunk: &ChunkRow) -> Result<Bytes, DumpError> {
    let damaged = |why: String| DumpError::Damaged {
        key: chunk.key.to_string(),
        version: chunk.version.to_string(),
        why,
    };
    let got = match input
        .vault
        .bucket
        .get(
            chunk.key.as_str(),
            Some(chunk.version.as_str()),
            MAX_CHUNK_BYTES,
        )
        .await
    {
        Err(e) if e.kind == crate::aws::Kind::NotFound => {
            return Err(damaged(format!("missing at {}", input.vault.target)));
        }
        other => other?,
    };
    let found = Sha256::of(&got.bytes);
    if found != chunk.sha256 {
        return Err(damaged(format!(
            "SHA-256 is {found}, should be {}, at {}",
            chunk.sha256, input.vault.target
        )));
    }
    Ok(got.bytes)
}

async fn fetch_sql(input: &LoadInput<'_>, chunk: &ChunkRow) -> Result<String, DumpError> {
    let bytes = fetch(input, chunk).await?;
    let plain = zstd::decode_all(&bytes[..])
        .map_err(|e| DumpError::Compression(chunk.key.to_string(), e))?;
    String::from_utf8(plain).map_err(|_| DumpError::Damaged {
        key: chunk.key.to_string(),
        version: chunk.version.to_string(),
        why: "not UTF-8".into(),
    })
}

/// Statement by statement, going on after a refusal: roles may exist, and not every server lets us
/// make superusers.
async fn apply_each(main: &Connection, sql: &str) -> Vec<String> {
    let mut warnings = Vec::new();
    for line in sql
        .lines()
        .filter(|l| !l.starts_with("--") && !l.trim().is_empty())
    {
        if let Err(e) = main.execute(line).await {
            warnings.push(e.to_string());
        }
    }
    warnings
}

async fn done(connection: &Connection, item: &str) -> Result<bool, DumpError> {
    Ok(connection
        .value(&format!(
            "SELECT 1 FROM dr_restore.progress WHERE item = {}",
            literal(item)
        ))
        .await?
        .is_some())
}

async fn section(input: &LoadInput<'_>, main: &Connection, name: &str) -> Result<(), DumpError> {
    let Some(chunk) = find(input, name) else {
        return Err(DumpError::Refused(format!(
            "the dump has no section {name}"
        )));
    };
    if done(main, name).await? {
        return Ok(());
    }
    let sql = fetch_sql(input, chunk).await?;
    let result = main
        .execute(&format!(
            "BEGIN;\n{sql}\nINSERT INTO dr_restore.progress (item) VALUES ({});\nCOMMIT;",
            literal(name)
        ))
        .await;
    if result.is_err() {
        drop(main.execute("ROLLBACK").await);
    }
    // pg_dump's text changes settings of the session; ours are needed for rows.
    main.execute(
        "SET search_path = pg_catalog; SET check_function_bodies = on; SET row_security = off",
    )
    .await?;
    Ok(result?)
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
