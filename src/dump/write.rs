//! Writing a dump into one target.

use super::DumpError;
use super::chunk::ChunkWriter;
use super::facts::excluded;
use super::queue::{Queue, in_sessions, ranges};
use super::unread::Unread;
use crate::database::{Address, AsFound, Database, DatabaseError, Pages, RowsOut, Table};
use crate::manifest::{ChunkRow, Document, Section, TableDigest, TableRow, UnreadRows};
use crate::model::{Lock, Seconds, Sha256};
use crate::vault::Vault;
use bytes::Bytes;
use std::collections::BTreeMap;
use tokio::task::JoinSet;

/// What a stored object holds, compressed, when the next one begins: whoever loads one has it in
/// memory.
const FULL_BYTES: u64 = 24 << 20;

/// A session keeps locks on what it read, and their indexes, until its transaction ends.
pub(super) const FORGET_AFTER: usize = 50;

pub struct DumpInput<'a> {
    pub address: &'a Address,
    pub vault: &'a Vault,
    pub lock: Lock,
    /// `dump/<policy>/<slot>/<drill run>`
    pub prefix: &'a str,
    pub streams: u32,
    pub part_size_bytes: u64,
    pub chunk_pages: u64,
    pub timeout: Seconds,
    /// What this says of the database is said, where it was changed since to be read.
    pub as_found: Option<AsFound>,
}

/// What a dump consists of, apart from its circumstances.
pub struct Written {
    pub server_version: String,
    pub sections: Vec<Section>,
    pub tables: Vec<TableRow>,
    /// Of tables that are not among those.
    pub unread: BTreeMap<String, UnreadRows>,
    pub collations: BTreeMap<String, String>,
    pub excluded: BTreeMap<String, String>,
}

/// Whether a server of this major version can be dumped from here.
///
/// # Errors
/// `Client`: it cannot; says what to install.
pub async fn readable<D: Database>(major: u32) -> Result<(), DumpError> {
    Ok(D::readable(major).await?)
}

/// Dumps everything under one exported snapshot. Done twice it takes what the first one put where
/// its bytes are the same; the stored
/// dump names versions.
///
/// # Errors
/// The database's, the vault's.
pub async fn dump<D: Database>(input: &DumpInput<'_>) -> Result<Written, DumpError> {
    let main = D::connect(input.address, input.timeout).await?;
    let snapshot = main.begin_snapshot().await?;
    let tables = main.tables().await?;
    main.hold(&tables).await?;
    // By a session of its own: under the snapshot nothing would be seen to have changed.
    let now = D::connect(input.address, input.timeout).await?;
    let unread = Unread::changed(&tables, &now.tables().await?);
    drop(now);
    let (roles, kept) = match &input.as_found {
        Some(found) => (found.roles.clone(), found.schema.clone()),
        None => (main.roles().await?, None),
    };
    let schema = match kept {
        Some(schema) => schema,
        None => main.schema_as_it_is(&snapshot).await?,
    };
    let by_hand = main.roles_by_hand(&roles).await?;
    let mut sections = vec![
        section(input, "roles", &roles.to_bytes()).await?,
        section(input, "globals", by_hand.as_bytes()).await?,
    ];
    for (part, text) in &schema.sections {
        sections.push(section(input, part.section(), text.as_bytes()).await?);
    }
    sections.push(section(input, "sequences", schema.sequences.as_bytes()).await?);
    let objects = main.large_objects().await?;
    sections.push(section(input, "large-objects", objects.as_bytes()).await?);
    let facts = main.facts().await?;
    sections.push(section(input, "database", &facts.to_bytes()).await?);
    let written = rows::<D>(input, (&tables, &unread), &snapshot).await?;
    let excluded = excluded(&main).await?;
    let server_version = main.server_version().await?;
    let collations = main.collations().await?;
    let (rows, left) = table_rows(&tables, written, &unread);
    let unread = unread.told(&tables, left);
    if let (true, Some((first, of))) = (rows.is_empty(), unread.first_key_value()) {
        return Err(DumpError::NoRows {
            count: unread.len(),
            first: format!("{first}: {}", of.why),
        });
    }
    Ok(Written {
        server_version,
        sections,
        tables: rows,
        unread,
        collations,
        excluded,
    })
}

/// What was put of a table: its number, the first page, which object of those that begin there,
/// the object, its digest.
type Put = (usize, u64, usize, ChunkRow, TableDigest);

