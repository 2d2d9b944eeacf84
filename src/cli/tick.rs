//! `dr tick`: what the CronJob calls. Goes on with open runs, opens the slots that are due, says
//! what comes next.

use super::exit::Exit;
use super::home::{self, Home};
use super::load::{Loaded, load};
use super::output::{Answer, Fail, Finding, Outcome, Severity};
use super::planning;
use super::progress::Shown;
use super::runs::{Session, roles_of, tell, word};
use super::sweep::sweep;
use crate::engine::{Left, Report, Whoami};
use crate::plan::{Kind, RunId};
use crate::policy::{Policy, Role, Schedule};
use crate::schedule::{self, History, Slot};
use crate::steps::Secrets;
use crate::vault::RunRef;
use crate::world::World;
use jiff::SignedDuration;
use serde_json::json;
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

/// History is read this far back.
const WINDOW: SignedDuration = SignedDuration::from_hours(24 * 40);

pub async fn run(world: &World, args: &Args) -> Outcome {
    let loaded = load(&args.policy)?;
    let kinds: Vec<Kind> = [Kind::Backup, Kind::Drill]
        .into_iter()
        .filter(|k| args.role.is_none_or(|r| roles_of(*k).contains(&r)))
        .collect();
    if kinds.is_empty() {
        let role = args.role.map_or("", Role::as_str);
        return Err(Fail::usage(format!(
            "the {role} has no step in a scheduled run; roles of a tick are scheduler, copier, \
             driller and prober"
        )));
    }
    let clients = loaded.clients(None);
    let reader = args.role.unwrap_or(roles_of(kinds[0])[0]);
    let home = home::find(world, &loaded, &clients, reader).await?;
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
    let mut answer = Answer::new("dr/tick/1");
    answer.measured_on = loaded.measured_on();
    answer.findings.extend(loaded.warnings.clone());
    let mut told = Vec::new();
    for kind in kinds {
        one_kind(&session, &home, kind, &mut answer, &mut told).await?;
    }
    if args.role.is_none_or(|r| r == crate::policy::Role::Driller) && !world.stopping() {
        sweep(&session, &home, &mut answer).await?;
    }
    progress.clear();
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
    let next = |s: &Schedule| schedule::next(s, home.now).map(|s| s.0.to_string());
    let next_backup = next(&loaded.policy.schedule);
    let next_drill = loaded.policy.drill.as_ref().and_then(|d| next(&d.schedule));
    let done = if told.is_empty() {
        "nothing due".to_owned()
    } else {
        told.iter()
            .map(|t| {
                format!(
                    "{} {}",
                    t["run"].as_str().unwrap_or(""),
                    t["result"].as_str().unwrap_or("")
                )
            })
            .collect::<Vec<_>>()
            .join("; ")
    };
    let drill_part = next_drill
        .as_ref()
        .map(|d| format!(", next drill {d}"))
        .unwrap_or_default();
    answer.line(format!(
        "tick {}: {done}; next backup {}{drill_part}",
        loaded.policy.name,
        next_backup.as_deref().unwrap_or("never")
    ));
    answer.set("policy", &loaded.policy.name);
    answer.set("runs", told);
    answer.set("next", json!({"backup": next_backup, "drill": next_drill}));
    answer.set("home", &home.name);
    Ok(answer)
}

/// `None`: runs of this kind have no schedule here.
fn schedule_of(policy: &Policy, kind: Kind) -> Option<&Schedule> {
    match kind {
        Kind::Backup => Some(&policy.schedule),
        Kind::Drill => policy.drill.as_ref().map(|d| &d.schedule),
        Kind::Restore => None,
    }
}

