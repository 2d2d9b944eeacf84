//! Writes `point.json` and the documents of one source and of its copies: what makes a copy count.

use super::hold_evidence::hold_evidence;
use super::{Context, Perform};
use crate::aws::Kind;
use crate::journal::databases_of;
use crate::manifest::{
    Captured, CapturedCluster, CapturedServer, Copy, Document, FilesHeld, Held, Point, PointTarget,
    What,
};
use crate::model::{Lock, SourceId};
use crate::plan::{
    CaptureParts, ClusterParts, CopyParts, DatabasesKnown, HeldParts, PointPublished, PublishPoint,
    ReadReference, ServerParts, ServerRead, SnapshotTaken,
};
use crate::report::Fail;
use crate::vault::{Key, PointDocument, SourceDocument, Vault, VaultError};
use bytes::Bytes;

impl Perform for PublishPoint {
    /// To every target that answers: one that was away when an earlier copy was published gets that
    /// one as well.
    async fn perform(&self, ctx: &Context<'_>) -> Result<PointPublished, Fail> {
        let documents = self.documents(ctx)?;
        let (mut point_at, mut failed, mut trouble) = (Vec::new(), Vec::new(), None);
        let mut short = Vec::new();
        for other in &ctx.plan.targets {
            let vault = ctx.vault(&other.name).await?;
            let lock = other.evidence_lock();
            let written = async {
                policy_copy(ctx, &vault, lock).await?;
                // A crash between two of them leaves a point without a copy, which the next runner
                // adds.
                for (key, bytes) in &documents {
                    write(&vault, key, bytes, lock).await?;
                }
                references(ctx, &self.source, &vault, lock).await;
                Ok::<(), VaultError>(())
            };
            match written.await {
                Ok(()) => {
                    point_at.push(other.name.clone());
                    short.extend(hold_evidence(ctx, &vault, lock).await);
                }
                Err(e) if other.name == self.target => return Err(e.into()),
                Err(e) => {
                    failed.push(other.name.clone());
                    trouble = Some(e);
                }
            }
        }
        match trouble {
            // Another target's trouble must not undo this one, whatever it is: away, full, or it
            // refuses. What passes in a moment, or by the next tick, is worth the engine's next
            // attempts.
            Some(e) if ctx.attempt() < ctx.plan.step_attempts => Err(e.into()),
            _ => Ok(PointPublished {
                point_at,
                failed,
                short,
            }),
        }
    }
}

impl PublishPoint {
    /// The point, this source of it, and its copies that are complete by now.
    fn documents(&self, ctx: &Context<'_>) -> Result<Vec<(Key, Bytes)>, Fail> {
        let key = |document| Key::point(&ctx.plan.policy, ctx.plan.slot, document);
        let captured = PointDocument::Source {
            source: self.source.clone(),
            what: SourceDocument::Captured,
        };
        let mut documents = vec![
            (key(PointDocument::Point), self.point(ctx).to_bytes().into()),
            (key(captured), self.captured(ctx)?.to_bytes().into()),
        ];
        for parts in &self.copies {
            let complete =
                parts.target == self.target || ctx.state.succeeded(parts.published.step());
            if complete {
                let document = PointDocument::Copy {
                    source: self.source.clone(),
                    target: parts.target.clone(),
                };
                documents.push((key(document), self.copy(ctx, parts)?.to_bytes().into()));
            }
        }
        Ok(documents)
    }

    fn point(&self, ctx: &Context<'_>) -> Point {
        let targets = ctx.plan.targets.iter().map(|t| PointTarget {
            name: t.name.clone(),
            region: t.region.clone(),
            bucket: t.bucket.clone(),
            provider: t.provider,
            endpoint: t.endpoint.clone(),
            lock_mode: t.lock_mode,
            retain_until: t.retain_until,
        });
        Point {
            policy: ctx.plan.policy.clone(),
            policy_sha256: ctx.plan.policy_sha256.clone(),
            slot: ctx.plan.slot,
            run: ctx.plan.run.clone(),
            opened_at: ctx.plan.opened_at,
            sources: self.sources.clone(),
            targets: targets.collect(),
        }
    }

