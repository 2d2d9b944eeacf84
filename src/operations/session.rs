//! What runs are opened, joined and read with.

use super::known_runs::Unread;
use super::{Loaded, Surroundings};
use crate::aws::Clients;
use crate::database::Logins;
use crate::engine::{self, ProcessIdentity, Report, RoleJournal, Runner};
use crate::journal::Actor;
use crate::model::{Mark, Role, RunId, RunKind, Slot};
use crate::plan::{Plan, PlanTarget, VerbInput};
use crate::report::{Fail, Finding};
use crate::steps::{Said, Secrets};
use crate::targets::{Reached, Seen, open};
use crate::vault::{JournalStore, RunRead, RunRef, VaultJournal};
use futures_util::{StreamExt, TryStreamExt};
use std::collections::BTreeMap;

/// So many of the newest runs of a kind are looked at for open ones.
pub(super) const LOOK_BACK: usize = 12;
/// And at so many of slots that are not due yet.
const PLANTED: usize = 3;

/// Journals that are asked at once whether they have ended.
const AT_ONCE: usize = 8;

/// What every operation that runs something holds.
pub(in crate::operations) struct Session<'a> {
    pub around: Surroundings<'a>,
    pub loaded: &'a Loaded,
    pub clients: &'a Clients,
    pub role: Option<Role>,
    pub identity: ProcessIdentity,
}

/// The roles that write journals of a kind.
pub fn roles_of(kind: RunKind) -> &'static [Role] {
    match kind {
        RunKind::Backup => &[Role::Scheduler, Role::Copier, Role::Dumper],
        RunKind::Drill => &[Role::Driller, Role::Prober],
        RunKind::Restore => &[Role::Restorer],
        RunKind::Sweep => &[Role::Driller],
        RunKind::Init => &[Role::Prober, Role::Copier],
        RunKind::Probe => &[Role::Prober],
        // Of whoever opens runs that name it; a restore opens its own without.
        RunKind::Policy => &[
            Role::Scheduler,
            Role::Copier,
            Role::Dumper,
            Role::Driller,
            Role::Prober,
        ],
        RunKind::Verify => &[Role::Auditor],
    }
}

/// Open runs, oldest first, and journals that cannot be believed.
pub(super) struct OpenRuns {
    pub open: Vec<RunRead>,
    pub findings: Vec<Finding>,
}

impl<'a> Session<'a> {
    pub fn new(
        around: Surroundings<'a>,
        loaded: &'a Loaded,
        clients: &'a Clients,
        role: Option<Role>,
    ) -> Self {
        Self {
            around,
            loaded,
            clients,
            role,
            identity: ProcessIdentity::of(around.world),
        }
    }

    /// The role whose key reads for decisions.
    pub fn reader(&self, kind: RunKind) -> Role {
        self.role.unwrap_or(roles_of(kind)[0])
    }

