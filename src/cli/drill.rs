//! `dr drill`: restore a point into scratch things, from every target, and prove it.

use super::answer::{Answer, Outcome};
use super::figures::{bytes, round};
use crate::manifest::Proof;
use crate::model::{Role, Slot};
use crate::operations::drill::{DrillRequest, Drilled, TeardownState, drill};
use crate::operations::{Surroundings, load, word};
use serde_json::{Value, json};
use std::path::PathBuf;

#[derive(clap::Args, Debug)]
pub struct Args {
    /// The policy file
    #[arg(long, env = "DR_POLICY", value_name = "FILE")]
    policy: PathBuf,
    /// Drill this recovery point instead of the newest
    #[arg(long, value_name = "SLOT")]
    point: Option<Slot>,
    /// Execute only this role's steps; the journal hands over
    #[arg(long, value_name = "ROLE")]
    role: Option<Role>,
}

pub async fn run(around: Surroundings<'_>, args: &Args) -> Outcome {
    let loaded = load(&args.policy)?;
    let request = DrillRequest {
        point: args.point,
        role: args.role,
    };
    let drilled = drill(around, &loaded, &request).await?;
    Ok(answer(drilled))
}

fn answer(drilled: Drilled) -> Answer {
    let (report, plan) = (&drilled.report, &drilled.report.state.plan);
    let mut answer = Answer::new("dr/drill/1", plan.measured_on());
    let result = match (report.state.finished, drilled.passed) {
        (None, _) => word(&report.left),
        (Some(_), true) => "passed".to_owned(),
        (Some(_), false) => "FAILED".to_owned(),
    };
    answer.line(format!(
        "drill {} of point {}: {result}",
        plan.run, plan.slot
    ));
    for proof in &drilled.proofs {
        answer.line(proof_line(proof, plan.measured_on()));
    }
    let (done, left) = match &drilled.teardown {
        TeardownState::Done { left } => (true, left.clone()),
        TeardownState::NotDone { made } => (
            false,
            made.iter().map(|id| format!("cluster {id}")).collect(),
        ),
    };
    let told = match (done, left.is_empty()) {
        (true, true) => "everything scratch is gone".to_owned(),
        (true, false) => format!(
            "clusters and files are gone; still there: {}",
            left.join(", ")
        ),
        (false, _) => format!("not done; left: {}", left.join(", ")),
    };
    answer.line(format!("  teardown: {told}"));
    let phases = report.executed.iter();
    let phases: Vec<Value> = phases
        .map(|(id, s)| json!({"name": id, "s": round(*s)}))
        .collect();
    answer.set("run", &plan.run);
    answer.set("point", plan.slot);
    answer.set("result", word(&report.left));
    answer.set("phases", phases);
    answer.set("checks", &drilled.checks);
    answer.set(
        "proofs",
        drilled.proofs.iter().map(proof_json).collect::<Vec<_>>(),
    );
    answer.set("disabled", &drilled.disabled);
    answer.set("teardown", json!({"done": done, "left": left}));
    answer.findings = drilled.findings;
    answer
}

fn proof_line(proof: &Proof, measured_on: &str) -> String {
    let what = match &proof.database {
        Some(database) => format!("{} (database {database})", proof.source),
        None => proof.source.to_string(),
    };
    let size = proof.measured.bytes;
    let size = (size > 0).then(|| format!(", {}", bytes(size)));
    format!(
        "  {:20} {:8} from {:10} {}  checked {}, not checked {}, excluded {}; restored in {:.1} s \
         measured on {measured_on}{}",
        what,
        proof.method.as_str(),
        proof.target.as_str(),
        if proof.passed { "passed" } else { "FAILED" },
        proof.checked,
        proof.not_checked,
        proof.excluded,
        proof.measured.rto_s,
        size.unwrap_or_default(),
    )
}

fn proof_json(p: &Proof) -> Value {
    let lag = p.measured.snapshot_lag_s.map(round);
    json!({
        "method": p.method, "source": p.source, "database": p.database, "target": p.target,
        "passed": p.passed,
        "checked": p.checked, "not_checked": p.not_checked, "excluded": p.excluded,
        "rto_s": round(p.measured.rto_s), "rpo_s": lag, "snapshot_lag_s": lag,
        "tables": p.measured.tables, "rows": p.measured.rows, "objects": p.measured.objects,
        "bytes": p.measured.bytes,
    })
}
