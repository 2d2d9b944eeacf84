//! Copies what the list names and the target lacks, and writes the object manifest.

use super::lock_guard::guard;
use super::object_manifest::{MAX_MANIFEST_BYTES, base_rows, listed_rows};
use super::read_back::{WithoutDigest, read_back};
use super::{Context, Perform};
use crate::aws::Kind;
use crate::inventory;
use crate::manifest::{ListRow, RowKind, Stored, StoredRow, read_rows, write_rows};
use crate::model::{Lock, ObjectKey, Sha256, TargetName, VersionId};
use crate::plan::{CopyObjects, NotKept, ObjectsCopied};
use crate::report::{Code, Fail, Failure};
use crate::targets::{open_source, source_failed};
use crate::transfer::{CopyTask, TagsSeen, copy_object, one_credential};
use crate::vault::{Key, Vault, VaultError};
use futures_util::StreamExt;
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};

impl Perform for CopyObjects {
    async fn perform(&self, ctx: &Context<'_>) -> Result<ObjectsCopied, Fail> {
        let vault = ctx.vault(&self.target).await?;
        guard(&vault).await?;
        let list = listed_rows(ctx.output(&self.listed)?, ctx).await?;
        let known = base_rows(&vault, self.base.as_ref()).await?;
        let copying = Copying {
            ctx,
            action: self,
            lock: ctx.lock(&self.target)?,
            vault: &vault,
            total: list.len() as u64,
            tally: Tally::default(),
        };
        let mut rows = copying.rows(&list, &known).await?;
        rows.sort_by(|a, b| order(a).cmp(&order(b)));
        let manifest = copying.store_manifest(&rows).await?;
        let count = |n: &AtomicU64| n.load(Ordering::Relaxed);
        let (objects, markers): (Vec<&StoredRow>, Vec<&StoredRow>) =
            rows.iter().partition(|r| r.stored.is_some());
        Ok(ObjectsCopied {
            manifest_key: manifest.key,
            manifest_version: manifest.version,
            manifest_sha256: manifest.sha256,
            objects: objects.len() as u64,
            delete_markers: markers.len() as u64,
            bytes: rows.iter().map(|r| r.listed.size_bytes).sum(),
            put: count(&copying.tally.put),
            reused: count(&copying.tally.reused),
            extended: count(&copying.tally.extended),
            not_kept: NotKept {
                tags_denied: count(&copying.tally.tags_denied),
                tags_unknown: count(&copying.tally.tags_unknown),
            },
        })
    }
}

fn order(row: &StoredRow) -> impl Ord + '_ {
    let listed = &row.listed;
    (&listed.source, &listed.key, &listed.version)
}

#[derive(Default)]
struct Tally {
    put: AtomicU64,
    reused: AtomicU64,
    extended: AtomicU64,
    tags_denied: AtomicU64,
    tags_unknown: AtomicU64,
    done: AtomicU64,
}

fn one_more(counter: &AtomicU64) -> u64 {
    counter.fetch_add(1, Ordering::Relaxed) + 1
}

/// The manifest as it is stored, ours or another run's.
struct StoredManifest {
    key: ObjectKey,
    version: VersionId,
    sha256: Sha256,
}

/// One target's copy under way.
struct Copying<'a, 'c> {
    ctx: &'a Context<'c>,
    action: &'a CopyObjects,
    vault: &'a Vault,
    lock: Lock,
    total: u64,
    tally: Tally,
}

impl Copying<'_, '_> {
    fn target(&self) -> &TargetName {
        &self.action.target
    }

    fn in_flight(&self) -> usize {
        self.action.in_flight as usize
    }

    fn one_done(&self) {
        self.ctx
            .report(one_more(&self.tally.done), self.total, "objects");
    }

    /// Where each listed version lies at the target; what is not there yet is put there.
    async fn rows(&self, list: &[ListRow], known: &[StoredRow]) -> Result<Vec<StoredRow>, Fail> {
        let (same, mut new) = inventory::difference(list, known);
        let mut rows: Vec<StoredRow> = Vec::with_capacity(list.len());
        let mut reused = futures_util::stream::iter(same)
            .map(|(row, known)| async move { (row, self.reuse(row, known).await) })
            .buffer_unordered(self.in_flight());
        while let Some((row, found)) = reused.next().await {
            match found? {
                Some(stored) => rows.push(stored),
                // Lost or damaged since the base was made: it is put again from the source.
                None => new.push(row),
            }
        }
        drop(reused);
        let mut copied = futures_util::stream::iter(new)
            .map(|row| self.copy(row))
            .buffer_unordered(self.in_flight());
        let mut first_error = None;
        while let Some(row) = copied.next().await {
            match row {
                Ok(row) => rows.push(row),
                // The others go on: one object that vanished must not keep the rest from being
                // safe.
                Err(e) => first_error = first_error.or(Some(e)),
            }
            if self.ctx.world.stopping() {
                return Err(Fail::stopped());
            }
        }
        first_error.map_or(Ok(rows), Err)
    }

