//! `dr plan`: what the next backup would do. Changes nothing.

use super::answer::{Answer, Outcome};
use super::figures::bytes;
use crate::operations::{Surroundings, load, plan};
use serde_json::{Value, json};
use std::path::PathBuf;

#[derive(clap::Args, Debug)]
pub struct Args {
    /// The policy file
    #[arg(long, env = "DR_POLICY", value_name = "FILE")]
    policy: PathBuf,
}

pub async fn run(around: Surroundings<'_>, args: &Args) -> Outcome {
    let loaded = load(&args.policy)?;
    let planned = plan::plan(around, &loaded).await?;
    let plan = &planned.plan;
    let mut answer = Answer::new("dr/plan/1", loaded.measured_on());
    answer.line(format!(
        "plan of {} (slot {}), hash {}",
        plan.run,
        plan.slot,
        plan.hash()
    ));
    for step in &plan.steps {
        answer.line(format!("  {:24} {}", step.id.as_str(), step.role));
    }
    for target in &planned.targets {
        answer.line(format!(
            "  target {:12} puts {} objects, {}; {} stay locked, the last until {}, evidence until \
             {}",
            target.name.as_str(),
            target.put_objects,
            bytes(target.put_bytes),
            bytes(target.locked_bytes),
            target.last_unlock,
            target.evidence_unlock
        ));
    }
    let step = |s: &crate::plan::Step| json!({"name": s.id, "role": s.role, "needs": s.needs});
    let target = |t: &plan::TargetWork| {
        json!({
            "name": t.name, "put_objects": t.put_objects, "put_bytes": t.put_bytes,
            "locked_bytes": t.locked_bytes, "last_unlock": t.last_unlock,
            "evidence_unlock": t.evidence_unlock,
        })
    };
    let steps: Vec<Value> = plan.steps.iter().map(step).collect();
    let targets: Vec<Value> = planned.targets.iter().map(target).collect();
    answer.set("hash", plan.hash());
    answer.set("run", &plan.run);
    answer.set("steps", steps);
    answer.set("targets", targets);
    answer.findings = planned.findings;
    Ok(answer)
}
