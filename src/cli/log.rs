//! `dr log`: which runs there were, who did them, how long they took and how they ended.

use super::answer::{Answer, Outcome};
use super::figures::span;
use super::from_vault::VaultArgs;
use crate::model::Role;
use crate::operations::Surroundings;
use crate::operations::log::{Log, LogRequest, Run, log};
use jiff::Timestamp;
use std::path::PathBuf;

#[derive(clap::Args, Debug)]
pub struct Args {
    /// The policy file
    #[arg(long, env = "DR_POLICY", value_name = "FILE")]
    policy: Option<PathBuf>,
    #[command(flatten)]
    vault: VaultArgs,
    /// Runs whose slot is not before this instant; default: of the last 30 days, and the newest
    #[arg(long, value_name = "TIME")]
    since: Option<Timestamp>,
    /// Read every entry: chains are checked and exceptions counted again
    #[arg(long)]
    whole: bool,
    /// The role whose key reads
    #[arg(long, value_name = "ROLE", default_value = "auditor")]
    role: Role,
}

pub async fn run(around: Surroundings<'_>, args: &Args) -> Outcome {
    let of = ("log", args.role);
    let loaded = args
        .vault
        .loaded(around.world, of, args.policy.as_deref())
        .await?;
    let request = LogRequest {
        since: args.since,
        whole: args.whole,
        role: args.role,
    };
    let found = log(around, &loaded, &request).await?;
    let mut answer = Answer::new("dr/log/1", loaded.measured_on());
    found.runs.iter().for_each(|run| line(&mut answer, run));
    answer.line(total(&found));
    answer.set("policy", &found.policy);
    answer.set("since", found.since);
    answer.set("runs", &found.runs);
    answer.findings = found.findings;
    Ok(answer)
}

fn line(answer: &mut Answer, run: &Run) {
    let (took, target) = (span(run.took_s), &run.target);
    let some = run.exceptions.filter(|n| *n > 0);
    let exceptions = some.map(|n| format!("{n} exceptions  "));
    let exceptions = exceptions.unwrap_or_default();
    let steps = format!("{} of {} steps", run.steps_done, run.steps);
    answer.line(format!(
        "  {:40} {:10} took {took:8} {steps:15} {exceptions}at {target} by {}",
        run.run.as_str(),
        run.result,
        run.actor
    ));
    for failed in &run.failed {
        answer.line(format!("    failed: {} ({})", failed.step, failed.code));
    }
}

/// What lies before is not shown, and said.
fn total(found: &Log) -> String {
    let open = found.runs.iter().filter(|r| r.result == "open").count();
    format!(
        "{} runs of policy {} since {}, {open} open; earlier ones: --since TIME",
        found.runs.len(),
        found.policy,
        found.since
    )
}