    /// An unchanged object: read back, nothing is put, its lock is extended where it ends before
    /// this run's. `None`: it is not what it was.
    async fn reuse(&self, row: &ListRow, known: &StoredRow) -> Result<Option<StoredRow>, Fail> {
        if let Some(stored) = &known.stored {
            let size_bytes = known.listed.size_bytes;
            let whole = WithoutDigest::ReadAllBytes;
            match read_back(self.vault, stored, size_bytes, whole).await {
                Ok(state) if state.meets(self.lock) => {}
                Ok(_) => {
                    let (key, version) = (stored.key.as_str(), stored.version.as_str());
                    self.vault
                        .bucket
                        .extend_lock(key, version, self.lock)
                        .await?;
                    one_more(&self.tally.extended);
                }
                Err(e) if e.failure() == Failure::Finding => return Ok(None),
                Err(e) => return Err(e),
            }
            one_more(&self.tally.reused);
        }
        self.one_done();
        Ok(Some(StoredRow {
            listed: row.clone(),
            stored: known.stored.clone(),
        }))
    }

    async fn copy(&self, row: &ListRow) -> Result<StoredRow, Fail> {
        let stored = match row.kind {
            RowKind::DeleteMarker => None,
            RowKind::Object => Some(self.put(row).await?),
        };
        self.one_done();
        Ok(StoredRow {
            listed: row.clone(),
            stored,
        })
    }

    async fn put(&self, row: &ListRow) -> Result<Stored, Fail> {
        let source = &self.action.bucket;
        let (clients, role) = (self.ctx.clients, self.ctx.role);
        let bucket = open_source(clients, role, &self.action.source, source).await;
        let key = Key::object(
            &self.ctx.plan.policy,
            &self.action.source,
            &row.key,
            &row.version,
        );
        let task = CopyTask {
            source: &bucket,
            key: row.key.as_str(),
            version: row.version.id().map(VersionId::as_str),
            etag: row.etag.as_deref(),
            size_bytes: row.size_bytes,
            to: &self.vault.bucket,
            to_key: &key.to_string(),
            lock: Some(self.lock),
            part_size_bytes: self.action.part_size_bytes,
            server_side: one_credential(&bucket, &self.vault.bucket),
        };
        let copied = copy_object(&task).await.map_err(|e| match e.kind {
            // A bucket that is not there, or an upload, is another matter.
            Kind::NotFound if !["NoSuchBucket", "NoSuchUpload"].contains(&e.code.as_str()) => {
                Fail::new(
                    Code::ObjectGone,
                    format!(
                        "version {} of s3://{}/{} of source {} is gone before it was copied to {}",
                        row.version,
                        source.name,
                        row.key,
                        self.action.source,
                        self.target()
                    ),
                )
            }
            // Which end it was: the key and the endpoint of the other one are none of its matter.
            _ if e.thing == bucket.thing(row.key.as_str()) => {
                source_failed(&self.action.source, &bucket, e)
            }
            _ => e.into(),
        })?;
        one_more(&self.tally.put);
        match copied.tags {
            TagsSeen::Kept => {}
            TagsSeen::Denied => drop(one_more(&self.tally.tags_denied)),
            TagsSeen::Unknown => drop(one_more(&self.tally.tags_unknown)),
        }
        Ok(copied.stored)
    }

    /// Version ids differ when a second runner copied again; the first manifest counts, and what it
    /// names is there.
    async fn store_manifest(&self, rows: &[StoredRow]) -> Result<StoredManifest, Fail> {
        let plan = self.ctx.plan;
        let key = Key::Manifest {
            policy: plan.policy.clone(),
            slot: plan.slot,
            source: self.action.source.clone(),
            target: self.target().clone(),
        }
        .to_string();
        let ours = write_rows(rows);
        if ours.len() as u64 > MAX_MANIFEST_BYTES {
            return Err(Fail::new(
                Code::ListTooLarge,
                format!(
                    "the object manifest {key} would have {} bytes, and at most \
                     {MAX_MANIFEST_BYTES} can be read back; nothing was written",
                    ours.len()
                ),
            ));
        }
        let lock = Some(self.lock);
        let (bytes, version) = match self.vault.create(&key, ours.clone().into(), lock).await {
            Ok(version) => (ours, version),
            Err(VaultError::Taken { .. }) => {
                let (stored, version) = self.vault.oldest_within(&key, MAX_MANIFEST_BYTES).await?;
                self.hold_named(rows, &read_rows(&stored)?).await?;
                (stored.to_vec(), version)
            }
            Err(e) => return Err(e.into()),
        };
        Ok(StoredManifest {
            key: ObjectKey::new(key),
            version: VersionId::new(version),
            sha256: Sha256::of(&bytes),
        })
    }

    /// What another run's manifest names instead of ours: that run may have begun earlier, and so
    /// its locks end before this one's.
    async fn hold_named(&self, ours: &[StoredRow], named: &[StoredRow]) -> Result<(), Fail> {
        let versions = |rows: &[StoredRow]| -> BTreeSet<(ObjectKey, VersionId)> {
            rows.iter()
                .filter_map(|r| r.stored.as_ref())
                .map(|s| (s.key.clone(), s.version.clone()))
                .collect()
        };
        let others = &versions(named) - &versions(ours);
        let mut held = futures_util::stream::iter(others)
            .map(|(key, version)| async move {
                let (bucket, lock) = (&self.vault.bucket, self.lock);
                crate::transfer::hold(bucket, key.as_str(), version.as_str(), lock).await
            })
            .buffer_unordered(self.in_flight());
        while let Some(result) = held.next().await {
            match result {
                Ok(true) => drop(one_more(&self.tally.extended)),
                Ok(false) => {}
                // The step that reads everything back names it.
                Err(e) if e.kind == Kind::NotFound => {}
                Err(e) => return Err(e.into()),
            }
        }
        Ok(())
    }
}
