//! Writing a dump into one target.

use super::DumpError;
use super::chunk::ChunkWriter;
use super::facts::{collations, excluded, names_without_breaks};
use super::rows::add_lines;
use crate::database::{Address, Connection, DumpProgram, Table, by_hand, literal, qualified};
use crate::manifest::{ChunkRow, Document, Section, TableDigest, TableRow};
use crate::model::{Lock, Seconds};
use crate::vault::Vault;
use futures_util::{StreamExt, TryStreamExt};
use std::collections::BTreeMap;

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
}

/// What a dump consists of, apart from its circumstances.
pub struct Written {
    pub server_version: String,
    pub sections: Vec<Section>,
    pub tables: Vec<TableRow>,
    pub collations: BTreeMap<String, String>,
    pub excluded: BTreeMap<String, String>,
}

/// Whether a `pg_dump` here can read a server of this major version.
///
/// # Errors
/// `Client`: none can; says what to install.
pub async fn readable(major: u32) -> Result<(), DumpError> {
    let found = DumpProgram::for_server(major.saturating_mul(10_000)).await;
    found.map(drop).map_err(DumpError::Client)
}

/// Dumps everything under one exported snapshot. Done twice it takes what the first one put where
/// its bytes are the same; the stored
/// dump names versions.
///
/// # Errors
/// The database's, the vault's.
pub async fn dump(input: &DumpInput<'_>) -> Result<Written, DumpError> {
    let main = input.address.connect(input.timeout).await?;
    let version = main.version_num().await?;
    let program = DumpProgram::for_server(version)
        .await
        .map_err(DumpError::Client)?;
    main.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        .await?;
    let snapshot = main
        .value("SELECT pg_export_snapshot()")
        .await?
        .unwrap_or_default();
    let tables = main.tables().await?;
    lock_tables(&main, &tables).await?;
    if program.obeys_names() {
        names_without_breaks(&main, &program).await?;
    }
    let roles = main.roles().await?;
    let mut sections = vec![
        section(input, "roles", &roles.to_bytes()).await?,
        section(input, "globals", by_hand(&roles, version).as_bytes()).await?,
    ];
    for name in ["pre-data", "post-data"] {
        let sql = program.section(input.address, name, &snapshot).await?;
        sections.push(section(input, name, sql.as_bytes()).await?);
    }
    let sequences = sequences(&main).await?;
    sections.push(section(input, "sequences", sequences.as_bytes()).await?);
    let chunks: Vec<(usize, u64, Option<u64>)> = tables
        .iter()
        .enumerate()
        .flat_map(|(n, t)| ranges(t, input.chunk_pages).map(move |(a, b)| (n, a, b)))
        .collect();
    let snapshot = &snapshot;
    let written: Vec<(usize, u64, ChunkRow, TableDigest)> = futures_util::stream::iter(chunks)
        .map(|(n, from, to)| {
            let table = &tables[n];
            async move {
                let (row, digest) = chunk(input, table, snapshot, from, to).await?;
                Ok::<_, DumpError>((n, from, row, digest))
            }
        })
        .buffer_unordered(input.streams as usize)
        .try_collect()
        .await?;
    let excluded = excluded(&main).await?;
    let server_version = main.value("SHOW server_version").await?.unwrap_or_default();
    let collations = collations(&main).await?;
    Ok(Written {
        server_version,
        sections,
        tables: table_rows(&tables, written),
        collations,
        excluded,
    })
}

/// Without this a TRUNCATE after the snapshot would be seen as zero rows.
async fn lock_tables(main: &Connection, tables: &[Table]) -> Result<(), DumpError> {
    for some in tables.chunks(200) {
        let names: Vec<String> = some
            .iter()
            .map(|t| format!("ONLY {}", qualified(&t.schema, &t.name)))
            .collect();
        main.execute(&format!(
            "LOCK TABLE {} IN ACCESS SHARE MODE",
            names.join(", ")
        ))
        .await?;
    }
    Ok(())
}

/// Page ranges of a table; the last one is open-ended, because the table may have grown since its
/// size was read.
fn ranges(table: &Table, chunk_pages: u64) -> impl Iterator<Item = (u64, Option<u64>)> + use<> {
    let count = table.pages.div_ceil(chunk_pages.max(1)).max(1);
    (0..count).map(move |n| {
        (
            n * chunk_pages,
            (n + 1 < count).then_some((n + 1) * chunk_pages),
        )
    })
}

async fn section(input: &DumpInput<'_>, name: &str, text: &[u8]) -> Result<Section, DumpError> {
    let ending = if name == "roles" { "json" } else { "sql" };
    let key = format!("{}/{name}.{ending}.zst", input.prefix);
    let mut writer = ChunkWriter::new(input.vault, key, input.lock, input.part_size_bytes)?;
    writer.write(text).await?;
    Ok(Section {
        name: name.into(),
        chunk: writer.finish().await?,
    })
}

async fn chunk(
    input: &DumpInput<'_>,
    table: &Table,
    snapshot: &str,
    from: u64,
    to: Option<u64>,
) -> Result<(ChunkRow, TableDigest), DumpError> {
    let connection = input.address.connect(input.timeout).await?;
    connection
        .execute(&format!(
            "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET TRANSACTION SNAPSHOT {}",
            literal(snapshot)
        ))
        .await?;
    let name = crate::model::Sha256::of(table.full_name().as_bytes());
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
    let key = format!(
        "{}/{readable}-{}/{from:012}.copy.zst",
        input.prefix,
        &name.0[..8]
    );
    let mut writer = ChunkWriter::new(input.vault, key, input.lock, input.part_size_bytes)?;
    let mut digest = TableDigest::default();
    let mut lines = connection.copy_out(&table.copy_out(from, to)).await?;
    while let Some(bytes) = lines.next().await? {
        add_lines(&mut digest, &bytes);
        writer.write(&bytes).await?;
    }
    Ok((writer.finish().await?, digest))
}

fn table_rows(
    tables: &[Table],
    mut written: Vec<(usize, u64, ChunkRow, TableDigest)>,
) -> Vec<TableRow> {
    written.sort_by_key(|(n, from, _, _)| (*n, *from));
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
    for (n, _, chunk, digest) in written {
        rows[n].digest.merge(digest);
        rows[n].chunks.push(chunk);
    }
    rows
}

/// `setval` for every sequence. Sequences are not under a snapshot: read after it they may be
/// ahead, never behind.
async fn sequences(main: &Connection) -> Result<String, DumpError> {
    let names = main
        .rows(
            "SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON \
     n.oid = c.relnamespace WHERE c.relkind = 'S' AND n.nspname !~ '^pg_' ORDER BY 1, 2",
        )
        .await?;
    let mut sql = String::new();
    for row in names {
        let [Some(schema), Some(name)] = &row[..] else {
            continue;
        };
        let sequence = qualified(schema, name);
        let state = main
            .rows(&format!("SELECT last_value, is_called FROM {sequence}"))
            .await?;
        if let Some([Some(value), Some(called)]) = state.first().map(Vec::as_slice) {
            sql.push_str(&format!(
                "SELECT pg_catalog.setval({}, {value}, {});\n",
                literal(&sequence),
                called == "t"
            ));
        }
    }
    Ok(sql)
}
