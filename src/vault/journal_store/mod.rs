//! The journal's storage: one more entry, or not; and reading a run back.

mod best_effort;
mod file;
mod local;
mod stderr;
mod vault;

pub use best_effort::BestEffort;
pub use file::LocalFile;
pub use local::LocalJournal;
pub use vault::{RunEnds, VaultJournal};

use super::VaultError;
use crate::journal::{Entry, RunState};
use crate::manifest::Document;
use crate::model::{PolicyName, RunId, Sha256, TargetName};
use jiff::{SignedDuration, Timestamp};

/// What became of an append.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Appended {
    Ours(Sha256),
    /// Another runner wrote this sequence number: stop before the next effect.
    Lost,
}

/// Where a run's entries are.
#[derive(Clone)]
pub enum JournalStore {
    Vault(VaultJournal),
    /// A file of JSON lines, for a restore whose vault cannot be written; what it has no room for
    /// goes to stderr.
    File(LocalFile),
    /// Lines on stderr, where not even a file can be written.
    Stderr,
    /// Of what changes nothing, by whoever may perhaps write nothing.
    BestEffort(BestEffort),
}

/// A run as read back.
#[derive(Clone, Debug)]
pub struct RunRead {
    pub run: RunId,
    /// The target whose vault it was read in; absent: a local file.
    pub at: Option<TargetName>,
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
            JournalStore::Vault(_) | JournalStore::BestEffort(_) => entry.to_bytes(),
        };
        let sha256 = Sha256::of(&bytes);
        match self {
            JournalStore::Vault(journal) => {
                match journal.create(policy, run, entry.seq, bytes.into()).await {
                    Ok(_) => Ok(Appended::Ours(sha256)),
                    Err(VaultError::Taken { .. }) => Ok(Appended::Lost),
                    Err(e) => Err(e),
                }
            }
            JournalStore::File(file) => file
                .append(entry.seq, &bytes)
                .map(|()| Appended::Ours(sha256)),
            JournalStore::Stderr => {
                stderr::append(&bytes);
                Ok(Appended::Ours(sha256))
            }
            JournalStore::BestEffort(journal) => {
                journal.append(policy, run, entry.seq, bytes.into()).await;
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
        match self {
            JournalStore::Vault(journal) => journal.finished(policy, run).await,
            JournalStore::File(_) | JournalStore::Stderr | JournalStore::BestEffort(_) => Ok(false),
        }
    }

    /// Where a run begins and where it stands: three calls, whatever its length. `None`: it was
    /// never opened, or no vault has it.
    ///
    /// # Errors
    /// As [`JournalStore::read`], but for what lies between.
    pub async fn ends(
        &self,
        policy: &PolicyName,
        run: &RunId,
    ) -> Result<Option<RunEnds>, VaultError> {
        match self {
            JournalStore::Vault(journal) => journal.ends(policy, run).await,
            JournalStore::File(_) | JournalStore::Stderr | JournalStore::BestEffort(_) => Ok(None),
        }
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
            JournalStore::Vault(journal) => journal.read(policy, run).await,
            JournalStore::File(file) => file.read(run),
            JournalStore::Stderr | JournalStore::BestEffort(_) => Ok(None),
        }
    }
}
