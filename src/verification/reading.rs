//! Reads back everything that a point references at one target: manifest, objects, dumps. Names key
//! and version of what is wrong.

use super::around;
use super::point_at::{Found, PointAt, digest_checked, of, stored, wrong};
use super::unreferenced::Other;
use super::wrong::Wrongs;
use crate::aws::Kind;
use crate::aws::s3::LockState;
use crate::manifest::{Copy, Dump, FilesHeld, Stored, StoredRow, Verified, read_rows};
use crate::model::{Lock, Sha256};
use crate::report::{Code, Fail, full};
use crate::vault::Vault;
use futures_util::StreamExt;
use jiff::Timestamp;

const MAX_LIST_BYTES: u64 = 1 << 30;

#[derive(Clone, Debug, Default)]
pub struct Reading {
    pub verified: Verified,
    pub wrong: Wrongs,
    /// Objects that this point does not refer to.
    pub others: Vec<Other>,
}

/// A stored version with what it must be.
struct Item {
    stored: Stored,
    size_bytes: u64,
    /// What its document promises; a dump's promises none.
    lock: Option<Lock>,
}

fn of_row(row: &StoredRow, copy: &Copy) -> Option<Item> {
    Some(Item {
        size_bytes: row.listed.size_bytes,
        stored: row.stored.clone()?,
        lock: Some(Lock {
            mode: copy.lock_mode,
            retain_until: copy.retain_until,
        }),
    })
}

fn of_dump(dump: &Dump) -> impl Iterator<Item = Item> {
    let of_tables = dump.tables.iter().flat_map(|t| &t.chunks);
    let chunks = of_tables.chain(dump.sections.iter().map(|s| &s.chunk));
    chunks.map(|c| Item {
        size_bytes: c.size_bytes,
        stored: stored(c.key.as_str(), c.version.as_str(), &c.sha256),
        lock: None,
    })
}

/// # Errors
/// Only where the target does not answer; all else is in the reading.
pub async fn verify_point(
    at: &PointAt<'_>,
    report: &(dyn Fn(u64, u64) + Sync),
) -> Result<Reading, Fail> {
    let PointAt {
        vault,
        now,
        in_flight,
        ..
    } = *at;
    let mut reading = Reading::default();
    let (mut items, mut rows, mut all_read) = (Vec::new(), Vec::new(), true);
    for (copy, files) in at.files() {
        match manifest_rows(vault, files).await {
            Ok(read) => {
                items.extend(read.iter().filter_map(|r| of_row(r, copy)));
                rows.extend(read);
            }
            Err(Found::Away(e)) => return Err(e),
            Err(Found::Wrong(w)) => {
                all_read = false;
                reading.wrong.push(w);
            }
        }
    }
    items.extend(at.dumps().flat_map(of_dump));
    let total = items.len() as u64;
    reading.verified.population = total;
    let mut work = futures_util::stream::iter(items.iter().map(|i| one(vault, i)))
        .buffer_unordered(in_flight.max(1) as usize);
    while let Some(result) = work.next().await {
        match result {
            Ok((bytes, lock)) => {
                reading.verified.bytes += bytes;
                count_lock(&mut reading.verified, &lock, now);
            }
            Err(Found::Away(e)) => return Err(e),
            Err(Found::Wrong(w)) => reading.wrong.push(w),
        }
        reading.verified.tested += 1;
        report(reading.verified.tested, total);
    }
    drop(work);
    let beside = around::around(at, &rows).await?;
    reading.wrong.extend(beside.wrong);
    // Without a manifest it is not known which objects are this point's.
    reading.others = if all_read { beside.others } else { Vec::new() };
    Ok(reading)
}

fn count_lock(verified: &mut Verified, lock: &LockState, now: Timestamp) {
    match lock {
        LockState::Until(_, until) if *until > now => verified.count_locked(*until),
        LockState::Unknown(_) => verified.unknown += 1,
        _ => {}
    }
}

