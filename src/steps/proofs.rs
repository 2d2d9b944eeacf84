//! What a drill's evidence proves: one proof per restore that was tried, passed or not. A function
//! of the run's state.

use crate::journal::{RunState, StepState};
use crate::manifest::{Check, CheckResult, Measured, Proof};
use crate::model::{Role, StepId};
use crate::plan::{
    ClusterMade, DumpLoaded, DumpTaken, FilesRestored, Inspected, Link, Output, Tried, TriedBy,
    WriteProofs,
};
use crate::proof::Scope;
use jiff::Timestamp;

/// The proofs that a drill's evidence makes, as they are written.
pub fn proofs_of(state: &RunState) -> Vec<Proof> {
    let tried = state.plan.actions::<WriteProofs>();
    tried
        .flat_map(|(_, action)| &action.tried)
        .map(|tried| build(state, tried))
        .collect()
}

/// What one restore came to.
#[derive(Default)]
struct Result {
    checks: Vec<Check>,
    rto_s: f64,
    snapshot_lag_s: Option<f64>,
    tables: u64,
    rows: u64,
    objects: u64,
    bytes: u64,
    excluded: u64,
    dump: Option<crate::model::ObjectKey>,
}

pub(super) fn build(state: &RunState, tried: &Tried) -> Proof {
    let method = tried.by.method();
    let scope = Scope {
        source: &tried.source,
        database: tried.by.database(),
        method,
        target: &tried.target,
    };
    let mut result = match &tried.by {
        TriedBy::Snapshot {
            cluster,
            inspected,
            snapshot_at,
        } => snapshot(state, &scope, (cluster, inspected), *snapshot_at),
        TriedBy::Dump {
            dump: taken,
            loaded,
            snapshot_at,
            ..
        } => dump(state, &scope, (taken, loaded), *snapshot_at),
        TriedBy::Files { restored } => files(state, &scope, restored),
    };
    result.checks.push(lock_check(state, &scope, tried));
    let passed = |c: &Check| c.result == CheckResult::Passed;
    let looked_at = result.checks.iter().any(|c| c.tested > 0);
    Proof {
        policy: state.plan.policy.clone(),
        slot: state.plan.slot,
        run: state.plan.run.clone(),
        source: tried.source.clone(),
        database: tried.by.database().cloned(),
        method,
        target: tried.target.clone(),
        actor: restorer(state),
        // When its drill was opened, by the journal target's clock. A second runner then writes the
        // same bytes.
        at: state.plan.opened_at,
        passed: looked_at && result.checks.iter().all(passed),
        checked: result.checks.iter().map(|c| c.tested).sum(),
        not_checked: result.checks.iter().map(|c| c.skipped).sum(),
        excluded: result.excluded,
        checks: result.checks,
        measured: Measured {
            measured_on: state.plan.measured_on().into(),
            rto_s: result.rto_s,
            snapshot_lag_s: result.snapshot_lag_s,
            tables: result.tables,
            rows: result.rows,
            objects: result.objects,
            bytes: result.bytes,
        },
        dump: result.dump,
    }
}

/// A step that did not succeed is a check that failed, or one that could not be looked at.
fn missing(state: &RunState, scope: &Scope<'_>, step: &StepId) -> Check {
    match state.state(step) {
        StepState::Failed { message, .. } => {
            scope.check(step.as_str(), false, 1, 1, Some(message.clone()))
        }
        _ => Check {
            result: CheckResult::Unknown,
            ..scope.check(
                step.as_str(),
                false,
                1,
                0,
                Some("it was not reached".into()),
            )
        },
    }
}

fn unreached<T: Output>(state: &RunState, scope: &Scope<'_>, link: &Link<T>) -> Vec<Check> {
    vec![missing(state, scope, link.step())]
}

/// How much older than the snapshot the newest heartbeat in it is.
fn lag(snapshot_at: Timestamp, heartbeat_at: Option<Timestamp>) -> Option<f64> {
    let lag = snapshot_at.duration_since(heartbeat_at?);
    Some(lag.as_secs_f64().max(0.0))
}

