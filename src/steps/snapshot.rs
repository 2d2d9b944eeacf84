//! Cluster snapshots: taken, shared, copied to the second region.

use super::{Context, StepError};
use crate::aws::Kind;
use crate::aws::rds::{Phase, Rds, SnapshotInfo, phase};
use crate::journal::{Evidence, Snapshot};
use crate::manifest::NativeState;
use crate::plan::{Action, Tags};
use crate::policy::{AccountId, ClusterId, Region};

/// Adopts what exists only if it says that it is this slot's: the same name with other tags is
/// someone else's.
fn adopt(info: &SnapshotInfo, tags: &Tags) -> Result<(), StepError> {
    // Not the expiry: two homes that could not see each other each opened the slot, at another
    // moment, and both want this snapshot.
    let strict = ["dr:vault", "dr:run", "dr:role", "dr:source"];
    match strict.iter().find(|k| info.tags.get(**k) != tags.get(**k)) {
        None => Ok(()),
        Some(key) => Err(StepError::refused(
            "not-ours",
            format!(
                "snapshot {} exists with another `{key}` than this run's; it is left alone",
                info.arn
            ),
        )),
    }
}

async fn wait(
    ctx: &Context<'_>,
    rds: &Rds,
    id: &str,
    what: &str,
) -> Result<SnapshotInfo, StepError> {
    loop {
        let Some(info) = rds.snapshot(id).await? else {
            return Err(StepError::finding(
                "missing",
                format!("{what} {id} in {} is gone", rds.region),
            ));
        };
        ctx.report(u64::try_from(info.percent).unwrap_or(0), 100, "%");
        match phase(&info.status) {
            Phase::Ready => return Ok(info),
            Phase::Failed => {
                return Err(StepError::stuck(
                    "snapshot-failed",
                    format!("{what} {id} in {} is `{}`", rds.region, info.status),
                ));
            }
            Phase::Working => ctx.pause().await?,
        }
    }
}

pub(super) async fn take(
    ctx: &Context<'_>,
    cluster: &ClusterId,
    region: &Region,
    _account: &AccountId,
    endpoint: Option<&str>,
    id: &str,
    tags: &Tags,
) -> Result<Evidence, StepError> {
    let rds = ctx.clients.rds(ctx.role, region, endpoint).await;
    match rds.snapshot(id).await? {
        Some(info) => adopt(&info, tags)?,
        None => match rds.create_snapshot(cluster.as_str(), id, tags).await {
            // A crash right here leaves a tagged snapshot under the planned name, which the next
            // runner adopts.
            Ok(_) => {}
            Err(e) if e.kind == Kind::Exists => {}
            Err(e) => return Err(e.into()),
        },
    }
    let info = wait(ctx, &rds, id, "snapshot").await?;
    adopt(&info, tags)?;
    let at = info.created.ok_or_else(|| {
        StepError::stuck(
            "snapshot-failed",
            format!("snapshot {id} has no creation time"),
        )
    })?;
    Ok(Evidence::Snapshot(Snapshot {
        arn: info.arn,
        at,
        engine: info.engine,
        engine_version: info.engine_version,
        master_user: info.master_user,
        encrypted: info.encrypted,
        kms_key: info.kms_key,
    }))
}

pub(super) async fn share(
    ctx: &Context<'_>,
    region: &Region,
    endpoint: Option<&str>,
    id: &str,
    with: &[AccountId],
) -> Result<Evidence, StepError> {
    let rds = ctx.clients.rds(ctx.role, region, endpoint).await;
    Ok(Evidence::Shared {
        with: share_until_seen(&rds, id, with).await?,
    })
}

async fn share_until_seen(
    rds: &Rds,
    id: &str,
    with: &[AccountId],
) -> Result<Vec<String>, StepError> {
    let wanted: Vec<String> = with.iter().map(ToString::to_string).collect();
    let missing = |have: &[String]| wanted.iter().any(|w| !have.contains(w));
    if missing(&rds.shared_with(id).await?) {
        rds.share_snapshot(id, &wanted).await?;
    }
    let have = rds.shared_with(id).await?;
    if missing(&have) {
        return Err(StepError::stuck(
            "share-failed",
            format!("snapshot {id} is shared with {have:?}, wanted {wanted:?}"),
        ));
    }
    Ok(have)
}

pub(super) async fn copy(ctx: &Context<'_>) -> Result<Evidence, StepError> {
    let Action::CopySnapshot {
        source_arn,
        region,
        endpoint,
        copy,
        kms_key,
        share_with,
        tags,
        ..
    } = &ctx.step.action
    else {
        return Err(StepError::bug("not a snapshot copy"));
    };
    let rds = ctx.clients.rds(ctx.role, region, endpoint.as_deref()).await;
    match rds.snapshot(copy).await? {
        Some(info) => adopt(&info, tags)?,
        None => {
            let encrypted =
                matches!(ctx.evidence("take-snapshot"), Some(Evidence::Snapshot(s)) if s.encrypted);
            // The service refuses a key for a snapshot that is not encrypted.
            let key = encrypted.then_some(kms_key.as_str());
            match rds.copy_snapshot(source_arn, copy, key, tags).await {
                Ok(_) => {}
                Err(e) if e.kind == Kind::Exists => {}
                Err(e) => return Err(e.into()),
            }
        }
    }
    let info = wait(ctx, &rds, copy, "snapshot copy").await?;
    adopt(&info, tags)?;
    if !share_with.is_empty() {
        share_until_seen(&rds, copy, share_with).await?;
    }
    Ok(Evidence::SnapshotCopy {
        state: NativeState {
            arn: info.arn,
            kms_key: info.kms_key,
            encrypted: info.encrypted,
            immutable: false,
        },
    })
}
