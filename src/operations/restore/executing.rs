//! A restore under way: its journal is in the vault, or in a file where the vault cannot be
//! written; evidence never stands in the way.

use super::choice::Choice;
use super::places::Places;
use super::request::RestoreRequest;
use super::still_there::still_there;
use crate::database::Logins;
use crate::engine::{self, ProcessIdentity, Report, RoleJournal, Runner};
use crate::journal::{Actor, LastSeen, Outcome};
use crate::model::{Role, RunId, RunKind, Slot};
use crate::operations::local_journal::{Journals, no_place, run_in};
use crate::operations::session::journal_at;
use crate::operations::{Surroundings, links};
use crate::plan::Plan;
use crate::report::{Code, Fail, Finding, Hint, first_line};
use crate::steps::{Said, Secrets};
use crate::vault::{JournalStore, RunRead, VaultJournal};
use jiff::SignedDuration;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// Runs older than this are not resumed.
const RESUME_WINDOW: SignedDuration = SignedDuration::from_hours(24 * 7);

#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum JournalPlace {
    Vault,
    Local,
}

/// A run as far as it went, and where that is written.
pub(super) struct Journalled {
    pub report: Report,
    pub resumed: bool,
    pub journal: JournalPlace,
    pub findings: Vec<Finding>,
}

pub(super) struct Executing<'a> {
    pub around: Surroundings<'a>,
    pub request: &'a RestoreRequest,
    pub places: &'a Places,
    pub choice: &'a Choice<'a>,
    pub actor: Actor,
    pub identity: ProcessIdentity,
    pub secrets: Secrets,
    /// The plan of the run that the vault's journal holds, once there is one.
    pub plan: Mutex<Option<Plan>>,
}

fn uploading(file: String) -> Hint {
    Hint::again("restore").arg("--upload-journal", file)
}

