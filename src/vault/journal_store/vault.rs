//! Entries as create-only objects of a vault.

use super::RunRead;
use crate::aws::Kind;
use crate::journal::{Entry, Event, fold, read};
use crate::model::{Lock, PolicyName, RunId, Sha256};
use crate::vault::layout::{Key, folder};
use crate::vault::{Vault, VaultError};
use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt};
use jiff::SignedDuration;

/// An entry larger than this was not written by us.
const MAX_ENTRY_BYTES: u64 = 1 << 20;
/// Entries of one run that are read, signs of life among them: a run of a month has 43,200.
const MOST_ENTRIES: usize = 100_000;

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

    pub(super) async fn read(
        &self,
        policy: &PolicyName,
        run: &RunId,
    ) -> Result<Option<RunRead>, VaultError> {
        let (vault, prefix) = (&self.vault, folder::run(policy, run));
        let rows = vault.bucket.versions(&prefix, MOST_ENTRIES).await?;
        let Some(head_written) = rows
            .iter()
            .max_by(|a, b| a.key.cmp(&b.key))
            .map(|r| r.last_modified)
        else {
            return Ok(None);
        };
        if let Some(marker) = rows.iter().find(|r| r.delete_marker) {
            let why = format!("a delete marker (version {})", marker.version);
            return Err(vault.damaged(&marker.key, why));
        }
        if let Some(pair) = rows.windows(2).find(|w| w[0].key == w[1].key) {
            let why = format!("a second version ({})", pair[0].version);
            return Err(vault.damaged(&pair[0].key, why));
        }
        let entries: Vec<(Entry, Sha256)> = futures_util::stream::iter(rows)
            .map(|row| async move {
                let got = vault
                    .bucket
                    .get(&row.key, Some(&row.version), MAX_ENTRY_BYTES)
                    .await?;
                read(&got.bytes).map_err(|source| VaultError::Format {
                    target: vault.target.clone(),
                    key: row.key,
                    source,
                })
            })
            .buffered(8)
            .try_collect()
            .await?;
        let state = fold(entries.iter().map(|(e, s)| (e, s.clone())))
            .map_err(|e| vault.damaged(&prefix, e.to_string()))?;
        // A run's age is by the store's clock; without it, it is not known who holds the run.
        let store_now = vault
            .bucket
            .clock
            .last()
            .ok_or_else(|| vault.damaged(&prefix, "the store's answers carry no Date"))?;
        let head_age: SignedDuration = store_now.duration_since(head_written);
        Ok(Some(RunRead {
            run: run.clone(),
            state,
            head_age,
            store_now,
        }))
    }
}
