//! A journal in a file of lines: read back, mended after a crash, brought into a vault as a run of
//! its own.

use crate::aws::{Error, Kind};
use crate::journal::{Entry, Event, RunState, fold, read};
use crate::model::{Lock, Mark, RunId, Sha256};
use crate::vault::layout::Key;
use crate::vault::{Vault, VaultError};
use std::io::Write;
use std::path::Path;

/// A local journal larger than this was not written by us.
const MAX_BYTES: u64 = 64 << 20;

/// Whole entries in their order, with what they add up to.
#[derive(Clone, Debug)]
pub struct LocalJournal {
    lines: Vec<String>,
    pub state: RunState,
    pub newest: Entry,
}

pub(super) fn file_error(path: &Path, e: &std::io::Error) -> VaultError {
    Error::new(
        Kind::Denied,
        "journal file",
        path.display().to_string(),
        "Io",
        e.to_string(),
    )
    .into()
}

fn refused(path: &Path, why: impl Into<String>) -> VaultError {
    Error::new(
        Kind::Invalid,
        "journal file",
        path.display().to_string(),
        "NotAJournal",
        why,
    )
    .into()
}

impl LocalJournal {
    /// `None` where the file is absent or holds no entry. Lines of other programs between the
    /// entries (a saved stderr) are passed over.
    ///
    /// # Errors
    /// It cannot be read; its entries are not a journal.
    pub fn read(path: &Path) -> Result<Option<Self>, VaultError> {
        let text = match std::fs::metadata(path) {
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(file_error(path, &e)),
            Ok(meta) if meta.len() > MAX_BYTES => {
                return Err(refused(path, "it is larger than any journal"));
            }
            Ok(_) => std::fs::read_to_string(path).map_err(|e| file_error(path, &e))?,
        };
        let (mut lines, mut entries) = (Vec::new(), Vec::<(Entry, Sha256)>::new());
        for line in text
            .lines()
            .filter(|l| l.starts_with("{\"schema\":\"dr/entry/"))
        {
            // A line cut by a crash is the last one, and was never acted upon.
            let Ok(entry) = read(line.as_bytes()) else {
                break;
            };
            entries.push((entry.0, Sha256::of(line.as_bytes())));
            lines.push(line.to_owned());
        }
        let Some((newest, _)) = entries.last().cloned() else {
            return Ok(None);
        };
        let state = fold(entries.iter().map(|(e, s)| (e, s.clone())))
            .map_err(|e| refused(path, e.to_string()))?;
        if state.plan.kind != state.plan.run.kind() {
            let why = format!(
                "a run of kind {} is not called {}",
                state.plan.kind, state.plan.run
            );
            return Err(refused(path, why));
        }
        Ok(Some(Self {
            lines,
            state,
            newest,
        }))
    }

    /// Takes away what a crash left of a line, so that the next one begins on its own.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn mend(&self, path: &Path) -> Result<(), VaultError> {
        let whole: String = self.lines.iter().map(|l| format!("{l}\n")).collect();
        let text = std::fs::read_to_string(path).map_err(|e| file_error(path, &e))?;
        if text == whole {
            return Ok(());
        }
        // Beside it first: a crash right here leaves the old file whole.
        let beside = path.with_extension("mended");
        let written = std::fs::File::create(&beside)
            .and_then(|mut f| f.write_all(whole.as_bytes()).and_then(|()| f.sync_data()));
        written
            .and_then(|()| std::fs::rename(&beside, path))
            .map_err(|e| file_error(path, &e))
    }

    /// The run's name in a vault: its own, never another journal's.
    pub fn name(&self) -> RunId {
        let runner = Mark::of(&self.state.opened_by.runner.0);
        self.state.plan.run.beside(&runner)
    }

    /// Writes every entry as it stands, so that the chain of digests holds. Done twice it is done
    /// once. The number of entries.
    ///
    /// # Errors
    /// The store's; another journal has this name.
    pub async fn upload(&self, vault: &Vault, lock: Option<Lock>) -> Result<usize, VaultError> {
        let (policy, run) = (&self.state.plan.policy, self.name());
        for (seq, line) in (0u64..).zip(&self.lines) {
            // A crash right here leaves the beginning of the journal, to which the same command
            // adds the rest.
            vault
                .create(
                    &Key::entry(policy, &run, seq).to_string(),
                    line.clone().into_bytes().into(),
                    lock,
                )
                .await?;
        }
        Ok(self.lines.len())
    }

    /// The entry of the vault's journal that this one was begun after.
    pub fn after(&self) -> Option<crate::journal::LastSeen> {
        match read(self.lines.first()?.as_bytes()).ok()?.0.event {
            Event::Opened { after, .. } => after.into_iter().next(),
            _ => None,
        }
    }
}
