//! What a source bucket holds, as one list sorted by key; and what is new in it since another list.

use crate::aws::Error;
use crate::aws::s3::{Bucket, Listed};
use crate::manifest::{ListRow, RowKind, StoredRow};
use crate::model::{ObjectKey, SourceId, SourceVersion, VersionId};
use std::collections::HashMap;

/// A live listing has at most this many versions; beyond it S3 Inventory is the way.
pub const MAX_VERSIONS: usize = 5_000_000;

/// All versions under a prefix, now.
///
/// # Errors
/// The store's.
pub async fn list(bucket: &Bucket, source: &SourceId, prefix: &str) -> Result<Vec<ListRow>, Error> {
    let rows = bucket.versions(prefix, MAX_VERSIONS).await?;
    Ok(rows.into_iter().map(|row| listed(source, row)).collect())
}

fn listed(source: &SourceId, row: Listed) -> ListRow {
    let id = VersionId::new(row.version);
    ListRow {
        source: source.clone(),
        key: ObjectKey::new(row.key),
        version: SourceVersion::of(id, row.last_modified, row.etag.as_deref()),
        kind: if row.delete_marker {
            RowKind::DeleteMarker
        } else {
            RowKind::Object
        },
        latest: row.latest,
        size_bytes: row.size_bytes,
        etag: row.etag,
        last_modified: row.last_modified,
    }
}

/// Splits a list into rows that a base has already and rows that must be copied.
pub fn difference<'a>(
    list: &'a [ListRow],
    base: &'a [StoredRow],
) -> (Vec<(&'a ListRow, &'a StoredRow)>, Vec<&'a ListRow>) {
    let known: HashMap<_, &StoredRow> = base.iter().map(|r| (version(&r.listed), r)).collect();
    let (mut same, mut new) = (Vec::new(), Vec::new());
    for row in list {
        match known.get(&version(row)) {
            Some(stored) if stored.stored.is_some() || row.kind == RowKind::DeleteMarker => {
                same.push((row, *stored));
            }
            _ => new.push(row),
        }
    }
    (same, new)
}

/// What tells a version from all others.
fn version(row: &ListRow) -> (&SourceId, &ObjectKey, &SourceVersion) {
    (&row.source, &row.key, &row.version)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::{HashedBy, Stored};
    use crate::model::Sha256;
    use jiff::Timestamp;

    fn row(source: &str, key: &str, version: &str, kind: RowKind) -> ListRow {
        let found = Listed {
            key: key.into(),
            version: version.into(),
            delete_marker: kind == RowKind::DeleteMarker,
            latest: true,
            size_bytes: 1,
            etag: Some("e".into()),
            last_modified: Timestamp::UNIX_EPOCH,
        };
        listed(&SourceId::new(source), found)
    }

    fn stored(listed: ListRow) -> StoredRow {
        let object = listed.kind == RowKind::Object;
        let stored = object.then(|| Stored {
            key: ObjectKey::new("objects/x"),
            version: VersionId::new("1"),
            sha256_plain: Sha256::of(b""),
            sha256_stored: Sha256::of(b""),
            hashed_by: HashedBy::Dr,
            content_type: None,
            metadata: Default::default(),
            tags: Default::default(),
        });
        StoredRow { listed, stored }
    }

    #[test]
    fn only_what_the_base_does_not_hold_is_new() {
        let object = |source, key, version| row(source, key, version, RowKind::Object);
        let list = [
            object("files", "a", "1"),
            object("files", "a", "2"),
            object("other", "a", "1"),
            row("files", "b", "3", RowKind::DeleteMarker),
            object("files", "c", "null"),
        ];
        let base = [
            stored(list[0].clone()),
            stored(list[3].clone()),
            stored(list[4].clone()),
        ];
        let (same, new) = difference(&list, &base);
        let keys = |rows: Vec<&ListRow>| -> Vec<(String, String)> {
            rows.iter()
                .map(|r| (r.source.to_string(), r.key.to_string()))
                .collect()
        };
        assert_eq!(same.len(), 3);
        let of = |a: &str, b: &str| (a.to_owned(), b.to_owned());
        assert_eq!(keys(new), [of("files", "a"), of("other", "a")]);
    }

    #[test]
    fn a_version_without_an_id_that_was_overwritten_is_new() {
        let old = row("files", "c", "null", RowKind::Object);
        let mut now = old.clone();
        now.version = SourceVersion::of(VersionId::null(), now.last_modified, Some("f"));
        let (now, base) = ([now], [stored(old)]);
        let (same, new) = difference(&now, &base);
        assert_eq!((same.len(), new.len()), (0, 1));
    }
}
