//! What a CronJob calls: resumes open runs, opens the slots that are due, sweeps, says what comes
//! next.

use super::closing::{self, Which};
use super::joining::Advanced;
use super::known_runs::{known_runs, schedule_of};
use super::planning::{self, Drillable};
use super::session::{Session, roles_of};
use super::{Loaded, Surroundings, drill, run_told, sweep};
use crate::engine::Report;
use crate::model::{Role, RunId, RunKind, Slot, TargetName};
use crate::plan::Plan;
use crate::policy::{Policy, Schedule};
use crate::report::{Code, Exit, Fail, Finding};
use crate::schedule::{self, History};
use crate::targets::{self, Reached, away_findings};
use jiff::Timestamp;

pub struct TickRequest {
    /// Execute only this role's steps; the journal hands over.
    pub role: Option<Role>,
}

pub struct Ticked {
    pub runs: Vec<Report>,
    pub next_backup: Option<Timestamp>,
    pub next_drill: Option<Timestamp>,
    pub journal_target: TargetName,
    pub findings: Vec<Finding>,
}

/// # Errors
/// No target can hold the journal; what breaks one run alone is a finding.
pub async fn tick(
    around: Surroundings<'_>,
    loaded: &Loaded,
    request: &TickRequest,
) -> Result<Ticked, Fail> {
    let role = request.role;
    let mut kinds = vec![RunKind::Backup, RunKind::Drill];
    kinds.retain(|k| role.is_none_or(|r| roles_of(*k).contains(&r)));
    let Some(first) = kinds.first() else {
        let role = role.map_or("", Role::as_str);
        return Err(Fail::usage(format!(
            "the {role} has no step in a scheduled run; roles of a tick are scheduler, copier, \
             dumper, driller and prober"
        )));
    };
    let clients = loaded.clients(None);
    let reader = role.unwrap_or(roles_of(*first)[0]);
    let now = around.world.now();
    let reached = targets::find(around.world, loaded.targets(now), &clients, reader).await?;
    let session = Session::new(around, loaded, &clients, role);
    let mut ticking = Ticking {
        session: &session,
        reached: &reached,
        runs: Vec::new(),
        findings: loaded.warnings.clone(),
    };
    for kind in kinds {
        // What keeps one kind from its turn keeps neither the other nor what was told already.
        if let Err(fail) = ticking.kind(kind).await {
            ticking.note(Err(fail))?;
        }
        if around.world.stopping() {
            break;
        }
    }
    if role.is_none_or(|r| r == Role::Driller) && !around.world.stopping() {
        let swept = sweep::sweep(&session, &reached).await;
        ticking.findings.extend(swept.findings);
        for advanced in swept.advanced {
            ticking.note(advanced)?;
        }
    }
    for kind in [RunKind::Policy, RunKind::Probe] {
        if role.is_none_or(|r| roles_of(kind).contains(&r)) && !around.world.stopping() {
            // What cannot be ended now is tried again by the next tick.
            let closed = closing::close(&session, &reached, kind, Which::Expired).await;
            ticking.findings.extend(closed);
        }
    }
    let (mut findings, runs) = (ticking.findings, ticking.runs);
    findings.extend(away_findings(&reached, &loaded.policy));
    let next = |s: &Schedule| schedule::next(s, reached.now).map(Slot::time);
    let drill = loaded.policy.drill.as_ref();
    Ok(Ticked {
        runs,
        next_backup: next(&loaded.policy.schedule),
        next_drill: drill.and_then(|d| next(&d.schedule)),
        journal_target: reached.name.clone(),
        findings,
    })
}

struct Ticking<'a> {
    session: &'a Session<'a>,
    reached: &'a Reached,
    runs: Vec<Report>,
    findings: Vec<Finding>,
}

