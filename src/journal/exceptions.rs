//! How much a run did not keep, carry or apply, by the evidence of its steps. Pure.

use super::{RunState, of_clusters};
use crate::plan::{CopyObjects, DumpDatabase, DumpServer, LoadDump, LoadScratch, ReadServer};

/// Things that were not kept, not carried or not applied, counted.
pub fn exceptions(state: &RunState) -> u64 {
    let copied = state.done::<CopyObjects>();
    let tags = copied.map(|(_, _, c)| c.not_kept.tags_denied + c.not_kept.tags_unknown);
    let dumped = state.done::<DumpDatabase>();
    let dumped = dumped.map(|(_, _, d)| d.excluded + d.exceptions.len() as u64);
    let scratch = state.done::<LoadScratch>();
    let scratch = scratch.map(|(_, _, l)| (l.exceptions.len() + l.undone.len()) as u64);
    let loaded = state.done::<LoadDump>();
    let loaded = loaded.map(|(_, _, l)| (l.exceptions.len() + l.undone.len()) as u64);
    let read = state.done::<ReadServer>();
    let read = read.map(|(_, _, r)| r.exceptions.len() as u64);
    let servers = state.done::<DumpServer>().map(|(_, _, d)| {
        let excluded: u64 = d.held.dumps.iter().map(|d| d.excluded).sum();
        excluded + d.held.exceptions.len() as u64
    });
    let clusters = of_clusters(state).into_values();
    let clusters = clusters.map(|known| known.exceptions.len() as u64);
    let databases = dumped
        .chain(scratch)
        .chain(loaded)
        .chain(read)
        .chain(servers)
        .chain(clusters);
    tags.chain(databases).sum()
}
