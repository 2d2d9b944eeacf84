//! Writing a dump into one target.

use super::DumpError;
use super::chunk::ChunkWriter;
use super::facts::excluded;
use super::queue::{Queue, in_sessions, ranges};
use crate::database::{Address, AsFound, Database, Pages, RowsOut, Table};
use crate::manifest::{ChunkRow, Document, Section, TableDigest, TableRow};
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
    let written = rows::<D>(input, &tables, &snapshot).await?;
    let excluded = excluded(&main).await?;
    let server_version = main.server_version().await?;
    let collations = main.collations().await?;
    Ok(Written {
        server_version,
        sections,
        tables: table_rows(&tables, written),
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
    tables: &[Table],
    snapshot: &str,
) -> Result<Vec<Put>, DumpError> {
    let left = Queue::new(ranges(tables, input.chunk_pages));
    let session = async || {
        let connection = D::connect(input.address, input.timeout).await?;
        let (mut written, mut ending) = (Vec::new(), Ending::new());
        let mut read = 0;
        while let Some((n, pages)) = left.next() {
            if read % FORGET_AFTER == 0 {
                connection.join_snapshot(snapshot).await?;
            }
            read += 1;
            let at = (n, &tables[n], pages);
            chunk(input, &connection, at, (&mut written, &mut ending)).await?;
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

async fn chunk(
    input: &DumpInput<'_>,
    connection: &impl Database,
    (n, table, pages): (usize, &Table, Pages),
    (written, ending): (&mut Vec<Put>, &mut Ending),
) -> Result<(), DumpError> {
    let name = Sha256::of(table.full_name().as_bytes());
    // Names of tables can hold anything; keys carry a readable part and a hash.
    let readable: String = table
        .full_name()
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || c == '.' || c == '_' {
                c
            } else {
                '-'
            }
        })
        .take(80)
        .collect();
    let key = |part: usize| {
        let part = match part {
            0 => String::new(),
            part => format!("-{part:06}"),
        };
        let (prefix, name, from) = (input.prefix, &name.0[..8], pages.from);
        format!("{prefix}/{readable}-{name}/{from:012}{part}.copy.zst")
    };
    let begin = |part| ChunkWriter::new(input.vault, key(part), input.lock, input.part_size_bytes);
    let (mut writer, mut part) = (begin(0)?, 0);
    let end = |writer: ChunkWriter, part| async move {
        let (row, digest) = writer.finish().await?;
        Ok((n, pages.from, part, row, digest))
    };
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
    // One at a time: of each stream no more are in memory.
    ended(ending, written).await?;
    ending.spawn(end(writer, part));
    Ok(())
}

fn table_rows(tables: &[Table], mut written: Vec<Put>) -> Vec<TableRow> {
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
    for (n, _, _, chunk, digest) in written {
        rows[n].digest.merge(digest);
        rows[n].chunks.push(chunk);
    }
    rows
}
