//! `dr status`: the newest point, the newest proven ones, drills, what is open, missed and
//! breached.

use super::answer::{Answer, Outcome};
use super::figures::span;
use crate::model::Role;
use crate::operations::status::{StatusRequest, status};
use crate::operations::{Surroundings, load};
use crate::status::{DrillResult, Proven, Status};
use jiff::Timestamp;
use std::path::PathBuf;

#[derive(clap::Args, Debug)]
pub struct Args {
    /// The policy file; may be given several times
    #[arg(long, env = "DR_POLICY", value_name = "FILE", required = true)]
    policy: Vec<PathBuf>,
    /// Exit 4 where an objective, a retention, a slot or a drill is missed
    #[arg(long)]
    check: bool,
    /// The role whose key reads
    #[arg(long, value_name = "ROLE", default_value = "auditor")]
    role: Role,
}

pub async fn run(around: Surroundings<'_>, args: &Args) -> Outcome {
    let mut answer = Answer::new("dr/status/1", "aws");
    let (mut policies, mut findings) = (Vec::new(), Vec::new());
    for file in &args.policy {
        let loaded = load(file)?;
        if loaded.measured_on() == "lab" {
            answer.measured_on = "lab";
        }
        let request = StatusRequest {
            check: args.check,
            role: args.role,
        };
        let told = status(around, &loaded, &request).await?;
        text(&mut answer, &told.status, loaded.measured_on());
        findings.extend(told.findings);
        policies.push(told.status);
    }
    answer.set("policies", policies);
    answer.findings = findings;
    Ok(answer)
}

fn instant(at: Option<Timestamp>) -> String {
    at.map_or("never".to_owned(), |t| t.to_string())
}

fn text(answer: &mut Answer, status: &Status, measured_on: &str) {
    let mut say = |what: &str, text: String| answer.line(format!("  {what:15} {text}"));
    say("policy", status.name.to_string());
    match &status.newest {
        None => say("newest point", "none".into()),
        Some(newest) => {
            let targets = newest.targets.iter();
            let each: Vec<String> = targets
                .map(|t| format!("{} {} (immutable: {})", t.name, t.state, t.immutable))
                .collect();
            let age = span(newest.age_s);
            say(
                "newest point",
                format!("{} is {age} old: {}", newest.point, each.join(", ")),
            );
        }
    }
    if status.newest_proven.is_empty() {
        let none = "none: untested resilience is an assumption; run `dr drill`";
        say("newest proven", none.into());
    }
    for p in &status.newest_proven {
        say("newest proven", proven(p, measured_on));
    }
    say("drills", drills(status));
    let shown = |v: Option<f64>| match v {
        None => "not measured".to_owned(),
        Some(s) => format!("{s:.1} s measured on {measured_on}"),
    };
    for met in &status.objectives {
        let (rto, rpo) = (shown(met.measured_rto_s), shown(met.measured_rpo_s));
        let (m, verdict) = (met.method.as_str(), if met.met { "met" } else { "NOT met" });
        let figures = format!("rto {} s ({rto}), rpo {} s ({rpo})", met.rto_s, met.rpo_s);
        say("objective", format!("{m:8} {figures}: {verdict}"));
    }
    state(say, status);
}

/// Open runs, slots, locks and what the proofs looked at.
fn state(mut say: impl FnMut(&str, String), status: &Status) {
    for run in &status.open_runs {
        let step = run.step.as_ref().map_or("none", |s| s.as_str());
        let (holder, heard) = (&run.holder, span(run.head_age_s));
        say(
            "open run",
            format!(
                "{}  step {step}, holder {holder}, last heard {heard} ago",
                run.run
            ),
        );
    }
    let (last, next) = (instant(status.last_slot), instant(status.next_slot));
    say(
        "slots",
        format!("last {last}, next {next}, missed {}", status.missed_slots),
    );
    let (unlock, below) = (
        instant(status.retention.earliest_unlock),
        status.retention.below_policy,
    );
    say(
        "retention",
        format!("earliest unlock {unlock}, below policy {below}"),
    );
    let (checked, not, excluded) = (status.checked, status.not_checked, status.excluded);
    say(
        "proofs",
        format!("checked {checked}, not checked {not}, excluded {excluded}"),
    );
}

fn proven(p: &Proven, measured_on: &str) -> String {
    let (age, proven, loses) = (span(p.age_s), span(p.proof_age_s), span(p.rpo_s as i64));
    format!(
        "{}  {:8} from {:10} point {age} old, proven {proven} ago, restored in {:.1} s measured \
         on {measured_on}, would lose {loses}",
        p.point,
        p.method.as_str(),
        p.target.as_str(),
        p.rto_s,
    )
}

fn drills(status: &Status) -> String {
    let drills = &status.drills;
    let last = drills.last.as_ref().map_or("never".to_owned(), |last| {
        let failed: Vec<String> = last
            .failed
            .iter()
            .map(|f| format!("{} {}", f.method, f.target))
            .collect();
        match last.result {
            DrillResult::Passed => format!("{} passed", last.at),
            DrillResult::Failed => format!("{} FAILED ({})", last.at, failed.join(", ")),
        }
    });
    format!(
        "last {last}, next {}, missed {}",
        instant(drills.next),
        drills.missed
    )
}
