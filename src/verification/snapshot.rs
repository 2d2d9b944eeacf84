//! The snapshot copy of a point: there, ready, and ours.

use super::wrong::Wrong;
use crate::aws::rds::{Phase, Rds, phase};
use crate::manifest::{Point, SnapshotCopy};
use crate::model::VaultId;
use crate::report::{Code, Fail};

/// # Errors
/// The service's.
pub async fn verify_snapshot(
    rds: &Rds,
    vault: &VaultId,
    point: &Point,
    copy: &SnapshotCopy,
) -> Result<Vec<Wrong>, Fail> {
    let wrong = |code: Code, why: String| {
        vec![Wrong {
            code,
            key: copy.arn.clone(),
            version: String::new(),
            why,
        }]
    };
    let id = copy.arn.rsplit(':').next().unwrap_or(&copy.arn);
    let Some(found) = rds.snapshot(id).await? else {
        return Ok(wrong(
            Code::SnapshotMissing,
            format!("there is no such cluster snapshot in {}", copy.region),
        ));
    };
    let ours = [
        ("dr:vault", vault.0.as_str()),
        ("dr:run", point.run.as_str()),
        ("dr:role", "snapshot"),
    ];
    if let Some((tag, _)) = ours
        .iter()
        .find(|(tag, value)| found.tags.get(*tag).map(String::as_str) != Some(value))
    {
        let says = found.tags.get(*tag).map_or("no such tag", String::as_str);
        return Ok(wrong(
            Code::NotOurs,
            format!("it is not the snapshot that this point's run made: `{tag}` is {says}"),
        ));
    }
    if phase(&found.status) != Phase::Ready {
        return Ok(wrong(
            Code::SnapshotFailed,
            format!("it is `{}`", found.status),
        ));
    }
    Ok(Vec::new())
}
