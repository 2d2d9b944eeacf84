//! The lock probe of a drill, and the proofs: one document per path and target, passed or not.

use super::{Context, StepError};
use crate::journal::{Evidence, RunState, StepState};
use crate::manifest::{Check, CheckResult, Document, Measured, Proof};
use crate::plan::{Action, StepId};
use crate::policy::{Path, Seconds, TargetName};
use crate::proof::Scope;
use crate::vault::{ProbeRecord, Verdict, layout};
use jiff::Timestamp;

pub(super) async fn probe(
    ctx: &Context<'_>,
    target: &TargetName,
    control: Seconds,
    lock: Seconds,
) -> Result<Evidence, StepError> {
    let vault = ctx.vault(target).await?;
    let mode = ctx.lock(target)?.mode;
    let outcome = vault.probe(ctx.world, mode, control, lock).await?;
    let at = vault.now().await?;
    let record = ProbeRecord {
        target: target.clone(),
        at,
        mode,
        outcome: outcome.clone(),
    };
    let key = layout::probe_record(target, &at.strftime("%Y%m%dT%H%M%SZ").to_string());
    vault
        .create(&key, record.to_bytes().into(), Some(ctx.lock(target)?))
        .await?;
    match outcome.verdict {
        Verdict::Locked => Ok(Evidence::Probed {
            passed: true,
            capable: outcome.conditional,
            why: outcome.why,
        }),
        Verdict::Open => Err(StepError::refused(
            "lock-open",
            format!("target {target} does not lock: {}", outcome.why),
        )),
        Verdict::Unknown => Err(StepError::refused(
            "lock-unknown",
            format!(
                "the lock of target {target} could not be tested: {}",
                outcome.why
            ),
        )),
    }
}

/// What one path from one target came to.
struct Tried {
    checks: Vec<Check>,
    rto_s: f64,
    rpo_s: Option<f64>,
    tables: u64,
    rows: u64,
    objects: u64,
    bytes: u64,
    dump: Option<String>,
}

impl Default for Tried {
    fn default() -> Self {
        Self {
            checks: Vec::new(),
            rto_s: 0.0,
            rpo_s: None,
            tables: 0,
            rows: 0,
            objects: 0,
            bytes: 0,
            dump: None,
        }
    }
}

pub(super) async fn write(
    ctx: &Context<'_>,
    targets: &[TargetName],
    native: Option<&TargetName>,
) -> Result<Evidence, StepError> {
    let (mut keys, mut all_passed) = (Vec::new(), true);
    for (path, target) in paths(ctx.state, targets, native) {
        let proof = build(ctx.state, path, target);
        all_passed &= proof.passed;
        let key = layout::proof(
            &ctx.plan.policy,
            &ctx.plan.slot,
            &ctx.plan.run,
            path,
            target,
        );
        store(ctx, &key, &proof).await?;
        keys.push(key);
    }
    Ok(Evidence::Proofs {
        keys,
        passed: all_passed,
    })
}

/// The proofs that a drill's evidence makes, as they are written.
pub fn proofs_of(state: &RunState) -> Vec<Proof> {
    let of = |action: &Action| match action {
        Action::WriteProofs { targets, native } => Some((targets.clone(), native.clone())),
        _ => None,
    };
    let Some((targets, native)) = state.plan.steps.iter().find_map(|s| of(&s.action)) else {
        return Vec::new();
    };
    paths(state, &targets, native.as_ref())
        .into_iter()
        .map(|(path, target)| build(state, path, target))
        .collect()
}

fn paths<'a>(
    state: &'a RunState,
    targets: &'a [TargetName],
    native: Option<&'a TargetName>,
) -> Vec<(Path, &'a TargetName)> {
    let has = |id: String| state.plan.step(&StepId(id)).is_some();
    let mut paths: Vec<_> = native
        .into_iter()
        .filter(|_| has("restore-cluster".into()))
        .map(|t| (Path::Native, t))
        .collect();
    paths.extend(
        targets
            .iter()
            .filter(|t| has(format!("load:{t}")))
            .map(|t| (Path::Portable, t)),
    );
    paths.extend(
        targets
            .iter()
            .filter(|t| has(format!("restore-files:{t}")))
            .map(|t| (Path::S3, t)),
    );
    paths
}