    fn captured(&self, ctx: &Context<'_>) -> Result<Captured, Fail> {
        let (at, what) = match &self.captured {
            CaptureParts::Aurora(parts) => {
                let taken = ctx.output(&parts.taken)?;
                let known = databases_of(ctx.state, parts);
                (taken.at, What::Aurora(cluster(parts, taken, known)))
            }
            CaptureParts::Postgres(parts) => {
                let read = ctx.output(&parts.read)?;
                (read.at, What::Postgres(server(parts, read)))
            }
            CaptureParts::Bucket { listed } => {
                let listed = ctx.output(listed)?;
                (listed.at, What::Bucket(listed.bucket.clone()))
            }
        };
        Ok(Captured {
            policy: ctx.plan.policy.clone(),
            slot: ctx.plan.slot,
            run: ctx.plan.run.clone(),
            source: self.source.clone(),
            at,
            what,
        })
    }

    fn copy(&self, ctx: &Context<'_>, parts: &CopyParts) -> Result<Copy, Fail> {
        let lock = ctx.lock(&parts.target)?;
        let held = match &parts.held {
            HeldParts::Snapshot { copied } => Held::Snapshot(ctx.output(copied)?.state.clone()),
            HeldParts::Dump { dumped } => Held::Dump(ctx.output(dumped)?.held.clone()),
            HeldParts::Files { copied, verified } => {
                let (copied, verified) = (ctx.output(copied)?, ctx.output(verified)?);
                Held::Files(FilesHeld {
                    manifest_key: copied.manifest_key.clone(),
                    manifest_version: copied.manifest_version.clone(),
                    manifest_sha256: copied.manifest_sha256.clone(),
                    objects: copied.objects,
                    delete_markers: copied.delete_markers,
                    bytes: copied.bytes,
                    verified: verified.verified.clone(),
                    exceptions: copied.not_kept.exceptions(),
                })
            }
        };
        Ok(Copy {
            policy: ctx.plan.policy.clone(),
            slot: ctx.plan.slot,
            run: ctx.plan.run.clone(),
            source: self.source.clone(),
            target: parts.target.clone(),
            held,
            lock_mode: lock.mode,
            retain_until: lock.retain_until,
        })
    }
}

fn cluster(parts: &ClusterParts, taken: &SnapshotTaken, known: DatabasesKnown) -> CapturedCluster {
    CapturedCluster {
        id: parts.id.clone(),
        region: parts.region.clone(),
        account: parts.account.clone(),
        snapshot_arn: taken.arn.clone(),
        engine: taken.engine.clone(),
        engine_version: taken.engine_version.clone(),
        master_user: taken.master_user.clone(),
        databases: known.databases,
        heartbeat: parts.heartbeat.clone(),
        copies: parts.copies.clone(),
        exceptions: known.exceptions,
    }
}

fn server(parts: &ServerParts, read: &ServerRead) -> CapturedServer {
    CapturedServer {
        host: parts.host.clone(),
        port: parts.port,
        server_version: read.server_version.clone(),
        databases: read.databases.clone(),
        heartbeat: parts.heartbeat.clone(),
        exceptions: read.exceptions.clone(),
    }
}

/// A vault describes itself: the policy that a point was made by lies beside it. It was put there
/// when the run was opened, unless this target was away then.
async fn policy_copy(ctx: &Context<'_>, vault: &Vault, lock: Lock) -> Result<(), VaultError> {
    let key = Key::Policy(ctx.plan.policy_sha256.clone()).to_string();
    match vault.bucket.head(&key, None).await {
        Err(e) if e.kind == Kind::NotFound => {}
        other => return other.map(|_| ()).map_err(VaultError::from),
    }
    let Ok(first) = ctx.vault(&ctx.plan.journal_target).await else {
        return Ok(());
    };
    match first.oldest(&key).await {
        Ok((text, _)) => vault.create(&key, text, Some(lock)).await.map(|_| ()),
        // Gone from the journal target as well: `verify` names it, and the copies count without it.
        Err(e) if e.not_found() => Ok(()),
        Err(e) => Err(e),
    }
}

