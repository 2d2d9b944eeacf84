//! A restore's journal outside of the vault: where it lies, and bringing it into the vault later.

use super::places::{Place, Places};
use super::{Args, warning};
use crate::aws::s3::Lock;
use crate::cli::exit::Exit;
use crate::cli::output::{Answer, Fail, Finding};
use crate::journal::Outcome;
use crate::plan::Plan;
use crate::vault::{JournalStore, LocalFile, LocalJournal};
use crate::world::World;
use jiff::Timestamp;
use serde_json::json;
use std::path::{Path, PathBuf};

/// Journals of one restore that are looked at in a folder.
const MOST_BESIDE: usize = 20;

/// Where this process journals.
pub(super) struct Local(pub JournalStore);

impl Local {
    fn shown(&self) -> String {
        match &self.0 {
            JournalStore::File(file) => file.path.display().to_string(),
            _ => "stderr".into(),
        }
    }

    pub(super) fn finding(&self, why: &str) -> Finding {
        let (what, hint) = match &self.0 {
            JournalStore::File(file) if file.spilled() => {
                let path = file.path.display();
                (
                    format!(
                        "in {path} and, since that was full, on stderr; add those lines to the \
                         file before this is typed again"
                    ),
                    format!("dr restore … --upload-journal {path}"),
                )
            }
            JournalStore::File(file) => (
                format!("in {}", file.path.display()),
                format!("dr restore … --upload-journal {}", file.path.display()),
            ),
            _ => (
                "on stderr, as lines that begin with {\"schema\":\"dr/entry/1\"; save them".into(),
                "dr restore … --upload-journal SAVED-LINES".into(),
            ),
        };
        let message = format!(
            "{why}; this restore is journalled {what}, and can be brought into the vault later"
        );
        Finding {
            hint,
            ..warning("journal-local", &self.shown(), &message)
        }
    }
}

/// Names that a local journal may have: the one that was asked for, the working directory, then
/// $TMPDIR. The default name is the plan's, so that the same command finds it again.
fn candidates(world: &World, args: &Args, mark: &str) -> Vec<PathBuf> {
    let name = format!("dr-restore-{mark}.jsonl");
    let temporary = PathBuf::from(world.env("TMPDIR").unwrap_or_else(|| "/tmp".into())).join(&name);
    args.journal_file
        .iter()
        .cloned()
        .chain([PathBuf::from(name), temporary])
        .collect()
}

