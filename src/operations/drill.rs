//! Restores a point into scratch things, from every target, and proves it. Also what a finished
//! drill is told as.

use super::joining::Advanced;
use super::known_runs::known_runs;
use super::planning::{self, Drillable};
use super::session::{Session, roles_of};
use super::{Loaded, Surroundings, run_told};
use crate::engine::{Report, RunExit};
use crate::journal::{Outcome, RunState};
use crate::manifest::{Check, CheckResult, Proof};
use crate::model::{ClusterId, Role, RunId, RunKind, Slot};
use crate::plan::{CreateCluster, InspectScratch, Plan, RestoreCluster, Teardown, WriteProofs};
use crate::policy::Policy;
use crate::report::{Code, Fail, Finding, Hint};
use crate::steps::proofs_of;
use crate::targets::{self, Reached};

pub struct DrillRequest {
    /// This recovery point instead of the newest.
    pub point: Option<Slot>,
    /// Execute only this role's steps; the journal hands over.
    pub role: Option<Role>,
}

pub struct Drilled {
    pub report: Report,
    /// As they were written; empty before that.
    pub proofs: Vec<Proof>,
    pub checks: Vec<Check>,
    /// What would have acted on the world.
    pub disabled: Vec<String>,
    pub teardown: TeardownState,
    pub passed: bool,
    pub findings: Vec<Finding>,
}

pub enum TeardownState {
    Done {
        /// Unfinished uploads that a target would not end.
        left: Vec<String>,
    },
    /// These may still be there.
    NotDone { made: Vec<ClusterId> },
}

/// # Errors
/// The stores'; exit 2 for a policy without a drill or a slot that is no point.
pub async fn drill(
    around: Surroundings<'_>,
    loaded: &Loaded,
    request: &DrillRequest,
) -> Result<Drilled, Fail> {
    if loaded.policy.drill.is_none() {
        let message = format!(
            "policy {} has no `drill`; without one no backup is ever proven",
            loaded.file
        );
        return Err(Fail::usage(message).hint(Hint::dr("policy schema")));
    }
    let roles = roles_of(RunKind::Drill);
    if let Some(role) = request.role.filter(|r| !roles.contains(r)) {
        return Err(Fail::usage(format!(
            "the {role} has no step in a drill; its roles are driller and prober"
        )));
    }
    let clients = loaded.clients(None);
    let reader = request.role.unwrap_or(Role::Driller);
    let now = around.world.now();
    let reached = targets::find(around.world, loaded.targets(now), &clients, reader).await?;
    let Some(found) = planning::drillable(loaded, &reached, request.point).await? else {
        return Err(Fail::new(
            Code::NothingToDrill,
            format!(
                "policy {} has no recovery point with a complete copy yet",
                loaded.policy.name
            ),
        ));
    };
    let session = Session::new(around, loaded, &clients, request.role);
    let Advanced { report, findings } = open_or_resume(&session, &reached, &found).await?;
    let mut drilled = told(report);
    drilled
        .findings
        .splice(0..0, loaded.warnings.iter().cloned().chain(findings));
    Ok(drilled)
}

/// The same command resumes its own open run.
async fn open_or_resume(
    session: &Session<'_>,
    reached: &Reached,
    found: &Drillable,
) -> Result<Advanced, Fail> {
    let loaded = session.loaded;
    let mark = planning::drill_mark(loaded, found);
    let mut runs = known_runs(reached, loaded, RunKind::Drill).await?;
    runs.retain(|r| r.run.has_mark(&mark));
    let mut open = session.open_runs(reached, &runs).await?.open;
    if let Some(read) = open.pop() {
        let point = planning::drilled(loaded, reached, &read.state.plan).await?;
        let again = |policy: &Policy, stored: &Plan| {
            planning::drill_again(policy, reached, point.as_ref(), stored)
        };
        return session.join(reached, read, &again).await;
    }
    let run = RunId::manual(RunKind::Drill, Slot::at(reached.now), &mark);
    let policy = (&loaded.policy, &loaded.sha256);
    let plan = planning::drill_plan(policy, reached, found, run, reached.now)
        .ok_or_else(|| Fail::usage("the policy has no drill"))?;
    let same = |_: &Policy, _: &Plan| Some(plan.clone());
    session.open(reached, &plan, &same).await
}

/// What is told of a drill's run.
fn told(report: Report) -> Drilled {
    let state = &report.state;
    let mut findings = run_told::findings(&report);
    findings.extend(failures(&report));
    let written = state.done::<WriteProofs>().next().is_some();
    Drilled {
        proofs: if written {
            proofs_of(state)
        } else {
            Vec::new()
        },
        checks: checks(state),
        disabled: state
            .done::<InspectScratch>()
            .flat_map(|(_, _, found)| found.disabled.clone())
            .collect(),
        teardown: teardown(state),
        passed: passed(state),
        findings,
        report,
    }
}

/// All checks passed, and there were some.
fn passed(state: &RunState) -> bool {
    state.done::<WriteProofs>().any(|(_, _, w)| w.passed)
}

/// Checks of the databases, and of the proofs where those were written.
fn checks(state: &RunState) -> Vec<Check> {
    let mut checks: Vec<Check> = Vec::new();
    let told = state.done::<WriteProofs>().next().is_some() || state.finished.is_some();
    if !told {
        return checks;
    }
    for proof in proofs_of(state) {
        for check in proof.checks {
            if !checks.contains(&check) {
                checks.push(check);
            }
        }
    }
    checks
}

/// Why a drill that is over did not pass. Nothing of other runs.
pub(super) fn failures(report: &Report) -> Vec<Finding> {
    let state = &report.state;
    let over = matches!(report.left, RunExit::Finished(_)) || state.finished.is_some();
    if state.plan.kind != RunKind::Drill || !over || passed(state) {
        return Vec::new();
    }
    let run = &state.plan.run;
    let not_passed = |c: &Check| c.result != CheckResult::Passed;
    let mut findings: Vec<Finding> = checks(state)
        .into_iter()
        .filter(not_passed)
        .map(|check| {
            let why = check.why.as_deref().unwrap_or("it did not pass");
            let of = check.database.as_ref();
            let of = of.map_or_else(String::new, |d| format!(" (database {d})"));
            let message = format!(
                "check {} of {}{of} by method {} from {}: {why}",
                check.id, check.source, check.method, check.target
            );
            Finding::error(Code::CheckFailed, message)
                .thing(format!("{} {} {}", check.id, check.source, check.method))
                .place(format!("{run} at {}", check.target))
        })
        .collect();
    if findings.is_empty() {
        let why = match state.finished {
            Some(Outcome::Abandoned) => "the drill was abandoned at its deadline",
            _ => "the drill proved nothing",
        };
        let finding = Finding::error(Code::DrillFailed, why);
        findings.push(finding.thing(run).place(&state.plan.journal_target));
    }
    findings
}

fn teardown(state: &RunState) -> TeardownState {
    if let Some((_, _, torn)) = state.done::<Teardown>().next() {
        return TeardownState::Done {
            left: torn.left.clone(),
        };
    }
    let restored = state.done::<RestoreCluster>().map(|(_, _, made)| made);
    let created = state.done::<CreateCluster>().map(|(_, _, made)| made);
    TeardownState::NotDone {
        made: restored.chain(created).map(|m| m.id.clone()).collect(),
    }
}
