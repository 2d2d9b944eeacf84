//! Executing a restore: a journal in the vault, or in a file where the vault cannot be written;
//! evidence never stands in the way.

use super::local;
use super::{Args, Choice, make_plan, tell};
use crate::aws::Clients;
use crate::aws::s3::Lock;
use crate::cli::exit::Exit;
use crate::cli::output::{Answer, Fail};
use crate::cli::progress::Shown;
use crate::cli::runs::{self, compact};
use crate::database::Secret;
use crate::engine::{self, Desk, Report, Runner, Whoami};
use crate::journal::{Actor, LastSeen, Outcome};
use crate::plan::{Kind, Plan, RunId};
use crate::policy::Role;
use crate::steps::Secrets;
use crate::vault::{JournalStore, RunRead, VaultError};
use crate::world::World;
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;
use std::sync::Mutex;

/// Runs older than this are not gone on with.
const RESUME_WINDOW: SignedDuration = SignedDuration::from_hours(24 * 7);

/// What was done, and where that is written.
pub(super) struct Done {
    pub report: Report,
    pub resumed: bool,
    /// `vault` or `local`
    pub journal: &'static str,
    pub incident_at: Timestamp,
    pub rto_from: &'static str,
}

pub(super) async fn execute(
    world: &World,
    args: &Args,
    clients: &Clients,
    choice: &Choice<'_>,
    began: Timestamp,
    answer: &mut Answer,
) -> Result<(), Fail> {
    let wished = match &args.master_password_file {
        Some(file) => {
            let text = std::fs::read_to_string(file).map_err(|e| {
                Fail::usage(format!("--master-password-file {}: {e}", file.display()))
            })?;
            Some(Secret(text.trim_end_matches(['\n', '\r']).to_owned()))
        }
        None => None,
    };
    let target = &choice.place.target;
    let actor = clients
        .actor(
            Role::Restorer,
            &target.region,
            target.provider,
            Some(&target.name),
        )
        .await;
    let work = Work {
        world,
        args,
        clients,
        choice,
        actor,
        whoami: Whoami::of(world),
        secrets: Secrets::with_wish(wished),
        progress: Shown::new(world),
        run: Mutex::default(),
    };
    let (report, resumed, journal) = work.journalled(answer).await?;
    work.progress.clear();
    let (incident_at, rto_from) = match args.incident_at {
        Some(at) => (at, "incident_at"),
        None if resumed => (report.state.plan.opened_at, "first_command"),
        None => (began, "command_start"),
    };
    runs::tell(answer, &report);
    let done = Done {
        report,
        resumed,
        journal,
        incident_at,
        rto_from,
    };
    tell::done(answer, choice, &done);
    Ok(())
}

fn no_conditional_writes(choice: &Choice<'_>) -> VaultError {
    let target = &choice.place.target;
    crate::aws::Error::new(
        crate::aws::Kind::Unsupported,
        "journal",
        format!("target {}", target.name),
        "NoConditionalWrites",
        "it decides no race",
    )
    .into()
}

struct StepText<'a>(&'a VaultError);

impl std::fmt::Display for StepText<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0.to_string().lines().next().unwrap_or_default())
    }
}

struct Work<'a> {
    world: &'a World,
    args: &'a Args,
    clients: &'a Clients,
    choice: &'a Choice<'a>,
    actor: Actor,
    whoami: Whoami,
    secrets: Secrets,
    progress: Shown,
    /// The plan of the run that the vault's journal holds, once there is one.
    run: Mutex<Option<Plan>>,
}