async fn manifest_rows(vault: &Vault, files: &FilesHeld) -> Result<Vec<StoredRow>, Found> {
    let (key, version) = (files.manifest_key.as_str(), files.manifest_version.as_str());
    let place = stored(key, version, &files.manifest_sha256);
    let got = match vault.bucket.get(key, Some(version), MAX_LIST_BYTES).await {
        Err(e) if e.kind == Kind::NotFound => {
            return Err(wrong(
                Code::ManifestMissing,
                &place,
                format!("the manifest is not at {}", vault.target),
            ));
        }
        Err(e) => return Err(of(&place, e.into())),
        Ok(got) => got,
    };
    if Sha256::of(&got.bytes) != files.manifest_sha256 {
        return Err(wrong(
            Code::ChecksumMismatch,
            &place,
            "the manifest's SHA-256 is not the one that was recorded",
        ));
    }
    read_rows(&got.bytes).map_err(|e| wrong(e.code(), &place, full(&e)))
}

/// Every byte is read: an auditor does not take the service's word.
async fn one(vault: &Vault, item: &Item) -> Result<(u64, LockState), Found> {
    let stored = &item.stored;
    let head = match vault
        .bucket
        .head(stored.key.as_str(), Some(stored.version.as_str()))
        .await
    {
        Err(e) if matches!(e.kind, Kind::NotFound | Kind::Invalid) => {
            return Err(wrong(
                Code::ObjectMissing,
                stored,
                format!("it is not at {}", vault.target),
            ));
        }
        Err(e) => return Err(of(stored, e.into())),
        Ok(head) => head,
    };
    if head.size_bytes != item.size_bytes {
        return Err(wrong(
            Code::ChecksumMismatch,
            stored,
            format!(
                "it has {} bytes, should have {}",
                head.size_bytes, item.size_bytes
            ),
        ));
    }
    let found = digest_checked(vault, stored, item.size_bytes).await?;
    if found != stored.sha256_stored.0 {
        return Err(wrong(
            Code::ChecksumMismatch,
            stored,
            format!("SHA-256 is {found}, should be {}", stored.sha256_stored),
        ));
    }
    let lock = vault
        .bucket
        .lock_of(stored.key.as_str(), stored.version.as_str())
        .await
        .map_err(|e| of(stored, e.into()))?;
    match too_short(&lock, item.lock) {
        Some(why) => Err(wrong(Code::LockShort, stored, why)),
        None => Ok((head.size_bytes, lock)),
    }
}

/// What a lock lacks of what was promised. One that may not be read is counted, not judged.
fn too_short(found: &LockState, promised: Option<Lock>) -> Option<String> {
    match (found, promised) {
        (LockState::Unknown(_), _) => None,
        (LockState::None, _) => Some("it is not locked".to_owned()),
        (LockState::Until(mode, until), Some(lock)) if !found.meets(lock) => Some(format!(
            "it is locked in {} until {until}, its copy promises {} until {}",
            mode.as_str(),
            lock.mode.as_str(),
            lock.retain_until
        )),
        (LockState::Until(..), _) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::LockMode::{Compliance, Governance};

    #[test]
    fn a_lock_that_ends_early_or_can_be_lifted_is_too_short() {
        let at = |s: i64| Timestamp::from_second(s).unwrap();
        let promised = Some(Lock {
            mode: Compliance,
            retain_until: at(100),
        });
        let told = |found: LockState| too_short(&found, promised);
        assert_eq!(told(LockState::Until(Compliance, at(100))), None);
        assert_eq!(told(LockState::Until(Compliance, at(500))), None);
        assert_eq!(told(LockState::Unknown("denied".into())), None);
        for found in [
            LockState::None,
            LockState::Until(Compliance, at(99)),
            LockState::Until(Governance, at(500)),
        ] {
            assert!(told(found.clone()).is_some(), "{found:?}");
        }
        assert_eq!(too_short(&LockState::Until(Governance, at(1)), None), None);
        assert!(too_short(&LockState::None, None).is_some());
    }
}
