//! `dr drill`: restore a point into scratch things, from every target, and prove it. Also what a
//! finished drill is told as.

use super::exit::Exit;
use super::home;
use super::load::load;
use super::output::{Answer, Fail, Finding, Outcome, Severity, bytes};
use super::planning::{self, Drillable};
use super::progress::Shown;
use super::runs::{Session, compact, tell, word};
use super::tick::known_runs;
use crate::engine::{Report, Whoami};
use crate::journal::{Evidence, RunState};
use crate::manifest::{Check, CheckResult, Proof};
use crate::plan::{Kind, RunId, StepId};
use crate::policy::Role;
use crate::steps::Secrets;
use crate::world::World;
use serde_json::{Value, json};
use std::path::PathBuf;

#[derive(clap::Args, Debug)]
pub struct Args {
    /// The policy file
    #[arg(long, env = "DR_POLICY", value_name = "FILE")]
    policy: PathBuf,
    /// Drill this recovery point instead of the newest
    #[arg(long, value_name = "SLOT")]
    point: Option<String>,
    /// Execute only this role's steps; the journal hands over
    #[arg(long, value_name = "ROLE")]
    role: Option<Role>,
}

pub async fn run(world: &World, args: &Args) -> Outcome {
    let loaded = load(&args.policy)?;
    if loaded.policy.drill.is_none() {
        let fail = Fail::usage(format!(
            "policy {} has no `drill`; without one no backup is ever proven",
            loaded.file
        ));
        return Err(fail.hint("dr policy schema"));
    }
    if let Some(role) = args
        .role
        .filter(|r| !super::runs::roles_of(Kind::Drill).contains(r))
    {
        return Err(Fail::usage(format!(
            "the {role} has no step in a drill; its roles are driller and prober"
        )));
    }
    let clients = loaded.clients(None);
    let home = home::find(world, &loaded, &clients, args.role.unwrap_or(Role::Driller)).await?;
    let Some(found) = planning::drillable(&loaded, &home, args.point.as_deref()).await? else {
        let fail = Fail::new(
            Exit::Findings,
            "nothing-to-drill",
            format!(
                "policy {} has no recovery point with a complete copy yet",
                loaded.policy.name
            ),
        );
        return Err(fail.hint(format!("dr tick --policy {}", loaded.file)));
    };
    let (whoami, progress) = (Whoami::of(world), Shown::new(world));
    let session = Session {
        world,
        loaded: &loaded,
        clients: &clients,
        role: args.role,
        whoami: &whoami,
        progress: &progress,
        secrets: Secrets::default(),
    };
    let report = open_or_resume(&session, &home, &found).await?;
    progress.clear();
    let mut answer = answer(&report);
    answer.findings.splice(0..0, loaded.warnings.clone());
    Ok(answer)
}

/// The same command goes on with its own open run.
async fn open_or_resume(
    session: &Session<'_>,
    home: &home::Home,
    found: &Drillable,
) -> Result<Report, Fail> {
    let mark = planning::drill_mark(session.loaded, found);
    let runs: Vec<_> = known_runs(home, session.loaded, Kind::Drill)
        .await?
        .into_iter()
        .filter(|r| r.run.0.ends_with(&format!("-{mark}")))
        .collect();
    let (mut open, _) = session.open_runs(home, &runs).await?;
    if let Some(read) = open.pop() {
        let again = planning::drill_again(session.loaded, home, &read.state.plan).await?;
        return session.join(home, read, &|_| again.clone()).await;
    }
    let run = RunId(format!("drill-{}-{mark}", compact(home.now)));
    let plan = planning::drill_plan(session.loaded, home, found, run, home.now)
        .ok_or_else(|| Fail::usage("the policy has no drill"))?;
    session.open(home, &plan, &|_| Some(plan.clone())).await
}

/// All checks passed, and there were some.
pub fn green(state: &RunState) -> bool {
    matches!(state.evidence(&StepId("write-proofs".into())), Some(Evidence::Proofs { passed: true,
    keys }) if !keys.is_empty())
}

/// Failed checks as findings.
pub fn red(answer: &mut Answer, report: &Report) {
    for check in checks(&report.state)
        .into_iter()
        .filter(|c| c.result != CheckResult::Passed)
    {
        let message = check
            .why
            .clone()
            .unwrap_or_else(|| "it did not pass".into());
        let finding = Finding {
            code: "check-failed".into(),
            severity: Severity::Error,
            thing: format!("{} {}", check.id, check.path),
            place: format!("{} at {}", report.state.plan.run, check.target),
            hint: "dr verify --policy FILE".into(),
            message: format!(
                "check {} of path {} from {}: {message}",
                check.id, check.path, check.target
            ),
        };
        answer.find(finding, Exit::Findings);
    }
    if answer.exit == Exit::Done {
        let finding = Finding {
            code: "drill-red".into(),
            severity: Severity::Error,
            thing: report.state.plan.run.to_string(),
            place: report.state.plan.home.to_string(),
            hint: String::new(),
            message: "the drill proved nothing".into(),
        };
        answer.find(finding, Exit::Findings);
    }
}

