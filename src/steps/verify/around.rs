//! What lies around the data of a point at one target: other versions, and objects that nothing
//! refers to.

use super::strays::{Other, Strays};
use super::{Expected, PointAt, Wrong, strays};
use crate::manifest::{ListRow, RowKind, StoredRow, read_rows, sha256_hex, stored_key};
use crate::steps::StepError;
use crate::vault::{Vault, first_versions};
use std::collections::{BTreeMap, BTreeSet};

/// Lists of so many points are read before an object counts as one whose origin is not known.
const MAX_LISTS: usize = 60;
const MAX_LIST_BYTES: u64 = 1 << 30;

/// # Errors
/// The store's.
pub(super) async fn around(at: &PointAt<'_>, rows: &[StoredRow]) -> Result<Strays, StepError> {
    let mut found = Strays::default();
    found.extend(objects(at, rows).await?);
    found.extend(dumps(at).await?);
    found.extend(manifests(at).await?);
    Ok(found)
}

async fn objects(at: &PointAt<'_>, rows: &[StoredRow]) -> Result<Strays, StepError> {
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
    let mut found = Strays::default();
    for bucket in &at.point.files {
        for folder in ["objects", "objects-long"] {
            found.extend(strays(at.vault, &format!("{folder}/{}/", bucket.name), &expected).await?);
        }
    }
    Ok(found)
}

async fn dumps(at: &PointAt<'_>) -> Result<Strays, StepError> {
    let prefix = format!("dump/{}/{}/", at.point.policy, at.point.slot);
    let own = || at.dumps.iter().filter(|d| d.target == at.vault.target);
    let chunks = own().flat_map(|d| {
        d.tables
            .iter()
            .flat_map(|t| &t.chunks)
            .chain(d.sections.iter().map(|s| &s.chunk))
    });
    let chunks: BTreeMap<&str, &str> = chunks
        .map(|c| (c.key.as_str(), c.version.as_str()))
        .collect();
    let documented: BTreeSet<&str> = own().map(|d| d.run.as_str()).collect();
    let expected = |key: &str| {
        let run = key
            .strip_prefix(&prefix)
            .and_then(|k| k.split('/').next())
            .unwrap_or_default();
        match chunks.get(key) {
            Some(version) => Expected::Version((*version).into()),
            // A drill that was killed, or that is at work, leaves chunks that no document names
            // yet.
            None if !documented.contains(run) && at.drills.contains(run) => Expected::Ignored,
            None => Expected::Foreign,
        }
    };
    strays(at.vault, &prefix, &expected).await
}

async fn manifests(at: &PointAt<'_>) -> Result<Strays, StepError> {
    let prefix = format!("manifests/{}/{}/", at.point.policy, at.point.slot);
    let lists: BTreeMap<&str, &str> = at
        .point
        .files
        .iter()
        .map(|f| (f.list_key.as_str(), f.list_sha256.0.as_str()))
        .collect();
    let expected = |key: &str| match key {
        k if k == at.copy.manifest_key => Expected::Version(at.copy.manifest_version.clone()),
        k if lists.contains_key(k) => Expected::Oldest,
        _ => Expected::Foreign,
    };
    let mut found = strays(at.vault, &prefix, &expected).await?;
    let (versions, _) = at.vault.bucket.versions(&prefix, None, 10_000).await?;
    let firsts = first_versions(versions);
    for (key, sha256) in lists {
        let Some(row) = firsts.iter().find(|r| r.key == key) else {
            if at.is_home {
                found.wrong.push(Wrong {
                    code: "object-missing",
                    key: key.into(),
                    version: String::new(),
                    why: format!("it is not at {}", at.vault.target),
                });
            }
            continue;
        };
        let digest = super::digest_checked(
            at.vault,
            &super::stored(key, &row.version, &sha256_hex(b"")),
            row.size_bytes,
        )
        .await;
        let why = match digest {
            Ok(found) if found == sha256 => continue,
            Ok(found) => format!("SHA-256 is {found}, should be {sha256}"),
            Err(super::Found::Wrong(wrong)) => wrong.why,
            Err(super::Found::Away(e)) => return Err(e),
        };
        found.wrong.push(Wrong {
            code: "checksum-mismatch",
            key: key.into(),
            version: row.version.clone(),
            why,
        });
    }
    Ok(found)
}

/// Which of these objects no list of this home names; none where there are more lists than are
/// read.
///
/// # Errors
/// The store's.
pub async fn foreign(home: &Vault, mut others: Vec<Other>) -> Result<Vec<Other>, StepError> {
    if others.is_empty() {
        return Ok(Vec::new());
    }
    let (rows, _) = home.bucket.versions("manifests/", None, 1_000_000).await?;
    let mut lists: Vec<_> = first_versions(rows)
        .into_iter()
        .filter(|r| r.key.contains("/list-"))
        .collect();
    // Newest slots first, whatever the policy.
    lists.sort_by(|a, b| b.key.rsplit('/').nth(1).cmp(&a.key.rsplit('/').nth(1)));
    let told = lists.len() <= MAX_LISTS;
    for list in lists.iter().take(MAX_LISTS) {
        let got = match home
            .bucket
            .get(&list.key, Some(&list.version), MAX_LIST_BYTES)
            .await
        {
            Ok(got) => got,
            Err(e) if e.kind.transient() => return Err(e.into()),
            // A list that is damaged explains nothing; the objects that only it names are told.
            Err(_) => continue,
        };
        let Ok(rows) = read_rows::<ListRow>(&got.bytes) else {
            continue;
        };
        let keys: BTreeSet<String> = rows
            .iter()
            .filter(|r| r.kind == RowKind::Object)
            .map(|r| stored_key(&r.source, &r.key, &r.version))
            .collect();
        others.retain(|o| !keys.contains(&o.key));
        if others.is_empty() {
            return Ok(Vec::new());
        }
    }
    if !told {
        return Ok(Vec::new());
    }
    Ok(others)
}