/// To every target that answers; the one it speaks of must be among the plan's. A runner before us
/// may have written it: its bytes then count.
async fn store(ctx: &Context<'_>, key: &str, proof: &Proof) -> Result<(), StepError> {
    let mut bytes = None;
    let mut written = 0;
    let mut last = None;
    for target in &ctx.plan.targets {
        let vault = ctx.vault(&target.name).await?;
        let lock = Some(ctx.lock(&target.name)?);
        let result = async {
            match vault.oldest(key).await {
                Ok((stored, _)) => {
                    bytes.get_or_insert(stored);
                    Ok(())
                }
                Err(e) if e.not_found() => {
                    let body = bytes.get_or_insert_with(|| proof.to_bytes().into()).clone();
                    vault.create(key, body, lock).await.map(|_| ())
                }
                Err(e) => Err(e),
            }
        };
        match result.await {
            Ok(()) => written += 1,
            // A moment's trouble is worth the engine's next attempt; a target that stays away is
            // not waited for.
            Err(e)
                if e.transient() && ctx.state.attempt(&ctx.step.id) >= ctx.plan.step_attempts =>
            {
                last = Some(e)
            }
            Err(e) => return Err(e.into()),
        }
    }
    match last {
        Some(e) if written == 0 => Err(e.into()),
        _ => Ok(()),
    }
}

fn build(state: &RunState, path: Path, target: &TargetName) -> Proof {
    let scope = Scope { path, target };
    let mut tried = match path {
        Path::Native => native_path(state, &scope),
        Path::Portable => portable_path(state, &scope),
        Path::S3 => files_path(state, &scope),
    };
    tried.checks.push(lock_check(state, &scope));
    let passed = tried.checks.iter().all(|c| c.result == CheckResult::Passed)
        && tried.checks.iter().any(|c| c.tested > 0);
    Proof {
        policy: state.plan.policy.clone(),
        slot: state.plan.slot.clone(),
        run: state.plan.run.to_string(),
        path,
        target: target.clone(),
        actor: restorer(state),
        at: proven_at(state),
        passed,
        checked: tried.checks.iter().map(|c| c.tested).sum(),
        not_checked: tried.checks.iter().map(|c| c.skipped).sum(),
        excluded: excluded(state, &scope),
        checks: tried.checks,
        measured: Measured {
            measured_on: state.plan.measured_on().into(),
            rto_s: tried.rto_s,
            rpo_s: tried.rpo_s,
            tables: tried.tables,
            rows: tried.rows,
            objects: tried.objects,
            bytes: tried.bytes,
        },
        dump: tried.dump,
    }
}

/// The instant a proof speaks of: when its drill was opened, by the home's clock. A second runner
/// then writes the same bytes.
fn proven_at(state: &RunState) -> Timestamp {
    state.plan.opened_at
}

/// A step that did not succeed is a check that failed, or one that could not be looked at.
fn missing(state: &RunState, scope: &Scope<'_>, step: &str) -> Check {
    match state.state(&StepId(step.into())) {
        StepState::Failed { message, .. } => scope.check(step, false, 1, 1, Some(message.clone())),
        _ => Check {
            result: CheckResult::Unknown,
            ..scope.check(step, false, 1, 0, Some("it was not reached".into()))
        },
    }
}

fn native_path(state: &RunState, scope: &Scope<'_>) -> Tried {
    let Some(Evidence::Cluster { took_s, .. }) = evidence(state, "restore-cluster") else {
        return Tried {
            checks: vec![missing(state, scope, "restore-cluster")],
            ..Default::default()
        };
    };
    let Some(Evidence::Inspected {
        checks,
        tables,
        heartbeat_at,
        ..
    }) = evidence(state, "inspect")
    else {
        return Tried {
            checks: vec![missing(state, scope, "inspect")],
            rto_s: *took_s,
            ..Default::default()
        };
    };
    Tried {
        checks: checks.clone(),
        rto_s: *took_s,
        rpo_s: rpo(state, *heartbeat_at),
        tables: tables.len() as u64,
        rows: tables.values().map(|t| t.rows).sum(),
        ..Default::default()
    }
}

