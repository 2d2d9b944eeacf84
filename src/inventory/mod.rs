//! What a source bucket holds, as one list sorted by key; and what is new in it since another list.

use crate::aws::Error;
use crate::aws::s3::{Bucket, Listed};
use crate::manifest::{ListRow, RowKind, StoredRow};
use std::collections::HashMap;

/// A live listing has at most this many versions; beyond it S3 Inventory is the way.
pub const MAX_VERSIONS: usize = 5_000_000;

/// All versions under a prefix, now.
///
/// # Errors
/// The store's.
pub async fn list(bucket: &Bucket, prefix: &str) -> Result<Vec<ListRow>, Error> {
    let (rows, more) = bucket.versions(prefix, None, MAX_VERSIONS).await?;
    if more {
        let message = format!("more than {MAX_VERSIONS} versions; protect a prefix at a time");
        return Err(Error::new(
            crate::aws::Kind::Invalid,
            "ListObjectVersions",
            bucket.thing(prefix),
            "TooMany",
            message,
        ));
    }
    Ok(rows.into_iter().map(|row| listed(bucket, row)).collect())
}

fn listed(bucket: &Bucket, row: Listed) -> ListRow {
    let etag = row.etag.clone();
    let version = if row.version == "null" {
        // A version from before versioning can be overwritten; its name says which content was
        // meant.
        format!(
            "null-{}-{}",
            row.last_modified.as_second(),
            etag.as_deref().unwrap_or("none")
        )
    } else {
        row.version
    };
    ListRow {
        source: bucket.name.to_string(),
        key: row.key,
        version,
        kind: if row.delete_marker {
            RowKind::DeleteMarker
        } else {
            RowKind::Object
        },
        latest: row.latest,
        size_bytes: row.size_bytes,
        etag,
        last_modified: row.last_modified,
    }
}

/// The version id to ask the service for; `None` for a `null` version.
pub fn service_version(row: &ListRow) -> Option<&str> {
    if row.version.starts_with("null-") {
        None
    } else {
        Some(&row.version)
    }
}

/// Splits a list into rows that a base has already and rows that must be copied.
pub fn difference<'a>(
    list: &'a [ListRow],
    base: &'a [StoredRow],
) -> (Vec<(&'a ListRow, &'a StoredRow)>, Vec<&'a ListRow>) {
    let known: HashMap<(&str, &str, &str), &StoredRow> = base
        .iter()
        .map(|r| {
            (
                (
                    r.listed.source.as_str(),
                    r.listed.key.as_str(),
                    r.listed.version.as_str(),
                ),
                r,
            )
        })
        .collect();
    let (mut same, mut new) = (Vec::new(), Vec::new());
    for row in list {
        match known.get(&(row.source.as_str(), row.key.as_str(), row.version.as_str())) {
            Some(stored) if stored.stored.is_some() || row.kind == RowKind::DeleteMarker => {
                same.push((row, *stored))
            }
            _ => new.push(row),
        }
    }
    (same, new)
}
