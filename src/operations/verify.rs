//! Reads everything that a point references, at each target, and names what is wrong: a run whose
//! evidence is what was found.

use super::closing::{self, Which};
use super::session::Session;
use super::{Loaded, Surroundings, links};
use crate::engine::{self, Report, RunExit, Runner};
use crate::journal::RunState;
use crate::model::{Mark, Role, RunId, RunKind, Slot, TargetName};
use crate::plan::{Plan, TargetRead, VerbInput, VerifyPoint};
use crate::report::{Code, Fail, Finding};
use crate::steps::Said;
use crate::targets::{self, Reached, Seen};
use crate::vault::JournalStore;
use jiff::SignedDuration;

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
    let mut runner = session.runner(&plan).await?;
    let (state, unrecorded) = match opened(&session, &reached, &runner, &plan).await {
        Ok(state) => (state, None),
        // Whoever may only read is told what there is all the same.
        Err(why) => {
            let store = JournalStore::Nowhere;
            for journal in runner.journals.values_mut() {
                journal.store = store.clone();
            }
            let state = engine::open(&runner, &plan, Vec::new()).await?;
            let state = state.ok_or_else(|| Fail::bug("a journal of nowhere has an entry"))?;
            let message = format!("this verification is not in the vault's journal: {why}");
            let finding = Finding::warning(Code::RunUnrecorded, message).thing(&plan.run);
            (state, Some(finding.place(&reached.name)))
        }
    };
    let report = engine::advance(&runner, state, SignedDuration::ZERO, plan.opened_at).await?;
    told(report, &runner.said, unrecorded)
}

fn planned(session: &Session<'_>, reached: &Reached, request: &VerifyRequest) -> Plan {
    let (loaded, policy) = (session.loaded, &session.loaded.policy);
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
    let mark = Mark::of(&session.identity.runner.0);
    let input = VerbInput {
        policy,
        policy_sha256: &loaded.sha256,
        vault: &reached.id,
        journal_target: &reached.name,
        run: RunId::manual(RunKind::Verify, Slot::at(reached.now), &mark),
        opened_at: reached.now,
    };
    input.verify(request.role, asked)
}

/// Opens the run in the vault; or why that cannot be, in a sentence.
async fn opened(
    session: &Session<'_>,
    reached: &Reached,
    runner: &Runner<'_>,
    plan: &Plan,
) -> Result<RunState, String> {
    let first = |fail: Fail| {
        let text = fail.to_string();
        text.lines().next().unwrap_or_default().to_owned()
    };
    let capable = |seen: &Seen| seen.target.name == reached.name;
    if !reached.capable().any(capable) {
        return Err(format!("target {} can hold no journal", reached.name));
    }
    // One that was killed is nobody's any more; where it cannot be ended, the log shows it open.
    drop(closing::close(session, reached, RunKind::Verify, Which::All).await);
    let vaults = [(&reached.name, &reached.vault)];
    let after = links::newest(&vaults, &plan.policy, links::NEWEST).await;
    let opened = engine::open(runner, plan, after).await.map_err(first)?;
    opened.ok_or_else(|| format!("another one was begun in the same second as {}", plan.run))
}

fn told(report: Report, said: &Said, unrecorded: Option<Finding>) -> Result<Verification, Fail> {
    let verified = report.state.done::<VerifyPoint>().next();
    let Some((_, _, verified)) = verified else {
        let stopped = report.left == RunExit::Stopped;
        let failed = report.failed.into_iter().next().map(|f| f.fail);
        return Err(match failed {
            Some(fail) if !stopped => fail,
            _ => Fail::stopped(),
        });
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
