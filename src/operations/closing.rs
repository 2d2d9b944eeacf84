//! Runs of verbs that nobody goes on with: their command is typed again, and makes another one.
//! They are ended, so that the record does not show them as open for ever.

use super::known_runs::known_runs;
use super::session::Session;
use crate::engine;
use crate::model::RunKind;
use crate::report::Fail;
use crate::targets::Reached;
use crate::vault::RunRead;

/// So many of the newest of a kind are looked at.
const NEWEST: usize = 3;

/// Which of them are ended now; one that a live runner holds is left alone in any case.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Which {
    /// Those whose time is over.
    Expired,
    All,
}

/// # Errors
/// The store's. What cannot be read or ended is left to the next one.
pub(super) async fn close(
    session: &Session<'_>,
    reached: &Reached,
    kind: RunKind,
    which: Which,
) -> Result<(), Fail> {
    let mut runs = known_runs(reached, session.loaded, kind).await?;
    let older = runs.len().saturating_sub(NEWEST);
    let newest = runs.split_off(older);
    let ended = |read: &RunRead| which == Which::All || reached.now >= read.state.plan.deadline_at;
    let open = session.open_runs(reached, &newest).await?.open;
    for read in open.into_iter().filter(ended) {
        let runner = session.runner(&read.state.plan).await?;
        engine::abandon(&runner, read.state, read.head_age, read.store_now).await?;
    }
    Ok(())
}
