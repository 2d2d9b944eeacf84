//! Runs as verbs see them: opening one or joining it, going on, and what to tell of it.

use super::exit::Exit;
use super::home::Home;
use super::load::Loaded;
use super::output::{Answer, Fail, Finding, Severity, step_finding};
use crate::aws::Clients;
use crate::engine::{self, Desk, Left, Report, Runner, Whoami};
use crate::journal::Outcome;
use crate::plan::{Kind, Plan, RunId, VERSION};
use crate::policy::{Role, TargetName};
use crate::steps::{Progress, Secrets, open};
use crate::vault::{JournalStore, RunRead, RunRef, VaultError, layout};
use crate::world::World;
use bytes::Bytes;
use jiff::Timestamp;
use std::collections::BTreeMap;

/// So many of the newest runs of a kind are looked at for open ones.
pub const LOOK_BACK: usize = 12;
/// And at so many of slots that are not due yet.
const PLANTED: usize = 3;

/// What every verb that runs something holds.
pub struct Session<'a> {
    pub world: &'a World,
    pub loaded: &'a Loaded,
    pub clients: &'a Clients,
    pub role: Option<Role>,
    pub whoami: &'a Whoami,
    pub progress: &'a dyn Progress,
    pub secrets: Secrets,
}

/// The roles that write journals of a kind.
pub fn roles_of(kind: Kind) -> &'static [Role] {
    match kind {
        Kind::Backup => &[Role::Scheduler, Role::Copier],
        Kind::Drill => &[Role::Driller, Role::Prober],
        Kind::Restore => &[Role::Restorer],
    }
}

impl<'a> Session<'a> {
    /// The role whose key reads for decisions.
    pub fn reader(&self, kind: Kind) -> Role {
        self.role.unwrap_or(roles_of(kind)[0])
    }