impl Executing<'_> {
    fn runner(&self, store: JournalStore) -> Runner<'_> {
        let actor = self.actor.clone();
        Runner {
            world: self.around.world,
            clients: &self.places.clients,
            journals: BTreeMap::from([(Role::Restorer, RoleJournal { store, actor })]),
            identity: self.identity.clone(),
            role: None,
            progress: self.around.progress,
            secrets: self.secrets.clone(),
            logins: Logins::default(),
            database: self.choice.address.as_ref(),
            policy: None,
            said: Said::default(),
            take_over: self.request.take_over,
        }
    }

    fn local_journals(&self) -> Journals<'_> {
        Journals {
            world: self.around.world,
            verb: "restore",
            file: self.request.journal_file.as_deref(),
            mark: self.choice.mark(),
        }
    }

    fn new_plan(&self) -> Result<Plan, Fail> {
        let clock = self.choice.place.vault.bucket.clock.last();
        let now = clock.unwrap_or_else(|| self.around.world.now());
        let run = RunId::manual(RunKind::Restore, Slot::at(now), &self.choice.mark());
        self.choice.plan_of(run, now)
    }

    /// In the vault where that can be; evidence never stands in the way.
    ///
    /// # Errors
    /// No place takes a journal; the store's.
    pub(super) async fn journalled(&self) -> Result<Journalled, Fail> {
        // Whatever the vault can do by now: a restore is told in one journal.
        if let Some(resumed) = self.resume_local().await? {
            return Ok(resumed);
        }
        let tried = if self.choice.place.capable {
            self.in_vault().await
        } else {
            Err(Fail::new(
                Code::Unsupported,
                format!(
                    "target {} decides no race of conditional writes",
                    self.choice.place.target.name
                ),
            ))
        };
        let why = match tried {
            Ok((report, resumed)) => {
                return Ok(Journalled {
                    report,
                    resumed,
                    journal: JournalPlace::Vault,
                    findings: Vec::new(),
                });
            }
            // What only a newer plan or an asked stop explains is no trouble of the journal's.
            Err(why) if self.around.world.stopping() => return Err(why),
            Err(why) => why,
        };
        let why = first_line(&why);
        self.beside(&format!("the vault's journal cannot be used ({why})"))
            .await
    }

    async fn resume_local(&self) -> Result<Option<Journalled>, Fail> {
        let since = self.choice.place.now - RESUME_WINDOW;
        let world = self.around.world;
        let ours = |plan: &Plan| self.choice.gives(plan);
        let Some((local, journal)) = self.local_journals().begun(since, &ours) else {
            return Ok(None);
        };
        let state = &journal.state;
        if state.finished.is_some() && !still_there(self.places, self.choice, state).await? {
            return Ok(None);
        }
        let runner = self.runner(local.0.clone());
        let (now, by) = (world.now(), &state.head.by);
        // Signs of life go to stderr once the file is full: its age says nothing of a process that
        // is seen to live.
        let lives = by.host == self.identity.host && world.alive(by.process);
        let age = if lives {
            SignedDuration::ZERO
        } else {
            now.duration_since(journal.newest.at)
        };
        let report = engine::advance(&runner, journal.state, age, now).await?;
        let why = "this restore was begun without the vault's journal";
        let finding = local.finding("restore", why, uploading);
        Ok(Some(Journalled {
            report,
            resumed: true,
            journal: JournalPlace::Local,
            findings: vec![finding],
        }))
    }

    /// Outside of the vault, in the first place that takes an entry. The same run as in the vault
    /// where one was begun there: what it made carries its name.
    async fn beside(&self, why: &str) -> Result<Journalled, Fail> {
        let (plan, after) = match self.last_seen().await {
            Some(seen) => seen,
            None => (self.new_plan()?, Vec::new()),
        };
        let places = self.local_journals().fresh();
        let ran = run_in(places, |store| self.runner(store), (&plan, &after)).await?;
        let (report, local) =
            ran.ok_or_else(|| no_place(Hint::again("restore").arg("--journal-file", "NEW-FILE")))?;
        Ok(Journalled {
            report,
            resumed: false,
            journal: JournalPlace::Local,
            // Only now is known whether it stayed where it began.
            findings: vec![local.finding("restore", why, uploading)],
        })
    }

    async fn in_vault(&self) -> Result<(Report, bool), Fail> {
        let place = self.choice.place;
        let store = JournalStore::Vault(VaultJournal {
            vault: place.vault.clone(),
            lock: Some(place.target.evidence_lock()),
        });
        let runner = self.runner(store.clone());
        let (policy, mark) = (&place.policy_name, self.choice.mark());
        let since = Slot::at(place.now - RESUME_WINDOW);
        let known = place.vault.runs(policy, RunKind::Restore, since).await?;
        for run in known.iter().rev().filter(|r| r.run.has_mark(&mark)) {
            // A journal that is damaged is left alone; a new run begins.
            let Ok(Some(read)) = store.read(policy, &run.run).await else {
                continue;
            };
            if let Some(report) = self.resume(&runner, read).await? {
                return Ok((report, true));
            }
        }
        let plan = self.new_plan()?;
        let vaults = [(&place.target.name, &place.vault)];
        let after = links::newest(&vaults, policy, links::IN_AN_INCIDENT);
        let after = tokio::time::timeout(links::PATIENCE_IN_AN_INCIDENT, after).await;
        let after = after.unwrap_or_default();
        if let Some(state) = engine::open(&runner, &plan, after).await? {
            self.holds(&plan);
            let (age, now) = (SignedDuration::ZERO, plan.opened_at);
            let report = engine::advance(&runner, state, age, now).await?;
            return Ok((report, false));
        }
        // Two of us in one second: the other one's run is ours as well.
        let damaged = |why: &str| Fail::from(place.vault.damaged(plan.run.as_str(), why));
        match store.read(policy, &plan.run).await? {
            Some(read) => match self.resume(&runner, read).await? {
                Some(report) => Ok((report, true)),
                None => Err(damaged("another plan has this name")),
            },
            None => Err(damaged("it was opened and cannot be read")),
        }
    }

    /// `None`: not this restore, one that was given up, or one whose result is not there any more.
    async fn resume(&self, runner: &Runner<'_>, read: RunRead) -> Result<Option<Report>, Fail> {
        let state = &read.state;
        if !self.choice.gives(&state.plan) || state.finished.is_some_and(|o| o != Outcome::Complete)
        {
            return Ok(None);
        }
        if state.finished.is_some() && !still_there(self.places, self.choice, state).await? {
            return Ok(None);
        }
        self.holds(&state.plan);
        let (age, now) = (read.head_age, read.store_now);
        engine::advance(runner, read.state, age, now)
            .await
            .map(Some)
    }

    fn holds(&self, plan: &Plan) {
        let held = self.plan.lock();
        *held.unwrap_or_else(PoisonError::into_inner) = Some(plan.clone());
    }

    /// The run that the vault's journal holds, with the newest entry of it that can be read.
    async fn last_seen(&self) -> Option<(Plan, Vec<LastSeen>)> {
        let plan = {
            let held = self.plan.lock();
            held.unwrap_or_else(PoisonError::into_inner).clone()?
        };
        let journal = journal_at(&self.choice.place.vault);
        let read = journal.read(&plan.policy, &plan.run).await.ok().flatten();
        let seen = read.map(|r| LastSeen {
            target: self.choice.place.target.name.clone(),
            run: plan.run.clone(),
            seq: r.state.head.seq,
            sha256: r.state.head.sha256,
        });
        Some((plan, seen.into_iter().collect()))
    }
}
