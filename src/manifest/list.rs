//! Object lists (what the source held) and object manifests (where each version lies at a target): JSON lines, zstd.

use super::{FormatError, Sha256Hex, sha256_hex};
use jiff::Timestamp;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};

/// A manifest line longer than this is damage.
const MAX_LINE_BYTES: u64 = 1 << 20;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RowKind {
    Object,
    /// The source said "deleted here"; a row, never a marker in the vault.
    DeleteMarker,
}

/// One version in a source bucket, as listed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListRow {
    pub source: String,
    pub key: String,
    /// The version id; `null-<last modified>-<etag>` for a version written before versioning was enabled.
    pub version: String,
    pub kind: RowKind,
    pub latest: bool,
    pub size_bytes: u64,
    pub etag: Option<String>,
    pub last_modified: Timestamp,
}

/// Who computed `sha256`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum HashedBy {
    /// The bytes passed through `dr`.
    Dr,
    /// The service copied them and said so.
    Service,
}

/// One listed version and where it lies at one target.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredRow {
    #[serde(flatten)]
    pub listed: ListRow,
    /// Absent for a delete marker.
    pub stored: Option<Stored>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stored {
    pub key: String,
    pub version: String,
    /// SHA-256 of the plain bytes, and of the bytes as stored (equal until there is client-side encryption).
    pub sha256_plain: Sha256Hex,
    pub sha256_stored: Sha256Hex,
    pub hashed_by: HashedBy,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub content_type: Option<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub metadata: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub tags: BTreeMap<String, String>,
}

/// Key of a source version in a vault. S3 keys have at most 1,024 bytes; longer ones go by their hash.
pub fn stored_key(source: &str, key: &str, version: &str) -> String {
    let plain = format!("objects/{source}/{key}/{version}");
    if plain.len() <= 1024 {
        plain
    } else {
        format!("objects-long/{source}/{}/{version}", sha256_hex(key.as_bytes()))
    }
}

/// zstd level 3: manifests are small, and read more often than written.
pub fn write_rows<T: Serialize>(rows: &[T]) -> Vec<u8> {
    let mut encoder = zstd::Encoder::new(Vec::new(), 3).expect("a level from 1 to 22 is valid");
    for row in rows {
        serde_json::to_writer(&mut encoder, row).expect("rows of ours serialise into memory");
        encoder.write_all(b"\n").expect("memory takes a byte");
    }
    encoder.finish().expect("memory takes the rest")
}

/// # Errors
/// Not zstd, a line that is no row, or a line too long.
pub fn read_rows<T: DeserializeOwned>(bytes: &[u8]) -> Result<Vec<T>, FormatError> {
    let damaged = |what: &str, e: &dyn std::fmt::Display| FormatError::Damaged(format!("{what}: {e}"));
    let decoder = zstd::Decoder::new(bytes).map_err(|e| damaged("not zstd", &e))?;
    let mut reader = BufReader::new(decoder);
    let mut rows = Vec::new();
    loop {
        let mut line = Vec::new();
        let read = reader
            .by_ref()
            .take(MAX_LINE_BYTES)
            .read_until(b'\n', &mut line)
            .map_err(|e| damaged("not whole", &e))?;
        if read == 0 {
            return Ok(rows);
        }
        if read as u64 == MAX_LINE_BYTES {
            return Err(FormatError::Damaged(format!(
                "line {} is longer than {MAX_LINE_BYTES} bytes",
                rows.len() + 1
            )));
        }
        let row = serde_json::from_slice(&line).map_err(|e| damaged(&format!("line {}", rows.len() + 1), &e))?;
        rows.push(row);
    }
}
