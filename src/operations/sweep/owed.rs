//! What a closed drill's own journal says that a sweep may do for it: no more than this policy's
//! drills do. Pure.

use super::left::Of;
use crate::journal::RunState;
use crate::model::{ObjectKey, RunKind, TargetName};
use crate::plan::{
    ServerPlace, SpreadProofs, SweepDrill, Teardown, WriteProofs, drill_databases, drill_prefix,
    expires_at, scratch_prefix,
};
use crate::policy::Policy;
use crate::report::{Code, Finding};
use crate::vault::Key;
use std::collections::BTreeSet;

/// The teardown of a closed drill whose time is over.
fn over<'a>(state: &'a RunState, of: Of<'_>) -> Option<&'a Teardown> {
    let (_, action) = state.plan.actions::<Teardown>().next()?;
    let until = expires_at(&action.tags)?;
    let closed = state.plan.kind == RunKind::Drill && state.finished.is_some();
    (closed && until < of.now).then_some(action)
}

/// It, if it names what this policy's drills make and nothing else: without places that the policy
/// no longer has.
pub(super) fn left_by(state: &RunState, policy: &Policy, of: Of<'_>) -> Option<SweepDrill> {
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
pub(super) fn not_swept(
    state: &RunState,
    swept: Option<&SweepDrill>,
    of: Of<'_>,
) -> Option<Finding> {
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

/// Proofs of a closed drill for a target that it was to write them to: those of `keys` that its
/// journal names. Nothing else that a key or a listing says is believed.
pub(super) fn proofs_of(
    state: &RunState,
    policy: &Policy,
    target: &TargetName,
    keys: &BTreeSet<ObjectKey>,
) -> Option<SpreadProofs> {
    let plan = &state.plan;
    let closed = plan.kind == RunKind::Drill && state.finished.is_some();
    let named = policy.targets.iter().any(|t| &t.name == target) && plan.target(target).is_some();
    let (.., written) = state.done::<WriteProofs>().next()?;
    let own = |key: &&ObjectKey| match Key::parse(key.as_str()) {
        Some(Key::Proof {
            policy: of, run, ..
        }) => of == policy.name && run == plan.run && keys.contains(*key),
        _ => false,
    };
    let keys: Vec<ObjectKey> = written.keys.iter().filter(own).cloned().collect();
    (closed && named && !keys.is_empty()).then(|| SpreadProofs {
        run: plan.run.clone(),
        target: target.clone(),
        keys,
    })
}
