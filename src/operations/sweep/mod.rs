//! What closed drills left: scratch things whose teardown failed until the deadline. Swept by a
//! tick of the driller once their time is over, in a run of its own, by the teardown that their own
//! plan names, and only if it is the one that this policy would make.

mod left;

use self::left::Of;
use super::joining::Advanced;
use super::known_runs::known_runs;
use super::planning;
use super::session::Session;
use crate::engine::RunExit;
use crate::journal::RunState;
use crate::model::{Mark, RunId, RunKind, Sha256, Slot, TargetName, VaultId};
use crate::plan::{
    Plan, ServerPlace, SweepDrill, SweepInput, Teardown, drill_databases, drill_prefix, expires_at,
    scratch_prefix, sweep as plan,
};
use crate::policy::Policy;
use crate::report::{Code, Fail, Finding};
use crate::targets::Reached;
use jiff::Timestamp;
use std::collections::BTreeSet;

/// Drills that one run sweeps; a bug that takes everything for a leftover is caught by arithmetic.
const MAX_RUNS: usize = 5;

/// What became of it: runs that were advanced, and what is to be said beside their reports.
#[derive(Default)]
pub(super) struct Swept {
    pub advanced: Vec<Result<Advanced, Fail>>,
    pub findings: Vec<Finding>,
}

/// Resumes the sweeps that are open; if none is left, looks for leftovers and sweeps them.
pub(super) async fn sweep(session: &Session<'_>, reached: &Reached) -> Swept {
    let mut swept = Swept::default();
    match resumed(session, reached, &mut swept).await {
        Ok(true) => return swept,
        Ok(false) => {}
        Err(fail) => {
            swept.advanced.push(Err(fail));
            return swept;
        }
    }
    let Some(drill) = &session.loaded.policy.drill else {
        return swept;
    };
    let of = Of {
        vault: &reached.id,
        policy: &session.loaded.policy.name,
        now: reached.now,
    };
    let (runs, findings) = left::left(session, of, drill).await;
    swept.findings.extend(findings);
    let (states, findings) = journals(session, reached, runs).await;
    swept.findings.extend(findings);
    let mut drills = Vec::new();
    for state in &states {
        let own = left_by(state, &session.loaded.policy, of);
        let told = not_swept(state, own.as_ref(), of);
        swept.findings.extend(told.map(|f| f.place(&reached.name)));
        drills.extend(own);
    }
    if drills.len() > MAX_RUNS {
        let message = format!(
            "{} closed drills seem to have left scratch things, at most {MAX_RUNS} are swept at \
             once; look at them first",
            drills.len()
        );
        let finding = Finding::error(Code::TooMany, message);
        let finding = finding.thing(&reached.id).place(&reached.name);
        swept.findings.push(finding);
    } else if !drills.is_empty() {
        let loaded = session.loaded;
        let (of, place) = ((&loaded.policy, &loaded.sha256), Place::of(reached));
        let Some(plan) = planned(of, place, drills) else {
            return swept;
        };
        let again = |policy: &Policy, stored: &Plan| again(policy, stored, &states, place);
        let opened = session.open(reached, &plan, &again).await;
        swept.advanced.push(opened);
    }
    swept
}

/// Whether one of them is open still: then no other is opened.
async fn resumed(
    session: &Session<'_>,
    reached: &Reached,
    swept: &mut Swept,
) -> Result<bool, Fail> {
    let runs = known_runs(reached, session.loaded, RunKind::Sweep).await?;
    let found = session.open_runs(reached, &runs).await?;
    swept.findings.extend(found.findings);
    let (mut open, place) = (false, Place::of(reached));
    for read in found.open {
        let drills = read.state.plan.actions::<SweepDrill>();
        let runs: BTreeSet<RunId> = drills.map(|(_, d)| d.run.clone()).take(MAX_RUNS).collect();
        let (states, findings) = journals(session, reached, runs).await;
        swept.findings.extend(findings);
        let again = |policy: &Policy, stored: &Plan| again(policy, stored, &states, place);
        let advanced = session.join(reached, read, &again).await;
        open |= matches!(&advanced, Ok(a) if !matches!(a.report.left, RunExit::Finished(_)));
        swept.advanced.push(advanced);
    }
    Ok(open)
}

/// What these drills' journals say; one that says nothing hides no other.
async fn journals(
    session: &Session<'_>,
    reached: &Reached,
    runs: BTreeSet<RunId>,
) -> (Vec<RunState>, Vec<Finding>) {
    let (mut states, mut findings) = (Vec::new(), Vec::new());
    for run in runs {
        let finding = match session.read_anywhere(reached, &run).await {
            Ok(Some(read)) => {
                states.push(read.state);
                continue;
            }
            Ok(None) => {
                let message = format!(
                    "{run} left scratch things, and no target that answers has its journal; they \
                     are left alone"
                );
                Finding::warning(Code::RunMissing, message)
            }
            Err(fail) => Finding::from(fail),
        };
        findings.push(finding.thing(&run).place(&reached.name));
    }
    (states, findings)
}