/// What the source was read to hold, where this target was away when that was stored. `verify`
/// names what is not there; no point waits for it.
async fn references(ctx: &Context<'_>, source: &SourceId, vault: &Vault, lock: Lock) {
    let read = ctx.state.done::<ReadReference>();
    for (_, _, read) in read.filter(|(_, action, _)| &action.source == source) {
        let (Some(key), Some(first)) = (&read.document, read.at.first()) else {
            continue;
        };
        if read.at.contains(&vault.target) {
            continue;
        }
        let Ok(first) = ctx.vault(first).await else {
            continue;
        };
        if let Ok((bytes, _)) = first.oldest(key.as_str()).await {
            let stored = vault.create(key.as_str(), bytes, Some(lock)).await;
            drop(stored);
        }
    }
}

/// Writes one document and reads it back: "stored" is the store's word only. What a run at another
/// journal target wrote of this slot, while the two could not see each other, stays and counts.
async fn write(vault: &Vault, key: &Key, bytes: &Bytes, lock: Lock) -> Result<(), VaultError> {
    let name = &key.to_string();
    match vault.create(name, bytes.clone(), Some(lock)).await {
        Ok(_) => {}
        Err(taken @ VaultError::Taken { .. }) => {
            let (stored, _) = vault.oldest(name).await?;
            return if same_slot(&stored, bytes) {
                Ok(())
            } else {
                Err(taken)
            };
        }
        Err(e) => return Err(e),
    }
    match vault.oldest(name).await {
        Ok((stored, _)) if stored == *bytes => Ok(()),
        Ok(_) => Err(vault.damaged(name, "it reads back with other bytes than were written")),
        Err(e) if e.not_found() => {
            Err(vault.damaged(name, "the store said that it has it, and does not"))
        }
        Err(e) => Err(e),
    }
}

/// Whether two documents are the same kind of document of the same slot.
fn same_slot(a: &[u8], b: &[u8]) -> bool {
    let of = |bytes: &[u8]| {
        if let Ok(point) = Point::from_bytes(bytes) {
            return Some((point.policy, point.slot, None, None));
        }
        if let Ok(captured) = Captured::from_bytes(bytes) {
            return Some((captured.policy, captured.slot, Some(captured.source), None));
        }
        let copy = Copy::from_bytes(bytes).ok()?;
        Some((copy.policy, copy.slot, Some(copy.source), Some(copy.target)))
    };
    of(a).is_some_and(|found| Some(found) == of(b))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{PolicyName, Slot, SourceId};
    use crate::plan::tests::{captured, copy, point};

    #[test]
    fn documents_of_another_slot_policy_or_source_are_others() {
        let (point, files, copy) = (point(), captured().remove(1), copy("shop-files", "central"));
        let later = Captured {
            at: files.at + jiff::SignedDuration::from_secs(1),
            ..files.clone()
        };
        let bytes = files.to_bytes();
        assert!(
            same_slot(&bytes, &later.to_bytes()),
            "one slot, captured twice"
        );
        let source = Captured {
            source: SourceId::new("other"),
            ..files.clone()
        };
        assert!(!same_slot(&bytes, &source.to_bytes()));
        assert!(!same_slot(&bytes, &point.to_bytes()));
        assert!(!same_slot(&bytes, &copy.to_bytes()));
        assert!(same_slot(&copy.to_bytes(), &copy.to_bytes()));
        let slot = Point {
            slot: Slot::at(point.slot.time() + jiff::SignedDuration::from_hours(1)),
            ..point.clone()
        };
        assert!(!same_slot(&point.to_bytes(), &slot.to_bytes()));
        let policy = Point {
            policy: PolicyName::new("other"),
            ..point.clone()
        };
        assert!(!same_slot(&point.to_bytes(), &policy.to_bytes()));
        assert!(!same_slot(b"no document", b"no document"));
    }
}