impl Ticking<'_> {
    async fn kind(&mut self, kind: RunKind) -> Result<(), Fail> {
        let (session, reached) = (self.session, self.reached);
        let loaded = session.loaded;
        let Some(schedule) = schedule_of(&loaded.policy, kind) else {
            return Ok(());
        };
        let runs = known_runs(reached, loaded, kind).await?;
        let found = session.open_runs(reached, &runs).await?;
        self.findings.extend(found.findings);
        for read in found.open {
            let advanced = match kind {
                RunKind::Drill => {
                    let point = planning::drilled(loaded, reached, &read.state.plan).await?;
                    let again = |policy: &Policy, stored: &Plan| {
                        planning::drill_again(policy, reached, point.as_ref(), stored)
                    };
                    session.join(reached, read, &again).await
                }
                RunKind::Backup => session.join(reached, read, &backup_again(reached)).await,
                other => Err(Fail::bug(format!("a tick has no runs of kind {other}"))),
            };
            self.note(advanced)?;
            if session.around.world.stopping() {
                return Ok(());
            }
        }
        let history = History {
            seen: runs.iter().map(|r| r.slot).collect(),
            since: None,
        };
        let due = schedule::due(schedule, &history, reached.now)
            .map_err(|e| Fail::new(Code::PolicyInvalid, e))?;
        for slot in due {
            match kind {
                RunKind::Backup => self.backup(slot).await?,
                RunKind::Drill => self.drill(slot).await?,
                _ => {}
            }
            if session.around.world.stopping() {
                return Ok(());
            }
        }
        Ok(())
    }

    async fn backup(&mut self, slot: Slot) -> Result<(), Fail> {
        let (session, reached) = (self.session, self.reached);
        let loaded = session.loaded;
        let bases = planning::bases(loaded, reached, slot).await?;
        let policy = (&loaded.policy, &loaded.sha256);
        let plan = planning::backup_plan(policy, reached, slot, reached.now, bases);
        let advanced = session.open(reached, &plan, &backup_again(reached)).await;
        self.note(advanced)
    }

    async fn drill(&mut self, slot: Slot) -> Result<(), Fail> {
        let (session, reached) = (self.session, self.reached);
        let loaded = session.loaded;
        let Some(found) = planning::drillable(loaded, reached, None).await? else {
            let message = "a drill is due and there is no recovery point with a complete copy yet";
            let finding = Finding::warning(Code::NothingToDrill, message);
            let finding = finding.thing(&loaded.policy.name).place(&reached.name);
            self.findings.push(finding);
            return Ok(());
        };
        let run = RunId::scheduled(RunKind::Drill, slot);
        // Read here, because another runner may have opened this slot on an older point.
        let stored = session.read(reached, &run).await?;
        let point: Option<Drillable> = match &stored {
            Some(read) => planning::drilled(loaded, reached, &read.state.plan).await?,
            None => Some(found.clone()),
        };
        let policy = (&loaded.policy, &loaded.sha256);
        let Some(plan) = planning::drill_plan(policy, reached, &found, run, reached.now) else {
            return Ok(());
        };
        let again = |policy: &Policy, stored: &Plan| {
            planning::drill_again(policy, reached, point.as_ref(), stored)
        };
        let advanced = session.open(reached, &plan, &again).await;
        self.note(advanced)
    }

    /// One run that must not be touched, or whose journal cannot be written, does not keep the
    /// others from their slots.
    fn note(&mut self, advanced: Result<Advanced, Fail>) -> Result<(), Fail> {
        match advanced {
            Ok(Advanced { report, findings }) => {
                self.findings.extend(findings);
                self.findings.extend(run_told::findings(&report));
                self.findings.extend(drill::failures(&report));
                self.runs.push(report);
                Ok(())
            }
            Err(fail) if matches!(fail.exit, Exit::Usage | Exit::Bug) => Err(fail),
            Err(fail) => {
                self.findings.push(fail.into());
                Ok(())
            }
        }
    }
}

fn backup_again(reached: &Reached) -> impl Fn(&Policy, &Plan) -> Option<Plan> {
    |policy, stored| planning::backup_again(policy, reached, stored)
}
