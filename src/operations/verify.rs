//! Reads everything that a point references, at each target, and names what is wrong: a run whose
//! evidence is what was found.

use super::closing::{self, Which};
use super::session::Session;
use super::{Loaded, Surroundings, links};
use crate::engine::{self, Report, RoleJournal};
use crate::model::{Role, RunId, RunKind, Slot, TargetName};
use crate::plan::{Plan, PlanTarget, TargetRead, VerifyPoint};
use crate::report::{Code, Fail, Finding};
use crate::steps::Said;
use crate::targets::{self, Reached};
use crate::vault::{BestEffort, JournalStore, VaultJournal};
use jiff::SignedDuration;
use std::collections::BTreeMap;

pub struct VerifyRequest {
    /// This recovery point instead of the newest.
    pub point: Option<Slot>,
    /// Only this target.
    pub target: Option<TargetName>,
    /// The role whose key reads.
    pub role: Role,
}

pub struct Verification {
    /// Absent: no journal could be written; a finding says why.
    pub run: Option<RunId>,
    /// `None`: no point could be shown; the findings say why.
    pub point: Option<Slot>,
    pub targets: Vec<TargetRead>,
    pub findings: Vec<Finding>,
}

/// # Errors
/// The store's; there is no such point.
pub async fn verify(
    around: Surroundings<'_>,
    loaded: &Loaded,
    request: &VerifyRequest,
) -> Result<Verification, Fail> {
    if let Some(name) = &request.target
        && loaded.policy.target(name).is_none()
    {
        return Err(loaded.no_target(name));
    }
    let (clients, now) = (loaded.clients(None), around.world.now());
    let targets = loaded.targets(now);
    let reached = targets::reading(around.world, targets, &clients, request.role).await?;
    let session = Session::new(around, loaded, &clients, Some(request.role));
    let plan = planned(&session, &reached, request);
    let journal = journal(&session, &reached).await?;
    let actor = session.actor(request.role, &journal.1).await;
    let store = JournalStore::BestEffort(journal.0.clone());
    let own = RoleJournal { store, actor };
    let runner = session.runner_with(BTreeMap::from([(request.role, own)]));
    let vaults = [(&reached.name, &reached.vault)];
    let after = links::newest(&vaults, &plan.policy, links::NEWEST).await;
    let state = engine::open(&runner, &plan, after).await?;
    let state = state.ok_or_else(|| Fail::bug(format!("{} was opened by another", plan.run)))?;
    let report = engine::advance(&runner, state, SignedDuration::ZERO, plan.opened_at).await?;
    let unrecorded = journal.0.lost().map(|why| {
        let message = format!("this verification is not whole in the vault's journal: {why}");
        let finding = Finding::warning(Code::RunUnrecorded, message).thing(&plan.run);
        finding.place(&reached.name)
    });
    told(report, &runner.said, unrecorded)
}

/// Where the run is recorded, if that can be, and the target.
async fn journal(
    session: &Session<'_>,
    reached: &Reached,
) -> Result<(BestEffort, PlanTarget), Fail> {
    let target = session.loaded.target(&reached.name, reached.now)?;
    let unusable = if reached
        .capable()
        .any(|seen| seen.target.name == reached.name)
    {
        // One that was killed is nobody's any more; where it cannot be ended, the log shows it.
        drop(closing::close(session, reached, RunKind::Verify, Which::All).await);
        None
    } else {
        Some(format!("target {} can hold no journal", reached.name))
    };
    let vault = reached.vault.clone();
    let lock = Some(target.evidence_lock());
    Ok((
        BestEffort::new(VaultJournal { vault, lock }, unusable),
        target,
    ))
}

fn planned(session: &Session<'_>, reached: &Reached, request: &VerifyRequest) -> Plan {
    let policy = &session.loaded.policy;
    let endpoints = policy.endpoints.iter();
    let asked = VerifyPoint {
        point: request.point,
        target: request.target.clone(),
        in_flight: policy.concurrency.objects,
        rds_endpoints: endpoints
            .filter_map(|(region, e)| Some((region.clone(), e.rds.clone()?)))
            .collect(),
    };
    // Each is a run of its own: two that are begun in one second read it all, both of them.
    let input = session.input(reached, RunKind::Verify, &session.mark());
    input.verify(request.role, asked)
}

fn told(report: Report, said: &Said, unrecorded: Option<Finding>) -> Result<Verification, Fail> {
    let verified = report.state.done::<VerifyPoint>().next();
    let Some((_, _, verified)) = verified else {
        let failed = report.failed.into_iter().next().map(|f| f.fail);
        return Err(failed.unwrap_or_else(Fail::stopped));
    };
    let mut findings = said.take();
    let run = unrecorded.is_none().then(|| report.state.plan.run.clone());
    findings.extend(unrecorded);
    Ok(Verification {
        run,
        point: verified.point,
        targets: verified.targets.clone(),
        findings,
    })
}
