//! From a policy and what the vault says to a plan: of a backup slot, or of a drill of a point.

use super::Loaded;
use crate::manifest::{Captured, Copy, Point};
use crate::model::{Mark, RunId, RunKind, Sha256, Slot, SourceId, TargetName};
use crate::plan::{
    BackupInput, BaseCopy, CopyObjects, DrillInput, DrilledFrom, Plan, ProbeLock, WriteProofs,
    backup, drill, drilled_from,
};
use crate::policy::Policy;
use crate::report::{Fail, Hint};
use crate::targets::{self, Reached};
use crate::vault::{Key, PointRef};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;

/// A base is looked for among this many newest points.
const BASE_LOOK_BACK: usize = 30;

/// Clocks of two stores may differ by this much.
pub const CLOCKS_APART: SignedDuration = SignedDuration::from_mins(5);
/// So many points that no target holds whole yet are passed over for one that is.
const MOST_PARTIAL: usize = 3;

pub type Bases = BTreeMap<(SourceId, TargetName), BaseCopy>;

/// Newest complete copy of each source at each target, which unchanged objects are taken from.
///
/// # Errors
/// The store's.
pub async fn bases(loaded: &Loaded, reached: &Reached, before: Slot) -> Result<Bases, Fail> {
    let (mut bases, policy) = (Bases::new(), &loaded.policy);
    let slots = targets::slots(reached, &policy.name).await?;
    let wanted = || {
        let sources = policy.buckets().map(|b| &b.id);
        sources.flat_map(|s| policy.targets.iter().map(move |t| (s, &t.name)))
    };
    for slot in slots
        .into_iter()
        .filter(|s| *s < before)
        .take(BASE_LOOK_BACK)
    {
        for (source, target) in wanted() {
            let of = (source.clone(), target.clone());
            if bases.contains_key(&of) {
                continue;
            }
            let copy = targets::copy(reached, &policy.name, slot, (source, target)).await?;
            if let Some(files) = copy.as_ref().and_then(Copy::files) {
                bases.insert(of, BaseCopy::of(slot, files));
            }
        }
        if bases.len() == wanted().count() {
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
    bases: Bases,
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

/// A plan says when it was made, and its locks end so long after that: one that was made in times
/// to come would lock for as long as whoever planted it likes.
pub fn made_by(stored: &Plan, now: Timestamp) -> bool {
    let by = now + CLOCKS_APART;
    stored.opened_at <= by && (stored.kind != RunKind::Backup || stored.slot.time() <= by)
}

/// A stored backup planned again; bases are taken from the stored plan, but only manifests of this
/// policy.
pub fn backup_again(policy: &Policy, reached: &Reached, stored: &Plan) -> Option<Plan> {
    if !made_by(stored, reached.now) {
        return None;
    }
    let ours = |base: &BaseCopy| {
        let key = Key::parse(base.manifest_key.as_str());
        matches!(key, Some(Key::Manifest { policy: of, .. }) if of == policy.name)
    };
    let bases = stored.actions::<CopyObjects>().filter_map(|(_, copy)| {
        let base = copy.base.as_ref().filter(|b| ours(b))?;
        Some(((copy.source.clone(), copy.target.clone()), base.clone()))
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

/// A point that a drill can restore, with what was captured and its complete copies, each in policy
/// order.
#[derive(Clone)]
pub struct Drillable {
    pub point: Point,
    pub captured: Vec<Captured>,
    pub copies: Vec<Copy>,
}

impl Drillable {
    fn of(found: PointRef) -> Self {
        Self {
            point: found.point,
            captured: found.captured,
            copies: found.copies,
        }
    }

    /// What a policy names of it, in that policy's order.
    fn by(mut self, policy: &Policy) -> Self {
        let source = |id: &SourceId| policy.sources.iter().position(|s| s.id() == id);
        let target = |name: &TargetName| policy.targets.iter().position(|t| &t.name == name);
        self.captured.retain(|c| source(&c.source).is_some());
        self.captured.sort_by_key(|c| source(&c.source));
        self.copies.retain(|c| target(&c.target).is_some());
        self.copies.sort_by_key(|c| target(&c.target));
        self
    }

    /// One target holds all that it is to hold.
    fn whole(&self) -> bool {
        let has = |source: &SourceId, target: &TargetName| {
            let copy = |c: &Copy| (&c.source, &c.target) == (source, target);
            self.copies.iter().any(copy)
        };
        let mut targets = self.point.targets.iter();
        targets.any(|t| {
            let mut expected = self.point.expected_at(&t.name).peekable();
            expected.peek().is_some() && expected.all(|source| has(source, &t.name))
        })
    }
}

/// The newest point that one target holds whole; where a source could not be taken for a while, the
/// newest that has any complete copy. Or the one asked for.
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
    let (mut newest, mut seen) = (None, 0);
    for candidate in slots.into_iter().take(BASE_LOOK_BACK) {
        // A point that no target can show whole any more is passed over: status and verify name it,
        // and the drill proves the next one.
        let merged = targets::point(reached, &policy.name, candidate).await?;
        let Some(found) = merged.point else { continue };
        let found = Drillable::of(found).by(policy);
        if found.copies.is_empty() {
            continue;
        }
        if found.whole() {
            return Ok(Some(found));
        }
        newest.get_or_insert(found);
        seen += 1;
        if seen == MOST_PARTIAL {
            break;
        }
    }
    match slot {
        Some(slot) if newest.is_none() => Err(Fail::usage(format!(
            "policy {} has no recovery point {slot} with a complete copy",
            policy.name
        ))
        .hint(Hint::policy("status"))),
        _ => Ok(newest),
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
        captured: &found.captured,
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
    let merged = targets::point(reached, &loaded.policy.name, stored.slot).await?;
    let Some(found) = merged.point else {
        return Ok(None);
    };
    let mut found = Drillable::of(found);
    let tried = || stored.actions::<WriteProofs>().flat_map(|(_, a)| &a.tried);
    let probed = |target: &TargetName| {
        stored
            .actions::<ProbeLock>()
            .any(|(_, p)| &p.target == target)
    };
    let order = |name: &TargetName| stored.targets.iter().position(|t| &t.name == name);
    // Where a drill restores one copy, it is that of the first target that has one; what was
    // completed since at an earlier target is the next drill's.
    let late = |copy: &Copy| {
        let method = copy.method();
        let from = tried().find(|t| t.source == copy.source && t.by.method() == method);
        drilled_from(method) == DrilledFrom::First
            && from.is_some_and(|t| order(&copy.target) < order(&t.target))
    };
    let empty = |c: &Copy| c.files().is_some_and(|f| f.objects == 0);
    // What was completed since then is the next drill's.
    found
        .captured
        .retain(|c| tried().any(|t| t.source == c.source));
    found.copies.retain(|c| {
        let was = tried().any(|t| (&t.source, &t.target) == (&c.source, &c.target));
        !late(c) && (was || (empty(c) && probed(&c.target)))
    });
    Ok(Some(found))
}

/// A stored drill planned again.
pub fn drill_again(
    policy: &Policy,
    reached: &Reached,
    found: Option<&Drillable>,
    stored: &Plan,
) -> Option<Plan> {
    if !made_by(stored, reached.now) {
        return None;
    }
    let sha256 = &stored.policy_sha256;
    let (run, opened_at) = (stored.run.clone(), stored.opened_at);
    let found = found?.clone().by(policy);
    let plan = drill_plan((policy, sha256), reached, &found, run, opened_at)?;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::tests::backup_of;

    #[test]
    fn a_plan_of_times_to_come_is_nobodys() {
        let plan = backup_of(|_| {});
        let now = plan.opened_at + SignedDuration::from_mins(1);
        let years = SignedDuration::from_hours(24 * 365 * 70);
        assert!(made_by(&plan, now));
        assert!(made_by(
            &plan,
            plan.opened_at - SignedDuration::from_mins(1)
        ));
        let slot = Plan {
            slot: Slot::at(plan.slot.time() + years),
            ..plan.clone()
        };
        let opened = Plan {
            opened_at: plan.opened_at + years,
            ..plan.clone()
        };
        assert!(!made_by(&slot, now) && !made_by(&opened, now));
    }
}
