//! Points that a status is folded from.

use crate::model::{PolicyName, Slot};
use crate::report::{Fail, Finding};
use crate::status::Known;
use crate::targets::{self, Reached};
use std::collections::BTreeSet;

/// Points that are folded, newest first.
const POINTS: usize = 60;
/// And older ones, of those that a drill tried: drills are rarer than backups, and the newest
/// verdict is the one that counts.
const TRIED: usize = 20;

/// Slots that a drill tried, as any target knows them.
async fn tried(reached: &Reached, policy: &PolicyName) -> Result<BTreeSet<Slot>, Fail> {
    let mut tried = BTreeSet::new();
    for seen in &reached.seen {
        tried.extend(seen.vault.tried_slots(policy).await?);
    }
    Ok(tried)
}

/// Points of all targets that answer, merged: a copy or proof that one of them knows is known.
pub(super) async fn points(
    reached: &Reached,
    policy: &PolicyName,
    findings: &mut Vec<Finding>,
) -> Result<Vec<Known>, Fail> {
    let mut known = Vec::new();
    let mut slots = targets::slots(reached, policy).await?;
    let older = slots.split_off(slots.len().min(POINTS));
    if !older.is_empty() {
        let tried = tried(reached, policy).await?;
        slots.extend(older.into_iter().filter(|s| tried.contains(s)).take(TRIED));
    }
    for slot in slots {
        let merged = targets::point(reached, policy, slot).await?;
        findings.extend(merged.findings);
        known.extend(merged.point.map(|p| Known {
            point: p.point,
            captured: p.captured,
            copies: p.copies,
            proofs: p.proofs,
        }));
    }
    Ok(known)
}
