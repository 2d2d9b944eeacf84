//! `point.json` and `copies/<target>.json`: what makes a copy count.

use super::{Context, StepError};
use crate::aws::Kind;
use crate::aws::s3::Lock;
use crate::journal::Evidence;
use crate::manifest::{
    CapturedCluster, Copy, Document, HeartbeatColumn, NativeCopy, Point, PointTarget, Verified,
};
use crate::plan::Action;
use crate::policy::TargetName;
use crate::vault::{Vault, VaultError, layout};
use bytes::Bytes;

/// Writes the point and the copies that are complete by now to every target that answers: a target
/// that was away when an
/// earlier copy was published gets that one as well.
pub(super) async fn point(ctx: &Context<'_>, target: &TargetName) -> Result<Evidence, StepError> {
    let mut documents = vec![(
        layout::point(&ctx.plan.policy, &ctx.plan.slot),
        Bytes::from(build_point(ctx)?.to_bytes()),
    )];
    for done in ctx
        .plan
        .targets
        .iter()
        .map(|t| &t.name)
        .filter(|t| *t == target || ctx.evidence(&format!("publish:{t}")).is_some())
    {
        documents.push((
            layout::copy(&ctx.plan.policy, &ctx.plan.slot, done),
            build_copy(ctx, done)?.to_bytes().into(),
        ));
    }
    let (mut point_at, mut failed, mut trouble) = (Vec::new(), Vec::new(), None);
    for other in &ctx.plan.targets {
        let vault = ctx.vault(&other.name).await?;
        let lock = Some(ctx.lock(&other.name)?);
        let written = async {
            policy(ctx, &vault, lock).await?;
            // A crash between two of them leaves a point without a copy, which the next runner
            // adds.
            for (key, bytes) in &documents {
                write(&vault, key, bytes, lock).await?;
            }
            Ok::<(), VaultError>(())
        };
        match written.await {
            Ok(()) => point_at.push(other.name.to_string()),
            Err(e) if other.name == *target => return Err(e.into()),
            Err(e) => {
                failed.push(other.name.to_string());
                trouble = Some(e);
            }
        }
    }
    match trouble {
        // Another target's trouble must not undo this one, whatever it is: away, full, or it
        // refuses. What passes in a
        // moment, or by the next tick, is worth the engine's next attempts.
        Some(e) if ctx.state.attempt(&ctx.step.id) < ctx.plan.step_attempts => Err(e.into()),
        _ => Ok(Evidence::Published { point_at, failed }),
    }
}

/// A vault describes itself: the policy that a point was made by lies beside it. It was put there
/// when the run was opened,
/// unless this target was away then.
async fn policy(ctx: &Context<'_>, vault: &Vault, lock: Option<Lock>) -> Result<(), VaultError> {
    let key = layout::policy(&ctx.plan.policy_sha256.0);
    match vault.bucket.head(&key, None).await {
        Err(e) if e.kind == Kind::NotFound => {}
        other => return other.map(|_| ()).map_err(VaultError::from),
    }
    let Ok(home) = ctx.vault(&ctx.plan.home).await else {
        return Ok(());
    };
    match home.oldest(&key).await {
        Ok((text, _)) => vault.create(&key, text, lock).await.map(|_| ()),
        // Gone from the home as well: `verify` names it, and the copies count without it.
        Err(e) if e.not_found() => Ok(()),
        Err(e) => Err(e),
    }
}

/// Writes one document and reads it back: "stored" is the store's word only. What a run of another
/// home wrote of this slot, while
/// the two could not see each other, stays and counts.
async fn write(
    vault: &Vault,
    key: &str,
    bytes: &Bytes,
    lock: Option<Lock>,
) -> Result<(), VaultError> {
    match vault.create(key, bytes.clone(), lock).await {
        Ok(_) => {}
        Err(VaultError::Taken { target, key: taken }) => {
            let (stored, _) = vault.oldest(key).await?;
            return if same_slot(&stored, bytes) {
                Ok(())
            } else {
                Err(VaultError::Taken { target, key: taken })
            };
        }
        Err(e) => return Err(e),
    }
    match vault.oldest(key).await {
        Ok((stored, _)) if stored == *bytes => Ok(()),
        Ok(_) => Err(vault.damaged(key, "it reads back with other bytes than were written")),
        Err(e) if e.not_found() => {
            Err(vault.damaged(key, "the store said that it has it, and does not"))
        }
        Err(e) => Err(e),
    }
}

