//! What the vaults say of a policy, and which promises are not met.

mod points;

use self::points::points;
use super::known_runs::known_runs;
use super::session::Session;
use super::{Loaded, Surroundings};
use crate::journal::{Event, read};
use crate::model::{Name, PolicyName, Role, RunId, RunKind, Slot, SourceId, TargetName};
use crate::policy::Schedule;
use crate::report::{Code, Exit, Fail, Finding, Hint, Severity};
use crate::schedule::{self, History};
use crate::status::{self, CopyState, DrillResult, DrillRun, Input, OpenRun, Slots, Status};
use crate::targets::{self, Reached, away_findings};
use crate::vault::{RunRead, RunRef, Vault, folder};

pub struct StatusRequest {
    /// A breach is an error instead of a warning.
    pub check: bool,
    /// The role whose key reads.
    pub role: Role,
}

pub struct Told {
    pub status: Status,
    pub findings: Vec<Finding>,
}

/// # Errors
/// The store's; no target answers.
pub async fn status(
    around: Surroundings<'_>,
    loaded: &Loaded,
    request: &StatusRequest,
) -> Result<Told, Fail> {
    let (clients, now) = (loaded.clients(None), around.world.now());
    let targets = loaded.targets(now);
    let reached = targets::reading(around.world, targets, &clients, request.role).await?;
    let policy = &loaded.policy;
    let mut findings = loaded.warnings.clone();
    findings.extend(away_findings(&reached, policy));
    let session = Session::new(around, loaded, &clients, Some(request.role));
    let mut open_runs = Vec::new();
    let runs_of = |kind| known_runs(&reached, loaded, kind);
    let backups = runs_of(RunKind::Backup).await?;
    let drills = runs_of(RunKind::Drill).await?;
    for runs in [&backups, &drills] {
        let found = session.open_runs(&reached, runs).await?;
        findings.extend(found.findings);
        open_runs.extend(found.open.iter().map(open_run));
    }
    let backup_slots = slots(&policy.schedule, &backups, &reached)?;
    let drill_slots = match &policy.drill {
        Some(drill) => slots(&drill.schedule, &drills, &reached)?,
        None => Slots::default(),
    };
    let points = points(&reached, &policy.name, &mut findings).await?;
    let away: Vec<TargetName> = reached.away.iter().map(|a| a.name.clone()).collect();
    let status = status::fold(Input {
        policy,
        now: reached.now,
        points: &points,
        open_runs,
        slots: backup_slots,
        drill: newest_drill(&reached, &policy.name, &drills).await?,
        drill_slots,
        away: &away,
    });
    findings.extend(breaches(&status, request.check));
    Ok(Told { status, findings })
}

fn open_run(read: &RunRead) -> OpenRun {
    let head = &read.state.head;
    let holder = if head.released {
        "free".into()
    } else {
        format!("{} pid {}", head.by.host.hostname, head.by.process.pid)
    };
    OpenRun {
        run: read.run.clone(),
        step: read.state.current_step().cloned(),
        holder,
        head_age_s: read.head_age.as_secs(),
    }
}

/// A run by hand makes good what was missed, and is not the last scheduled one.
fn slots(schedule: &Schedule, runs: &[RunRef], reached: &Reached) -> Result<Slots, Fail> {
    let history = History {
        seen: runs.iter().map(|r| r.slot).collect(),
        since: None,
    };
    let missed = schedule::missed(schedule, &history, reached.now).map_err(Fail::usage)?;
    let scheduled = |r: &&RunRef| r.run == RunId::scheduled(r.run.kind(), r.slot);
    let last = runs.iter().filter(scheduled).map(|r| r.slot).max();
    Ok(Slots {
        last: last.map(Slot::time),
        next: schedule::next(schedule, reached.now).map(Slot::time),
        missed: missed.len() as u64,
    })
}

/// The newest drill whose journal says that it is over.
async fn newest_drill(
    reached: &Reached,
    policy: &PolicyName,
    runs: &[RunRef],
) -> Result<Option<DrillRun>, Fail> {
    for run in runs.iter().rev().take(super::session::LOOK_BACK) {
        for seen in reached.capable() {
            let found = finished(&seen.vault, policy, run).await?;
            if found.is_some() {
                return Ok(found);
            }
        }
    }
    Ok(None)
}

/// By its newest entry alone.
async fn finished(
    vault: &Vault,
    policy: &PolicyName,
    run: &RunRef,
) -> Result<Option<DrillRun>, Fail> {
    let keys = vault
        .bucket
        .keys(&folder::run(policy, &run.run), 100_000)
        .await?;
    let Some(newest) = keys.iter().max() else {
        return Ok(None);
    };
    let (bytes, _) = match vault.oldest(newest).await {
        Ok(found) => found,
        Err(e) if e.transient() => return Err(e.into()),
        // `open_runs` names a journal that cannot be believed.
        Err(_) => return Ok(None),
    };
    Ok(match read(&bytes) {
        Ok((entry, _)) => match entry.event {
            Event::Finished { outcome, .. } => Some(DrillRun {
                run: run.run.clone(),
                at: run.slot.time(),
                outcome,
            }),
            _ => None,
        },
        Err(_) => None,
    })
}

