//! One point at one target, and what reading a version of it can come to.

use super::wrong::Wrong;
use crate::manifest::{Copy, Dump, FilesHeld, HashedBy, Stored};
use crate::model::{ObjectKey, RunId, Sha256, VersionId};
use crate::report::{Code, Fail, Failure, full};
use crate::vault::{PointRef, Vault};
use jiff::Timestamp;
use std::collections::BTreeSet;

/// One point at one target, with what must be there.
pub struct PointAt<'a> {
    pub vault: &'a Vault,
    pub point: &'a PointRef,
    /// What it holds.
    pub copies: &'a [&'a Copy],
    /// Lists are kept at the journal target of the run only.
    pub holds_lists: bool,
    /// Drills that the journal knows.
    pub drills: &'a BTreeSet<RunId>,
    pub now: Timestamp,
    pub in_flight: u32,
}

impl PointAt<'_> {
    pub fn files(&self) -> impl Iterator<Item = (&Copy, &FilesHeld)> {
        self.copies.iter().filter_map(|c| Some((*c, c.files()?)))
    }

    /// Dumps into this target.
    pub fn dumps(&self) -> impl Iterator<Item = &Dump> {
        let all = self.point.dumps.iter().map(|(_, d)| d);
        all.filter(|d| d.target == self.vault.target)
    }
}

pub(super) enum Found {
    Away(Fail),
    Wrong(Wrong),
}

/// An answer that is not "away" says something of this version.
pub(super) fn of(stored: &Stored, e: Fail) -> Found {
    if e.failure() == Failure::Unavailable {
        Found::Away(e)
    } else {
        wrong(e.code, stored, full(&e))
    }
}

pub(super) fn stored(key: &str, version: &str, sha256: &Sha256) -> Stored {
    Stored {
        key: ObjectKey::new(key),
        version: VersionId::new(version),
        sha256_plain: sha256.clone(),
        sha256_stored: sha256.clone(),
        hashed_by: HashedBy::Dr,
        content_type: None,
        metadata: Default::default(),
        tags: Default::default(),
    }
}

pub(super) fn wrong(code: Code, stored: &Stored, why: impl Into<String>) -> Found {
    Found::Wrong(Wrong {
        code,
        key: stored.key.to_string(),
        version: stored.version.to_string(),
        why: why.into(),
    })
}

/// SHA-256 of a stored version.
pub(crate) async fn digest_of(
    vault: &Vault,
    stored: &Stored,
    size_bytes: u64,
) -> Result<String, Fail> {
    let (key, version) = (stored.key.as_str(), stored.version.as_str());
    Ok(crate::transfer::digest(&vault.bucket, key, Some(version), size_bytes).await?)
}

pub(super) async fn digest_checked(
    vault: &Vault,
    stored: &Stored,
    size_bytes: u64,
) -> Result<String, Found> {
    digest_of(vault, stored, size_bytes)
        .await
        .map_err(|e| of(stored, e))
}
