//! `dr status`: the newest point, the newest proven one per path and target, what is open, missed
//! and breached.

use super::exit::Exit;
use super::home::{self, Home};
use super::load::{Loaded, load};
use super::output::{Answer, Fail, Finding, Outcome, Severity, span};
use super::runs::Session;
use super::tick::known_runs;
use crate::engine::Whoami;
use crate::plan::Kind;
use crate::policy::{Role, TargetName};
use crate::schedule::{self, History, Slot};
use crate::status::{self, Input, Known, OpenRun, Status};
use crate::steps::Secrets;
use crate::world::World;
use std::path::PathBuf;

#[derive(clap::Args, Debug)]
pub struct Args {
    /// The policy file; may be given several times
    #[arg(long, env = "DR_POLICY", value_name = "FILE", required = true)]
    policy: Vec<PathBuf>,
    /// Exit 4 where an objective, a retention or a slot is missed
    #[arg(long)]
    check: bool,
    /// The role whose key reads
    #[arg(long, value_name = "ROLE", default_value = "auditor")]
    role: Role,
}

/// Points that are folded, newest first.
const POINTS: usize = 60;

pub async fn run(world: &World, args: &Args) -> Outcome {
    let mut answer = Answer::new("dr/status/1");
    let mut policies = Vec::new();
    for file in &args.policy {
        let loaded = load(file)?;
        if loaded.measured_on() == "lab" {
            answer.measured_on = "lab";
        }
        answer.findings.extend(loaded.warnings.clone());
        let status = one(world, &loaded, args.role, &mut answer).await?;
        text(&mut answer, &status, loaded.measured_on());
        breaches(&mut answer, &status, &loaded, args.check);
        policies.push(status);
    }
    answer.set("policies", policies);
    Ok(answer)
}

async fn one(
    world: &World,
    loaded: &Loaded,
    role: Role,
    answer: &mut Answer,
) -> Result<Status, Fail> {
    let clients = loaded.clients(None);
    let home = home::reading(world, loaded, &clients, role).await?;
    for (target, why) in &home.away {
        let finding = Finding {
            code: "target-unavailable".into(),
            severity: Severity::Error,
            thing: target.to_string(),
            place: loaded.policy.name.to_string(),
            hint: format!("dr status --policy {}", loaded.file),
            message: format!("target {target} cannot be used now: {why}"),
        };
        answer.find(finding, Exit::Unavailable);
    }
    let whoami = Whoami::of(world);
    let progress = super::progress::Shown::new(world);
    let session = Session {
        world,
        loaded,
        clients: &clients,
        role: Some(role),
        whoami: &whoami,
        progress: &progress,
        secrets: Secrets::default(),
    };
    let mut open_runs = Vec::new();
    let mut history = History::default();
    for kind in [Kind::Backup, Kind::Drill] {
        let runs = known_runs(&home, loaded, kind).await?;
        if kind == Kind::Backup {
            history.seen = runs
                .iter()
                .filter_map(|r| Slot::from_compact(&r.slot))
                .collect();
        }
        let (open, damaged) = session.open_runs(&home, &runs).await?;
        damaged
            .into_iter()
            .for_each(|(finding, exit)| answer.find(finding, exit));
        open_runs.extend(open.into_iter().map(|read| OpenRun {
            run: read.run.to_string(),
            step: read.state.current_step().map(ToString::to_string),
            holder: if read.state.head.released {
                "free".into()
            } else {
                format!(
                    "{} pid {}",
                    read.state.head.by.host.hostname, read.state.head.by.process.pid
                )
            },
            head_age_s: read.head_age.as_secs(),
        }));
    }
    let schedule = &loaded.policy.schedule;
    let missed = schedule::missed(schedule, &history, home.now).map_err(Fail::usage)?;
    let points = points(&home, loaded, answer).await?;
    let away: Vec<TargetName> = home.away.iter().map(|(t, _)| t.clone()).collect();
    Ok(status::fold(Input {
        policy: &loaded.policy,
        now: home.now,
        points: &points,
        open_runs,
        last_slot: history.seen.iter().max().map(|s| s.0),
        next_slot: schedule::next(schedule, home.now).map(|s| s.0),
        missed_slots: missed.len() as u64,
        away: &away,
    }))
}

/// Points of all targets that answer, merged: a copy or proof that one of them knows is known.
async fn points(home: &Home, loaded: &Loaded, answer: &mut Answer) -> Result<Vec<Known>, Fail> {
    let mut known = Vec::new();
    for slot in super::points::slots(home, loaded)
        .await?
        .iter()
        .take(POINTS)
    {
        let merged = super::points::point(home, loaded, slot).await?;
        merged
            .findings
            .into_iter()
            .for_each(|(finding, exit)| answer.find(finding, exit));
        known.extend(merged.point.map(|p| Known {
            point: p.point,
            copies: p.copies,
            proofs: p.proofs,
        }));
    }
    Ok(known)
}