/// Whether two documents are the same kind of document of the same slot.
fn same_slot(a: &[u8], b: &[u8]) -> bool {
    let copy = |bytes: &[u8]| {
        Copy::from_bytes(bytes)
            .ok()
            .map(|c| (c.policy, c.slot, Some(c.target)))
    };
    let point = |bytes: &[u8]| {
        Point::from_bytes(bytes)
            .ok()
            .map(|p| (p.policy, p.slot, None))
    };
    let of = |bytes: &[u8]| point(bytes).or_else(|| copy(bytes));
    of(a).is_some_and(|found| Some(found) == of(b))
}

fn build_point(ctx: &Context<'_>) -> Result<Point, StepError> {
    let files = match ctx.evidence("list-objects") {
        Some(Evidence::Listed { files }) => files.clone(),
        _ => Vec::new(),
    };
    let cluster = captured_cluster(ctx);
    let at = cluster
        .as_ref()
        .map(|c| c.snapshot_at)
        .or_else(|| files.iter().map(|f| f.listed_at).min());
    Ok(Point {
        policy: ctx.plan.policy.clone(),
        policy_sha256: ctx.plan.policy_sha256.clone(),
        slot: ctx.plan.slot.clone(),
        run: ctx.plan.run.to_string(),
        at: at.ok_or_else(|| StepError::bug("nothing was captured"))?,
        cluster,
        files,
        targets: ctx
            .plan
            .targets
            .iter()
            .map(|t| PointTarget {
                name: t.name.clone(),
                region: t.region.clone(),
                bucket: t.bucket.clone(),
                provider: t.provider,
                endpoint: t.endpoint.clone(),
                lock_mode: t.lock_mode,
                retain_until: t.retain_until,
            })
            .collect(),
    })
}

fn captured_cluster(ctx: &Context<'_>) -> Option<CapturedCluster> {
    let Some(Evidence::Snapshot(snapshot)) = ctx.evidence("take-snapshot") else {
        return None;
    };
    let take = ctx.plan.steps.iter().find_map(|s| match &s.action {
        Action::TakeSnapshot {
            cluster,
            region,
            account,
            database,
            heartbeat,
            ..
        } => Some((cluster, region, account, database, heartbeat)),
        _ => None,
    });
    let (id, region, account, database, heartbeat) = take?;
    let copies = ctx.plan.steps.iter().filter_map(|s| match &s.action {
        Action::CopySnapshot {
            target,
            region,
            account,
            copy,
            kms_key,
            ..
        } => Some(NativeCopy {
            target: target.clone(),
            region: region.clone(),
            account: account.clone(),
            arn: format!("arn:aws:rds:{region}:{account}:cluster-snapshot:{copy}"),
            kms_key: kms_key.clone(),
        }),
        _ => None,
    });
    Some(CapturedCluster {
        id: id.clone(),
        region: region.clone(),
        account: account.clone(),
        snapshot_arn: snapshot.arn.clone(),
        snapshot_at: snapshot.at,
        engine: snapshot.engine.clone(),
        engine_version: snapshot.engine_version.clone(),
        master_user: snapshot.master_user.clone(),
        database: database.clone(),
        heartbeat: heartbeat.clone().map(|h: HeartbeatColumn| h),
        copies: copies.collect(),
    })
}

fn build_copy(ctx: &Context<'_>, target: &TargetName) -> Result<Copy, StepError> {
    let lock = ctx.lock(target)?;
    let native = match ctx.evidence(&format!("copy-snapshot:{target}")) {
        Some(Evidence::SnapshotCopy { state }) => Some(state.clone()),
        _ => None,
    };
    let mut copy = Copy {
        policy: ctx.plan.policy.clone(),
        slot: ctx.plan.slot.clone(),
        run: ctx.plan.run.to_string(),
        target: target.clone(),
        native,
        manifest_key: String::new(),
        manifest_version: String::new(),
        manifest_sha256: crate::manifest::sha256_hex(b""),
        objects: 0,
        delete_markers: 0,
        bytes: 0,
        verified: Verified::default(),
        lock_mode: lock.mode,
        retain_until: lock.retain_until,
    };
    if let Some(Evidence::Copied {
        manifest_key,
        manifest_version,
        manifest_sha256,
        objects,
        delete_markers,
        bytes,
        ..
    }) = ctx.evidence(&format!("copy-objects:{target}"))
    {
        let Some(Evidence::Verified { verified }) = ctx.evidence(&format!("verify:{target}"))
        else {
            return Err(StepError::bug(format!("target {target} was not read back")));
        };
        copy = Copy {
            manifest_key: manifest_key.clone(),
            manifest_version: manifest_version.clone(),
            manifest_sha256: manifest_sha256.clone(),
            objects: *objects,
            delete_markers: *delete_markers,
            bytes: *bytes,
            verified: verified.clone(),
            ..copy
        };
    }
    Ok(copy)
}
