//! From a policy and what the vault says to a plan: of a backup slot, or of a drill of a point.

use super::Loaded;
use crate::manifest::{Copy, Point};
use crate::model::{Mark, RunId, RunKind, Sha256, Slot, TargetName};
use crate::plan::{
    BackupInput, BaseCopy, CopyObjects, DrillInput, Plan, WriteProofs, backup, drill,
};
use crate::policy::Policy;
use crate::report::{Exit, Fail, Hint};
use crate::targets::{self, Reached};
use crate::vault::Key;
use jiff::Timestamp;
use std::collections::BTreeMap;

/// A base is looked for among this many newest points.
const BASE_LOOK_BACK: usize = 30;

/// Newest complete copy at each target, which unchanged objects are taken from.
///
/// # Errors
/// The store's.
pub async fn bases(
    loaded: &Loaded,
    reached: &Reached,
    before: Slot,
) -> Result<BTreeMap<TargetName, BaseCopy>, Fail> {
    let (mut bases, policy) = (BTreeMap::new(), &loaded.policy);
    let slots = targets::slots(reached, &policy.name).await?;
    for slot in slots
        .into_iter()
        .filter(|s| *s < before)
        .take(BASE_LOOK_BACK)
    {
        for target in &policy.targets {
            if bases.contains_key(&target.name) {
                continue;
            }
            let copy = targets::copy(reached, &policy.name, slot, &target.name).await?;
            if let Some(copy) = copy.filter(Copy::has_files) {
                bases.insert(target.name.clone(), BaseCopy::of(&copy));
            }
        }
        if bases.len() == policy.targets.len() {
            break;
        }
    }
    Ok(bases)
}

pub fn backup_plan(
    policy: (&Policy, &Sha256),
    reached: &Reached,
    slot: Slot,
    opened_at: Timestamp,
    bases: BTreeMap<TargetName, BaseCopy>,
) -> Plan {
    backup(&BackupInput {
        policy: policy.0,
        policy_sha256: policy.1.clone(),
        vault: reached.id.clone(),
        journal_target: reached.name.clone(),
        slot,
        run: RunId::scheduled(RunKind::Backup, slot),
        opened_at,
        bases,
    })
}

/// A stored backup planned again; bases are taken from the stored plan, but only manifests of this
/// policy.
pub fn backup_again(policy: &Policy, reached: &Reached, stored: &Plan) -> Option<Plan> {
    let ours = |base: &BaseCopy| {
        let key = Key::parse(base.manifest_key.as_str());
        matches!(key, Some(Key::Manifest { policy: of, .. }) if of == policy.name)
    };
    let bases = stored.actions::<CopyObjects>().filter_map(|(_, copy)| {
        let base = copy.base.as_ref().filter(|b| ours(b))?;
        Some((copy.target.clone(), base.clone()))
    });
    let plan = backup_plan(
        (policy, &stored.policy_sha256),
        reached,
        stored.slot,
        stored.opened_at,
        bases.collect(),
    );
    // Planned at the journal target that holds it, which may not be the first one any more.
    let plan = Plan {
        journal_target: stored.journal_target.clone(),
        ..plan
    };
    (stored.kind == RunKind::Backup && plan.run == stored.run).then_some(plan)
}

/// A point that a drill can restore, with its complete copies in policy order.
#[derive(Clone)]
pub struct Drillable {
    pub point: Point,
    pub copies: Vec<Copy>,
}

/// The newest point with a complete copy, or the one asked for.
///
/// # Errors
/// The store's; exit 2 for a slot that is no point.
pub async fn drillable(
    loaded: &Loaded,
    reached: &Reached,
    slot: Option<Slot>,
) -> Result<Option<Drillable>, Fail> {
    let policy = &loaded.policy;
    let slots = match slot {
        Some(slot) => vec![slot],
        None => targets::slots(reached, &policy.name).await?,
    };
    for candidate in slots.into_iter().take(BASE_LOOK_BACK) {
        // A point that no target can show whole any more is passed over: status and verify name it,
        // and the drill proves the next one.
        let merged = targets::point(reached, &policy.name, candidate).await?;
        let Some(found) = merged.point else { continue };
        let order = |name: &TargetName| policy.targets.iter().position(|t| &t.name == name);
        let mut copies = found.copies;
        copies.retain(|c| order(&c.target).is_some());
        copies.sort_by_key(|c| order(&c.target));
        if !copies.is_empty() {
            return Ok(Some(Drillable {
                point: found.point,
                copies,
            }));
        }
    }
    match slot {
        Some(slot) => Err(Fail::usage(format!(
            "policy {} has no recovery point {slot} with a complete copy",
            policy.name
        ))
        .hint(Hint::policy("status"))),
        None => Ok(None),
    }
}

/// `None` where the policy has no drill.
pub fn drill_plan(
    policy: (&Policy, &Sha256),
    reached: &Reached,
    found: &Drillable,
    run: RunId,
    opened_at: Timestamp,
) -> Option<Plan> {
    Some(drill(&DrillInput {
        policy: policy.0,
        drill: policy.0.drill.as_ref()?,
        policy_sha256: policy.1.clone(),
        vault: reached.id.clone(),
        journal_target: reached.name.clone(),
        run,
        opened_at,
        point: &found.point,
        copies: &found.copies,
    }))
}

/// What a stored drill can be planned again from: the same point, those of its copies that the
/// stored plan speaks of. `None`: the point is not there any more.
///
/// # Errors
/// The store's.
pub async fn drilled(
    loaded: &Loaded,
    reached: &Reached,
    stored: &Plan,
) -> Result<Option<Drillable>, Fail> {
    let mut found = match drillable(loaded, reached, Some(stored.slot)).await {
        Ok(Some(found)) => found,
        Ok(None) => return Ok(None),
        Err(none) if none.exit == Exit::Usage => return Ok(None),
        // A store that is away says nothing of the plan.
        Err(fail) => return Err(fail),
    };
    let tried = || stored.actions::<WriteProofs>().flat_map(|(_, a)| &a.tried);
    found
        .copies
        .retain(|c| tried().any(|t| t.target == c.target));
    Ok(Some(found))
}

/// A stored drill planned again.
pub fn drill_again(
    policy: &Policy,
    reached: &Reached,
    found: Option<&Drillable>,
    stored: &Plan,
) -> Option<Plan> {
    let sha256 = &stored.policy_sha256;
    let (run, opened_at) = (stored.run.clone(), stored.opened_at);
    let plan = drill_plan((policy, sha256), reached, found?, run, opened_at)?;
    Some(Plan {
        journal_target: stored.journal_target.clone(),
        ..plan
    })
}

/// Stands for "this drill of this point by this policy", so that the same command finds its own
/// open run.
pub fn drill_mark(loaded: &Loaded, found: &Drillable) -> Mark {
    let text = format!(
        "drill {} {} {}",
        loaded.policy.name, loaded.sha256, found.point.slot
    );
    Mark::of(Sha256::of(text.as_bytes()).as_str())
}
