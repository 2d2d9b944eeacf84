//! A restore's journal outside of the vault: where it lies, and bringing it into the vault later.

use super::place::Place;
use super::places::Places;
use super::request::RestoreRequest;
use crate::journal::{LastSeen, Outcome};
use crate::model::{Mark, RunId, TargetName};
use crate::plan::Plan;
use crate::report::{Code, Fail, Finding, Hint};
use crate::vault::{JournalStore, LocalFile, LocalJournal};
use crate::world::World;
use jiff::Timestamp;
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
        let (what, file) = match &self.0 {
            JournalStore::File(file) if file.spilled() => {
                let path = file.path.display().to_string();
                let what = format!(
                    "in {path} and, since that was full, on stderr; add those lines to the file \
                     before this is typed again"
                );
                (what, path)
            }
            JournalStore::File(file) => {
                let path = file.path.display().to_string();
                (format!("in {path}"), path)
            }
            _ => (
                "on stderr, as lines that begin with {\"schema\":\"dr/entry/1\"; save them".into(),
                "SAVED-LINES".into(),
            ),
        };
        let message = format!(
            "{why}; this restore is journalled {what}, and can be brought into the vault later"
        );
        Finding::warning(Code::JournalLocal, message)
            .thing(self.shown())
            .hint(Hint::again("restore").arg("--upload-journal", file))
    }
}

/// Names that a local journal may have: the one that was asked for, the working directory, then
/// $TMPDIR. The default name is the plan's, so that the same command finds it again.
fn candidates(world: &World, request: &RestoreRequest, mark: &Mark) -> Vec<PathBuf> {
    let name = format!("dr-restore-{mark}.jsonl");
    let temporary = PathBuf::from(world.env("TMPDIR").unwrap_or_else(|| "/tmp".into())).join(&name);
    request
        .journal_file
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
    request: &RestoreRequest,
    mark: &Mark,
    since: Timestamp,
    ours: &dyn Fn(&Plan) -> bool,
) -> Option<(Local, LocalJournal)> {
    let mut all = candidates(world, request, mark)
        .into_iter()
        .flat_map(|path| {
            let others = beside(&path);
            std::iter::once(path).chain(others)
        });
    all.find_map(|path| {
        let journal = LocalJournal::read(&path).ok().flatten()?;
        let plan = &journal.state.plan;
        // One that was given up, or whose time is over, is told in its file and resumed by
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
pub(super) fn fresh(
    world: &World,
    request: &RestoreRequest,
    mark: &Mark,
) -> impl Iterator<Item = Local> + use<> {
    let now = world.now().as_second();
    // Looked at one by one: whether a file can be written is known once it is there.
    let empty = |path: &Path| {
        writable(path) && std::fs::metadata(path).is_ok_and(|m| m.is_file() && m.len() == 0)
    };
    let names = candidates(world, request, mark)
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

/// A local journal that is in a vault now.
pub struct Uploaded {
    pub run: RunId,
    pub entries: usize,
    pub target: TargetName,
    pub after: Option<LastSeen>,
    /// Whether the restore that it speaks of had ended.
    pub finished: bool,
    pub findings: Vec<Finding>,
}

/// Restores nothing: brings a journal that could not be written into the vault.
///
/// # Errors
/// Exit 2: the file holds no journal; 13: it is of another vault; the store's.
pub async fn upload(places: &Places, file: &Path) -> Result<Uploaded, Fail> {
    let shown = file.display();
    let journal = LocalJournal::read(file)?.ok_or_else(|| {
        let message = format!("--upload-journal {shown}: it holds no entry of a journal");
        Fail::usage(message).hint(Hint::shell(format!("ls -l {shown}")))
    })?;
    let plan = &journal.state.plan;
    let of_vault = |p: &&Place| p.id == plan.vault;
    let fitting = || places.places.iter().filter(of_vault);
    let first = fitting().find(|p| p.target.name == plan.journal_target);
    let place = first.or_else(|| fitting().next()).ok_or_else(|| {
        let message = format!(
            "{shown} is the journal of a restore from vault {}, which none of these is",
            plan.vault
        );
        Fail::new(Code::VaultForeign, message)
    })?;
    let lock = Some(place.target.evidence_lock());
    let entries = journal.upload(&place.vault, lock).await?;
    let finished = journal.state.finished.is_some();
    let unfinished = (!finished).then(|| {
        let message = "the restore that it speaks of has not ended; upload it again when it has";
        Finding::warning(Code::JournalLocal, message).thing(shown)
    });
    Ok(Uploaded {
        run: journal.name(),
        entries,
        target: place.target.name.clone(),
        after: journal.after(),
        finished,
        findings: unfinished.into_iter().collect(),
    })
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
