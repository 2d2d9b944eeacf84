//! What lies around the data of a point at one target: other versions, and objects that nothing
//! refers to.

use super::point_at::{Found, PointAt, digest_checked, stored};
use super::unreferenced::{Beside, Expected, Other, beside};
use super::wrong::Wrong;
use crate::manifest::{Captured, ListRow, PointSource, RowKind, StoredRow, read_rows};
use crate::model::{PolicyName, Sha256, SourceId, SourceKind};
use crate::report::{Code, Fail};
use crate::vault::{Key, Vault, first_versions, folder};
use std::collections::{BTreeMap, BTreeSet};

/// Lists and manifests of all points of a policy.
const MOST_MANIFESTS: usize = 1_000_000;
const MAX_LIST_BYTES: u64 = 1 << 30;

/// # Errors
/// The store's.
pub(super) async fn around(at: &PointAt<'_>, rows: &[StoredRow]) -> Result<Beside, Fail> {
    let mut found = Beside::default();
    found.extend(objects(at, rows).await?);
    found.extend(dumps(at).await?);
    found.extend(manifests(at).await?);
    Ok(found)
}

async fn objects(at: &PointAt<'_>, rows: &[StoredRow]) -> Result<Beside, Fail> {
    let stored: BTreeMap<&str, &str> = rows
        .iter()
        .filter_map(|r| r.stored.as_ref())
        .map(|s| (s.key.as_str(), s.version.as_str()))
        .collect();
    let expected = |key: &str| {
        stored
            .get(key)
            .map_or(Expected::Other, |v| Expected::Version((*v).into()))
    };
    let mut found = Beside::default();
    if at.files().next().is_some() {
        for folder in folder::objects(&at.point.point.policy) {
            found.extend(beside(at.vault, &folder, &expected).await?);
        }
    }
    Ok(found)
}

/// Of every source that has dumps, or may have them.
async fn dumps(at: &PointAt<'_>) -> Result<Beside, Fail> {
    let point = &at.point.point;
    let mut found = Beside::default();
    let databases = point
        .sources
        .iter()
        .filter(|s| s.kind != SourceKind::Bucket);
    for source in databases {
        let prefix = folder::dumps(&point.policy, &source.id, point.slot);
        found.extend(dumps_of(at, source, &prefix).await?);
    }
    Ok(found)
}

async fn dumps_of(at: &PointAt<'_>, source: &PointSource, prefix: &str) -> Result<Beside, Fail> {
    let point = &at.point.point;
    let own = || at.dumps().filter(|d| d.source == source.id);
    let chunks = own().flat_map(|d| {
        d.tables
            .iter()
            .flat_map(|t| &t.chunks)
            .chain(d.unread.values().flat_map(|u| &u.chunks))
            .chain(d.sections.iter().map(|s| &s.chunk))
    });
    let chunks: BTreeMap<&str, &str> = chunks
        .map(|c| (c.key.as_str(), c.version.as_str()))
        .collect();
    let documented: Vec<String> = own()
        .map(|d| folder::dump_of(&point.policy, &d.source, (point.slot, &d.run), &d.database))
        .collect();
    // A running server has other rows, and other tables, when an interrupted dump is made again.
    let again = source.kind == SourceKind::Postgres;
    // A run that was killed, or that is at work, leaves chunks that no document names.
    let under_way = |key: &str| match Key::parse(key) {
        Some(Key::DumpFile { run, .. }) => {
            let known = at.drills.contains(&run) || run == point.run;
            known && (again || !documented.iter().any(|folder| key.starts_with(folder)))
        }
        _ => false,
    };
    let expected = |key: &str| match chunks.get(key) {
        Some(version) if again => Expected::Attempted((*version).into()),
        Some(version) => Expected::Version((*version).into()),
        None if under_way(key) => Expected::Ignored,
        None => Expected::Foreign,
    };
    beside(at.vault, prefix, &expected).await
}

