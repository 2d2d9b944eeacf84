//! Proofs of drills that one target lacks and another has: a target was away, or refused them, when
//! they were written.

use super::super::known_runs;
use crate::model::{ObjectKey, PolicyName, RunId, RunKind, Slot, TargetName};
use crate::policy::Policy;
use crate::report::{Fail, Finding};
use crate::targets::Reached;
use crate::vault::{Key, VaultError};
use std::collections::{BTreeMap, BTreeSet};

/// What targets lack of one drill.
pub(super) type Lacks = BTreeMap<TargetName, BTreeSet<ObjectKey>>;

/// By drill. A target that cannot be listed hides nothing of the others; one that does not have the
/// point needs no proof.
pub(super) async fn lacking(
    reached: &Reached,
    policy: &Policy,
) -> (BTreeMap<RunId, Lacks>, Vec<Finding>) {
    let since = known_runs::since(policy, RunKind::Backup, reached.now);
    let policy = &policy.name;
    let (mut keys, mut points, mut findings) = (BTreeMap::new(), BTreeMap::new(), Vec::new());
    let mut note = |e: VaultError, at| findings.push(Finding::from(Fail::from(e)).place(at));
    for seen in &reached.seen {
        match seen.vault.proof_keys(policy, since).await {
            Ok(found) => drop(keys.insert(&seen.target.name, found)),
            Err(e) => note(e, &seen.target.name),
        }
    }
    let all: BTreeSet<&String> = keys.values().flatten().collect();
    for seen in &reached.seen {
        let name = &seen.target.name;
        // All targets have the same: nothing more is asked.
        if keys.get(name).is_none_or(|has| has.len() == all.len()) {
            continue;
        }
        match seen.vault.slots(policy).await {
            Ok(slots) => drop(points.insert(name, slots.into_iter().collect())),
            Err(e) => note(e, name),
        }
    }
    (missing(&keys, &points, policy), findings)
}

/// `points`: the slots that a target has points of.
fn missing(
    keys: &BTreeMap<&TargetName, BTreeSet<String>>,
    points: &BTreeMap<&TargetName, BTreeSet<Slot>>,
    policy: &PolicyName,
) -> BTreeMap<RunId, Lacks> {
    let all: BTreeSet<&String> = keys.values().flatten().collect();
    let mut missing: BTreeMap<RunId, Lacks> = BTreeMap::new();
    for key in all {
        let Some(Key::Proof {
            policy: of,
            slot,
            run,
            ..
        }) = Key::parse(key)
        else {
            continue;
        };
        if of != *policy || run.kind() != RunKind::Drill {
            continue;
        }
        let lack = keys.iter().filter(|(target, has)| {
            !has.contains(key) && points.get(*target).is_some_and(|p| p.contains(&slot))
        });
        for (target, _) in lack {
            let lacks = missing.entry(run.clone()).or_default();
            let keys = lacks.entry((*target).clone()).or_default();
            keys.insert(ObjectKey::new(key.clone()));
        }
    }
    missing
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_proofs_of_drills_of_this_policy_are_missing_and_only_where_the_point_is() {
        let slot = Slot::parse("20261124T000000Z").unwrap();
        let key = |policy: &str, run: &str| {
            format!("proofs/{policy}/{slot}/{run}/shop-files/files/central.json")
        };
        let (drill, backup) = ("drill-20261129T033000Z", "backup-20261129T033000Z");
        let (central, other) = (TargetName::new("central"), TargetName::new("other"));
        let west = TargetName::new("west");
        let has = [
            key("shop", drill),
            key("blog", drill),
            key("shop", backup),
            format!("proofs/shop/{slot}/odd"),
        ];
        let keys = BTreeMap::from([
            (&central, BTreeSet::from(has)),
            (&other, BTreeSet::new()),
            (&west, BTreeSet::new()),
        ]);
        let points = BTreeMap::from([(&other, BTreeSet::from([slot])), (&west, BTreeSet::new())]);
        let found = missing(&keys, &points, &PolicyName::new("shop"));
        let wanted = BTreeSet::from([ObjectKey::new(key("shop", drill))]);
        let lacks = Lacks::from([(other.clone(), wanted)]);
        assert_eq!(
            found,
            BTreeMap::from([(RunId::parse(drill).unwrap(), lacks)])
        );
    }
}
