//! One stored version, looked at.

use crate::aws::Kind;
use crate::aws::s3::{LockState, hex_of_base64};
use crate::manifest::Stored;
use crate::report::{Code, Fail};
use crate::vault::Vault;
use crate::verification::digest_of;

/// Where the service keeps no digest of a version.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum WithoutDigest {
    ReadAllBytes,
    /// It was read by this run before.
    BelieveRecord,
}

/// Presence, size, digest and lock of one stored version.
///
/// # Errors
/// A finding where it is not there, or not what was stored; the store's.
pub(super) async fn read_back(
    vault: &Vault,
    stored: &Stored,
    size_bytes: u64,
    otherwise: WithoutDigest,
) -> Result<LockState, Fail> {
    let (key, version) = (stored.key.as_str(), stored.version.as_str());
    let named = || format!("{key} version {version} at {}", vault.target);
    let wrong = |what: String| Fail::new(Code::ChecksumMismatch, format!("{}: {what}", named()));
    let head = vault.bucket.head(key, Some(version)).await;
    let head = head.map_err(|e| match e.kind {
        Kind::NotFound => Fail::new(Code::ObjectMissing, format!("{} is not there", named())),
        _ => e.into(),
    })?;
    if head.size_bytes != size_bytes {
        return Err(wrong(format!(
            "it has {} bytes, and was listed with {size_bytes}",
            head.size_bytes
        )));
    }
    let found = match head.sha256.as_deref().and_then(hex_of_base64) {
        Some(by_service) => by_service,
        None if otherwise == WithoutDigest::ReadAllBytes => {
            digest_of(vault, stored, head.size_bytes).await?
        }
        None => stored.sha256_stored.0.clone(),
    };
    if found != stored.sha256_stored.0 {
        return Err(wrong(format!(
            "its SHA-256 is {found}, should be {}",
            stored.sha256_stored
        )));
    }
    Ok(vault.bucket.lock_of(key, version).await?)
}
