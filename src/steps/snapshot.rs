//! Cluster snapshots, as taking and copying look at them.

use super::Context;
use crate::aws::rds::{Phase, Rds, SnapshotInfo, phase};
use crate::model::{AccountId, Name};
use crate::plan::Tags;
use crate::report::{Code, Fail};

/// Adopts what exists only if it says that it is this slot's: the same name with other tags is
/// someone else's.
pub(super) fn adopt(info: &SnapshotInfo, tags: &Tags) -> Result<(), Fail> {
    // Not the expiry: two journal targets that could not see each other each opened the slot, at
    // another moment, and both want this snapshot.
    let strict = ["dr:vault", "dr:run", "dr:role", "dr:source"];
    match strict.iter().find(|k| info.tags.get(**k) != tags.get(**k)) {
        None => Ok(()),
        Some(key) => Err(Fail::new(
            Code::NotOurs,
            format!(
                "snapshot {} exists with another `{key}` than this run's; it is left alone",
                info.arn
            ),
        )),
    }
}

/// Until it is available, or the others of the run are to have their turn. `what` names it in
/// messages.
pub(super) async fn wait(
    ctx: &Context<'_>,
    rds: &Rds,
    id: &Name,
    what: &str,
) -> Result<SnapshotInfo, Fail> {
    let began = ctx.world.monotonic();
    loop {
        let Some(info) = rds.snapshot(id.as_str()).await? else {
            return Err(Fail::new(
                Code::Missing,
                format!("{what} {id} in {} is gone", rds.region),
            ));
        };
        ctx.report(u64::try_from(info.percent).unwrap_or(0), 100, "%");
        match phase(&info.status) {
            Phase::Ready => return Ok(info),
            Phase::Failed => {
                return Err(Fail::new(
                    Code::SnapshotFailed,
                    format!("{what} {id} in {} is `{}`", rds.region, info.status),
                ));
            }
            Phase::Working if began.elapsed() < ctx.plan.patience.as_duration() => {
                ctx.pause().await?;
            }
            Phase::Working => {
                return Err(Fail::new(
                    Code::SnapshotWorking,
                    format!(
                        "{what} {id} in {} is still `{}`, {} %; the run goes on with what does \
                         not need it and looks again",
                        rds.region, info.status, info.percent
                    ),
                ));
            }
        }
    }
}

/// The accounts that may use the snapshot, these among them.
pub(super) async fn share_until_seen(
    rds: &Rds,
    id: &Name,
    with: &[AccountId],
) -> Result<Vec<String>, Fail> {
    let wanted: Vec<String> = with.iter().map(ToString::to_string).collect();
    let missing = |have: &[String]| wanted.iter().any(|w| !have.contains(w));
    if missing(&rds.shared_with(id.as_str()).await?) {
        rds.share_snapshot(id.as_str(), &wanted).await?;
    }
    let have = rds.shared_with(id.as_str()).await?;
    if missing(&have) {
        return Err(Fail::new(
            Code::ShareFailed,
            format!("snapshot {id} is shared with {have:?}, wanted {wanted:?}"),
        ));
    }
    Ok(have)
}
