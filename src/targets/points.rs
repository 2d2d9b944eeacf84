//! Points as all reachable targets know them: what one of them lost, another still has.

use super::{Reached, Seen};
use crate::manifest::{Copy, Proof};
use crate::model::{PolicyName, Slot, SourceId, TargetName};
use crate::report::{Code, Fail, Finding, Hint};
use crate::vault::{Key, PointDocument, PointRef, ProofOf};

/// One point, merged, with what is wrong with its documents and where.
#[derive(Default)]
pub struct Merged {
    /// `None`: no target has a `point.json` that can be read.
    pub point: Option<PointRef>,
    pub findings: Vec<Finding>,
}

/// Slots that any target knows, newest first.
///
/// # Errors
/// The store's.
pub async fn slots(reached: &Reached, policy: &PolicyName) -> Result<Vec<Slot>, Fail> {
    let mut slots = Vec::new();
    for seen in &reached.seen {
        slots.extend(seen.vault.slots(policy).await?);
    }
    slots.sort();
    slots.dedup();
    slots.reverse();
    Ok(slots)
}

/// Of two documents of one name the one at the target earlier in the policy counts.
///
/// # Errors
/// A target that answered a moment ago does not answer now.
pub async fn point(reached: &Reached, policy: &PolicyName, slot: Slot) -> Result<Merged, Fail> {
    let mut merged = Merged::default();
    for seen in &reached.seen {
        let found = match seen.vault.point(policy, slot).await {
            Ok(Some(found)) => found,
            Ok(None) => continue,
            Err(e) if e.transient() => return Err(e.into()),
            Err(e) => {
                let key = Key::point(policy, slot, PointDocument::Point);
                let unknown = e.unknown_version();
                let message = crate::report::full(&Fail::from(e));
                let finding = unreadable(seen, slot, unknown, message).thing(key);
                merged.findings.push(finding);
                continue;
            }
        };
        for unread in &found.unread {
            let thing = format!("{} version {}", unread.key, unread.version);
            let finding = unreadable(seen, slot, unread.unknown_version, unread.why.clone());
            merged.findings.push(finding.thing(thing));
        }
        match &mut merged.point {
            None => merged.point = Some(found),
            Some(known) => add(known, found),
        }
    }
    Ok(merged)
}

fn add(known: &mut PointRef, found: PointRef) {
    for captured in found.captured {
        if known.captured(&captured.source).is_none() {
            known.captured.push(captured);
        }
    }
    for copy in found.copies {
        let same = |c: &Copy| (&c.source, &c.target) == (&copy.source, &copy.target);
        if !known.copies.iter().any(same) {
            known.copies.push(copy);
        }
    }
    for proof in found.proofs {
        let of = (proof.run.clone(), ProofOf::of(&proof));
        let same = |p: &Proof| (p.run.clone(), ProofOf::of(p)) == of;
        if !known.proofs.iter().any(same) {
            known.proofs.push(proof);
        }
    }
    for (key, dump) in found.dumps {
        if !known.dumps.iter().any(|(k, _)| *k == key) {
            known.dumps.push((key, dump));
        }
    }
}

fn unreadable(seen: &Seen, slot: Slot, unknown_version: bool, message: String) -> Finding {
    let code = if unknown_version {
        Code::FormatUnknown
    } else {
        Code::PointDamaged
    };
    Finding::error(code, message)
        .place(&seen.target.name)
        .hint(Hint::policy("verify").arg("--point", slot))
}

/// What the targets say of one target's copy of a source; a document that one of them lost, or that
/// cannot be read there, is read from the next.
///
/// # Errors
/// A target that answered a moment ago does not answer now.
pub async fn copy(
    reached: &Reached,
    policy: &PolicyName,
    slot: Slot,
    (source, target): (&SourceId, &TargetName),
) -> Result<Option<Copy>, Fail> {
    let document = PointDocument::Copy {
        source: source.clone(),
        target: target.clone(),
    };
    let key = Key::point(policy, slot, document).to_string();
    for seen in &reached.seen {
        match seen.vault.find::<Copy>(&key).await {
            Ok(Some(copy)) => return Ok(Some(copy)),
            Ok(None) => {}
            Err(e) if e.transient() => return Err(e.into()),
            // `verify` and `status` name it.
            Err(_) => {}
        }
    }
    Ok(None)
}
