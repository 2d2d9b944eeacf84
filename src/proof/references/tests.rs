use super::*;
use crate::manifest::{CheckResult, HashedBy, ListRow, Stored};
use crate::model::{Method, ObjectKey, SourceId, VersionId};
use crate::proof::tests::scope;
use jiff::Timestamp;
use std::collections::BTreeMap;

/// A version that holds its own id's bytes.
fn version(key: &str, id: &str, latest: bool) -> StoredRow {
    StoredRow {
        listed: ListRow {
            source: SourceId::new("files"),
            key: ObjectKey::new(key),
            version: SourceVersion::Id(VersionId::new(id)),
            kind: RowKind::Object,
            latest,
            size_bytes: id.len() as u64,
            etag: Some(format!("\"etag-{id}\"")),
            last_modified: Timestamp::UNIX_EPOCH,
        },
        stored: Some(Stored {
            key: ObjectKey::new("objects/x"),
            version: VersionId::new("v"),
            sha256_plain: Sha256::of(id.as_bytes()),
            sha256_stored: Sha256::of(id.as_bytes()),
            hashed_by: HashedBy::Dr,
            content_type: None,
            metadata: BTreeMap::new(),
            tags: BTreeMap::new(),
        }),
    }
}

fn marker(key: &str) -> StoredRow {
    let mut row = version(key, "deleted", true);
    row.listed.kind = RowKind::DeleteMarker;
    row.stored = None;
    row
}

/// `a` has one version, `b` two, `c` was deleted.
fn files() -> Files {
    Files::of(vec![
        version("c", "c1", false),
        marker("c"),
        version("b", "b1", false),
        version("b", "b-2", true),
        version("a", "a1", true),
    ])
}

type Row<'a> = &'a [Option<&'a str>];

fn check(columns: &[&str], rows: &[Row<'_>], most: u64) -> Check {
    let scope = scope(Method::Dump);
    let files = files();
    let mut lookup = Lookup::new(&files);
    lookup.columns(columns).unwrap();
    rows.iter().for_each(|r| lookup.row(r));
    lookup.check(&scope, "references:files", most)
}

fn verdict(columns: &[&str], rows: &[Row<'_>], most: u64) -> (bool, String) {
    let check = check(columns, rows, most);
    let passed = check.result == CheckResult::Passed;
    (passed, check.why.unwrap_or_default())
}

#[test]
fn a_key_is_there_where_its_newest_version_is_no_deletion() {
    let found = check(&["key"], &[&[Some("a")], &[Some("b")], &[None]], 0);
    assert_eq!(found.result, CheckResult::Passed);
    assert_eq!((found.population, found.tested, found.skipped), (3, 2, 1));
    assert_eq!(found.why, None);
    let (passed, why) = verdict(&["k"], &[&[Some("a")], &[Some("ab")], &[Some("")]], 0);
    assert!(!passed);
    let said = "2 rows name files that the copy does not have, first `ab`, ``";
    assert_eq!(why, said);
    let (passed, why) = verdict(&["k"], &[&[Some("a")], &[Some("c")]], 0);
    assert!(!passed);
    assert!(
        why.starts_with("1 rows name files that were deleted or replaced"),
        "{why}"
    );
}

#[test]
fn so_many_may_dangle_as_the_policy_says_and_they_are_told_all_the_same() {
    let rows: &[Row<'_>] = &[&[Some("a")], &[Some("x")], &[Some("c")]];
    assert!(!verdict(&["k"], rows, 1).0);
    let (passed, why) = verdict(&["k"], rows, 2);
    assert!(passed, "{why}");
    assert!(
        why.contains("first `x`") && why.ends_with("2 may dangle"),
        "{why}"
    );
}

#[test]
fn what_a_row_says_of_its_file_is_compared_with_the_newest_version() {
    let sha = |id: &str| Sha256::of(id.as_bytes()).0;
    let (one, two, old, other) = (sha("a1"), sha("b-2"), sha("b1"), sha("x"));
    let columns = ["key", "sha256", "size_bytes", "etag"];
    let right: &[Row<'_>] = &[
        &[Some("a"), Some(&one), Some("2"), Some("etag-a1")],
        &[Some("b"), Some(&two), None, Some("\"etag-b-2\"")],
    ];
    assert_eq!(verdict(&columns, right, 0), (true, String::new()));
    for wrong in [
        [Some("a"), Some(other.as_str()), None, None],
        [Some("a"), Some("no digest"), None, None],
        [Some("a"), None, Some("3"), None],
        [Some("a"), None, Some("-2"), None],
        [Some("a"), None, None, Some("etag-a2")],
    ] {
        // However many may dangle.
        let (passed, why) = verdict(&columns, &[right[0], &wrong], 9);
        assert!(!passed, "{wrong:?}");
        let said = "1 rows name files that are there and otherwise than the row says, first `a`";
        assert_eq!(why, said);
    }
    // Replaced after the database was read.
    let (passed, why) = verdict(&columns, &[&[Some("b"), Some(&old), None, None]], 1);
    assert!(passed && why.contains("older version"), "{why}");
}

#[test]
fn a_version_that_a_row_names_is_looked_for_whatever_came_after_it() {
    let sha = Sha256::of(b"b1").0;
    let columns = ["key", "version_id", "sha256"];
    let there: &[Row<'_>] = &[
        &[Some("b"), Some("b1"), Some(&sha)],
        &[Some("c"), Some("c1"), None],
        &[Some("b"), None, None],
    ];
    assert_eq!(verdict(&columns, there, 0), (true, String::new()));
    let other: &[Row<'_>] = &[&[Some("b"), Some("b-2"), Some(&sha)]];
    let (passed, why) = verdict(&columns, other, 9);
    assert!(
        !passed && why.contains("otherwise than the row says"),
        "{why}"
    );
    let gone: &[Row<'_>] = &[there[0], &[Some("b"), Some("b3"), None]];
    let (passed, why) = verdict(&columns, gone, 0);
    assert!(!passed && why.contains("does not have, first `b`"), "{why}");
}

#[test]
fn what_was_not_looked_up_is_told_and_another_column_than_the_keys_is_not_repeated() {
    let nothing = check(&["key"], &[&[None], &[None]], 0);
    assert_eq!(nothing.result, CheckResult::Passed);
    assert_eq!((nothing.tested, nothing.skipped), (0, 2));
    assert!(nothing.why.unwrap().contains("nothing was looked up"));
    assert_eq!(check(&["key"], &[], 0).skipped, 1);
    let (passed, why) = verdict(&["key"], &[&[Some("mia@example.org")]], 9);
    assert!(!passed && !why.contains("mia"), "{why}");
    let long = "x".repeat(5000);
    let (_, why) = verdict(&["key"], &[&[Some("a")], &[Some(&long)]], 0);
    assert!(why.len() < 200, "{why}");
}

#[test]
fn a_column_of_another_name_is_refused_and_not_left_out() {
    let files = files();
    let refused = |names: &[&str]| Lookup::new(&files).columns(names).unwrap_err();
    assert!(refused(&["key", "md5"]).starts_with("column `md5` is none of version_id, sha256"));
    assert!(refused(&[]).contains("no column"));
}
