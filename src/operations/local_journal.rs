//! A journal outside of the vault, of a restore whose vault cannot be written, or of a verb that
//! makes the vault able to hold one: where it lies, and how it is found again.

use crate::engine::{self, Report, Runner};
use crate::journal::{LastSeen, Outcome};
use crate::model::Mark;
use crate::plan::Plan;
use crate::report::{Code, Exit, Fail, Finding, Hint};
use crate::vault::{JournalStore, LocalFile, LocalJournal};
use crate::world::World;
use jiff::{SignedDuration, Timestamp};
use std::path::{Path, PathBuf};

/// Journals of one command that are looked at in a folder.
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

    /// `hint`: what brings it into the vault.
    pub fn finding(&self, verb: &str, why: &str, hint: impl Fn(String) -> Hint) -> Finding {
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
            "{why}; this {verb} is journalled {what}, and can be brought into the vault later"
        );
        Finding::warning(Code::JournalLocal, message)
            .thing(self.shown())
            .hint(hint(file))
    }
}

/// Whose journal is looked for.
pub(super) struct Journals<'a> {
    pub world: &'a World,
    pub verb: &'static str,
    /// The file that was asked for.
    pub file: Option<&'a Path>,
    /// Stands for the command, so that the same one finds its journal again.
    pub mark: Mark,
}

impl Journals<'_> {
    /// Names that a local journal may have: the one that was asked for, the working directory, then
    /// $TMPDIR.
    fn candidates(&self) -> Vec<PathBuf> {
        let name = format!("dr-{}-{}.jsonl", self.verb, self.mark);
        let temporary = self.world.env("TMPDIR").unwrap_or_else(|| "/tmp".into());
        let temporary = PathBuf::from(temporary).join(&name);
        let asked = self.file.map(Path::to_path_buf);
        asked
            .into_iter()
            .chain([PathBuf::from(name), temporary])
            .collect()
    }

    /// A local journal of this very command, from an earlier one: unfinished, or finished not long
    /// ago.
    pub fn begun(
        &self,
        since: Timestamp,
        ours: &dyn Fn(&Plan) -> bool,
    ) -> Option<(Local, LocalJournal)> {
        self.all().find_map(|(path, journal)| {
            let plan = &journal.state.plan;
            // One that was given up, or whose time is over, is told in its file and resumed by
            // nobody.
            let usable = match journal.state.finished {
                None => plan.deadline_at > self.world.now(),
                Some(outcome) => outcome == Outcome::Complete && plan.opened_at > since,
            };
            let fits = usable && ours(plan);
            let usable = fits && journal.mend(&path).is_ok() && writable(&path);
            usable.then(|| (Local(JournalStore::File(LocalFile::new(path))), journal))
        })
    }

    /// Every journal that lies where one of this command would.
    pub fn all(&self) -> impl Iterator<Item = (PathBuf, LocalJournal)> + use<> {
        let paths = self.candidates().into_iter().flat_map(|path| {
            let others = beside(&path);
            std::iter::once(path).chain(others)
        });
        paths.filter_map(|path| {
            let journal = LocalJournal::read(&path).ok().flatten()?;
            Some((path, journal))
        })
    }

    /// Places that can be opened and hold nothing, the best first; stderr, which takes everything,
    /// is the last. One that is full says so at its first entry.
    pub fn fresh(&self) -> impl Iterator<Item = Local> + use<> {
        let now = self.world.now().as_second();
        let asked = self.file.map(Path::to_path_buf);
        // Looked at one by one: whether a file can be written is known once it is there. Two
        // processes never share one.
        let empty = move |path: &Path| {
            let new = std::fs::OpenOptions::new()
                .create_new(true)
                .append(true)
                .open(path);
            let given = asked.as_deref() == Some(path) && writable(path);
            new.is_ok()
                || (given && std::fs::metadata(path).is_ok_and(|m| m.is_file() && m.len() == 0))
        };
        let names = self.candidates().into_iter();
        let names =
            names.flat_map(move |path| [path.clone(), path.with_extension(format!("{now}.jsonl"))]);
        let files = names
            .filter(move |p| empty(p))
            .map(|path| JournalStore::File(LocalFile::new(path)));
        files.chain([JournalStore::Stderr]).map(Local)
    }
}

/// Opens a run in the first of these places that takes an entry, and goes on as far as it can.
/// `None`: none does.
///
/// # Errors
/// What the engine says once the run is open.
pub(super) async fn run_in<'r>(
    places: impl Iterator<Item = Local>,
    runner: impl Fn(JournalStore) -> Runner<'r>,
    (plan, after): (&Plan, &[LastSeen]),
) -> Result<Option<(Report, Local)>, Fail> {
    for local in places {
        let runner = runner(local.0.clone());
        // No room for a first entry, or no right: nothing was begun there, the next place may do.
        let Ok(Some(state)) = engine::open(&runner, plan, after.to_vec()).await else {
            continue;
        };
        let (age, now) = (SignedDuration::ZERO, plan.opened_at);
        let report = engine::advance(&runner, state, age, now).await?;
        return Ok(Some((report, local)));
    }
    Ok(None)
}

/// Not even stderr.
pub(super) fn no_place(again: Hint) -> Fail {
    let fail = Fail::new(Code::JournalLocal, "no place takes a journal");
    fail.exit(Exit::Stuck).hint(again)
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

fn writable(file: &Path) -> bool {
    std::fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(file)
        .is_ok()
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
