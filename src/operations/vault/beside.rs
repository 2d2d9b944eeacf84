//! Runs that may have no vault to be journalled in yet: in a local file first, which is brought
//! into the vault as soon as that can hold it.

use crate::engine::{self, Report, RoleJournal, RunExit, Runner};
use crate::journal::Actor;
use crate::model::{Mark, Role, RunId};
use crate::operations::local_journal::{Journals, Local, no_place, run_in};
use crate::operations::policy_copy;
use crate::operations::session::Session;
use crate::plan::Plan;
use crate::report::{Code, Fail, Finding, Hint, first_line};
use crate::targets;
use crate::vault::{JournalStore, LocalFile, LocalJournal};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::path::Path;

/// A journal that is in the vault now is called like this there.
pub(super) type Brought = Option<RunId>;

pub(super) struct Beside<'a> {
    pub session: &'a Session<'a>,
    /// As it is typed: `vault init`.
    pub command: &'static str,
    /// Stands for the command: the same one brings what an earlier one could not.
    pub mark: Mark,
}

impl Beside<'_> {
    /// From the beginning, whatever an earlier command left: both a vault and a lock are observed
    /// before anything is done to them, and a file beside the vault may have been written by
    /// anybody.
    ///
    /// # Errors
    /// The local journal cannot be written.
    pub async fn run(&self, plan: &Plan) -> Result<(Report, Brought, Vec<Finding>), Fail> {
        let actors = self.actors(plan).await?;
        let runner = |store: JournalStore| self.runner(&actors, &store);
        let ran = run_in(self.journals().fresh(), runner, (plan, &[])).await?;
        let (report, local) = ran.ok_or_else(|| no_place(self.again()))?;
        let brought = match report.left {
            RunExit::Finished(_) => self.bring(plan, Some(&local)).await,
            // The next one ends it and brings it.
            _ => Err(Fail::stopped()),
        };
        Ok(match brought {
            Ok(brought) => (report, brought, Vec::new()),
            Err(fail) => (report, None, vec![self.not_brought(&local, &fail)]),
        })
    }

    /// What an earlier command could not bring into the vault, after one whose journal is there.
    pub async fn bring_earlier(&self, plan: &Plan) -> Option<Finding> {
        let (path, _) = self.journals().all().next()?;
        let local = Local(JournalStore::File(LocalFile::new(path)));
        let brought = self.bring(plan, None).await;
        brought.err().map(|fail| self.not_brought(&local, &fail))
    }

    fn not_brought(&self, local: &Local, fail: &Fail) -> Finding {
        let why = match fail.code {
            Code::Stopped => "it was stopped before it was brought into the vault".to_owned(),
            _ => format!("the vault's journal cannot be used ({})", first_line(fail)),
        };
        local.finding(self.verb(), &why, |_| self.again())
    }

    fn journals(&self) -> Journals<'_> {
        Journals {
            world: self.session.around.world,
            verb: self.verb(),
            file: None,
            mark: self.mark.clone(),
        }
    }

    fn verb(&self) -> &'static str {
        self.command.rsplit(' ').next().unwrap_or(self.command)
    }

    fn again(&self) -> Hint {
        Hint::again(self.command)
    }

    /// Who acts in each of a plan's roles.
    async fn actors(&self, plan: &Plan) -> Result<BTreeMap<Role, Actor>, Fail> {
        let first = plan.targets.first();
        let first = first.ok_or_else(|| Fail::bug(format!("{} has no target", plan.run)))?;
        let mut actors = BTreeMap::new();
        for role in plan.steps.iter().map(|s| s.role) {
            if let Entry::Vacant(vacant) = actors.entry(role) {
                vacant.insert(self.session.actor(role, first).await);
            }
        }
        Ok(actors)
    }

    fn runner(&self, actors: &BTreeMap<Role, Actor>, store: &JournalStore) -> Runner<'_> {
        let journals = actors.iter().map(|(role, actor)| {
            let (store, actor) = (store.clone(), actor.clone());
            (*role, RoleJournal { store, actor })
        });
        self.session.runner_with(journals.collect())
    }

    /// Into the vault, and away from here: this command's journal, and those that earlier ones left
    /// because no target could hold them. They are data: nothing is done by what they say, and the
    /// name that each gets is one of this command's. What cannot be brought stays where it is.
    async fn bring(&self, plan: &Plan, own: Option<&Local>) -> Result<Brought, Fail> {
        let (session, world) = (self.session, self.session.around.world);
        let targets = session.loaded.targets(world.now());
        let role = session.reader(plan.kind);
        let reached = targets::find(world, targets, session.clients, role).await?;
        // Before the first run that names it.
        policy_copy::store(session, &reached, plan.kind).await?;
        let mut seen = reached
            .seen
            .iter()
            .filter(|s| s.target.name == reached.name);
        let lock = seen.next().map(|s| s.target.evidence_lock());
        let (mut brought, mut failed) = (None, None);
        for (path, journal) in self.journals().all() {
            let told = &journal.state.plan;
            let mine = told.run == plan.run;
            let ours = told.run.kind() == plan.kind && told.run.has_mark(&self.mark);
            if !ours || told.policy != plan.policy {
                continue;
            }
            // One of a process that lives stays where it is.
            let uploaded = match self.over(plan, &path, journal).await {
                Ok(Some(journal)) => {
                    let uploaded = journal.upload(&reached.vault, lock).await;
                    uploaded.map(|_| journal.name()).map_err(Fail::from)
                }
                Ok(None) => continue,
                Err(fail) => Err(fail),
            };
            match uploaded {
                Ok(name) => {
                    brought = mine.then_some(name).or(brought);
                    // A crash right here leaves a file that the same command brings there again.
                    let _gone = std::fs::remove_file(&path);
                }
                Err(fail) => failed = Some(fail),
            }
        }
        match (own.map(|local| &local.0), &brought, failed) {
            (_, _, Some(failed)) => Err(failed),
            (Some(JournalStore::File(file)), _, None) if file.spilled() => {
                Err(Fail::new(Code::JournalLocal, "a part of it went to stderr"))
            }
            (Some(_), None, None) => Err(Fail::new(
                Code::JournalLocal,
                "no file of it could be read back",
            )),
            (_, _, None) => Ok(brought),
        }
    }

    /// Ended, where the process that wrote it was killed: nobody goes on with it.
    async fn over(
        &self,
        plan: &Plan,
        path: &Path,
        journal: LocalJournal,
    ) -> Result<Option<LocalJournal>, Fail> {
        if journal.state.finished.is_some() || journal.state.plan.run == plan.run {
            return Ok(Some(journal));
        }
        journal.mend(path)?;
        let store = JournalStore::File(LocalFile::new(path.to_path_buf()));
        let runner = self.runner(&self.actors(plan).await?, &store);
        let now = self.session.around.world.now();
        let age = now.duration_since(journal.newest.at);
        let report = engine::abandon(&runner, journal.state, age, now).await?;
        match report.left {
            RunExit::Finished(_) => Ok(LocalJournal::read(path)?),
            _ => Ok(None),
        }
    }
}