/// What would be lost if the region died at the instant of the snapshot: its age is added by
/// whoever reads this later.
fn rpo(state: &RunState, heartbeat_at: Option<Timestamp>) -> Option<f64> {
    let snapshot_at = state.plan.steps.iter().find_map(|s| match &s.action {
        crate::plan::Action::InspectScratch { snapshot_at, .. } => Some(*snapshot_at),
        _ => None,
    })?;
    Some(
        snapshot_at
            .duration_since(heartbeat_at?)
            .as_secs_f64()
            .max(0.0),
    )
}

fn portable_path(state: &RunState, scope: &Scope<'_>) -> Tried {
    let (dump_step, load_step) = (
        format!("dump:{}", scope.target),
        format!("load:{}", scope.target),
    );
    let Some(Evidence::Dumped { key, bytes, .. }) = evidence(state, &dump_step) else {
        return Tried {
            checks: vec![missing(state, scope, &dump_step)],
            ..Default::default()
        };
    };
    let Some(Evidence::Loaded {
        checks,
        tables,
        rows,
        took_s,
        heartbeat_at,
        ..
    }) = evidence(state, &load_step)
    else {
        return Tried {
            checks: vec![missing(state, scope, &load_step)],
            dump: Some(key.clone()),
            ..Default::default()
        };
    };
    Tried {
        checks: checks.clone(),
        rto_s: *took_s,
        rpo_s: rpo(state, *heartbeat_at),
        tables: *tables,
        rows: *rows,
        bytes: *bytes,
        dump: Some(key.clone()),
        ..Default::default()
    }
}

fn files_path(state: &RunState, scope: &Scope<'_>) -> Tried {
    let step = format!("restore-files:{}", scope.target);
    let Some(Evidence::FilesRestored {
        population,
        restored,
        bytes,
        mismatches,
        took_s,
        ..
    }) = evidence(state, &step)
    else {
        return Tried {
            checks: vec![missing(state, scope, &step)],
            ..Default::default()
        };
    };
    let why = match mismatches.first() {
        Some(first) => Some(format!("{} files differ, first: {first}", mismatches.len())),
        None if *restored == 0 => Some("no file was restored".into()),
        None => None,
    };
    let check = scope.check(
        "files-equal",
        why.is_none(),
        *population,
        restored + mismatches.len() as u64,
        why,
    );
    Tried {
        checks: vec![check],
        rto_s: *took_s,
        objects: *restored,
        bytes: *bytes,
        ..Default::default()
    }
}

fn lock_check(state: &RunState, scope: &Scope<'_>) -> Check {
    let step = format!("probe:{}", scope.target);
    match evidence(state, &step) {
        Some(Evidence::Probed { passed, why, .. }) => {
            scope.check("lock-probe", *passed, 1, 1, (!passed).then(|| why.clone()))
        }
        _ => Check {
            id: "lock-probe".into(),
            ..missing(state, scope, &step)
        },
    }
}

fn evidence<'a>(state: &'a RunState, step: &str) -> Option<&'a Evidence> {
    state.evidence(&StepId(step.into()))
}

/// Who restored: the actor of the newest entry that a step of the driller left.
fn restorer(state: &RunState) -> String {
    let drillers = state
        .plan
        .steps
        .iter()
        .filter(|s| s.role == crate::policy::Role::Driller && !s.always);
    drillers
        .filter_map(|s| state.done_by.get(&s.id))
        .next_back()
        .unwrap_or(&state.head.by.actor.id)
        .clone()
}

/// What the dump left out, counted by kind; the dump's document names each with its reason.
fn excluded(state: &RunState, scope: &Scope<'_>) -> u64 {
    match (
        scope.path,
        evidence(state, &format!("dump:{}", scope.target)),
    ) {
        (Path::Portable, Some(Evidence::Dumped { excluded, .. })) => *excluded,
        _ => 0,
    }
}
