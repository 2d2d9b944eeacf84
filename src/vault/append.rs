//! The journal's storage: one more entry, or not; and reading a run back.

use super::layout;
use super::local::{LocalJournal, file_error};
use super::store::{Vault, VaultError};
use crate::aws::Kind;
use crate::aws::s3::Lock;
use crate::journal::{Entry, Event, Illegal, RunState, fold, read};
use crate::manifest::{Document, Sha256Hex, sha256_hex};
use crate::plan::RunId;
use crate::policy::PolicyName;
use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt};
use jiff::{SignedDuration, Timestamp};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// What became of an append.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Appended {
    Ours(Sha256Hex),
    /// Another runner wrote this sequence number: stop before the next effect.
    Lost,
}

/// Where a run's entries are.
#[derive(Clone)]
#[expect(
    clippy::large_enum_variant,
    reason = "a process holds a few of these; a box would be one more word to read"
)]
pub enum JournalStore {
    Home {
        vault: Vault,
        lock: Option<Lock>,
    },
    /// A file of JSON lines, for a restore whose vault cannot be written; what it has no room for
    /// goes to stderr.
    File(LocalFile),
    /// Lines on stderr, where not even a file can be written.
    Stderr,
}

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
    /// never are; evidence does not stand
    /// in the way of a restore.
    fn append(&self, seq: u64, line: &[u8]) -> Result<(), VaultError> {
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
        on_stderr(line);
        Ok(())
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

fn on_stderr(line: &[u8]) {
    let mut err = std::io::stderr().lock();
    drop(err.write_all(&[line, b"\n"].concat()));
}

/// A run as read back.
#[derive(Clone, Debug)]
pub struct RunRead {
    pub run: RunId,
    pub state: RunState,
    pub head_age: SignedDuration,
    pub store_now: Timestamp,
}

impl JournalStore {
    /// Appends the entry at `entry.seq`, once. A crash right here leaves the entry whole or absent,
    /// never half.
    ///
    /// # Errors
    /// The store's; after a lost answer the key is read before anything is said.
    pub async fn append(
        &self,
        policy: &PolicyName,
        run: &RunId,
        entry: &Entry,
    ) -> Result<Appended, VaultError> {
        let bytes = match self {
            // One line per entry in a file; the digest is of the line.
            JournalStore::File(_) | JournalStore::Stderr => entry.to_line(),
            JournalStore::Home { .. } => entry.to_bytes(),
        };
        let sha256 = sha256_hex(&bytes);
        match self {
            JournalStore::Home { vault, lock } => {
                let key = layout::entry(policy, run, entry.seq);
                match create_with_retry(vault, &key, bytes.into(), *lock).await {
                    Ok(_) => Ok(Appended::Ours(sha256)),
                    Err(VaultError::Taken { .. }) => Ok(Appended::Lost),
                    Err(e) => Err(e),
                }
            }
            JournalStore::File(file) => file
                .append(entry.seq, &bytes)
                .map(|()| Appended::Ours(sha256)),
            JournalStore::Stderr => {
                on_stderr(&bytes);
                Ok(Appended::Ours(sha256))
            }
        }
    }

    /// Whether the newest entry says Finished: two calls, where reading the whole run takes one per
    /// entry.
    ///
    /// # Errors
    /// The store's.
    pub async fn finished(&self, policy: &PolicyName, run: &RunId) -> Result<bool, VaultError> {
        let JournalStore::Home { vault, .. } = self else {
            return Ok(false);
        };
        let keys = vault
            .bucket
            .keys(&layout::run(policy, run), None, 100_000)
            .await?;
        let Some(newest) = keys.iter().max() else {
            return Ok(false);
        };
        let (bytes, _) = match vault.oldest(newest).await {
            Err(e) if e.not_found() => return Ok(false),
            other => other?,
        };
        Ok(read(&bytes).is_ok_and(|(entry, _)| matches!(entry.event, Event::Finished { .. })))
    }

    /// Reads a run; `None` where it was never opened.
    ///
    /// # Errors
    /// [`VaultError::Damaged`] names what is wrong: a delete marker, a second version, a gap, a
    /// broken chain.
    pub async fn read(
        &self,
        policy: &PolicyName,
        run: &RunId,
    ) -> Result<Option<RunRead>, VaultError> {
        match self {
            JournalStore::Home { vault, .. } => read_home(vault, policy, run).await,
            JournalStore::File(file) => read_file(&file.path, run),
            JournalStore::Stderr => Ok(None),
        }
    }
}

/// 409 means another write is in flight: try again, a few times.
async fn create_with_retry(
    vault: &Vault,
    key: &str,
    bytes: Bytes,
    lock: Option<Lock>,
) -> Result<String, VaultError> {
    let mut last = None;
    for _ in 0..5 {
        match vault.create(key, bytes.clone(), lock).await {
            Err(VaultError::Store(e)) if e.kind == Kind::Conflict => last = Some(e),
            other => return other,
        }
    }
    Err(last.map_or_else(|| vault.damaged(key, "no answer"), VaultError::from))
}

async fn read_home(
    vault: &Vault,
    policy: &PolicyName,
    run: &RunId,
) -> Result<Option<RunRead>, VaultError> {
    let prefix = layout::run(policy, run);
    let (rows, _) = vault.bucket.versions(&prefix, None, 100_000).await?;
    if rows.is_empty() {
        return Ok(None);
    }
    if let Some(marker) = rows.iter().find(|r| r.delete_marker) {
        return Err(vault.damaged(
            &marker.key,
            format!("a delete marker (version {})", marker.version),
        ));
    }
    if let Some(pair) = rows.windows(2).find(|w| w[0].key == w[1].key) {
        return Err(vault.damaged(
            &pair[0].key,
            format!("a second version ({})", pair[0].version),
        ));
    }
    let head_written = rows
        .iter()
        .max_by(|a, b| a.key.cmp(&b.key))
        .map(|r| r.last_modified);
    let bodies: Vec<(String, Bytes)> = futures_util::stream::iter(rows)
        .map(|row| async move {
            let got = vault
                .bucket
                .get(&row.key, Some(&row.version), 1 << 20)
                .await?;
            Ok::<_, VaultError>((row.key, got.bytes))
        })
        .buffered(8)
        .try_collect()
        .await?;
    let mut entries = Vec::with_capacity(bodies.len());
    for (key, bytes) in &bodies {
        let format = |source| VaultError::Format {
            target: vault.target.clone(),
            key: key.clone(),
            source,
        };
        entries.push(read(bytes).map_err(format)?);
    }
    let state = folded(&entries).map_err(|e| vault.damaged(&prefix, e.to_string()))?;
    let store_now = vault.bucket.clock.last().unwrap_or(Timestamp::UNIX_EPOCH);
    let head_age = head_written.map_or(SignedDuration::ZERO, |t| store_now.duration_since(t));
    Ok(Some(RunRead {
        run: run.clone(),
        state,
        head_age,
        store_now,
    }))
}

fn read_file(path: &Path, run: &RunId) -> Result<Option<RunRead>, VaultError> {
    let read = LocalJournal::read(path)?;
    Ok(read.map(|journal| RunRead {
        run: run.clone(),
        head_age: SignedDuration::ZERO,
        store_now: journal.newest.at,
        state: journal.state,
    }))
}

fn folded(entries: &[(Entry, Sha256Hex)]) -> Result<RunState, Illegal> {
    fold(entries.iter().map(|(e, s)| (e, s.clone())))
}
