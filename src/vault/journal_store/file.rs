//! Entries as lines of a local file.

use super::local::{LocalJournal, file_error};
use super::{RunRead, stderr};
use crate::model::RunId;
use crate::vault::VaultError;
use jiff::SignedDuration;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A local journal. Once an entry found no room here, all that follow go to stderr as well: the
/// file stays a whole beginning.
#[derive(Clone)]
pub struct LocalFile {
    pub path: PathBuf,
    spilled: Arc<AtomicBool>,
}

impl LocalFile {
    pub fn new(path: PathBuf) -> Self {
        Self {
            path,
            spilled: Arc::default(),
        }
    }

    pub fn spilled(&self) -> bool {
        self.spilled.load(Ordering::Relaxed)
    }

    /// A first entry that finds no room is an error: the caller knows other places. Later ones
    /// never are; evidence does not stand in the way of a restore.
    pub(super) fn append(&self, seq: u64, line: &[u8]) -> Result<(), VaultError> {
        if !self.spilled() {
            match append_line(&self.path, line) {
                Ok(()) => return Ok(()),
                Err(e) if seq == 0 => {
                    // Nothing of ours is in it, and the next place is tried: it would be taken for
                    // a journal.
                    let empty = std::fs::symlink_metadata(&self.path)
                        .is_ok_and(|m| m.is_file() && m.len() == 0);
                    let _gone = empty.then(|| std::fs::remove_file(&self.path));
                    return Err(file_error(&self.path, &e));
                }
                Err(_) => self.spilled.store(true, Ordering::Relaxed),
            }
        }
        stderr::append(line);
        Ok(())
    }

    pub(super) fn read(&self, run: &RunId) -> Result<Option<RunRead>, VaultError> {
        let read = LocalJournal::read(&self.path)?;
        Ok(read.map(|journal| RunRead {
            run: run.clone(),
            at: None,
            head_age: SignedDuration::ZERO,
            store_now: journal.newest.at,
            state: journal.state,
        }))
    }
}

/// A crash in the middle leaves a line without its end, which a reader takes for the last one and
/// ignores.
fn append_line(path: &Path, line: &[u8]) -> std::io::Result<()> {
    let mut file = std::fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(path)?;
    let before = file.metadata()?.len();
    let written = file
        .write_all(&[line, b"\n"].concat())
        .and_then(|()| file.sync_data());
    if written.is_err() {
        // Half a line would hide what a later process appends.
        let _kept = file.set_len(before);
    }
    written
}