/// Without --check a breach is told and leaves the exit code alone.
fn breaches(status: &Status, check: bool) -> Vec<Finding> {
    let severity = if check {
        Severity::Error
    } else {
        Severity::Warning
    };
    let say = |code: Code, message: String| {
        Finding::error(code, message)
            .severity(severity)
            .exit(Exit::Breach)
            .place(&status.name)
    };
    let mut found = Vec::new();
    if status.newest.is_none() {
        let message = "there is no recovery point with a complete copy".into();
        let finding = say(Code::NoPoint, message).thing(&status.name);
        found.push(finding.hint(Hint::policy("tick")));
    }
    for met in status.objectives.iter().filter(|m| !m.met) {
        let old = |(age, most): (i64, u64)| u64::try_from(age).is_ok_and(|age| age > most);
        let why = if met.measured_rto_s.is_none() {
            "no restore by it was ever proven"
        } else if met
            .measured_proof_age_s
            .zip(met.proof_age_s)
            .is_some_and(old)
        {
            "its newest proof is older than proof_age"
        } else if met.compared_s.is_some_and(|most| {
            met.measured_compared_age_s
                .is_none_or(|age| old((age, most)))
        }) {
            "its newest comparison with the source is older than `compared`"
        } else {
            "the newest proven figures miss it"
        };
        let of = what(&met.source, met.database.as_ref());
        let message = format!("objective of method {} for {of}: {why}", met.method);
        let thing = format!("{} {of}", met.method);
        found.push(say(Code::ObjectiveMissed, message).thing(thing));
    }
    if status.retention.below_policy > 0 {
        let message = format!(
            "{} copies of the newest point unlock before the policy's retention",
            status.retention.below_policy
        );
        let finding = say(Code::RetentionShort, message);
        found.push(match &status.newest {
            Some(newest) => finding.thing(newest.point),
            None => finding,
        });
    }
    if status.missed_slots > 0 {
        let n = status.missed_slots;
        let message = format!("{n} slots that were due have no run");
        found.push(say(Code::SlotsMissed, message).thing(n));
    }
    if let Some(newest) = &status.newest {
        found.extend(lacking(newest, &say));
    }
    found.extend(drill_breaches(status, say));
    found
}

/// A source, and the database of it where one is meant.
fn what(source: &SourceId, database: Option<&Name>) -> String {
    database.map_or_else(
        || source.to_string(),
        |database| format!("{source} (database {database})"),
    )
}

/// What the newest point was to hold and does not.
fn lacking(newest: &status::Newest, say: &impl Fn(Code, String) -> Finding) -> Vec<Finding> {
    let point = newest.point;
    let lost = newest.not_captured.iter().map(|source| {
        let message = format!("the newest point, {point}, was made without source {source}");
        say(Code::SourceNotCaptured, message).thing(source)
    });
    let away = |t: &&status::TargetState| t.state == CopyState::Away;
    let copies = newest.targets.iter().filter(|t| !away(t)).flat_map(|t| {
        let captured = |s: &&SourceId| !newest.not_captured.contains(s);
        t.missing.iter().filter(captured).map(move |source| {
            let name = &t.name;
            let message = format!("the newest point has no complete copy of {source} at {name}");
            say(Code::CopyMissing, message).thing(format!("{source} {name}"))
        })
    });
    // An empty database, and tags that nobody may read, are told and promised by nobody.
    let told = [Code::DatabaseEmpty, Code::TagsNotKept].map(Code::as_str);
    let counted = newest.exceptions.iter();
    let counted = counted.filter(|e| !told.contains(&e.exception.code.as_str()));
    let exceptions = counted.map(|e| {
        let (source, exception) = (&e.source, &e.exception);
        let at = e.target.as_ref();
        let at = at.map_or_else(String::new, |t| format!(" at {t}"));
        let what = format!("{} of {source}{at}", exception.thing);
        let message = format!("nothing protects {what}: {}", exception.why);
        say(Code::NotProtected, message).thing(what)
    });
    lost.chain(copies).chain(exceptions).collect()
}

fn drill_breaches(
    status: &Status,
    say: impl Fn(Code, String) -> Finding,
) -> impl Iterator<Item = Finding> {
    let drills = &status.drills;
    let last = drills.last.as_ref();
    let failed = last
        .filter(|l| l.result == DrillResult::Failed)
        .map(|last| {
            let why = match last.failed.first() {
                Some(f) => {
                    let of = what(&f.source, f.database.as_ref());
                    format!("{} of {of} from {}: {}", f.method, f.target, f.why)
                }
                None => "it proved nothing".into(),
            };
            let message = format!("the newest drill, {}, failed: {why}", last.run);
            say(Code::DrillFailed, message).thing(&last.run)
        });
    let missed = (drills.missed > 0).then(|| {
        let n = drills.missed;
        let message = format!("{n} drills that were due have no run");
        say(Code::DrillsMissed, message).thing(n)
    });
    failed.into_iter().chain(missed)
}
