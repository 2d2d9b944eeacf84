//! Work that several sessions take from, one piece after the other, each by a connection that it
//! keeps.

use super::DumpError;
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

/// What all of them came to; the first that fails ends the others.
pub(super) async fn in_sessions<R>(
    streams: u32,
    session: impl AsyncFn() -> Result<Vec<R>, DumpError>,
) -> Result<Vec<R>, DumpError> {
    let sessions = (0..streams.max(1)).map(|_| session());
    let all = futures_util::future::try_join_all(sessions).await?;
    Ok(all.into_iter().flatten().collect())
}
