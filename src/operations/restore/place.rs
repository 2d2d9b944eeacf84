//! One target that a restore can read.

use super::request::RestoreRequest;
use crate::manifest::Vault as VaultDocument;
use crate::model::{PolicyName, Slot, SourceId, TargetName, VaultId};
use crate::plan::PlanTarget;
use crate::policy::Policy;
use crate::report::{Code, Fail, Finding, full};
use crate::vault::{Key, PointDocument, PointIndex, PointRef, Vault};
use jiff::Timestamp;
use std::collections::BTreeSet;

/// Newest points that are read whole, and newest ones that a drill tried.
const NEWEST: usize = 10;
const NEWEST_TRIED: usize = 10;
/// Older ones, where those lack a source.
const MOST_LOOKED_AT: usize = 30;

/// One target that answers, with its points.
pub struct Place {
    pub target: PlanTarget,
    pub vault: Vault,
    pub policy_name: PolicyName,
    pub id: VaultId,
    pub points: Vec<PointRef>,
    /// Points, and documents of points, that are there and cannot be read: warnings.
    pub unread: Vec<Finding>,
    /// It decides races, so it can hold a journal.
    pub capable: bool,
    pub policy: Option<Policy>,
    pub now: Timestamp,
}

/// # Errors
/// The store's, where waiting can cure it.
pub(super) async fn place(
    vault: Vault,
    target: PlanTarget,
    name: &PolicyName,
    policy: Option<Policy>,
    request: &RestoreRequest,
) -> Result<Place, Fail> {
    let now = vault.now().await?;
    let index = vault.point_index(name).await?;
    let (mut points, mut unread) = (Vec::new(), Vec::new());
    let first = wanted(&index, request);
    let fitting = |i: &PointIndex| request.before.is_none_or(|b| i.slot.time() < b);
    let more = index.iter().filter(|i| fitting(i)).map(|i| i.slot);
    let more: Vec<Slot> = match request.point {
        Some(_) => Vec::new(),
        None => more
            .filter(|s| !first.contains(s))
            .take(MOST_LOOKED_AT)
            .collect(),
    };
    for (n, slot) in first.iter().rev().copied().chain(more).enumerate() {
        // A source that could not be taken for a while is in none of the newest points.
        if n >= first.len() && !goes_on(&points, &target.name) {
            break;
        }
        // One point that is damaged must not hide the others.
        match vault.point(name, slot).await {
            Ok(found) => {
                let documents = found.iter().flat_map(|p| &p.unread);
                unread.extend(documents.map(|u| {
                    let thing = format!("{} version {}", u.key, u.version);
                    warning(&target.name, u.unknown_version, u.why.clone()).thing(thing)
                }));
                points.extend(found);
            }
            Err(e) if e.transient() => return Err(e.into()),
            Err(e) => {
                let key = Key::point(name, slot, PointDocument::Point);
                let unknown = e.unknown_version();
                unread.push(warning(&target.name, unknown, full(&Fail::from(e))).thing(key));
            }
        }
    }
    let probe = vault.newest_probe(&target.name).await.ok().flatten();
    // A vault.json that is damaged is no obstacle: the id only names what is made.
    let document = vault.find::<VaultDocument>(&Key::Vault.to_string()).await;
    let id = document.ok().flatten().map(|d| d.id);
    Ok(Place {
        target,
        vault,
        policy_name: name.clone(),
        id: id.unwrap_or_else(|| VaultId("unknown".into())),
        points,
        unread,
        capable: probe.is_some_and(|p| p.outcome.conditional),
        policy,
        now,
    })
}

/// Whether an older point may hold a source that none of these has here: the oldest of them was to
/// hold it as well.
fn goes_on(points: &[PointRef], target: &TargetName) -> bool {
    let has = |source: &SourceId| {
        let copies = points.iter().flat_map(|p| &p.copies);
        copies
            .filter(|c| &c.target == target)
            .any(|c| &c.source == source)
    };
    let oldest = points.iter().min_by_key(|p| p.point.slot);
    oldest.is_some_and(|p| p.point.expected_at(target).any(|s| !has(s)))
}

/// What cannot be read is not offered, and whoever chooses among the rest is told so.
fn warning(target: &TargetName, unknown_version: bool, message: String) -> Finding {
    let code = if unknown_version {
        Code::FormatUnknown
    } else {
        Code::PointDamaged
    };
    Finding::warning(code, message).place(target)
}

/// Slots whose points are read: the one that was asked for, or the newest, and the newest that a
/// drill tried.
fn wanted(index: &[PointIndex], request: &RestoreRequest) -> BTreeSet<Slot> {
    if let Some(point) = request.point {
        let known = index.iter().map(|i| i.slot);
        return known.filter(|s| *s == point).collect();
    }
    let early_enough = |slot: Slot| request.before.is_none_or(|b| slot.time() < b);
    let fitting = || index.iter().filter(|i| early_enough(i.slot));
    let newest = fitting().take(NEWEST);
    let tried = fitting().filter(|i| i.tried).take(NEWEST_TRIED);
    newest.chain(tried).map(|i| i.slot).collect()
}