fn checks(state: &RunState) -> Vec<Check> {
    let mut checks = Vec::new();
    for step in &state.plan.steps {
        if let Some(
            Evidence::Inspected { checks: found, .. } | Evidence::Loaded { checks: found, .. },
        ) = state.evidence(&step.id)
        {
            checks.extend(found.clone())
        }
    }
    checks
}

/// How long each step took, by its evidence where it has a time of its own, else by this process.
fn phases(report: &Report) -> Vec<Value> {
    report
        .executed
        .iter()
        .map(|(id, s)| json!({"name": id, "s": round(*s)}))
        .collect()
}

pub fn round(seconds: f64) -> f64 {
    (seconds * 1000.0).round() / 1000.0
}

fn answer(report: &Report) -> Answer {
    let (state, plan) = (&report.state, &report.state.plan);
    let mut answer = Answer::new("dr/drill/1");
    answer.measured_on = plan.measured_on();
    tell(&mut answer, report);
    if state.finished.is_some() && !green(state) {
        red(&mut answer, report);
    }
    let proofs = proofs(state);
    answer.line(format!(
        "drill {} of point {}: {}",
        plan.run,
        plan.slot,
        if state.finished.is_some() {
            if green(state) { "passed" } else { "FAILED" }.to_owned()
        } else {
            word(&report.left)
        }
    ));
    for proof in &proofs {
        answer.line(format!(
            "  {:8} from {:10} {}  checked {}, not checked {}, excluded {}; restored in {:.1} s \
             measured on {}{}",
            proof["path"].as_str().unwrap_or(""),
            proof["target"].as_str().unwrap_or(""),
            if proof["passed"] == true {
                "passed"
            } else {
                "FAILED"
            },
            proof["checked"],
            proof["not_checked"],
            proof["excluded"],
            proof["rto_s"].as_f64().unwrap_or(0.0),
            plan.measured_on(),
            proof["bytes"]
                .as_u64()
                .filter(|b| *b > 0)
                .map(|b| format!(", {}", bytes(b)))
                .unwrap_or_default(),
        ));
    }
    let (done, left) = teardown(state);
    answer.line(format!(
        "  teardown: {}",
        if done {
            "everything scratch is gone".to_owned()
        } else {
            format!("not done; left: {}", left.join(", "))
        }
    ));
    answer.set("run", &plan.run);
    answer.set("point", &plan.slot);
    answer.set("result", word(&report.left));
    answer.set("phases", phases(report));
    answer.set("checks", checks(state));
    answer.set("proofs", &proofs);
    answer.set("disabled", disabled(state));
    answer.set("teardown", json!({"done": done, "left": left}));
    answer
}

fn disabled(state: &RunState) -> Vec<String> {
    match state.evidence(&StepId("inspect".into())) {
        Some(Evidence::Inspected { disabled, .. }) => disabled.clone(),
        _ => Vec::new(),
    }
}

fn teardown(state: &RunState) -> (bool, Vec<String>) {
    match state.evidence(&StepId("teardown".into())) {
        Some(Evidence::TornDown { left, .. }) => (left.is_empty(), left.clone()),
        _ => {
            let made = state
                .plan
                .steps
                .iter()
                .filter_map(|s| match state.evidence(&s.id) {
                    Some(Evidence::Cluster { id, .. }) => Some(format!("cluster {id}")),
                    _ => None,
                });
            (false, made.collect())
        }
    }
}

/// What was proven, from the run's own evidence; the documents in the vault say the same.
fn proofs(state: &RunState) -> Vec<Value> {
    let Some(Evidence::Proofs { .. }) = state.evidence(&StepId("write-proofs".into())) else {
        return Vec::new();
    };
    crate::steps::proofs_of(state)
        .into_iter()
        .map(|p: Proof| {
            json!({
                "path": p.path, "target": p.target, "passed": p.passed,
                "checked": p.checked, "not_checked": p.not_checked, "excluded": p.excluded,
                "rto_s": round(p.measured.rto_s), "rpo_s": p.measured.rpo_s.map(round),
                "tables": p.measured.tables, "rows": p.measured.rows, "objects": p.measured.objects,
                "bytes": p.measured.bytes,
            })
        })
        .collect()
}
