//! Which runs the journals know, of all targets that answer.

use super::Loaded;
use crate::model::{RunKind, Slot};
use crate::policy::{Policy, Schedule};
use crate::report::Fail;
use crate::schedule;
use crate::targets::Reached;
use crate::vault::RunRef;
use jiff::SignedDuration;

/// History is read this far back.
const WINDOW: SignedDuration = SignedDuration::from_hours(24 * 40);

/// `None`: runs of this kind have no schedule here.
pub(super) fn schedule_of(policy: &Policy, kind: RunKind) -> Option<&Schedule> {
    match kind {
        RunKind::Backup => Some(&policy.schedule),
        RunKind::Drill => policy.drill.as_ref().map(|d| &d.schedule),
        RunKind::Restore => None,
    }
}

/// Runs of a kind in all reachable journals, merged; two runs of one slot are one slot.
pub(super) async fn known_runs(
    reached: &Reached,
    loaded: &Loaded,
    kind: RunKind,
) -> Result<Vec<RunRef>, Fail> {
    // A slot that comes once a year is older than the window, and still the one that was done.
    let latest = schedule_of(&loaded.policy, kind)
        .and_then(|s| schedule::latest(s, reached.now))
        .map_or(reached.now, Slot::time);
    let since = Slot::at((reached.now - WINDOW).min(latest - SignedDuration::from_secs(1)));
    let mut runs = Vec::new();
    for seen in reached.capable() {
        runs.extend(seen.vault.runs(&loaded.policy.name, kind, since).await?);
    }
    runs.sort();
    runs.dedup();
    Ok(runs)
}
