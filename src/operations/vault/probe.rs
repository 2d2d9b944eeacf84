//! Tries whether locked versions really resist, and whether conditional writes decide a race: a run
//! with a step for each target.

use super::VaultRequest;
use super::beside::Beside;
use crate::engine::{Report, RunExit};
use crate::journal::Outcome;
use crate::model::{Mark, Role, RunId, RunKind, Sha256, TargetName};
use crate::operations::closing::{self, Which};
use crate::operations::joining::Advanced;
use crate::operations::session::Session;
use crate::operations::{Loaded, Surroundings, word};
use crate::plan::{Plan, ProbeLock};
use crate::policy::Policy;
use crate::report::{Code, Fail, Finding, Hint, full};
use crate::targets::{self, Reached};
use crate::vault::Verdict;

pub struct Probes {
    pub run: RunId,
    pub probes: Vec<Probed>,
    pub findings: Vec<Finding>,
}

/// What a probe found at a target.
pub struct Probed {
    pub target: TargetName,
    pub verdict: Verdict,
    /// Whether it decides a race of conditional writes; absent where its lock is not proven.
    pub conditional: Option<bool>,
    pub why: String,
}

impl Probed {
    /// Whether this target can hold a journal.
    pub fn capable(&self) -> bool {
        self.conditional == Some(true) && self.verdict == Verdict::Locked
    }
}

/// # Errors
/// No target answers, or none is a vault.
pub async fn probe(
    around: Surroundings<'_>,
    loaded: &Loaded,
    request: &VaultRequest,
) -> Result<Probes, Fail> {
    let names = request.names(loaded)?;
    let clients = request.clients(loaded);
    let targets = loaded.targets(around.world.now());
    let reached = targets::reading(around.world, targets, &clients, Role::Prober).await?;
    let session = Session::new(around, loaded, &clients, None);
    let mark = command_mark("probe", loaded, &names);
    let planned = |mark: &Mark| session.input(&reached, RunKind::Probe, mark).probe(&names);
    // Two in one second are two runs: the first one may have been killed, and be ended by now.
    let plan = planned(&session.mark());
    let beside = Beside {
        session: &session,
        command: "vault probe",
        mark: mark.clone(),
    };
    let (report, run, mut findings) = match in_vault(&session, &reached, &plan).await {
        Some(Ok(Advanced {
            report,
            mut findings,
        })) => {
            findings.extend(beside.bring_earlier(&plan).await);
            let run = report.state.plan.run.clone();
            (report, run, findings)
        }
        Some(Err(fail)) if around.world.stopping() => return Err(fail),
        // No journal can be written, which a probe may cure.
        Some(Err(_)) | None => {
            let plan = planned(&mark);
            let (report, brought, findings) = beside.run(&plan).await?;
            (report, brought.unwrap_or(plan.run), findings)
        }
    };
    let (probes, found) = told(loaded, report);
    findings.extend(found);
    Ok(Probes {
        run,
        probes,
        findings,
    })
}

/// `None`: no target that answers can hold a journal.
async fn in_vault(
    session: &Session<'_>,
    reached: &Reached,
    plan: &Plan,
) -> Option<Result<Advanced, Fail>> {
    reached.capable().next()?;
    // One that was killed is nobody's any more: this one tries all of it again.
    drop(closing::close(session, reached, RunKind::Probe, Which::All).await);
    let same = |_: &Policy, _: &Plan| Some(plan.clone());
    Some(session.open(reached, plan, &same).await)
}

/// Stands for a command of a policy and its targets, whatever else the policy says by then.
pub(super) fn command_mark(verb: &str, loaded: &Loaded, names: &[TargetName]) -> Mark {
    let text = format!("{verb} {} {names:?}", loaded.policy.name);
    Mark::of(Sha256::of(text.as_bytes()).as_str())
}

/// What the steps of a run found, in its order, and what is to be said of those that failed.
pub(super) fn told(loaded: &Loaded, report: Report) -> (Vec<Probed>, Vec<Finding>) {
    let done = report.state.done::<ProbeLock>();
    let mut probes: Vec<Probed> = done
        .map(|(_, asked, found)| Probed {
            target: asked.target.clone(),
            verdict: Verdict::Locked,
            conditional: Some(found.conditional),
            why: found.why.clone(),
        })
        .collect();
    let plan = &report.state.plan;
    let mut findings = Vec::new();
    let cut = match &report.left {
        RunExit::Finished(Outcome::Complete | Outcome::Failed) => None,
        RunExit::Finished(_) => Some(Code::RunAbandoned),
        _ => Some(Code::Stopped),
    };
    if let Some(code) = cut {
        let message = format!(
            "{} ended before all of it was tried ({}); type the same again",
            plan.run,
            word(&report.left)
        );
        findings.push(Finding::error(code, message).thing(&plan.run));
    }
    for failed in report.failed {
        let asked = plan.actions::<ProbeLock>();
        let mut asked = asked.filter(|(step, _)| step.id == failed.step);
        let target = asked.next().map(|(_, a)| &a.target);
        let verdict = match failed.fail.code {
            Code::LockOpen => Some(Verdict::Open),
            Code::LockUnknown => Some(Verdict::Unknown),
            _ => None,
        };
        let mut finding_of = failed.step.to_string();
        if let (Some(target), Some(verdict)) = (target, verdict) {
            probes.push(Probed {
                target: target.clone(),
                verdict,
                conditional: None,
                why: full(&failed.fail),
            });
            if let Some(t) = plan.target(target) {
                finding_of = t.bucket.to_string();
            }
        }
        let mut finding = Finding::from(failed.fail).thing(&finding_of);
        if verdict.is_some() {
            let look = format!("aws s3api get-object-lock-configuration --bucket {finding_of}");
            finding = finding.hint(Hint::shell(look));
        }
        findings.push(match target {
            Some(target) => finding.place(target),
            None => finding.place(&loaded.file),
        });
    }
    let order = |name: &TargetName| plan.targets.iter().position(|t| &t.name == name);
    probes.sort_by_key(|p| order(&p.target));
    (probes, findings)
}