    pub async fn runner(&self, plan: &Plan) -> Result<Runner<'a>, Fail> {
        let target = plan
            .target(&plan.journal_target)
            .ok_or_else(|| Fail::bug(format!("the plan of {} has no journal target", plan.run)))?;
        let mut journals = BTreeMap::new();
        // A role without a step may have no key at all.
        let idle = |r: &Role| plan.steps.iter().all(|s| s.role != *r);
        let all = roles_of(plan.kind).iter().copied().filter(|r| !idle(r));
        let roles: Vec<Role> = self.role.map_or_else(|| all.collect(), |mine| vec![mine]);
        for role in roles {
            journals.insert(role, self.journal_of(role, target).await);
        }
        Ok(self.runner_with(journals))
    }

    /// A role's journal at a target, to be written.
    async fn journal_of(&self, role: Role, target: &PlanTarget) -> RoleJournal {
        let vault = open(self.clients, role, target).await;
        let lock = Some(target.evidence_lock());
        RoleJournal {
            actor: self.actor(role, target).await,
            store: JournalStore::Vault(VaultJournal { vault, lock }),
        }
    }

    /// What a run of a verb that is opened now is planned from.
    pub fn input(&'a self, reached: &'a Reached, kind: RunKind, mark: &Mark) -> VerbInput<'a> {
        VerbInput {
            policy: &self.loaded.policy,
            policy_sha256: &self.loaded.sha256,
            vault: &reached.id,
            journal_target: &reached.name,
            run: RunId::manual(kind, Slot::at(reached.now), mark),
            opened_at: reached.now,
        }
    }

    /// Stands for this process, so that each has a run of its own.
    pub fn mark(&self) -> Mark {
        Mark::of(&self.identity.runner.0)
    }

    /// Who a role's key is at a target.
    pub async fn actor(&self, role: Role, target: &PlanTarget) -> Actor {
        let (region, provider) = (&target.region, target.provider);
        let named = self
            .clients
            .actor(role, region, provider, Some(&target.name));
        named.await
    }

    pub fn runner_with(&self, journals: BTreeMap<Role, RoleJournal>) -> Runner<'a> {
        Runner {
            world: self.around.world,
            clients: self.clients,
            journals,
            identity: self.identity.clone(),
            role: self.role,
            progress: self.around.progress,
            secrets: Secrets::default(),
            logins: Logins::of(&self.loaded.policy),
            database: None,
            policy: Some(&self.loaded.text),
            said: Said::default(),
            take_over: false,
        }
    }

    /// Ends a run that nobody goes on with: where it was read, as this policy has that target, and
    /// by nothing that the run says of itself.
    ///
    /// # Errors
    /// The journal cannot be written.
    pub async fn end(&self, read: RunRead) -> Result<Report, Fail> {
        let at = read.at.as_ref();
        let at = at.ok_or_else(|| Fail::bug(format!("{} was read in no vault", read.run)))?;
        let own = self.loaded.target(at, read.store_now)?;
        let role = self.reader(read.run.kind());
        let journal = self.journal_of(role, &own).await;
        let runner = self.runner_with(BTreeMap::from([(role, journal)]));
        let mut state = read.state;
        let plan = &mut state.plan;
        plan.run = read.run;
        plan.policy = self.loaded.policy.name.clone();
        plan.runner = self.loaded.policy.runner.clone();
        plan.targets = self.loaded.targets(read.store_now);
        plan.journal_target = own.name;
        engine::abandon(&runner, state, read.head_age, read.store_now).await
    }

    /// The newest runs of a kind that are not finished, oldest first, each read at the target that
    /// has it; damaged ones apart, as findings.
    ///
    /// # Errors
    /// The store's.
    pub async fn open_runs<'r>(
        &self,
        reached: &'r Reached,
        runs: &'r [RunRef],
    ) -> Result<OpenRuns, Fail> {
        let mut found = OpenRuns {
            open: Vec::new(),
            findings: Vec::new(),
        };
        let policy = &self.loaded.policy.name;
        // Runs of slots to come were planted; they must not push the others out of sight.
        let now = Slot::at(reached.now);
        let (past, planted): (Vec<&RunRef>, Vec<&RunRef>) =
            runs.iter().partition(|r| r.slot <= now);
        let newest = past.into_iter().rev().take(LOOK_BACK).rev();
        let looked_at = newest.chain(planted.into_iter().take(PLANTED));
        let pairs = looked_at.flat_map(|run| reached.capable().map(move |seen| (run, seen)));
        let ended = |(run, seen): (&'r RunRef, &'r Seen)| async move {
            let ended = journal_at(&seen.vault).finished(policy, &run.run).await;
            ended.map(|ended| (run, seen, ended))
        };
        let asked = futures_util::stream::iter(pairs).map(ended);
        let asked: Vec<_> = asked.buffered(AT_ONCE).try_collect().await?;
        for (run, seen, _) in asked.into_iter().filter(|(_, _, ended)| !ended) {
            match journal_at(&seen.vault).read(policy, &run.run).await {
                Ok(Some(read)) if read.state.finished.is_none() => found.open.push(read),
                Ok(_) => {}
                Err(e) if e.transient() => return Err(e.into()),
                Err(why) => {
                    let (run, at) = (run.run.clone(), seen.target.name.clone());
                    let unread = Unread { run, at, why };
                    found
                        .findings
                        .push(unread.finding(", nothing is appended to it"));
                }
            }
        }
        Ok(found)
    }
}

/// A vault's journals, to be read.
pub(super) fn journal_at(vault: &crate::vault::Vault) -> JournalStore {
    JournalStore::Vault(VaultJournal {
        vault: vault.clone(),
        lock: None,
    })
}