/// All rows, each session one range of pages after the other.
async fn rows<D: Database>(
    input: &DumpInput<'_>,
    (tables, unread): (&[Table], &Unread),
    snapshot: &str,
) -> Result<Vec<Put>, DumpError> {
    let left = Queue::new(ranges(tables, input.chunk_pages));
    let session = async || {
        let connection = D::connect(input.address, input.timeout).await?;
        let (mut written, mut ending) = (Vec::new(), Ending::new());
        let mut read = 0;
        while let Some((n, pages)) = left.next() {
            // Without one range of it the others are of no use.
            if unread.has(n) {
                continue;
            }
            if read % FORGET_AFTER == 0 {
                connection.join_snapshot(snapshot).await?;
            }
            read += 1;
            let at = (n, &tables[n], pages);
            let mut refused = None;
            // A statement that was cancelled, a deadlock: once more, before it is left out.
            for _ in 0..2 {
                refused = chunk(input, &connection, at, (&mut written, &mut ending)).await?;
                if refused.is_none() {
                    break;
                }
                // It has ended its transaction.
                connection.join_snapshot(snapshot).await?;
                ended(&mut ending, &mut written).await?;
                written.retain(|put: &Put| (put.0, put.1) != (n, pages.from));
            }
            if let Some(why) = refused {
                unread.add(n, &why);
            }
        }
        ended(&mut ending, &mut written).await?;
        Ok(written)
    };
    in_sessions(input.streams, session).await
}

async fn section(input: &DumpInput<'_>, name: &str, text: &[u8]) -> Result<Section, DumpError> {
    let ending = match name {
        "roles" | "database" => "json",
        _ => "sql",
    };
    let key = format!("{}/{name}.{ending}.zst", input.prefix);
    let mut writer = ChunkWriter::new(input.vault, key, input.lock, input.part_size_bytes)?;
    writer.write(Bytes::copy_from_slice(text)).await?;
    Ok(Section {
        name: name.into(),
        chunk: writer.finish().await?.0,
    })
}

/// Objects that are being ended while the next ones are read; they end with the session.
type Ending = JoinSet<Result<Put, DumpError>>;

async fn ended(ending: &mut Ending, written: &mut Vec<Put>) -> Result<(), DumpError> {
    while let Some(one) = ending.join_next().await {
        written.push(one.map_err(|_| DumpError::Aside)??);
    }
    Ok(())
}

/// The inner error is the table's.
async fn chunk(
    input: &DumpInput<'_>,
    connection: &impl Database,
    (n, table, pages): (usize, &Table, Pages),
    (written, ending): (&mut Vec<Put>, &mut Ending),
) -> Result<Option<DatabaseError>, DumpError> {
    let prefix = prefix_of(input, table, pages);
    let key = |part: usize| match part {
        0 => format!("{prefix}.copy.zst"),
        part => format!("{prefix}-{part:06}.copy.zst"),
    };
    let begin = |part| ChunkWriter::new(input.vault, key(part), input.lock, input.part_size_bytes);
    let (mut writer, mut part) = (begin(0)?, 0);
    let end = |writer: ChunkWriter, part| async move {
        let (row, digest) = writer.finish().await?;
        Ok((n, pages.from, part, row, digest))
    };
    let read = async {
        let mut rows = connection.rows_out(table, pages).await?;
        while let Some(lines) = rows.next().await? {
            // Pages say nothing of what lies beside them: a few rows may be gigabytes.
            if writer.size_bytes() >= FULL_BYTES {
                ended(ending, written).await?;
                let next = begin(part + 1)?;
                ending.spawn(end(std::mem::replace(&mut writer, next), part));
                part += 1;
            }
            writer.write(lines).await?;
        }
        Ok(())
    };
    match read.await {
        Ok(()) => {}
        Err(DumpError::Database(e)) if e.of_statement() => {
            writer.abandon().await?;
            return Ok(Some(e));
        }
        Err(e) => return Err(e),
    }
    // One at a time: of each stream no more are in memory.
    ended(ending, written).await?;
    ending.spawn(end(writer, part));
    Ok(None)
}

/// Of the keys of what is stored of a range of a table. Names of tables can hold anything; keys
/// carry a readable part and a hash.
fn prefix_of(input: &DumpInput<'_>, table: &Table, pages: Pages) -> String {
    let full = table.full_name();
    let name = Sha256::of(full.as_bytes());
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '.' || c == '_';
    let readable = full.chars().map(|c| if plain(c) { c } else { '-' });
    let readable: String = readable.take(80).collect();
    let (prefix, name, from) = (input.prefix, &name.0[..8], pages.from);
    format!("{prefix}/{readable}-{name}/{from:012}")
}

type Left = BTreeMap<usize, Vec<ChunkRow>>;

/// Tables that were read, and what was put of others: locked, of no use, and known.
fn table_rows(tables: &[Table], mut written: Vec<Put>, unread: &Unread) -> (Vec<TableRow>, Left) {
    written.sort_by_key(|(n, from, part, _, _)| (*n, *from, *part));
    let mut rows: Vec<TableRow> = tables
        .iter()
        .map(|t| TableRow {
            name: t.full_name(),
            schema: t.schema.clone(),
            table: t.name.clone(),
            columns: t.columns.clone(),
            load_into: t.hash_root.clone(),
            digest: TableDigest::default(),
            chunks: Vec::new(),
        })
        .collect();
    let mut left = Left::new();
    for (n, _, _, chunk, digest) in written {
        if unread.has(n) {
            left.entry(n).or_default().push(chunk);
            continue;
        }
        rows[n].digest.merge(digest);
        rows[n].chunks.push(chunk);
    }
    let read = rows
        .into_iter()
        .enumerate()
        .filter(|(n, _)| !unread.has(*n));
    (read.map(|(_, row)| row).collect(), left)
}