    async fn runner(&self, plan: &Plan) -> Result<Runner<'a>, Fail> {
        let home = plan.target(&plan.home).ok_or_else(|| {
            Fail::refused(
                "plan-broken",
                format!("the plan of {} has no home", plan.run),
            )
        })?;
        let mut desks = BTreeMap::new();
        for role in roles_of(plan.kind)
            .iter()
            .filter(|r| self.role.is_none_or(|mine| mine == **r))
        {
            let vault = open(self.clients, *role, home).await;
            let lock = Some(crate::aws::s3::Lock {
                mode: home.lock_mode,
                retain_until: home.retain_until,
            });
            let actor = self
                .clients
                .actor(*role, &home.region, home.provider, Some(&home.name))
                .await;
            desks.insert(
                *role,
                Desk {
                    journal: JournalStore::Home { vault, lock },
                    actor,
                },
            );
        }
        Ok(Runner {
            world: self.world,
            clients: self.clients,
            desks,
            identity: self.whoami.clone(),
            role: self.role,
            progress: self.progress,
            secrets: self.secrets.clone(),
            database: None,
            take_over: false,
        })
    }

    /// Opens the run, or joins it where another runner was faster, and goes on as far as it can.
    ///
    /// # Errors
    /// The store's; 13 for a stored plan that this policy would not have made.
    pub async fn open(
        &self,
        home: &Home,
        plan: &Plan,
        recompute: &dyn Fn(&Plan) -> Option<Plan>,
    ) -> Result<Report, Fail> {
        self.store_policy(home, plan).await?;
        let runner = self.runner(plan).await?;
        match engine::open(&runner, plan).await? {
            Some(state) => {
                Ok(
                    engine::advance(&runner, state, jiff::SignedDuration::ZERO, plan.opened_at)
                        .await?,
                )
            }
            None => match self.read(home, &plan.run).await? {
                Some(read) => self.join(home, read, recompute).await,
                None => Err(Fail::new(
                    Exit::Unavailable,
                    "target-unavailable",
                    format!(
                        "run {} was opened by another runner and cannot be read yet",
                        plan.run
                    ),
                )),
            },
        }
    }

    pub async fn read(&self, home: &Home, run: &RunId) -> Result<Option<RunRead>, Fail> {
        let journal = JournalStore::Home {
            vault: home.vault.clone(),
            lock: None,
        };
        Ok(journal.read(&self.loaded.policy.name, run).await?)
    }

    /// Goes on with a stored run, whose plan is believed only as far as one's own policy would have
    /// made it.
    ///
    /// # Errors
    /// 11 for a plan of another version, 13 for one that names what this policy does not.
    pub async fn join(
        &self,
        home: &Home,
        read: RunRead,
        recompute: &dyn Fn(&Plan) -> Option<Plan>,
    ) -> Result<Report, Fail> {
        let plan = &read.state.plan;
        if plan.version != VERSION {
            return Err(Fail::new(
                Exit::Stuck,
                "plan-version",
                format!(
                    "run {} has a plan of version {}; this program knows {VERSION}",
                    plan.run, plan.version
                ),
            ));
        }
        let mine = recompute(plan);
        let strange = mine.as_ref().map_or_else(
            || plan.names().into_iter().next(),
            |m| plan.names().difference(&m.names()).next().cloned(),
        );
        // Of a run that is over nothing is executed, whatever it names.
        if let Some(name) = strange.filter(|_| read.state.finished.is_none()) {
            let shown: String = name.chars().take(200).collect();
            let fail = Fail::refused(
                "plan-not-ours",
                format!(
                    "the stored plan of run {} names what policy {} does not give: {shown}",
                    plan.run, self.loaded.policy.name
                ),
            );
            return Err(fail.hint(format!("dr plan --policy {}", self.loaded.file)));
        }
        // Evidence of what was planned, not a condition of going on.
        let _told_by_verify = self.store_policy(home, plan).await;
        let runner = self.runner(plan).await?;
        Ok(engine::advance(&runner, read.state, read.head_age, read.store_now).await?)
    }

    /// Every policy ever used is in the vault, stored before its first use; a target that was away
    /// then gets it later.
    async fn store_policy(&self, home: &Home, plan: &Plan) -> Result<(), Fail> {
        let key = layout::policy(&plan.policy_sha256.0);
        let text = if plan.policy_sha256 == self.loaded.sha256 {
            self.loaded.text.clone().into_bytes().into()
        } else {
            home.vault.oldest(&key).await?.0
        };
        let role = self.reader(plan.kind);
        for seen in &home.seen {
            // Each target for itself: a runner may have died between two of them.
            if seen.vault.bucket.head(&key, None).await.is_ok() {
                continue;
            }
            let vault = open(self.clients, role, &seen.target).await;
            let retain_until = plan
                .target(&seen.target.name)
                .map_or(seen.target.retain_until, |t| t.retain_until);
            let lock = Some(crate::aws::s3::Lock {
                mode: seen.target.lock_mode,
                retain_until,
            });
            let stored = async {
                // Under a delete marker it is there all the same.
                let there = vault
                    .versions_of(&key)
                    .await?
                    .iter()
                    .any(|v| !v.delete_marker);
                if there {
                    Ok(())
                } else {
                    vault
                        .create(&key, Bytes::clone(&text), lock)
                        .await
                        .map(|_| ())
                }
            };
            match stored.await {
                Ok(()) => {}
                // Another target's trouble is told by the steps that meet it.
                Err(_) if seen.target.name != plan.home => {}
                Err(e) => return Err(e.into()),
            }
        }
        Ok(())
    }

    /// The newest runs of a kind that are not finished, oldest first, each read at the home that
    /// has it; damaged ones apart, as findings.
    ///
    /// # Errors
    /// The store's.
    pub async fn open_runs(
        &self,
        home: &Home,
        runs: &[RunRef],
    ) -> Result<(Vec<RunRead>, Vec<(Finding, Exit)>), Fail> {
        let (mut open, mut findings) = (Vec::new(), Vec::new());
        // Runs of slots to come were planted; they must not push the others out of sight.
        let now = compact(home.now);
        let (past, planted): (Vec<&RunRef>, Vec<&RunRef>) =
            runs.iter().partition(|r| r.slot <= now);
        for run in past
            .into_iter()
            .rev()
            .take(LOOK_BACK)
            .rev()
            .chain(planted.into_iter().take(PLANTED))
        {
            for seen in home.seen.iter().filter(|s| s.capable()) {
                let journal = JournalStore::Home {
                    vault: seen.vault.clone(),
                    lock: None,
                };
                if journal.finished(&self.loaded.policy.name, &run.run).await? {
                    continue;
                }
                match journal.read(&self.loaded.policy.name, &run.run).await {
                    Ok(Some(read)) if read.state.finished.is_none() => open.push(read),
                    Ok(_) => {}
                    Err(e) if e.transient() => return Err(e.into()),
                    Err(e) => findings.push(self.damaged(&run.run, &seen.target.name, e)),
                }
            }
        }
        Ok((open, findings))
    }

    fn damaged(&self, run: &RunId, at: &TargetName, e: VaultError) -> (Finding, Exit) {
        let (code, exit) = if e.unknown_version() {
            ("format-unknown", Exit::Stuck)
        } else {
            ("run-damaged", Exit::Findings)
        };
        let finding = Finding {
            code: code.into(),
            severity: Severity::Error,
            thing: run.to_string(),
            place: at.to_string(),
            hint: super::output::hint(code).map_or_else(
                || format!("dr status --policy {}", self.loaded.file),
                str::to_owned,
            ),
            message: format!(
                "the journal of {run} cannot be believed, nothing is appended to it: {}",
                Fail::from(e).message
            ),
        };
        (finding, exit)
    }
}

