//! From a policy and what the vault says to a plan: of a backup slot, or of a drill of a point.

use super::home::Home;
use super::load::Loaded;
use super::output::Fail;
use super::points;
use crate::manifest::{Copy, Point, sha256_hex};
use crate::plan::{Action, BackupInput, BaseCopy, DrillInput, Kind, Plan, RunId, backup, drill};
use crate::policy::TargetName;
use crate::schedule::Slot;
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
    home: &Home,
    before: &str,
) -> Result<BTreeMap<TargetName, BaseCopy>, Fail> {
    let mut bases = BTreeMap::new();
    let policy = &loaded.policy;
    let slots = points::slots(home, loaded).await?;
    for slot in slots
        .iter()
        .filter(|s| s.as_str() < before)
        .take(BASE_LOOK_BACK)
    {
        for target in &policy.targets {
            if bases.contains_key(&target.name) {
                continue;
            }
            if let Some(copy) = points::copy(home, loaded, slot, &target.name).await?
                && !copy.manifest_key.is_empty()
            {
                bases.insert(target.name.clone(), base_of(&copy));
            }
        }
        if bases.len() == policy.targets.len() {
            break;
        }
    }
    Ok(bases)
}

fn base_of(copy: &Copy) -> BaseCopy {
    BaseCopy {
        slot: copy.slot.clone(),
        manifest_key: copy.manifest_key.clone(),
        manifest_version: copy.manifest_version.clone(),
        manifest_sha256: copy.manifest_sha256.clone(),
    }
}

pub fn backup_plan(
    loaded: &Loaded,
    home: &Home,
    slot: Slot,
    opened_at: Timestamp,
    bases: BTreeMap<TargetName, BaseCopy>,
) -> Plan {
    backup(&BackupInput {
        policy: &loaded.policy,
        policy_sha256: loaded.sha256.clone(),
        vault: home.id.clone(),
        home: home.name.clone(),
        slot: slot.compact(),
        slot_at: slot.0,
        run: RunId(format!("backup-{}", slot.compact())),
        opened_at,
        bases,
    })
}

/// The same slot planned again from one's own policy; bases are taken from the stored plan, but
/// only manifests of this policy.
pub fn backup_again(loaded: &Loaded, home: &Home, stored: &Plan) -> Option<Plan> {
    let slot = Slot::from_compact(&stored.slot)?;
    let ours = format!("manifests/{}/", loaded.policy.name);
    let bases = stored.steps.iter().filter_map(|s| match &s.action {
        Action::CopyObjects {
            target,
            base: Some(base),
            ..
        } if base.manifest_key.starts_with(&ours) => Some((target.clone(), base.clone())),
        _ => None,
    });
    let plan = backup_plan(loaded, home, slot, stored.opened_at, bases.collect());
    (stored.kind == Kind::Backup && plan.run == stored.run).then_some(plan)
}

/// A point that a drill can restore, with its complete copies in policy order.
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
    home: &Home,
    slot: Option<&str>,
) -> Result<Option<Drillable>, Fail> {
    let policy = &loaded.policy;
    let slots = match slot {
        Some(slot) => vec![slot.to_owned()],
        None => points::slots(home, loaded).await?,
    };
    for candidate in slots.iter().take(BASE_LOOK_BACK) {
        // A point that no target can show whole any more is passed over: status and verify name it,
        // and the drill proves the next one.
        let merged = points::point(home, loaded, candidate).await?;
        let Some(found) = merged.point else { continue };
        let order = |name: &TargetName| policy.targets.iter().position(|t| &t.name == name);
        let mut copies: Vec<Copy> = found
            .copies
            .into_iter()
            .filter(|c| order(&c.target).is_some())
            .collect();
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
        .hint(format!("dr status --policy {}", loaded.file))),
        None => Ok(None),
    }
}

/// `None` where the policy has no drill.
pub fn drill_plan(
    loaded: &Loaded,
    home: &Home,
    found: &Drillable,
    run: RunId,
    opened_at: Timestamp,
) -> Option<Plan> {
    Some(drill(&DrillInput {
        policy: &loaded.policy,
        drill: loaded.policy.drill.as_ref()?,
        policy_sha256: loaded.sha256.clone(),
        vault: home.id.clone(),
        home: home.name.clone(),
        run,
        opened_at,
        point: &found.point,
        copies: &found.copies,
    }))
}

/// The stored drill planned again: the same point, those of its copies that the stored plan speaks
/// of.
pub async fn drill_again(
    loaded: &Loaded,
    home: &Home,
    stored: &Plan,
) -> Result<Option<Plan>, Fail> {
    let Some(mut found) = drillable(loaded, home, Some(&stored.slot)).await? else {
        return Ok(None);
    };
    let targets = stored.steps.iter().find_map(|s| match &s.action {
        Action::WriteProofs { targets, .. } => Some(targets.clone()),
        _ => None,
    });
    found
        .copies
        .retain(|c| targets.as_ref().is_some_and(|t| t.contains(&c.target)));
    Ok(drill_plan(
        loaded,
        home,
        &found,
        stored.run.clone(),
        stored.opened_at,
    ))
}

/// Eight hex digits that stand for "this drill of this point by this policy", so that the same
/// command finds its own open run.
pub fn drill_mark(loaded: &Loaded, found: &Drillable) -> String {
    let text = format!(
        "drill {} {} {}",
        loaded.policy.name, loaded.sha256, found.point.slot
    );
    sha256_hex(text.as_bytes()).0[..8].to_owned()
}