/// The teardown of a closed drill whose time is over.
fn over<'a>(state: &'a RunState, of: Of<'_>) -> Option<&'a Teardown> {
    let (_, action) = state.plan.actions::<Teardown>().next()?;
    let until = expires_at(&action.tags)?;
    let closed = state.plan.kind == RunKind::Drill && state.finished.is_some();
    (closed && until < of.now).then_some(action)
}

/// It, if it names what this policy's drills make and nothing else: without places that the policy
/// no longer has.
fn left_by(state: &RunState, policy: &Policy, of: Of<'_>) -> Option<SweepDrill> {
    let (plan, drill) = (&state.plan, policy.drill.as_ref()?);
    let mut torn = over(state, of)?.clone();
    let tag = |name: &str| torn.tags.get(name).map(String::as_str);
    let prefix = format!("{}{}/", scratch_prefix(of.vault, of.policy), plan.run);
    let named = torn.cluster_prefix == drill_prefix(of.vault, of.policy, &plan.run)
        && torn.prefix == prefix
        && torn.bucket == drill.scratch_bucket
        && torn.bucket_region == drill.scratch_region
        && torn.bucket_endpoint.as_deref() == policy.s3_endpoint(&drill.scratch_region);
    let tagged = tag("dr:vault") == Some(of.vault.0.as_str())
        && tag("dr:role") == Some("scratch")
        && tag("dr:run") == Some(plan.run.as_str());
    let databases = drill_databases(of.vault, of.policy, &plan.run);
    let server = drill.scratch_server.as_ref().map(ServerPlace::from);
    torn.databases
        .retain(|d| server.as_ref() == Some(&d.server) && d.name.as_str().starts_with(&databases));
    torn.clusters
        .retain(|p| p.endpoint.as_deref() == policy.rds_endpoint(&p.region));
    (named && tagged).then(|| SweepDrill {
        run: plan.run.clone(),
        slot: plan.slot,
        teardown: torn,
    })
}

/// What a drill left where this policy's drills make nothing any more: for a person to look at.
/// `swept`: what is swept of it.
fn not_swept(state: &RunState, swept: Option<&SweepDrill>, of: Of<'_>) -> Option<Finding> {
    let (torn, run) = (over(state, of)?, &state.plan.run);
    let places = |t: &Teardown| t.databases.len() + t.clusters.len();
    if swept.is_some_and(|s| places(&s.teardown) == places(torn)) {
        return None;
    }
    let message = format!(
        "{run} may have left things in places that this policy's drills no longer use (bucket {}, \
         {} databases, clusters in {} regions); they are left alone",
        torn.bucket,
        torn.databases.len(),
        torn.clusters.len()
    );
    Some(Finding::warning(Code::NotOurs, message).thing(run))
}

/// Where a sweep is planned, and when.
#[derive(Clone, Copy)]
struct Place<'a> {
    vault: &'a VaultId,
    journal_target: &'a TargetName,
    now: Timestamp,
}

impl<'a> Place<'a> {
    fn of(reached: &'a Reached) -> Self {
        Self {
            vault: &reached.id,
            journal_target: &reached.name,
            now: reached.now,
        }
    }
}

/// `None`: the policy has no drills.
fn planned(
    (policy, sha256): (&Policy, &Sha256),
    place: Place<'_>,
    drills: Vec<SweepDrill>,
) -> Option<Plan> {
    let names: Vec<&str> = drills.iter().map(|d| d.run.as_str()).collect();
    let mark = Mark::of(&Sha256::of(names.join(" ").as_bytes()).0);
    Some(plan(&SweepInput {
        policy,
        policy_sha256: sha256.clone(),
        drill: policy.drill.as_ref()?,
        vault: place.vault.clone(),
        journal_target: place.journal_target.clone(),
        run: RunId::manual(RunKind::Sweep, Slot::at(place.now), &mark),
        opened_at: place.now,
        drills,
    }))
}

/// A stored sweep planned again from the journals of the drills that it names.
fn again(policy: &Policy, stored: &Plan, drills: &[RunState], place: Place<'_>) -> Option<Plan> {
    if stored.kind != RunKind::Sweep || !planning::made_by(stored, place.now) {
        return None;
    }
    let of = Of {
        vault: place.vault,
        policy: &policy.name,
        now: stored.opened_at,
    };
    let ours = |named: &SweepDrill| {
        let state = drills.iter().find(|s| s.plan.run == named.run)?;
        left_by(state, policy, of)
    };
    let named = stored.actions::<SweepDrill>();
    let drills: Option<Vec<SweepDrill>> = named.map(|(_, d)| ours(d)).collect();
    let place = Place {
        journal_target: &stored.journal_target,
        now: stored.opened_at,
        ..place
    };
    planned((policy, &stored.policy_sha256), place, drills?)
}

#[cfg(test)]
mod tests;
