//! Entries as create-only objects of a vault.

use super::RunRead;
use crate::aws::Kind;
use crate::aws::s3::Listed;
use crate::journal::{Entry, Event, fold, read};
use crate::model::{Lock, PolicyName, RunId, Sha256};
use crate::vault::layout::{Key, folder};
use crate::vault::{Vault, VaultError};
use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt};
use jiff::{SignedDuration, Timestamp};

/// An entry larger than this was not written by us.
const MAX_ENTRY_BYTES: u64 = 1 << 20;
/// Entries of one run that are read, signs of life among them: a run of a month has 43,200.
const MOST_ENTRIES: usize = 100_000;

/// Where a run begins and where it stands.
#[derive(Clone, Debug)]
pub struct RunEnds {
    pub opened: Entry,
    pub newest: Entry,
    pub newest_sha256: Sha256,
    /// By the store's clock.
    pub newest_written: Timestamp,
}

#[derive(Clone)]
pub struct VaultJournal {
    pub vault: Vault,
    pub lock: Option<Lock>,
}

impl VaultJournal {
    /// The version id. 409 means that another write is in flight: it is tried again, a few times.
    pub(super) async fn create(
        &self,
        policy: &PolicyName,
        run: &RunId,
        seq: u64,
        bytes: Bytes,
    ) -> Result<String, VaultError> {
        let key = Key::entry(policy, run, seq).to_string();
        let mut last = None;
        for _ in 0..5 {
            match self.vault.create(&key, bytes.clone(), self.lock).await {
                Err(VaultError::Store(e)) if e.kind == Kind::Conflict => last = Some(e),
                other => return other,
            }
        }
        Err(last.map_or_else(|| self.vault.damaged(&key, "no answer"), VaultError::from))
    }

    pub(super) async fn finished(
        &self,
        policy: &PolicyName,
        run: &RunId,
    ) -> Result<bool, VaultError> {
        let folder = folder::run(policy, run);
        let keys = self.vault.bucket.keys(&folder, MOST_ENTRIES).await?;
        let Some(newest) = keys.iter().max() else {
            return Ok(false);
        };
        let (bytes, _) = match self.vault.oldest(newest).await {
            Err(e) if e.not_found() => return Ok(false),
            other => other?,
        };
        Ok(read(&bytes).is_ok_and(|(entry, _)| matches!(entry.event, Event::Finished { .. })))
    }

    /// Versions of all entries of a run, in order: one of each, and no delete marker.
    async fn rows(&self, policy: &PolicyName, run: &RunId) -> Result<Vec<Listed>, VaultError> {
        let (vault, prefix) = (&self.vault, folder::run(policy, run));
        let rows = vault.bucket.versions(&prefix, MOST_ENTRIES).await?;
        if let Some(marker) = rows.iter().find(|r| r.delete_marker) {
            let why = format!("a delete marker (version {})", marker.version);
            return Err(vault.damaged(&marker.key, why));
        }
        if let Some(pair) = rows.windows(2).find(|w| w[0].key == w[1].key) {
            let why = format!("a second version ({})", pair[0].version);
            return Err(vault.damaged(&pair[0].key, why));
        }
        Ok(rows)
    }

    async fn entry(&self, row: &Listed) -> Result<(Entry, Sha256), VaultError> {
        let (key, version) = (&row.key, Some(row.version.as_str()));
        let got = self.vault.bucket.get(key, version, MAX_ENTRY_BYTES).await?;
        read(&got.bytes).map_err(|source| VaultError::Format {
            target: self.vault.target.clone(),
            key: key.clone(),
            source,
        })
    }

    /// The first and the newest entry of a run, and how many there are; what lies between is not
    /// read.
    ///
    /// # Errors
    /// The store's; a delete marker, a second version, an entry that cannot be read.
    pub(super) async fn ends(
        &self,
        policy: &PolicyName,
        run: &RunId,
    ) -> Result<Option<RunEnds>, VaultError> {
        let rows = self.rows(policy, run).await?;
        let (Some(first), Some(last)) = (rows.first(), rows.last()) else {
            return Ok(None);
        };
        let (opened, _) = self.entry(first).await?;
        let (newest, newest_sha256) = self.entry(last).await?;
        if opened.seq != 0 || newest.seq + 1 != rows.len() as u64 {
            let why = format!("{} entries end with number {}", rows.len(), newest.seq);
            return Err(self.vault.damaged(&folder::run(policy, run), why));
        }
        Ok(Some(RunEnds {
            opened,
            newest,
            newest_sha256,
            newest_written: last.last_modified,
        }))
    }

    pub(super) async fn read(
        &self,
        policy: &PolicyName,
        run: &RunId,
    ) -> Result<Option<RunRead>, VaultError> {
        let (vault, prefix) = (&self.vault, folder::run(policy, run));
        let rows = self.rows(policy, run).await?;
        let Some(head_written) = rows.last().map(|r| r.last_modified) else {
            return Ok(None);
        };
        let entries: Vec<(Entry, Sha256)> = futures_util::stream::iter(rows)
            .map(|row| async move { self.entry(&row).await })
            .buffered(8)
            .try_collect()
            .await?;
        let state = fold(entries.iter().map(|(e, s)| (e, s.clone())))
            .map_err(|e| vault.damaged(&prefix, e.to_string()))?;
        // One that was journalled beside the vault has a name of its own there.
        let beside = format!("{}-local-", state.plan.run);
        let named = state.plan.run == *run || run.as_str().starts_with(&beside);
        if !named || state.plan.policy != *policy {
            let why = format!(
                "its plan is of run {} of {}",
                state.plan.run, state.plan.policy
            );
            return Err(vault.damaged(&prefix, why));
        }
        // A run's age is by the store's clock; without it, it is not known who holds the run.
        let store_now = vault
            .bucket
            .clock
            .last()
            .ok_or_else(|| vault.damaged(&prefix, "the store's answers carry no Date"))?;
        let head_age: SignedDuration = store_now.duration_since(head_written);
        Ok(Some(RunRead {
            at: Some(self.vault.target.clone()),
            run: run.clone(),
            state,
            head_age,
            store_now,
        }))
    }
}