impl Work<'_> {
    fn runner(&self, journal: JournalStore) -> Runner<'_> {
        let actor = self.actor.clone();
        Runner {
            world: self.world,
            clients: self.clients,
            desks: BTreeMap::from([(Role::Restorer, Desk { journal, actor })]),
            identity: self.whoami.clone(),
            role: None,
            progress: &self.progress,
            secrets: self.secrets.clone(),
            database: self.choice.address.as_ref(),
            take_over: self.args.take_over,
        }
    }

    fn mark(&self) -> &str {
        &self.choice.hash[..8]
    }

    fn plan(&self) -> Result<Plan, VaultError> {
        let now = self
            .choice
            .place
            .vault
            .bucket
            .clock
            .last()
            .unwrap_or_else(|| self.world.now());
        make_plan(
            self.choice,
            &RunId(format!("restore-{}-{}", compact(now), self.mark())),
            now,
        )
        .map_err(|f| bug(&f))
    }

    /// The stored plan is ours if planning again gives the same actions and names.
    fn ours(&self, stored: &Plan) -> bool {
        make_plan(self.choice, &stored.run, stored.opened_at)
            .is_ok_and(|p| p.hash() == stored.hash())
    }

    /// In the vault where that can be; evidence never stands in the way.
    async fn journalled(&self, answer: &mut Answer) -> Result<(Report, bool, &'static str), Fail> {
        let place = self.choice.place;
        // Whatever the vault can do by now: a restore is told in one journal.
        if let Some((local, journal)) = local::begun(
            self.world,
            self.args,
            self.mark(),
            place.now - RESUME_WINDOW,
            &|plan| self.ours(plan),
        ) {
            let runner = self.runner(local.0.clone());
            let now = self.world.now();
            let by = &journal.state.head.by;
            // Signs of life go to stderr once the file is full: its age says nothing of a process
            // that is seen to live.
            let lives = by.host == self.whoami.host && self.world.alive(by.process);
            let age = if lives {
                SignedDuration::ZERO
            } else {
                now.duration_since(journal.newest.at)
            };
            let report = engine::advance(&runner, journal.state, age, now).await?;
            answer.find(
                local.finding("this restore was begun without the vault's journal"),
                Exit::Findings,
            );
            return Ok((report, true, "local"));
        }
        let tried = if place.capable {
            self.in_vault().await
        } else {
            Err(no_conditional_writes(self.choice))
        };
        let why = match tried {
            Ok((report, resumed)) => return Ok((report, resumed, "vault")),
            Err(why) if self.world.stopping() => return Err(why.into()),
            Err(why) => why,
        };
        let report = self
            .beside(
                &format!("the vault's journal cannot be used ({})", StepText(&why)),
                answer,
            )
            .await?;
        Ok((report, false, "local"))
    }

    /// Outside of the vault, in the first place that takes an entry. The same run as in the vault
    /// where one was begun there: what it made carries its name.
    async fn beside(&self, why: &str, answer: &mut Answer) -> Result<Report, Fail> {
        let (plan, after) = match self.last_seen().await {
            Some(seen) => seen,
            None => (self.plan()?, None),
        };
        for local in local::fresh(self.world, self.args, self.mark()) {
            let runner = self.runner(local.0.clone());
            // No room for a first entry, or no right: nothing was begun there, the next place may
            // do.
            let Ok(Some(state)) = engine::open_after(&runner, &plan, after.clone()).await else {
                continue;
            };
            let report =
                engine::advance(&runner, state, SignedDuration::ZERO, plan.opened_at).await?;
            // Only now is known whether it stayed where it began.
            answer.find(local.finding(why), Exit::Findings);
            return Ok(report);
        }
        Err(
            Fail::new(Exit::Stuck, "journal-local", "no place takes a journal")
                .hint("dr restore … --journal-file NEW-FILE"),
        )
    }

    async fn in_vault(&self) -> Result<(Report, bool), VaultError> {
        let place = self.choice.place;
        let lock = Some(Lock {
            mode: place.target.lock_mode,
            retain_until: place.target.retain_until,
        });
        let journal = JournalStore::Home {
            vault: place.vault.clone(),
            lock,
        };
        let runner = self.runner(journal.clone());
        let since = (place.now - RESUME_WINDOW)
            .strftime("%Y%m%dT%H%M%SZ")
            .to_string();
        let known = place.vault.runs(&place.name, Kind::Restore, &since).await?;
        for run in known
            .iter()
            .rev()
            .filter(|r| r.run.0.ends_with(&format!("-{}", self.mark())))
        {
            // A journal that is damaged is left alone; a new run begins.
            let Ok(Some(read)) = journal.read(&place.name, &run.run).await else {
                continue;
            };
            if let Some(report) = self.go_on(&runner, read).await? {
                return Ok((report, true));
            }
        }
        let plan = self.plan()?;
        match engine::open(&runner, &plan).await? {
            Some(state) => {
                self.holds(&plan);
                Ok((
                    engine::advance(&runner, state, SignedDuration::ZERO, plan.opened_at).await?,
                    false,
                ))
            }
            // Two of us in one second: the other one's run is ours as well.
            None => match journal.read(&place.name, &plan.run).await? {
                Some(read) => self
                    .go_on(&runner, read)
                    .await?
                    .map(|r| (r, true))
                    .ok_or_else(|| {
                        place
                            .vault
                            .damaged(plan.run.0.as_str(), "another plan has this name")
                    }),
                None => Err(place
                    .vault
                    .damaged(plan.run.0.as_str(), "it was opened and cannot be read")),
            },
        }
    }

    /// `None`: not this restore, or one that was given up.
    async fn go_on(
        &self,
        runner: &Runner<'_>,
        read: RunRead,
    ) -> Result<Option<Report>, VaultError> {
        if !self.ours(&read.state.plan)
            || read.state.finished.is_some_and(|o| o != Outcome::Complete)
        {
            return Ok(None);
        }
        self.holds(&read.state.plan);
        engine::advance(runner, read.state, read.head_age, read.store_now)
            .await
            .map(Some)
    }

    fn holds(&self, plan: &Plan) {
        if let Ok(mut run) = self.run.lock() {
            *run = Some(plan.clone());
        }
    }

    /// The run that the vault's journal holds, with the newest entry of it that can be read.
    async fn last_seen(&self) -> Option<(Plan, Option<LastSeen>)> {
        let plan = self.run.lock().ok()?.clone()?;
        let journal = JournalStore::Home {
            vault: self.choice.place.vault.clone(),
            lock: None,
        };
        let read = journal.read(&plan.policy, &plan.run).await.ok().flatten();
        let seen = read.map(|r| LastSeen {
            run: plan.run.clone(),
            seq: r.state.head.seq,
            sha256: r.state.head.sha256,
        });
        Some((plan, seen))
    }
}

fn bug(fail: &Fail) -> VaultError {
    crate::aws::Error::new(
        crate::aws::Kind::Invalid,
        "plan",
        "",
        "Plan",
        fail.message.clone(),
    )
    .into()
}
