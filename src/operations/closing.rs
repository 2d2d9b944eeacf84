//! Runs of verbs that nobody goes on with: their command is typed again, and makes another one.
//! They are ended, so that the record does not show them as open for ever.

use super::known_runs::WINDOW;
use super::session::{Session, journal_at};
use crate::model::{RunKind, Slot};
use crate::report::{Fail, Finding, Severity};
use crate::targets::{Reached, Seen};

/// So many of the newest of a kind are looked at.
const NEWEST: usize = 3;

/// Which of them are ended now; one that a live runner holds is left alone in any case.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Which {
    /// Those whose time is over.
    Expired,
    All,
}

/// Each for itself. What cannot be read or ended is left to the next one, and said; the log names
/// journals that are damaged.
pub(super) async fn close(
    session: &Session<'_>,
    reached: &Reached,
    kind: RunKind,
    which: Which,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    for seen in reached.capable() {
        if let Err(fail) = close_at(session, reached, seen, (kind, which)).await {
            let mut finding = Finding::from(fail).thing(kind).place(&seen.target.name);
            // Nothing depends on it.
            finding.severity = Severity::Warning;
            findings.push(finding);
        }
    }
    findings
}

async fn close_at(
    session: &Session<'_>,
    reached: &Reached,
    seen: &Seen,
    (kind, which): (RunKind, Which),
) -> Result<(), Fail> {
    let (policy, journal) = (&session.loaded.policy.name, journal_at(&seen.vault));
    let (now, since) = (Slot::at(reached.now), Slot::at(reached.now - WINDOW));
    let mut runs = seen.vault.runs(policy, kind, since).await?;
    // Those of times to come were planted; of one that was journalled beside the vault the rest is
    // brought by whoever has its file.
    runs.retain(|r| r.slot <= now && !r.run.was_beside());
    let mut trouble = None;
    for known in runs.into_iter().rev().take(NEWEST) {
        if journal.finished(policy, &known.run).await? {
            continue;
        }
        let Ok(Some(read)) = journal.read(policy, &known.run).await else {
            continue;
        };
        let over = which == Which::All || reached.now >= read.state.plan.deadline_at;
        if over && read.state.finished.is_none() {
            trouble = session.end(read).await.err().or(trouble);
        }
    }
    trouble.map_or(Ok(()), Err)
}