async fn manifests(at: &PointAt<'_>) -> Result<Beside, Fail> {
    let point = &at.point.point;
    let prefix = folder::manifests_of(&point.policy, point.slot);
    let lists: BTreeMap<&str, &str> = at
        .point
        .captured
        .iter()
        .filter_map(Captured::bucket)
        .map(|f| (f.list_key.as_str(), f.list_sha256.0.as_str()))
        .collect();
    let manifests: BTreeMap<&str, &str> = at
        .files()
        .map(|(_, f)| (f.manifest_key.as_str(), f.manifest_version.as_str()))
        .collect();
    // A source that is still being copied has a list, and perhaps a manifest, that no document
    // names yet.
    let wanted = |source: &SourceId| point.sources.iter().any(|s| &s.id == source);
    let pending = |key: &str| match Key::parse(key) {
        Some(Key::List { source, .. }) => wanted(&source) && at.point.captured(&source).is_none(),
        Some(Key::Manifest { source, target, .. }) => {
            let copied = at.files().any(|(c, _)| c.source == source);
            wanted(&source) && target == at.vault.target && !copied
        }
        _ => false,
    };
    let expected = |key: &str| match manifests.get(key) {
        Some(version) => Expected::Version((*version).into()),
        None if lists.contains_key(key) => Expected::Oldest,
        None if pending(key) => Expected::Ignored,
        None => Expected::Foreign,
    };
    let mut found = beside(at.vault, &prefix, &expected).await?;
    let versions = at.vault.bucket.versions(&prefix, MOST_MANIFESTS).await?;
    let firsts = first_versions(versions);
    for (key, sha256) in lists {
        let Some(row) = firsts.iter().find(|r| r.key == key) else {
            if at.holds_lists {
                found.wrong.push(Wrong {
                    code: Code::ObjectMissing,
                    key: key.into(),
                    version: String::new(),
                    why: format!("it is not at {}", at.vault.target),
                });
            }
            continue;
        };
        let digest = digest_checked(
            at.vault,
            &stored(key, &row.version, &Sha256::of(b"")),
            row.size_bytes,
        )
        .await;
        let why = match digest {
            Ok(found) if found == sha256 => continue,
            Ok(found) => format!("SHA-256 is {found}, should be {sha256}"),
            Err(Found::Wrong(wrong)) => wrong.why,
            Err(Found::Away(e)) => return Err(e),
        };
        found.wrong.push(Wrong {
            code: Code::ChecksumMismatch,
            key: key.into(),
            version: row.version.clone(),
            why,
        });
    }
    Ok(found)
}

/// Which of these objects no list in this vault names.
///
/// # Errors
/// The store's.
pub async fn foreign(
    vault: &Vault,
    policy: &PolicyName,
    mut others: Vec<Other>,
) -> Result<Vec<Other>, Fail> {
    if others.is_empty() {
        return Ok(Vec::new());
    }
    let prefix = folder::manifests(policy);
    let rows = vault.bucket.versions(&prefix, MOST_MANIFESTS).await?;
    let is_list = |key: &str| matches!(Key::parse(key), Some(Key::List { .. }));
    let mut lists = first_versions(rows);
    lists.retain(|r| is_list(&r.key));
    // Newest slots first: they name most of what is there.
    for list in lists.iter().rev() {
        let got = match vault
            .bucket
            .get(&list.key, Some(&list.version), MAX_LIST_BYTES)
            .await
        {
            Ok(got) => got,
            Err(e) if e.kind.transient() => return Err(e.into()),
            // A list that is damaged explains nothing; the objects that only it names are reported.
            Err(_) => continue,
        };
        let Ok(rows) = read_rows::<ListRow>(&got.bytes) else {
            continue;
        };
        let objects = rows.iter().filter(|r| r.kind == RowKind::Object);
        let keys: BTreeSet<String> = objects
            .map(|r| Key::object(policy, &r.source, &r.key, &r.version).to_string())
            .collect();
        others.retain(|o| !keys.contains(&o.key));
        if others.is_empty() {
            break;
        }
    }
    Ok(others)
}
