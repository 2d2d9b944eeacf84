//! Proofs of closed drills that one target lacks and another has: a target was away, or refused
//! them, when they were written.

use super::super::known_runs;
use crate::model::{PolicyName, RunId, RunKind, Slot, TargetName};
use crate::policy::Policy;
use crate::report::{Fail, Finding};
use crate::targets::Reached;
use crate::vault::{Key, VaultError};
use std::collections::{BTreeMap, BTreeSet};

/// Drills whose proofs one run spreads, oldest first; a later tick has the others.
const MOST: usize = 20;

/// Drills that a proof is missing of, with the targets that lack it, oldest first. A target that
/// cannot be listed hides nothing of the others; one that does not have the point needs no proof.
pub(super) async fn lacking(
    reached: &Reached,
    policy: &Policy,
) -> (Vec<(RunId, TargetName)>, Vec<Finding>) {
    let since = known_runs::since(policy, RunKind::Backup, reached.now);
    let policy = &policy.name;
    let (mut keys, mut lacking, mut findings) = (BTreeMap::new(), BTreeSet::new(), Vec::new());
    let mut note = |e: VaultError, at| findings.push(Finding::from(Fail::from(e)).place(at));
    for seen in &reached.seen {
        match seen.vault.proof_keys(policy, since).await {
            Ok(found) => drop(keys.insert(&seen.target.name, found)),
            Err(e) => note(e, &seen.target.name),
        }
    }
    let missing = missing(&keys, policy);
    for seen in &reached.seen {
        let Some(missing) = missing.get(&seen.target.name) else {
            continue;
        };
        let points: BTreeSet<Slot> = match seen.vault.slots(policy).await {
            Ok(slots) => slots.into_iter().collect(),
            Err(e) => {
                note(e, &seen.target.name);
                continue;
            }
        };
        let of_points = missing.iter().filter(|(slot, _)| points.contains(slot));
        lacking.extend(of_points.map(|(_, run)| (run.clone(), seen.target.name.clone())));
    }
    (lacking.into_iter().take(MOST).collect(), findings)
}

/// By target: drills that it lacks a proof of, with their points.
fn missing<'a>(
    keys: &BTreeMap<&'a TargetName, BTreeSet<String>>,
    policy: &PolicyName,
) -> BTreeMap<&'a TargetName, BTreeSet<(Slot, RunId)>> {
    let all: BTreeSet<&String> = keys.values().flatten().collect();
    let mut missing: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
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
        let lack = keys.iter().filter(|(_, has)| !has.contains(key));
        for (target, _) in lack.filter(|_| of == *policy) {
            let drills = missing.entry(*target).or_default();
            drills.insert((slot, run.clone()));
        }
    }
    missing
}
