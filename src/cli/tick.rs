//! `dr tick`: what the CronJob calls.

use super::answer::{Answer, Outcome};
use crate::engine::Report;
use crate::model::Role;
use crate::operations::tick::{TickRequest, tick};
use crate::operations::{Surroundings, load, word};
use serde_json::{Value, json};
use std::path::PathBuf;

#[derive(clap::Args, Debug)]
pub struct Args {
    /// The policy file
    #[arg(long, env = "DR_POLICY", value_name = "FILE")]
    policy: PathBuf,
    /// Execute only this role's steps; the journal hands over
    #[arg(long, value_name = "ROLE")]
    role: Option<Role>,
}

pub async fn run(around: Surroundings<'_>, args: &Args) -> Outcome {
    let loaded = load(&args.policy)?;
    let request = TickRequest { role: args.role };
    let ticked = tick(around, &loaded, &request).await?;
    let mut answer = Answer::new("dr/tick/1", loaded.measured_on());
    let each = |r: &Report| format!("{} {}", r.state.plan.run, word(&r.left));
    let done: Vec<String> = ticked.runs.iter().map(each).collect();
    let done = if done.is_empty() {
        "nothing due".to_owned()
    } else {
        done.join("; ")
    };
    let instant = |t: Option<jiff::Timestamp>| t.map(|t| t.to_string());
    let (backup, drill) = (instant(ticked.next_backup), instant(ticked.next_drill));
    let drill_part = drill.as_ref().map(|d| format!(", next drill {d}"));
    answer.line(format!(
        "tick {}: {done}; next backup {}{}",
        loaded.policy.name,
        backup.as_deref().unwrap_or("never"),
        drill_part.unwrap_or_default()
    ));
    answer.set("policy", &loaded.policy.name);
    answer.set("runs", ticked.runs.iter().map(run_json).collect::<Vec<_>>());
    answer.set("next", json!({"backup": backup, "drill": drill}));
    answer.set("journal_target", &ticked.journal_target);
    answer.findings = ticked.findings;
    Ok(answer)
}

fn run_json(report: &Report) -> Value {
    let plan = &report.state.plan;
    let done = report.executed.iter();
    let done: Vec<Value> = done.map(|(id, s)| json!({"name": id, "s": s})).collect();
    let failed = report.failed.iter();
    let failed: Vec<Value> = failed
        .map(|f| json!({"name": f.step, "code": f.fail.code.as_str()}))
        .collect();
    json!({
        "run": plan.run, "kind": plan.kind, "slot": plan.slot, "result": word(&report.left),
        "steps_done": done, "steps_failed": failed,
    })
}
