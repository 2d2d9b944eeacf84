//! Which runs the journals know, of all targets that answer.

use super::Loaded;
use crate::model::{RunId, RunKind, Slot, TargetName};
use crate::policy::{Policy, Schedule};
use crate::report::{Code, Fail, Finding, full};
use crate::schedule;
use crate::targets::Reached;
use crate::vault::{RunRef, VaultError};
use jiff::{SignedDuration, Timestamp};

/// History is read this far back.
pub(super) const WINDOW: SignedDuration = SignedDuration::from_hours(24 * 40);

/// `None`: runs of this kind have no schedule here.
pub(super) fn schedule_of(policy: &Policy, kind: RunKind) -> Option<&Schedule> {
    match kind {
        RunKind::Backup => Some(&policy.schedule),
        RunKind::Drill => policy.drill.as_ref().map(|d| &d.schedule),
        _ => None,
    }
}

/// The slot that history of a kind is read from: what is looked for is newer.
pub(super) fn since(policy: &Policy, kind: RunKind, now: Timestamp) -> Slot {
    // A slot that comes once a year is older than the window, and still the one that was done.
    let latest = schedule_of(policy, kind)
        .and_then(|s| schedule::latest(s, now))
        .map_or(now, Slot::time);
    Slot::at((now - WINDOW).min(latest - SignedDuration::from_secs(1)))
}

/// Runs of a kind in all reachable journals, merged; two runs of one slot are one slot.
pub(super) async fn known_runs(
    reached: &Reached,
    loaded: &Loaded,
    kind: RunKind,
) -> Result<Vec<RunRef>, Fail> {
    let since = since(&loaded.policy, kind, reached.now);
    let mut runs = Vec::new();
    for seen in reached.capable() {
        runs.extend(seen.vault.runs(&loaded.policy.name, kind, since).await?);
    }
    runs.sort();
    runs.dedup();
    Ok(runs)
}

/// A run that is there and cannot be believed.
pub(super) struct Unread {
    pub run: RunId,
    pub at: TargetName,
    pub why: VaultError,
}

impl Unread {
    /// `so`: what follows from it for whoever says it.
    pub fn finding(self, so: &str) -> Finding {
        let code = if self.why.unknown_version() {
            Code::FormatUnknown
        } else {
            Code::RunDamaged
        };
        let why = full(&Fail::from(self.why));
        let message = format!("the journal of {} cannot be believed{so}: {why}", self.run);
        Finding::error(code, message)
            .thing(&self.run)
            .place(&self.at)
    }
}
