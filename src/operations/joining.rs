//! Runs as operations see them: opening one or joining it, and going on.

use super::edited_policy::{Standing, difference, in_own_time, standing};
use super::policy_file::stored_policy;
use super::session::{Session, journal_at};
use super::{links, policy_copy};
use crate::engine::{self, Report};
use crate::model::RunId;
use crate::plan::{Plan, VERSION};
use crate::policy::Policy;
use crate::report::{Code, Fail, Finding};
use crate::targets::Reached;
use crate::vault::RunRead;
use jiff::SignedDuration;

/// A slot planned again, by one policy or another.
pub(super) trait Replan {
    /// `None`: that policy has no such run.
    fn replan(&self, policy: &Policy, stored: &Plan) -> Option<Plan>;
}

impl<F: Fn(&Policy, &Plan) -> Option<Plan>> Replan for F {
    fn replan(&self, policy: &Policy, stored: &Plan) -> Option<Plan> {
        self(policy, stored)
    }
}

/// A run that was opened or joined, with what is to be said of it beside its own report.
pub(super) struct Advanced {
    pub report: Report,
    pub findings: Vec<Finding>,
}

impl Session<'_> {
    /// Opens the run, or joins it where another runner was faster, and goes on as far as it can.
    ///
    /// # Errors
    /// The store's; 13 for a stored plan that no policy of ours would have made.
    pub async fn open(
        &self,
        reached: &Reached,
        plan: &Plan,
        replan: &dyn Replan,
    ) -> Result<Advanced, Fail> {
        policy_copy::store(self, reached, plan.kind).await?;
        self.begin(reached, plan, replan).await
    }

    /// As [`Session::open`], of a run that names no policy which is not stored yet.
    ///
    /// # Errors
    /// As [`Session::open`].
    pub async fn begin(
        &self,
        reached: &Reached,
        plan: &Plan,
        replan: &dyn Replan,
    ) -> Result<Advanced, Fail> {
        let runner = self.runner(plan).await?;
        let vaults: Vec<_> = reached
            .capable()
            .map(|s| (&s.target.name, &s.vault))
            .collect();
        let after = links::newest(&vaults, &plan.policy, links::NEWEST).await;
        if let Some(state) = engine::open(&runner, plan, after).await? {
            let (age, now) = (SignedDuration::ZERO, plan.opened_at);
            let report = engine::advance(&runner, state, age, now).await?;
            return Ok(report.into());
        }
        match self.read(reached, &plan.run).await? {
            Some(read) => self.join(reached, read, replan).await,
            None => Err(Fail::new(
                Code::TargetUnavailable,
                format!(
                    "run {} was opened by another runner and cannot be read yet",
                    plan.run
                ),
            )),
        }
    }

    pub async fn read(&self, reached: &Reached, run: &RunId) -> Result<Option<RunRead>, Fail> {
        let journal = journal_at(&reached.vault);
        Ok(journal.read(&self.loaded.policy.name, run).await?)
    }

    /// At whichever target has its journal; where several do, one that says how it ended. One that
    /// cannot be read hides no other.
    pub async fn read_anywhere(
        &self,
        reached: &Reached,
        run: &RunId,
    ) -> Result<Option<RunRead>, Fail> {
        let (mut open, mut unread) = (None, None);
        for seen in reached.capable() {
            let journal = journal_at(&seen.vault);
            match journal.read(&self.loaded.policy.name, run).await {
                Ok(Some(read)) if read.state.finished.is_some() => return Ok(Some(read)),
                Ok(read) => open = open.or(read),
                Err(e) => unread = Some(e),
            }
        }
        match (open, unread) {
            (None, Some(e)) => Err(e.into()),
            (open, _) => Ok(open),
        }
    }

    /// Resumes a stored run, whose plan is believed only as far as a policy of ours gives it.
    ///
    /// # Errors
    /// 11 for a plan of another version, 13 for one that no policy of ours gives.
    pub async fn join(
        &self,
        reached: &Reached,
        mut read: RunRead,
        replan: &dyn Replan,
    ) -> Result<Advanced, Fail> {
        let plan = &read.state.plan;
        if plan.version != VERSION {
            return Err(Fail::new(
                Code::PlanVersion,
                format!(
                    "run {} has a plan of version {}; this program knows {VERSION}",
                    plan.run, plan.version
                ),
            ));
        }
        // Of a run that is over nothing is executed, whatever it names.
        if read.state.finished.is_some() {
            return Ok(self.go_on(read).await?.into());
        }
        let own = replan.replan(&self.loaded.policy, plan);
        let earlier = self.earlier(reached, plan, replan).await?;
        let standing = standing(plan, own.as_ref(), earlier.as_ref());
        let over = reached.now >= plan.deadline_at;
        match standing {
            Standing::Ours => Ok(self.go_on(read).await?.into()),
            Standing::EditedWithin => {
                let said = format!(
                    "the policy was edited since run {} was opened; the run is resumed, for it \
                     touches nothing that the policy no longer names",
                    plan.run
                );
                let warning = Finding::warning(Code::PolicyChanged, said).thing(&plan.run);
                if let Some(own) = &own {
                    in_own_time(&mut read.state.plan, own);
                }
                let mut advanced = Advanced::from(self.go_on(read).await?);
                advanced.findings.push(warning);
                Ok(advanced)
            }
            Standing::EditedBeyond => self.give_up(read, own.as_ref()).await,
            // Its time is over: whoever's it is, nobody executes it any more.
            Standing::NotOurs if over => self.give_up(read, own.as_ref()).await,
            Standing::NotOurs => Err(Fail::new(
                Code::PlanNotOurs,
                format!(
                    "the stored plan of {} is not the one that this policy gives: {}; nothing of \
                     it was executed",
                    plan.run,
                    difference(plan, own.as_ref())
                ),
            )
            .at(&plan.run)),
        }
    }

    /// The plan that the policy gives whose digest the stored plan carries.
    async fn earlier(
        &self,
        reached: &Reached,
        plan: &Plan,
        replan: &dyn Replan,
    ) -> Result<Option<Plan>, Fail> {
        if plan.policy_sha256 == self.loaded.sha256 {
            return Ok(None);
        }
        let text = policy_copy::read(&reached.vault, &plan.policy_sha256).await?;
        let policy = text.and_then(|t| stored_policy(&t));
        let policy = policy.filter(|p| p.name == self.loaded.policy.name);
        let again = policy.and_then(|p| replan.replan(&p, plan));
        Ok(again.map(|p| Plan {
            policy_sha256: plan.policy_sha256.clone(),
            ..p
        }))
    }

    async fn go_on(&self, read: RunRead) -> Result<Report, Fail> {
        let runner = self.runner(&read.state.plan).await?;
        engine::advance(&runner, read.state, read.head_age, read.store_now).await
    }

    async fn give_up(&self, read: RunRead, own: Option<&Plan>) -> Result<Advanced, Fail> {
        let plan = &read.state.plan;
        let said = format!(
            "run {} is abandoned, for the policy has changed since it was opened: {}; its slot is \
             made good by the next complete one",
            plan.run,
            difference(plan, own)
        );
        let warning = Finding::warning(Code::PolicyChanged, said).thing(&plan.run);
        Ok(Advanced {
            report: self.end(read).await?,
            findings: vec![warning],
        })
    }
}

impl From<Report> for Advanced {
    fn from(report: Report) -> Self {
        Self {
            report,
            findings: Vec::new(),
        }
    }
}