/// What became of a run, as one word.
pub fn word(left: &Left) -> String {
    match left {
        Left::Finished(Outcome::Complete) => "complete".into(),
        Left::Finished(Outcome::Incomplete) => "incomplete".into(),
        Left::Finished(Outcome::Abandoned) => "abandoned".into(),
        Left::Open => "open".into(),
        Left::HandedOver(role) => format!("waiting for the {role}"),
        Left::Stopped => "stopped".into(),
        Left::Superseded => "superseded".into(),
        Left::Busy { holder, age_s } => format!("held by {holder}, last heard {age_s} s ago"),
    }
}

/// Findings and exit code of a run.
pub fn tell(answer: &mut Answer, report: &Report) {
    let run = report.state.plan.run.to_string();
    for failed in &report.failed {
        let (finding, exit) = step_finding(
            &failed.step.0,
            failed.kind,
            &failed.code,
            &failed.message,
            &run,
        );
        answer.find(finding, exit);
    }
    let mut say = |code: &str, message: String, exit: Exit| {
        let hint = super::output::hint(code).unwrap_or_default().into();
        answer.find(
            Finding {
                code: code.into(),
                severity: Severity::Error,
                thing: run.clone(),
                place: report.state.plan.home.to_string(),
                hint,
                message,
            },
            exit,
        );
    };
    match &report.left {
        Left::Superseded => say(
            "superseded",
            format!("run {run} was taken over by another runner"),
            Exit::Superseded,
        ),
        Left::Stopped => say(
            "stopped",
            format!("run {run} was released; the next tick goes on"),
            Exit::Unavailable,
        ),
        Left::Finished(Outcome::Incomplete) => say(
            "run-incomplete",
            format!("run {run} ended at its deadline without all of its targets"),
            Exit::Findings,
        ),
        Left::Finished(Outcome::Abandoned) => say(
            "run-abandoned",
            format!("run {run} ended at its deadline without a recovery point"),
            Exit::Findings,
        ),
        _ => {}
    }
}

/// An instant in whole seconds, as names of manual runs carry it.
pub fn compact(at: Timestamp) -> String {
    at.strftime("%Y%m%dT%H%M%SZ").to_string()
}
