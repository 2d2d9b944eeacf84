//! Object lists (what the source held) and object manifests (where each version lies at a target):
//! JSON lines, zstd.

use super::FormatError;
use crate::model::{ObjectKey, Sha256, SourceId, SourceVersion, VersionId, short};
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

/// A kind of line, named by the first line of its file.
pub trait Row: Serialize + DeserializeOwned {
    const SCHEMA: &'static str;
}

impl Row for ListRow {
    const SCHEMA: &'static str = "dr/list/1";
}

impl Row for StoredRow {
    const SCHEMA: &'static str = "dr/objects/1";
}

#[derive(Serialize, Deserialize)]
struct Header {
    schema: String,
}

/// One version in a source bucket, as listed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListRow {
    pub source: SourceId,
    pub key: ObjectKey,
    /// Its id, or `{"null": {…}}` for a version written before versioning was enabled.
    pub version: SourceVersion,
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
    pub key: ObjectKey,
    pub version: VersionId,
    /// SHA-256 of the plain bytes, and of the bytes as stored (equal until there is client-side
    /// encryption).
    pub sha256_plain: Sha256,
    pub sha256_stored: Sha256,
    pub hashed_by: HashedBy,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub content_type: Option<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub metadata: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub tags: BTreeMap<String, String>,
}

/// A line with the schema, then the rows. zstd level 3: manifests are small, and read more often
/// than written.
pub fn write_rows<T: Row>(rows: &[T]) -> Vec<u8> {
    let mut encoder = zstd::Encoder::new(Vec::new(), 3).expect("a level from 1 to 22 is valid");
    write_line(
        &mut encoder,
        &Header {
            schema: T::SCHEMA.into(),
        },
    );
    rows.iter().for_each(|row| write_line(&mut encoder, row));
    encoder.finish().expect("memory takes the rest")
}

fn write_line<T: Serialize>(out: &mut zstd::Encoder<'_, Vec<u8>>, line: &T) {
    serde_json::to_writer(&mut *out, line).expect("rows of ours serialise into memory");
    out.write_all(b"\n").expect("memory takes a byte");
}

/// # Errors
/// Not zstd, another schema, a line that is no row, or a line too long.
pub fn read_rows<T: Row>(bytes: &[u8]) -> Result<Vec<T>, FormatError> {
    let decoder = zstd::Decoder::new(bytes).map_err(|e| damaged("not zstd", &e))?;
    let mut reader = BufReader::new(decoder);
    let header = read_line(&mut reader, 1)?
        .ok_or_else(|| FormatError::Damaged("it has no first line".into()))?;
    let header: Header = serde_json::from_slice(&header).map_err(|e| damaged("line 1", &e))?;
    if header.schema != T::SCHEMA {
        return Err(FormatError::Version {
            found: header.schema.chars().take(60).collect(),
            wanted: T::SCHEMA,
        });
    }
    let mut rows = Vec::new();
    while let Some(line) = read_line(&mut reader, rows.len() + 2)? {
        rows.push(
            serde_json::from_slice(&line)
                .map_err(|e| damaged(&format!("line {}", rows.len() + 2), &e))?,
        );
    }
    Ok(rows)
}

fn damaged(what: &str, e: &dyn std::fmt::Display) -> FormatError {
    FormatError::Damaged(format!("{what}: {}", short(&e.to_string())))
}

/// `None` at the end.
fn read_line(reader: &mut impl BufRead, number: usize) -> Result<Option<Vec<u8>>, FormatError> {
    let mut line = Vec::new();
    let read = reader
        .take(MAX_LINE_BYTES)
        .read_until(b'\n', &mut line)
        .map_err(|e| damaged("not whole", &e))?;
    match read as u64 {
        0 => Ok(None),
        MAX_LINE_BYTES => Err(FormatError::Damaged(format!(
            "line {number} is longer than {MAX_LINE_BYTES} bytes"
        ))),
        _ => Ok(Some(line)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(key: &str) -> ListRow {
        ListRow {
            source: SourceId::new("files"),
            key: ObjectKey::new(key),
            version: SourceVersion::Id(VersionId::new("v1")),
            kind: RowKind::Object,
            latest: true,
            size_bytes: 3,
            etag: None,
            last_modified: Timestamp::UNIX_EPOCH,
        }
    }

    fn zstd(text: &str) -> Vec<u8> {
        zstd::encode_all(text.as_bytes(), 3).unwrap()
    }

    #[test]
    fn rows_survive_their_bytes_and_an_empty_list_is_no_empty_file() {
        let rows = [row("a"), row("b\nc")];
        assert_eq!(read_rows::<ListRow>(&write_rows(&rows)).unwrap(), rows);
        assert_eq!(
            read_rows::<ListRow>(&write_rows::<ListRow>(&[])).unwrap(),
            []
        );
        assert!(matches!(
            read_rows::<ListRow>(&zstd("")),
            Err(FormatError::Damaged(_))
        ));
    }

    #[test]
    fn another_schema_is_no_damage_and_a_cut_file_is() {
        let newer = read_rows::<ListRow>(&zstd("{\"schema\":\"dr/list/2\"}\nwhat it says here\n"))
            .unwrap_err();
        assert!(matches!(newer, FormatError::Version { .. }), "{newer}");
        assert!(matches!(
            read_rows::<StoredRow>(&write_rows(&[row("a")])),
            Err(FormatError::Version { .. })
        ));
        let mut cut = write_rows(&vec![row("a"); 100]);
        cut.truncate(cut.len() / 2);
        assert!(matches!(
            read_rows::<ListRow>(&cut),
            Err(FormatError::Damaged(_))
        ));
    }

    #[test]
    fn a_line_without_end_is_refused() {
        let endless = format!(
            "{{\"schema\":\"dr/list/1\"}}\n{}",
            "x".repeat(MAX_LINE_BYTES as usize + 1)
        );
        let error = read_rows::<ListRow>(&zstd(&endless)).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("line 2 is longer than {MAX_LINE_BYTES} bytes")
        );
    }
}
