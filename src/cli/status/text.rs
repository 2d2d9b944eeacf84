//! A policy's status in lines.

use super::proven::{drills, instant, proven, what};
use crate::cli::answer::Answer;
use crate::cli::figures::span;
use crate::status::Status;

pub fn text(answer: &mut Answer, status: &Status, measured_on: &str) {
    let mut say = |what: &str, text: String| answer.line(format!("  {what:15} {text}"));
    say("policy", status.name.to_string());
    match &status.newest {
        None => say("newest point", "none".into()),
        Some(newest) => {
            let targets = newest.targets.iter();
            let each: Vec<String> = targets
                .map(|t| format!("{} {} (immutable: {})", t.name, t.state, t.immutable))
                .chain(newest.not_captured.iter().map(|s| format!("WITHOUT {s}")))
                .collect();
            let age = span(newest.age_s);
            say(
                "newest point",
                format!("{} is {age} old: {}", newest.point, each.join(", ")),
            );
        }
    }
    for e in status.newest.iter().flat_map(|n| &n.exceptions) {
        let at = e
            .target
            .as_ref()
            .map_or_else(String::new, |t| format!(" at {t}"));
        let (thing, why) = (&e.exception.thing, &e.exception.why);
        say(
            "not protected",
            format!("{thing} of {}{at}: {why}", e.source),
        );
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
        let of = what(&met.source, met.database.as_ref());
        let (m, verdict) = (met.method.as_str(), if met.met { "met" } else { "NOT met" });
        let figures = format!("rto {} s ({rto}), rpo {} s ({rpo})", met.rto_s, met.rpo_s);
        let age = |what: &str, most: Option<u64>, age: Option<i64>, never: &str| {
            let age = age.map_or(never.to_owned(), span);
            most.map_or_else(String::new, |most| format!(", {what} {most} s ({age})"))
        };
        let proof = age(
            "proof",
            met.proof_age_s,
            met.measured_proof_age_s,
            "never proven",
        );
        let compared = age(
            "compared",
            met.compared_s,
            met.measured_compared_age_s,
            "never compared",
        );
        say(
            "objective",
            format!("{m:8} of {of}: {figures}{proof}{compared}: {verdict}"),
        );
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
