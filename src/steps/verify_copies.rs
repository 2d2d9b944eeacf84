//! Reads back what was copied to one target.

use super::object_manifest::{base_rows, read_manifest};
use super::read_back::{WithoutDigest, read_back};
use super::{Context, Perform};
use crate::aws::s3::LockState;
use crate::manifest::{Stored, StoredRow, Verified};
use crate::model::{Lock, ObjectKey, VersionId};
use crate::plan::{BaseCopy, CopiesVerified, VerifyCopies};
use crate::report::{Code, Fail};
use crate::vault::Vault;
use futures_util::StreamExt;
use std::collections::BTreeSet;

impl Perform for VerifyCopies {
    async fn perform(&self, ctx: &Context<'_>) -> Result<CopiesVerified, Fail> {
        let copied = ctx.output(&self.copied)?;
        let vault = ctx.vault(&self.target).await?;
        let manifest = BaseCopy {
            slot: ctx.plan.slot,
            manifest_key: copied.manifest_key.clone(),
            manifest_version: copied.manifest_version.clone(),
            manifest_sha256: copied.manifest_sha256.clone(),
        };
        let rows = read_manifest(&vault, &manifest).await?;
        let lock = ctx.lock(&self.target)?;
        let reused = self.reused(&vault).await?;
        let objects: Vec<(&StoredRow, &Stored)> = rows
            .iter()
            .filter_map(|r| Some((r, r.stored.as_ref()?)))
            .collect();
        let mut verified = Verified {
            population: objects.len() as u64,
            ..Default::default()
        };
        let (at, reused) = (&vault, &reused);
        let mut checks = futures_util::stream::iter(objects)
            .map(|(row, stored)| async move {
                let otherwise = if reused.contains(&(stored.key.clone(), stored.version.clone())) {
                    WithoutDigest::BelieveRecord
                } else {
                    WithoutDigest::ReadAllBytes
                };
                let size_bytes = row.listed.size_bytes;
                (
                    stored,
                    size_bytes,
                    read_back(at, stored, size_bytes, otherwise).await,
                )
            })
            .buffer_unordered(self.in_flight as usize);
        while let Some((stored, size_bytes, result)) = checks.next().await {
            let state = result?;
            verified.tested += 1;
            verified.bytes += size_bytes;
            self.count_lock(&mut verified, stored, &state, lock)?;
            ctx.report(verified.tested, verified.population, "objects");
        }
        if verified.unknown > 0 {
            return Err(Fail::new(
                Code::LockUnknown,
                format!(
                    "the lock of {} of {} objects at {} could not be read",
                    verified.unknown, verified.population, self.target
                ),
            ));
        }
        Ok(CopiesVerified { verified })
    }
}

impl VerifyCopies {
    /// A lock that is known to be short fails at once; one that cannot be read is counted.
    fn count_lock(
        &self,
        verified: &mut Verified,
        stored: &Stored,
        state: &LockState,
        lock: Lock,
    ) -> Result<(), Fail> {
        match state {
            LockState::Until(_, until) if state.meets(lock) => verified.count_locked(*until),
            LockState::Unknown(_) => verified.unknown += 1,
            other => {
                return Err(Fail::new(
                    Code::LockShort,
                    format!(
                        "{} version {} at {}: lock {other:?}, wanted {} until {}",
                        stored.key,
                        stored.version,
                        self.target,
                        lock.mode.as_str(),
                        lock.retain_until
                    ),
                ));
            }
        }
        Ok(())
    }

    /// Versions that the copy step of this run took from the base: it read them back before it
    /// wrote the manifest.
    async fn reused(&self, vault: &Vault) -> Result<BTreeSet<(ObjectKey, VersionId)>, Fail> {
        let base = base_rows(vault, self.base.as_ref()).await?;
        let stored = base.into_iter().filter_map(|r| r.stored);
        Ok(stored.map(|s| (s.key, s.version)).collect())
    }
}