/// What stands beside a candidate because that one was taken: the newest first.
fn beside(candidate: &Path) -> Vec<PathBuf> {
    let folder = candidate
        .parent()
        .filter(|p| !p.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    let start = format!(
        "{}.",
        candidate.file_stem().unwrap_or_default().to_string_lossy()
    );
    let names = std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .map(|e| e.file_name());
    let numbered = |name: &str| {
        name.strip_prefix(&start)
            .and_then(|n| n.strip_suffix(".jsonl"))
            .is_some_and(|n| n.parse::<u64>().is_ok())
    };
    let mut found: Vec<PathBuf> = names
        .filter(|n| n.to_str().is_some_and(numbered))
        .map(|n| candidate.with_file_name(n))
        .collect();
    found.sort();
    found.reverse();
    found.truncate(MOST_BESIDE);
    found
}

/// A local journal of this very restore, from an earlier command: unfinished, or finished not long
/// ago.
pub(super) fn begun(
    world: &World,
    args: &Args,
    mark: &str,
    since: Timestamp,
    ours: &dyn Fn(&Plan) -> bool,
) -> Option<(Local, LocalJournal)> {
    let mut all = candidates(world, args, mark).into_iter().flat_map(|path| {
        let others = beside(&path);
        std::iter::once(path).chain(others)
    });
    all.find_map(|path| {
        let journal = LocalJournal::read(&path).ok().flatten()?;
        let plan = &journal.state.plan;
        // One that was given up, or whose time is over, is told in its file and gone on with by
        // nobody.
        let usable = match journal.state.finished {
            None => plan.deadline_at > world.now(),
            Some(outcome) => outcome == Outcome::Complete && plan.opened_at > since,
        };
        let fits = usable && ours(plan);
        let usable = fits && journal.mend(&path).is_ok() && writable(&path);
        usable.then(|| (Local(JournalStore::File(LocalFile::new(path))), journal))
    })
}

/// Places that can be opened and hold nothing, the best first; stderr, which takes everything, is
/// the last. One that is full says so at its first entry.
pub(super) fn fresh(world: &World, args: &Args, mark: &str) -> impl Iterator<Item = Local> + use<> {
    let now = world.now().as_second();
    // Looked at one by one: whether a file can be written is known once it is there.
    let empty = |path: &Path| {
        writable(path) && std::fs::metadata(path).is_ok_and(|m| m.is_file() && m.len() == 0)
    };
    let names = candidates(world, args, mark)
        .into_iter()
        .flat_map(move |path| [path.clone(), path.with_extension(format!("{now}.jsonl"))]);
    let files = names
        .filter(move |p| empty(p))
        .map(|path| JournalStore::File(LocalFile::new(path)));
    files.chain([JournalStore::Stderr]).map(Local)
}

fn writable(file: &Path) -> bool {
    std::fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(file)
        .is_ok()
}

/// `--upload-journal`: nothing is restored.
pub(super) async fn upload(found: &Places, file: &Path, answer: &mut Answer) -> Result<(), Fail> {
    let journal = LocalJournal::read(file)?;
    let journal = journal.ok_or_else(|| {
        Fail::usage(format!(
            "--upload-journal {}: it holds no entry of a journal",
            file.display()
        ))
        .hint(format!("ls -l {}", file.display()))
    })?;
    let plan = &journal.state.plan;
    let fits = |p: &&Place| p.id == plan.vault;
    let place = found
        .places
        .iter()
        .filter(fits)
        .find(|p| p.target.name == plan.home)
        .or_else(|| found.places.iter().find(fits));
    let place = place.ok_or_else(|| {
        Fail::refused(
            "vault-foreign",
            format!(
                "{} is the journal of a restore from vault {}, which none of these is",
                file.display(),
                plan.vault
            ),
        )
    })?;
    let lock = Lock {
        mode: place.target.lock_mode,
        retain_until: place.target.retain_until,
    };
    let entries = journal.upload(&place.vault, Some(lock)).await?;
    let run = journal.name();
    let ended = journal
        .state
        .finished
        .map_or("not finished", |_| "finished");
    answer.line(format!(
        "{entries} entries are in the vault as run {run} at {}; the restore had {ended}",
        place.target.name
    ));
    if journal.state.finished.is_none() {
        answer.find(
            warning(
                "journal-local",
                &file.display().to_string(),
                "the restore that it tells of has not ended; upload it again when it has",
            ),
            Exit::Findings,
        );
    }
    answer.set("executed", false);
    answer.set(
        "uploaded",
        json!({"run": run, "entries": entries,
        "target": place.target.name, "after": journal.after()}),
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_journal_beside_one_that_was_taken_is_found_again() {
        let folder = tempfile::tempdir().unwrap();
        for name in [
            "dr-restore-ab.jsonl",
            "dr-restore-ab.1712345678.jsonl",
            "dr-restore-ab.1712345679.jsonl",
            "dr-restore-ab.x.jsonl",
            "dr-restore-abc.1712345678.jsonl",
        ] {
            std::fs::write(folder.path().join(name), "").unwrap();
        }
        let found = beside(&folder.path().join("dr-restore-ab.jsonl"));
        let names: Vec<_> = found
            .iter()
            .filter_map(|p| p.file_name()?.to_str())
            .collect();
        assert_eq!(
            names,
            [
                "dr-restore-ab.1712345679.jsonl",
                "dr-restore-ab.1712345678.jsonl"
            ]
        );
    }
}
