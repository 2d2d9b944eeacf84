//! One target that a restore can read.

use super::request::RestoreRequest;
use crate::manifest::Vault as VaultDocument;
use crate::model::{PolicyName, Slot, SourceId, TargetName, VaultId};
use crate::plan::PlanTarget;
use crate::policy::Policy;
use crate::report::{Code, Fail, Finding, full};
use crate::vault::{Key, PointDocument, PointIndex, PointRef, Vault};
use jiff::Timestamp;

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
    let (newest, tried) = wanted(&index, request);
    let contiguous = newest.len();
    // A source that could not be taken for a while is in none of the newest points.
    let mut older = true;
    for (n, slot) in newest.into_iter().chain(tried).enumerate() {
        let tried_alone = n >= contiguous;
        if n >= NEWEST && !tried_alone {
            older = older && goes_on(&points, &target.name, request);
            if !older {
                continue;
            }
        }
        if points.iter().any(|p: &PointRef| p.point.slot == slot) {
            continue;
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

/// Whether an older point may hold a source that none of these has here: the one that was asked
/// for, or one that the oldest of them was to hold as well. `points`: the newest, without a gap.
fn goes_on(points: &[PointRef], target: &TargetName, request: &RestoreRequest) -> bool {
    let has = |source: &SourceId| {
        let copies = points.iter().flat_map(|p| &p.copies);
        copies
            .filter(|c| &c.target == target)
            .any(|c| &c.source == source)
    };
    let oldest = points.iter().min_by_key(|p| p.point.slot);
    match &request.of {
        Some(source) => !has(source),
        None => oldest.is_some_and(|p| p.point.expected_at(target).any(|s| !has(s))),
    }
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

/// Slots whose points are read: the one that was asked for, or the newest ones without a gap,
/// newest first, of which the older ones are read where the others lack a source; and the newest
/// that a drill tried.
fn wanted(index: &[PointIndex], request: &RestoreRequest) -> (Vec<Slot>, Vec<Slot>) {
    if let Some(point) = request.point {
        let known = index.iter().map(|i| i.slot);
        return (known.filter(|s| *s == point).collect(), Vec::new());
    }
    let early_enough = |slot: Slot| request.before.is_none_or(|b| slot.time() < b);
    let fitting = || index.iter().filter(|i| early_enough(i.slot));
    let newest = fitting().take(NEWEST + MOST_LOOKED_AT);
    let tried = fitting().filter(|i| i.tried).take(NEWEST_TRIED);
    (
        newest.map(|i| i.slot).collect(),
        tried.map(|i| i.slot).collect(),
    )
}
