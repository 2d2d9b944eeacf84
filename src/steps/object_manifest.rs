//! Object lists and object manifests, read by exact version and digest.

use super::Context;
use crate::manifest::{ListRow, StoredRow, read_rows};
use crate::model::Sha256;
use crate::plan::{BaseCopy, ObjectsListed};
use crate::report::Fail;
use crate::report::Failure;
use crate::vault::Vault;

/// A list or manifest may have this many bytes compressed. One that is larger is refused before it
/// is written: it could never be read.
pub(super) const MAX_MANIFEST_BYTES: u64 = 1 << 30;

/// The list that every target copies, read from the journal target and checked against the
/// journal's digest.
pub(super) async fn listed_rows(
    listed: &ObjectsListed,
    ctx: &Context<'_>,
) -> Result<Vec<ListRow>, Fail> {
    let vault = ctx.vault(&ctx.plan.journal_target).await?;
    let list = &listed.bucket;
    let (bytes, _) = vault
        .oldest_within(list.list_key.as_str(), MAX_MANIFEST_BYTES)
        .await?;
    if Sha256::of(&bytes) != list.list_sha256 {
        let why = "its digest is not the one in the journal";
        return Err(vault.damaged(list.list_key.as_str(), why).into());
    }
    Ok(read_rows::<ListRow>(&bytes)?)
}

/// A stored manifest, by exact version and digest.
///
/// # Errors
/// `NotFound`, other bytes than were stored; the store's.
pub async fn read_manifest(vault: &Vault, base: &BaseCopy) -> Result<Vec<StoredRow>, Fail> {
    let (key, version) = (base.manifest_key.as_str(), base.manifest_version.as_str());
    let got = vault
        .bucket
        .get(key, Some(version), MAX_MANIFEST_BYTES)
        .await?;
    if Sha256::of(&got.bytes) != base.manifest_sha256 {
        let why = format!("version {version} is not what was stored: its SHA-256 differs");
        return Err(vault.damaged(key, why).into());
    }
    Ok(read_rows(&got.bytes)?)
}

/// What the newest complete copy holds. One that was damaged since is no base: everything is then
/// looked at key by key.
pub(super) async fn base_rows(
    vault: &Vault,
    base: Option<&BaseCopy>,
) -> Result<Vec<StoredRow>, Fail> {
    let Some(base) = base else {
        return Ok(Vec::new());
    };
    match read_manifest(vault, base).await {
        Err(e) if e.failure() == Failure::Finding => Ok(Vec::new()),
        other => other,
    }
}