fn text(answer: &mut Answer, status: &Status, measured_on: &str) {
    answer.line(format!("policy {}", status.name));
    match &status.newest {
        Some(newest) => {
            let targets: Vec<String> = newest
                .targets
                .iter()
                .map(|t| format!("{} {} (immutable: {})", t.name, t.state, t.immutable))
                .collect();
            answer.line(format!(
                "  newest point    {}  {} old   {}",
                newest.point,
                span(newest.age_s),
                targets.join(", ")
            ));
        }
        None => answer.line("  newest point    none"),
    }
    if status.newest_proven.is_empty() {
        answer.line("  newest proven   none: untested resilience is an assumption; run `dr drill`");
    }
    for proven in &status.newest_proven {
        answer.line(format!(
            "  newest proven   {}  {:8} from {:10} point {} old, proven {} ago, restored in \
             {:.1} s measured on {measured_on}, would lose {}",
            proven.point,
            proven.path.as_str(),
            proven.target,
            span(proven.age_s),
            span(proven.proof_age_s),
            proven.rto_s,
            span(proven.rpo_s as i64)
        ));
    }
    for met in &status.objectives {
        let shown = |v: Option<f64>| {
            v.map_or("not measured".into(), |s| {
                format!("{s:.1} s measured on {measured_on}")
            })
        };
        answer.line(format!(
            "  objective       {:8} rto {} s ({}), rpo {} s ({}): {}",
            met.path.as_str(),
            met.rto_s,
            shown(met.measured_rto_s),
            met.rpo_s,
            shown(met.measured_rpo_s),
            if met.met { "met" } else { "NOT met" }
        ));
    }
    for run in &status.open_runs {
        answer.line(format!(
            "  open run        {}  step {}, holder {}, last heard {} ago",
            run.run,
            run.step.as_deref().unwrap_or("none"),
            run.holder,
            span(run.head_age_s)
        ));
    }
    let instant = |t: &Option<jiff::Timestamp>| t.map_or("never".to_owned(), |t| t.to_string());
    answer.line(format!(
        "  slots           last {}, next {}, missed {}",
        instant(&status.last_slot),
        instant(&status.next_slot),
        status.missed_slots
    ));
    answer.line(format!(
        "  retention       earliest unlock {}, below policy {}",
        instant(&status.retention.earliest_unlock),
        status.retention.below_policy
    ));
    answer.line(format!(
        "  proofs          checked {}, not checked {}, excluded {}",
        status.checked, status.not_checked, status.excluded
    ));
}

fn breaches(answer: &mut Answer, status: &Status, loaded: &Loaded, check: bool) {
    // Without --check a breach is told and leaves the exit code alone.
    let severity = if check {
        Severity::Error
    } else {
        Severity::Warning
    };
    let mut say = |code: &str, thing: String, message: String, hint: String| {
        answer.find(
            Finding {
                code: code.into(),
                severity,
                thing,
                place: status.name.clone(),
                hint,
                message,
            },
            Exit::Breach,
        );
    };
    let policy = &loaded.file;
    if status.newest.is_none() {
        say(
            "no-point",
            status.name.clone(),
            "there is no recovery point with a complete copy".into(),
            format!("dr tick --policy {policy}"),
        );
    }
    for met in status.objectives.iter().filter(|m| !m.met) {
        let why = if met.measured_rto_s.is_none() {
            "no restore by it was ever proven"
        } else {
            "the newest proven figures miss it"
        };
        say(
            "objective-missed",
            met.path.to_string(),
            format!("objective of path {}: {why}", met.path),
            format!("dr drill --policy {policy}"),
        );
    }
    if status.retention.below_policy > 0 {
        say(
            "retention-short",
            status
                .newest
                .as_ref()
                .map_or_else(String::new, |n| n.point.clone()),
            format!(
                "{} copies of the newest point unlock before the policy's retention",
                status.retention.below_policy
            ),
            format!("dr verify --policy {policy}"),
        );
    }
    if status.missed_slots > 0 {
        say(
            "slots-missed",
            status.missed_slots.to_string(),
            format!(
                "{} slots since the first run have no run",
                status.missed_slots
            ),
            "kubectl get cronjob dr-tick".into(),
        );
    }
    if let Some(newest) = &status.newest {
        for target in newest.targets.iter().filter(|t| t.state == "missing") {
            say(
                "copy-missing",
                target.name.to_string(),
                format!("the newest point has no complete copy at {}", target.name),
                format!("dr tick --policy {policy}"),
            );
        }
    }
}
