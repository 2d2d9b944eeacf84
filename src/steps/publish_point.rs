//! Writes `point.json` and `copies/<target>.json`: what makes a copy count.

use super::{Context, Perform};
use crate::aws::Kind;
use crate::manifest::{CapturedCluster, Copy, Document, Point, PointTarget, Verified};
use crate::model::{Lock, ObjectKey, Sha256, VersionId};
use crate::plan::{ClusterParts, CopyParts, PointPublished, PublishPoint};
use crate::report::Fail;
use crate::vault::{Key, PointDocument, Vault, VaultError};
use bytes::Bytes;

impl Perform for PublishPoint {
    /// To every target that answers: one that was away when an earlier copy was published gets that
    /// one as well.
    async fn perform(&self, ctx: &Context<'_>) -> Result<PointPublished, Fail> {
        let documents = self.documents(ctx)?;
        let (mut point_at, mut failed, mut trouble) = (Vec::new(), Vec::new(), None);
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
                Ok::<(), VaultError>(())
            };
            match written.await {
                Ok(()) => point_at.push(other.name.clone()),
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
            _ => Ok(PointPublished { point_at, failed }),
        }
    }
}

impl PublishPoint {
    /// The point, and the copies that are complete by now.
    fn documents(&self, ctx: &Context<'_>) -> Result<Vec<(Key, Bytes)>, Fail> {
        let key = |document| Key::point(&ctx.plan.policy, ctx.plan.slot, document);
        let point = self.point(ctx)?;
        let mut documents = vec![(key(PointDocument::Point), Bytes::from(point.to_bytes()))];
        for parts in &self.copies {
            let complete =
                parts.target == self.target || ctx.state.succeeded(parts.published.step());
            if complete {
                let document = PointDocument::Copy(parts.target.clone());
                documents.push((key(document), copy(ctx, parts)?.to_bytes().into()));
            }
        }
        Ok(documents)
    }

    fn point(&self, ctx: &Context<'_>) -> Result<Point, Fail> {
        let files = match &self.listed {
            Some(listed) => ctx.output(listed)?.files.clone(),
            None => Vec::new(),
        };
        let cluster = self
            .cluster
            .as_ref()
            .map(|c| captured(ctx, c))
            .transpose()?;
        let at = cluster
            .as_ref()
            .map(|c| c.snapshot_at)
            .or_else(|| files.iter().map(|f| f.listed_at).min());
        let targets = ctx.plan.targets.iter().map(|t| PointTarget {
            name: t.name.clone(),
            region: t.region.clone(),
            bucket: t.bucket.clone(),
            provider: t.provider,
            endpoint: t.endpoint.clone(),
            lock_mode: t.lock_mode,
            retain_until: t.retain_until,
        });
        Ok(Point {
            policy: ctx.plan.policy.clone(),
            policy_sha256: ctx.plan.policy_sha256.clone(),
            slot: ctx.plan.slot,
            run: ctx.plan.run.clone(),
            at: at.ok_or_else(|| Fail::bug("nothing was captured"))?,
            cluster,
            files,
            targets: targets.collect(),
        })
    }
}

fn captured(ctx: &Context<'_>, parts: &ClusterParts) -> Result<CapturedCluster, Fail> {
    let taken = ctx.output(&parts.taken)?;
    Ok(CapturedCluster {
        source: parts.source.clone(),
        id: parts.id.clone(),
        region: parts.region.clone(),
        account: parts.account.clone(),
        snapshot_arn: taken.arn.clone(),
        snapshot_at: taken.at,
        engine: taken.engine.clone(),
        engine_version: taken.engine_version.clone(),
        master_user: taken.master_user.clone(),
        database: parts.database.to_string(),
        heartbeat: parts.heartbeat.clone(),
        copies: parts.copies.clone(),
    })
}

fn copy(ctx: &Context<'_>, parts: &CopyParts) -> Result<Copy, Fail> {
    let lock = ctx.lock(&parts.target)?;
    let snapshot = match &parts.snapshot {
        Some(copied) => Some(ctx.output(copied)?.state.clone()),
        None => None,
    };
    let empty = Copy {
        policy: ctx.plan.policy.clone(),
        slot: ctx.plan.slot,
        run: ctx.plan.run.clone(),
        target: parts.target.clone(),
        snapshot,
        manifest_key: ObjectKey::new(""),
        manifest_version: VersionId::new(""),
        manifest_sha256: Sha256::of(b""),
        objects: 0,
        delete_markers: 0,
        bytes: 0,
        verified: Verified::default(),
        lock_mode: lock.mode,
        retain_until: lock.retain_until,
    };
    let Some(files) = &parts.files else {
        return Ok(empty);
    };
    let (copied, verified) = (ctx.output(&files.copied)?, ctx.output(&files.verified)?);
    Ok(Copy {
        manifest_key: copied.manifest_key.clone(),
        manifest_version: copied.manifest_version.clone(),
        manifest_sha256: copied.manifest_sha256.clone(),
        objects: copied.objects,
        delete_markers: copied.delete_markers,
        bytes: copied.bytes,
        verified: verified.verified.clone(),
        ..empty
    })
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
    let copy = |bytes: &[u8]| {
        let copy = Copy::from_bytes(bytes).ok()?;
        Some((copy.policy, copy.slot, Some(copy.target)))
    };
    let point = |bytes: &[u8]| {
        let point = Point::from_bytes(bytes).ok()?;
        Some((point.policy, point.slot, None))
    };
    let of = |bytes: &[u8]| point(bytes).or_else(|| copy(bytes));
    of(a).is_some_and(|found| Some(found) == of(b))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{PolicyName, Slot};
    use crate::plan::tests::point;

    #[test]
    fn documents_of_another_slot_or_policy_are_others() {
        let here = point();
        let bytes = here.to_bytes();
        let later = Point {
            at: here.at + jiff::SignedDuration::from_secs(1),
            ..here.clone()
        };
        assert!(
            same_slot(&bytes, &later.to_bytes()),
            "one slot, captured twice"
        );
        let slot = Point {
            slot: Slot::at(here.slot.time() + jiff::SignedDuration::from_hours(1)),
            ..here.clone()
        };
        assert!(!same_slot(&bytes, &slot.to_bytes()));
        let policy = Point {
            policy: PolicyName::new("other"),
            ..here
        };
        assert!(!same_slot(&bytes, &policy.to_bytes()));
        assert!(!same_slot(b"no document", b"no document"));
    }
}
