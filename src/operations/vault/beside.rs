//! Runs that may have no vault to be journalled in yet: in a local file first, which is brought
//! into the vault as soon as that can hold it.

use crate::engine::{self, Report, RoleJournal, Runner};
use crate::model::{Mark, Role};
use crate::operations::local_journal::{Journals, Local};
use crate::operations::policy_copy;
use crate::operations::session::Session;
use crate::plan::Plan;
use crate::report::{Code, Exit, Fail, Finding, Hint};
use crate::targets;
use crate::vault::{JournalStore, LocalFile};
use jiff::SignedDuration;
use std::collections::BTreeMap;

/// Files older than this are nobody's.
const RESUME_WINDOW: SignedDuration = SignedDuration::from_hours(24 * 7);

pub(super) struct Beside<'a> {
    pub session: &'a Session<'a>,
    pub verb: &'static str,
    /// Stands for the command: the same one finds its file again.
    pub mark: Mark,
}

impl Beside<'_> {
    /// `again`: what an earlier command's plan would be by our own policy.
    ///
    /// # Errors
    /// No place takes a journal; what the engine says.
    pub async fn run(
        &self,
        plan: &Plan,
        again: &dyn Fn(&Plan) -> Option<Plan>,
    ) -> Result<(Report, Vec<Finding>), Fail> {
        let (world, journals) = (self.session.around.world, self.journals());
        let ours = |stored: &Plan| again(stored).as_ref() == Some(stored);
        let begun = journals.begun(world.now() - RESUME_WINDOW, &ours);
        let begun = begun.filter(|(_, journal)| journal.state.finished.is_none());
        let (report, local) = match begun {
            Some((local, journal)) => {
                let runner = self.runner(plan, &local.0).await?;
                let (now, age) = (world.now(), world.now().duration_since(journal.newest.at));
                let report = engine::advance(&runner, journal.state, age, now).await?;
                (report, local)
            }
            None => self.fresh(plan, &journals).await?,
        };
        let findings = match self.bring(plan, &local).await {
            Ok(()) => Vec::new(),
            Err(fail) => vec![self.not_brought(&local, &fail)],
        };
        Ok((report, findings))
    }

    /// What an earlier command could not bring into the vault, after one whose journal is there.
    pub async fn bring_earlier(&self, plan: &Plan) -> Option<Finding> {
        let (path, _) = self.journals().all().next()?;
        let local = Local(JournalStore::File(LocalFile::new(path)));
        let brought = self.bring(plan, &local).await;
        brought.err().map(|fail| self.not_brought(&local, &fail))
    }

    fn not_brought(&self, local: &Local, fail: &Fail) -> Finding {
        let why = fail.to_string();
        let why = why.lines().next().unwrap_or_default();
        let why = match fail.code {
            Code::Stopped => "it was stopped before it was brought into the vault".to_owned(),
            _ => format!("the vault's journal cannot be used ({why})"),
        };
        local.finding(self.verb, &why, |_| self.again())
    }

    fn journals(&self) -> Journals<'_> {
        Journals {
            world: self.session.around.world,
            verb: self.verb,
            file: None,
            mark: self.mark.clone(),
        }
    }

    /// In the first place that takes an entry.
    async fn fresh(&self, plan: &Plan, journals: &Journals<'_>) -> Result<(Report, Local), Fail> {
        for local in journals.fresh() {
            let runner = self.runner(plan, &local.0).await?;
            let Ok(Some(state)) = engine::open(&runner, plan, Vec::new()).await else {
                continue;
            };
            let (age, now) = (SignedDuration::ZERO, plan.opened_at);
            let report = engine::advance(&runner, state, age, now).await?;
            return Ok((report, local));
        }
        let fail = Fail::new(Code::JournalLocal, "no place takes a journal");
        Err(fail.exit(Exit::Stuck).hint(self.again()))
    }

    fn again(&self) -> Hint {
        Hint::again(match self.verb {
            "init" => "vault init",
            _ => "vault probe",
        })
    }

    async fn runner(&self, plan: &Plan, store: &JournalStore) -> Result<Runner<'_>, Fail> {
        let first = plan.targets.first();
        let first = first.ok_or_else(|| Fail::bug(format!("{} has no target", plan.run)))?;
        let mut journals = BTreeMap::new();
        let roles: std::collections::BTreeSet<Role> = plan.steps.iter().map(|s| s.role).collect();
        for role in roles {
            let actor = self.session.actor(role, first).await;
            let store = store.clone();
            journals.insert(role, RoleJournal { store, actor });
        }
        Ok(self.session.runner_with(journals))
    }

    /// Into the vault, and away from here: this command's journal, and those that earlier ones left
    /// because no target could hold them. What cannot be brought stays where it is, and is brought
    /// by the same command.
    async fn bring(&self, plan: &Plan, local: &Local) -> Result<(), Fail> {
        let (session, world) = (self.session, self.session.around.world);
        let targets = session.loaded.targets(world.now());
        let role = session.reader(plan.kind);
        let reached = targets::find(world, targets, session.clients, role).await?;
        // Before the first run that names it.
        policy_copy::store(session, &reached, plan.kind).await?;
        let JournalStore::File(_) = &local.0 else {
            return Err(Fail::new(Code::JournalLocal, "no file could be written"));
        };
        let mut seen = reached
            .seen
            .iter()
            .filter(|s| s.target.name == reached.name);
        let lock = seen.next().map(|s| s.target.evidence_lock());
        for (path, journal) in self.journals().all() {
            let told = &journal.state.plan;
            if (&told.policy, told.kind) != (&plan.policy, plan.kind) {
                continue;
            }
            journal.upload(&reached.vault, lock).await?;
            // A crash right here leaves a file that the same command brings there again.
            let over = journal.state.finished.is_some() || told.deadline_at < reached.now;
            let _gone = over.then(|| std::fs::remove_file(&path));
        }
        Ok(())
    }
}
