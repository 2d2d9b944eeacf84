//! Points as all reachable targets know them: what one of them lost, another still has.

use super::exit::Exit;
use super::home::{Home, Seen};
use super::load::Loaded;
use super::output::{Fail, Finding, Severity};
use crate::manifest::Copy;
use crate::policy::TargetName;
use crate::vault::{PointRef, layout};

/// One point, merged, with what is wrong with its documents and where.
#[derive(Default)]
pub struct Merged {
    /// `None`: no target has a `point.json` that can be read.
    pub point: Option<PointRef>,
    pub findings: Vec<(Finding, Exit)>,
}

/// Slots that any target knows, newest first.
///
/// # Errors
/// The store's.
pub async fn slots(home: &Home, loaded: &Loaded) -> Result<Vec<String>, Fail> {
    let mut slots = Vec::new();
    for seen in &home.seen {
        slots.extend(seen.vault.slots(&loaded.policy.name, "").await?);
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
pub async fn point(home: &Home, loaded: &Loaded, slot: &str) -> Result<Merged, Fail> {
    let mut merged = Merged::default();
    for seen in &home.seen {
        let found = match seen.vault.point(&loaded.policy.name, slot).await {
            Ok(Some(found)) => found,
            Ok(None) => continue,
            Err(e) if e.transient() => return Err(e.into()),
            Err(e) => {
                let key = layout::point(&loaded.policy.name, slot);
                merged.findings.push(unreadable(
                    loaded,
                    seen,
                    slot,
                    &key,
                    e.unknown_version(),
                    &Fail::from(e).message,
                ));
                continue;
            }
        };
        for unread in &found.unread {
            let thing = format!("{} version {}", unread.key, unread.version);
            merged.findings.push(unreadable(
                loaded,
                seen,
                slot,
                &thing,
                unread.unknown_version,
                &unread.why,
            ));
        }
        match &mut merged.point {
            None => merged.point = Some(found),
            Some(known) => add(known, found),
        }
    }
    Ok(merged)
}

fn add(known: &mut PointRef, found: PointRef) {
    for copy in found.copies {
        if !known.copies.iter().any(|c| c.target == copy.target) {
            known.copies.push(copy);
        }
    }
    for proof in found.proofs {
        if !known
            .proofs
            .iter()
            .any(|p| (&p.run, p.path, &p.target) == (&proof.run, proof.path, &proof.target))
        {
            known.proofs.push(proof);
        }
    }
    for (key, dump) in found.dumps {
        if !known.dumps.iter().any(|(k, _)| *k == key) {
            known.dumps.push((key, dump));
        }
    }
}

fn unreadable(
    loaded: &Loaded,
    seen: &Seen,
    slot: &str,
    thing: &str,
    unknown_version: bool,
    message: &str,
) -> (Finding, Exit) {
    let (code, exit) = if unknown_version {
        ("format-unknown", Exit::Stuck)
    } else {
        ("point-damaged", Exit::Findings)
    };
    let finding = Finding {
        code: code.into(),
        severity: Severity::Error,
        thing: thing.into(),
        place: seen.target.name.to_string(),
        hint: format!("dr verify --policy {} --point {slot}", loaded.file),
        message: message.into(),
    };
    (finding, exit)
}

/// What the targets say of one target's copy; a document that one of them lost is read from the
/// next.
///
/// # Errors
/// A target that answered a moment ago does not answer now.
pub async fn copy(
    home: &Home,
    loaded: &Loaded,
    slot: &str,
    target: &TargetName,
) -> Result<Option<Copy>, Fail> {
    for seen in &home.seen {
        match seen
            .vault
            .find::<Copy>(&layout::copy(&loaded.policy.name, slot, target))
            .await
        {
            Ok(Some(copy)) => return Ok(Some(copy)),
            Ok(None) => {}
            Err(e) if e.transient() => return Err(e.into()),
            Err(_) => {}
        }
    }
    Ok(None)
}