async fn one_kind(
    session: &Session<'_>,
    home: &Home,
    kind: Kind,
    answer: &mut Answer,
    told: &mut Vec<serde_json::Value>,
) -> Result<(), Fail> {
    let policy = &session.loaded.policy;
    let Some(schedule) = schedule_of(policy, kind) else {
        return Ok(());
    };
    let runs = known_runs(home, session.loaded, kind).await?;
    let (open, damaged) = session.open_runs(home, &runs).await?;
    damaged
        .into_iter()
        .for_each(|(finding, exit)| answer.find(finding, exit));
    for read in open {
        let again = match kind {
            Kind::Drill => planning::drill_again(session.loaded, home, &read.state.plan).await?,
            _ => planning::backup_again(session.loaded, home, &read.state.plan),
        };
        note(
            session.join(home, read, &|_| again.clone()).await,
            answer,
            told,
        )?;
        if session.world.stopping() {
            return Ok(());
        }
    }
    let seen = runs
        .iter()
        .filter_map(|r| Slot::from_compact(&r.slot))
        .collect();
    let history = History { seen, since: None };
    let due = schedule::due(schedule, &history, home.now)
        .map_err(|e| Fail::new(Exit::Usage, "policy-invalid", e))?;
    for slot in due {
        if kind == Kind::Backup {
            let bases = planning::bases(session.loaded, home, &slot.compact()).await?;
            let plan = planning::backup_plan(session.loaded, home, slot, home.now, bases);
            let again =
                |stored: &crate::plan::Plan| planning::backup_again(session.loaded, home, stored);
            note(session.open(home, &plan, &again).await, answer, told)?;
        } else {
            scheduled_drill(session, home, slot, answer, told).await?;
        }
        if session.world.stopping() {
            return Ok(());
        }
    }
    Ok(())
}

async fn scheduled_drill(
    session: &Session<'_>,
    home: &Home,
    slot: Slot,
    answer: &mut Answer,
    told: &mut Vec<serde_json::Value>,
) -> Result<(), Fail> {
    let Some(found) = planning::drillable(session.loaded, home, None).await? else {
        let finding = Finding {
            code: "nothing-to-drill".into(),
            severity: Severity::Warning,
            thing: session.loaded.policy.name.to_string(),
            place: home.name.to_string(),
            hint: format!("dr status --policy {}", session.loaded.file),
            message: "a drill is due and there is no recovery point with a complete copy yet"
                .into(),
        };
        answer.find(finding, Exit::Findings);
        return Ok(());
    };
    let run = RunId(format!("drill-{}", slot.compact()));
    let Some(plan) = planning::drill_plan(session.loaded, home, &found, run.clone(), home.now)
    else {
        return Ok(());
    };
    // Read here, because another runner may have opened this slot on an older point.
    let again = match session.read(home, &run).await? {
        Some(read) => planning::drill_again(session.loaded, home, &read.state.plan).await?,
        None => Some(plan.clone()),
    };
    note(
        session.open(home, &plan, &|_| again.clone()).await,
        answer,
        told,
    )
}

/// Runs of a kind in all reachable homes, merged; two runs of one slot are one slot.
pub async fn known_runs(home: &Home, loaded: &Loaded, kind: Kind) -> Result<Vec<RunRef>, Fail> {
    // A slot that comes once a year is older than the window, and still the one that was done.
    let latest = schedule_of(&loaded.policy, kind)
        .and_then(|s| schedule::latest(s, home.now))
        .map_or(home.now, |s| s.0);
    let since = Slot((home.now - WINDOW).min(latest - SignedDuration::from_secs(1))).compact();
    let mut runs = Vec::new();
    for seen in home.seen.iter().filter(|s| s.capable()) {
        runs.extend(seen.vault.runs(&loaded.policy.name, kind, &since).await?);
    }
    runs.sort();
    runs.dedup();
    Ok(runs)
}

fn note(
    result: Result<Report, Fail>,
    answer: &mut Answer,
    told: &mut Vec<serde_json::Value>,
) -> Result<(), Fail> {
    match result {
        Ok(report) => {
            tell(answer, &report);
            let red = matches!(report.left, Left::Finished(_))
                && report.state.plan.kind == Kind::Drill
                && !super::drill::green(&report.state);
            if red {
                super::drill::red(answer, &report);
            }
            told.push(json!({
                "run": report.state.plan.run,
                "kind": report.state.plan.kind,
                "slot": report.state.plan.slot,
                "result": word(&report.left),
                "steps_done": report.executed.iter().map(|(id, s)| json!({"name": id,
                "s": s})).collect::<Vec<_>>(),
                "steps_failed": report.failed.iter().map(|f| json!({"name": f.step,
                "code": f.code})).collect::<Vec<_>>(),
            }));
            Ok(())
        }
        // One run that must not be touched, or whose journal cannot be written, does not keep the
        // others from their slots.
        Err(fail) if !matches!(fail.exit, Exit::Usage | Exit::Bug) => {
            let finding = Finding {
                code: fail.code.clone(),
                severity: Severity::Error,
                thing: String::new(),
                place: fail.place.clone(),
                hint: fail.hints.first().cloned().unwrap_or_default(),
                message: fail.message.clone(),
            };
            answer.find(finding, fail.exit);
            Ok(())
        }
        Err(fail) => Err(fail),
    }
}
