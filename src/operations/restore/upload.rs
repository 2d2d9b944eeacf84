//! Bringing a restore's local journal into the vault.

use super::place::Place;
use super::places::Places;
use crate::journal::LastSeen;
use crate::model::{RunId, TargetName};
use crate::report::{Code, Fail, Finding, Hint};
use crate::vault::LocalJournal;
use std::path::Path;

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
