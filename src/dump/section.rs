//! Sections of a dump at a load: fetched, checked, and run as the statements that they are.

use super::DumpError;
use super::progress::{LoadInput, done};
use crate::database::{Connection, Kind, literal, pieces};
use crate::manifest::{ChunkRow, Document, Roles};
use crate::model::Sha256;
use bytes::Bytes;
use std::collections::BTreeSet;

/// No chunk of ours is larger than this compressed.
const MAX_CHUNK_BYTES: u64 = 1 << 30;

fn find<'a>(input: &'a LoadInput<'_>, name: &'static str) -> Result<&'a ChunkRow, DumpError> {
    let found = input.dump.sections.iter().find(|s| s.name == name);
    found.map(|s| &s.chunk).ok_or(DumpError::Incomplete(name))
}

pub(super) async fn roles(input: &LoadInput<'_>) -> Result<Roles, DumpError> {
    let text = fetch_text(input, find(input, "roles")?).await?;
    Ok(Roles::from_bytes(text.as_bytes())?)
}

/// A stored object, checked against its digest before a byte of it is used.
pub(super) async fn fetch(input: &LoadInput<'_>, chunk: &ChunkRow) -> Result<Bytes, DumpError> {
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

async fn fetch_text(input: &LoadInput<'_>, chunk: &ChunkRow) -> Result<String, DumpError> {
    let bytes = fetch(input, chunk).await?;
    let plain = zstd::decode_all(&bytes[..])
        .map_err(|e| DumpError::Compression(chunk.key.to_string(), e))?;
    String::from_utf8(plain).map_err(|_| DumpError::Damaged {
        key: chunk.key.to_string(),
        version: chunk.version.to_string(),
        why: "not UTF-8".into(),
    })
}

/// The settings that a section sets; that it holds nothing but statements.
fn settings(sql: &str) -> Result<BTreeSet<String>, &'static str> {
    let mut names = BTreeSet::new();
    for piece in pieces(sql) {
        if piece.kind == Kind::Meta {
            return Err("a command of psql stands where a statement should begin");
        }
        names.extend(piece.setting());
    }
    Ok(names)
}

/// A section without the statements that set what the server does not know. A newer `pg_dump` sets
/// it whatever the server's version (`transaction_timeout`); everything else stays, byte for byte.
fn without(sql: &str, unknown: &BTreeSet<String>) -> String {
    pieces(sql)
        .iter()
        .filter(|p| p.setting().is_none_or(|name| !unknown.contains(&name)))
        .map(|p| p.text)
        .collect()
}

async fn knows(main: &Connection, name: &str) -> Result<bool, DumpError> {
    let asked = format!("SELECT pg_catalog.current_setting({}, true)", literal(name));
    match main.value(&asked).await {
        Ok(value) => Ok(value.is_some()),
        // It is there, and not ours to read.
        Err(e) if e.code.as_deref() == Some("42501") => Ok(true),
        Err(e) => Err(e.into()),
    }
}

/// Runs a section in one transaction with its progress row.
pub(super) async fn apply(
    input: &LoadInput<'_>,
    main: &Connection,
    name: &'static str,
) -> Result<(), DumpError> {
    if done(main, name).await? {
        return Ok(());
    }
    let chunk = find(input, name)?;
    let stored = fetch_text(input, chunk).await?;
    let names = settings(&stored).map_err(|why| DumpError::Damaged {
        key: chunk.key.to_string(),
        version: chunk.version.to_string(),
        why: why.into(),
    })?;
    let mut unknown = BTreeSet::new();
    for name in names {
        if !knows(main, &name).await? {
            unknown.insert(name);
        }
    }
    let sql = without(&stored, &unknown);
    let statements = format!(
        "BEGIN;\n{sql}\n;INSERT INTO dr_restore.progress (item) VALUES ({});\nCOMMIT;",
        literal(name)
    );
    let result = main
        .execute_as(&format!("load of section {name}"), &statements)
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

#[cfg(test)]
mod tests {
    use super::*;

    /// What each `pg_dump` writes first, after its own `\\restrict` was taken out.
    const HEADS: [(&str, &str); 4] = [
        ("15", include_str!("heads/15.sql")),
        ("16", include_str!("heads/16.sql")),
        ("17", include_str!("heads/17.sql")),
        ("18", include_str!("heads/18.sql")),
    ];

    #[test]
    fn only_what_a_server_does_not_know_is_left_out_of_the_heads_of_all_versions() {
        for (version, head) in HEADS {
            let names = settings(head).unwrap();
            let new = names.contains("transaction_timeout");
            assert_eq!(new, version >= "17", "{version}");
            assert!(names.contains("row_security"), "{names:?}");
            assert_eq!(without(head, &BTreeSet::new()), head);
            let unknown = BTreeSet::from(["transaction_timeout".to_owned()]);
            let wanted = head.replace("\nSET transaction_timeout = 0;", "");
            assert_eq!(without(head, &unknown), wanted, "{version}");
        }
    }

    #[test]
    fn a_line_that_looks_like_a_setting_stays_where_it_is_none() {
        let sql = "CREATE FUNCTION f() AS $$\r\nSET transaction_timeout = 0;\r\n\\restrict x\n$$;\
             COMMENT ON TABLE t IS '\nSET transaction_timeout = 0;\n';";
        let unknown = BTreeSet::from(["transaction_timeout".to_owned()]);
        assert_eq!(without(sql, &unknown), sql);
        assert!(settings("SELECT 1;\n\\! ls\n").is_err());
    }
}
