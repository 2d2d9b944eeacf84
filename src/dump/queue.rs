//! Work that several sessions take from, one piece after the other, each by a connection that it
//! keeps.

use super::DumpError;
use crate::database::{Pages, Table};
use std::sync::Mutex;

pub(super) struct Queue<T>(Mutex<std::vec::IntoIter<T>>);

impl<T> Queue<T> {
    pub(super) fn new(work: Vec<T>) -> Self {
        Self(Mutex::new(work.into_iter()))
    }

    pub(super) fn next(&self) -> Option<T> {
        self.0.lock().ok()?.next()
    }
}

/// Page ranges of tables, each with the number of its table. The last one of each is open-ended,
/// because the table may have grown since its size was read.
pub(super) fn ranges(tables: &[Table], pages_at_once: u64) -> Vec<(usize, Pages)> {
    let at_once = pages_at_once.max(1);
    let of = |(n, table): (usize, &Table)| {
        let count = table.pages.div_ceil(at_once).max(1);
        (0..count).map(move |range| {
            let pages = Pages {
                from: range * at_once,
                to: (range + 1 < count).then_some((range + 1) * at_once),
            };
            (n, pages)
        })
    };
    let mut all: Vec<_> = tables.iter().enumerate().flat_map(of).collect();
    // The longest ones first: none of them is left to one session at the end.
    all.sort_by_key(|(n, _)| std::cmp::Reverse(tables[*n].pages));
    all
}

/// What all of them came to; the first that fails ends the others.
pub(super) async fn in_sessions<R>(
    streams: u32,
    session: impl AsyncFn() -> Result<Vec<R>, DumpError>,
) -> Result<Vec<R>, DumpError> {
    let sessions = (0..streams.max(1)).map(|_| session());
    let all = futures_util::future::try_join_all(sessions).await?;
    Ok(all.into_iter().flatten().collect())
}
