//! The documents of a point at every target, compared with its journals and with each other.

use super::documents::{Documents, point_documents, policy_copies};
use super::witness::Witness;
use super::wrong::{Wrong, Wrongs};
use crate::model::{PolicyName, TargetName};
use crate::report::{Code, Fail, Finding};
use crate::targets::{Reached, Seen};
use crate::vault::{Key, PointDocument, PointRef};
use std::collections::BTreeSet;

/// Compares the documents of the point at each target with the journals and with the other targets;
/// policies too.
///
/// # Errors
/// The store's.
pub async fn documents(
    reached: &Reached,
    policy: &PolicyName,
    point: &PointRef,
    witness: &Witness,
    only: Option<&TargetName>,
) -> Result<Vec<Finding>, Fail> {
    let (slot, knows) = (point.point.slot, |key: &str| witness.knows(key));
    let (mut all, mut findings): (Vec<(&Seen, Documents)>, _) = (Vec::new(), Vec::new());
    for seen in &reached.seen {
        let documents = point_documents(&seen.vault, policy, slot, &knows).await?;
        all.push((seen, documents));
    }
    for (at, (seen, documents)) in all.iter().enumerate() {
        let name = &seen.target.name;
        if only.is_some_and(|o| o != name) {
            continue;
        }
        let mut wrong = documents.wrong.clone();
        missing(witness, seen, documents, &all)
            .into_iter()
            .chain(differing(documents, &all[..at]))
            .for_each(|w| wrong.push(w));
        let policies = policy_copies(&seen.vault).await?;
        let key = Key::Policy(point.point.policy_sha256.clone()).to_string();
        if !policies.there.contains_key(&key) {
            wrong.push(Wrong {
                code: Code::ObjectMissing,
                key,
                version: String::new(),
                why: format!("the point's policy is not at {name}"),
            });
        }
        wrong.extend(policies.wrong);
        findings.extend(Wrongs::findings(wrong, name));
    }
    Ok(findings)
}

/// What a journal says was written here, or what another target has of this point, and is not here.
fn missing(
    witness: &Witness,
    seen: &Seen,
    here: &Documents,
    all: &[(&Seen, Documents)],
) -> Vec<Wrong> {
    let elsewhere = all
        .iter()
        .flat_map(|(_, d)| d.good.keys())
        .filter(|k| !is_dump(k));
    let wanted: BTreeSet<&String> = witness
        .written
        .get(&seen.target.name)
        .into_iter()
        .flatten()
        .chain(elsewhere)
        .collect();
    let absent = wanted
        .into_iter()
        .filter(|key| !here.there.contains_key(*key));
    absent
        .map(|key| Wrong {
            code: Code::ObjectMissing,
            key: key.clone(),
            version: String::new(),
            why: format!("it is not at {}", seen.target.name),
        })
        .collect()
}

/// One document has the same bytes at every target.
fn differing(here: &Documents, before: &[(&Seen, Documents)]) -> Vec<Wrong> {
    let mut wrong = Vec::new();
    for (key, (version, sha256)) in &here.good {
        let other = before
            .iter()
            .find_map(|(s, d)| Some((s, d.good.get(key)?)))
            .filter(|(_, (_, theirs))| theirs != sha256);
        if let Some((seen, (_, theirs))) = other {
            wrong.push(Wrong {
                code: Code::DocumentDiffers,
                key: key.clone(),
                version: version.clone(),
                why: format!(
                    "its SHA-256 is {sha256}, at {} it is {theirs}",
                    seen.target.name
                ),
            });
        }
    }
    wrong
}

fn is_dump(key: &str) -> bool {
    let document = match Key::parse(key) {
        Some(Key::Point { document, .. }) => document,
        _ => return false,
    };
    matches!(document, PointDocument::Dump { .. })
}