fn snapshot(
    state: &RunState,
    scope: &Scope<'_>,
    (cluster, inspected): (&Link<ClusterMade>, &[Inspected]),
    snapshot_at: Timestamp,
) -> Result {
    let Some(made) = state.output(cluster) else {
        return Result {
            checks: unreached(state, scope, cluster),
            ..Default::default()
        };
    };
    let mut result = Result {
        rto_s: made.took_s,
        ..Default::default()
    };
    if inspected.is_empty() {
        let why = "the point knows no database of it, so none was looked at";
        let check = scope.check("counts", false, 1, 0, Some(why.into()));
        result.checks.push(check);
    }
    for Inspected { database, by } in inspected {
        let scope = Scope {
            database: Some(database),
            ..*scope
        };
        let Some(found) = state.output(by) else {
            result.checks.extend(unreached(state, &scope, by));
            continue;
        };
        result.checks.extend(found.checks.iter().cloned());
        result.snapshot_lag_s = result
            .snapshot_lag_s
            .or(lag(snapshot_at, found.heartbeat.at));
        result.tables += found.tables.len() as u64;
        result.rows += found.tables.values().map(|t| t.rows).sum::<u64>();
    }
    result
}

fn dump(
    state: &RunState,
    scope: &Scope<'_>,
    (taken, loaded): (&DumpTaken, &Link<DumpLoaded>),
    snapshot_at: Timestamp,
) -> Result {
    let (key, excluded, bytes) = match taken {
        DumpTaken::Dumped(dumped) => match state.output(dumped) {
            Some(written) => (&written.key, written.excluded, written.bytes),
            None => {
                return Result {
                    checks: unreached(state, scope, dumped),
                    ..Default::default()
                };
            }
        },
        DumpTaken::Held(held) => (&held.key, held.excluded, held.bytes),
    };
    let of_dump = Result {
        dump: Some(key.clone()),
        excluded,
        ..Default::default()
    };
    let Some(found) = state.output(loaded) else {
        return Result {
            checks: unreached(state, scope, loaded),
            ..of_dump
        };
    };
    Result {
        checks: found.checks.clone(),
        rto_s: found.took_s,
        snapshot_lag_s: lag(snapshot_at, found.heartbeat.at),
        tables: found.tables,
        rows: found.rows,
        bytes,
        ..of_dump
    }
}

fn files(state: &RunState, scope: &Scope<'_>, restored: &Link<FilesRestored>) -> Result {
    let Some(found) = state.output(restored) else {
        return Result {
            checks: unreached(state, scope, restored),
            ..Default::default()
        };
    };
    let why = match found.mismatches.first() {
        Some(first) => Some(format!("{} files differ, first: {first}", found.differing)),
        None if found.differing > 0 => Some(format!("{} files differ", found.differing)),
        None if found.restored == 0 => Some("no file was restored".into()),
        None => None,
    };
    let tested = found.restored + found.differing;
    let check = scope.check("files-equal", why.is_none(), found.population, tested, why);
    Result {
        checks: vec![check],
        rto_s: found.took_s,
        objects: found.restored,
        bytes: found.bytes,
        ..Default::default()
    }
}

fn lock_check(state: &RunState, scope: &Scope<'_>, tried: &Tried) -> Check {
    match state.output(&tried.probed) {
        // A lock that is open, or that could not be tried, is a step that failed.
        Some(_) => scope.check("lock-probe", true, 1, 1, None),
        None => Check {
            id: "lock-probe".into(),
            ..missing(state, scope, tried.probed.step())
        },
    }
}

/// Who restored: the actor of the newest entry that a step of the driller left.
fn restorer(state: &RunState) -> String {
    let steps = state.plan.steps.iter();
    steps
        .filter(|s| s.role == Role::Driller && !s.always)
        .filter_map(|s| state.done_by.get(&s.id))
        .next_back()
        .unwrap_or(&state.head.by.actor.id)
        .clone()
}

#[cfg(test)]
mod tests;
