//! What can be restored from where: proven first, newest first. Pure.

use crate::manifest::{CheckResult, Proof};
use crate::model::{Method, ObjectKey, Slot, TargetName};
use crate::status::{Verdict, verdict};
use crate::vault::PointRef;
use jiff::Timestamp;
use serde::Serialize;

/// One way to restore one point from one target.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RestoreOption {
    pub method: Method,
    pub target: TargetName,
    pub point: Slot,
    pub at: Timestamp,
    /// What would be lost: the age of the point.
    pub loses_s: i64,
    /// The newest verdict is that a restore passed.
    pub proven: bool,
    /// The newest verdict is that a restore failed: why.
    pub failed: Option<String>,
    /// Age of that verdict.
    pub proof_age_s: Option<i64>,
    /// Mean of what the drills of this method at this target took, of any point.
    pub eta_s: Option<f64>,
    pub eta_from_n: u64,
    /// Key of the dump's document, for method `dump`.
    pub dump: Option<ObjectKey>,
}

/// Options of the points of one target, best first.
pub fn options(
    target: &TargetName,
    points: &[PointRef],
    now: Timestamp,
    before: Option<Timestamp>,
) -> Vec<RestoreOption> {
    let early_enough = |p: &&PointRef| before.is_none_or(|b| p.point.at <= b);
    let mut options: Vec<RestoreOption> = points
        .iter()
        .filter(early_enough)
        .flat_map(|p| Method::ALL.map(|method| option(target, points, p, method, now)))
        .flatten()
        .collect();
    order(&mut options);
    options
}

/// Proven before never tried before failed, then newest first; the faster method first where points
/// are equal.
pub fn order(options: &mut [RestoreOption]) {
    options.sort_by(|a, b| {
        b.proven
            .cmp(&a.proven)
            .then(a.failed.is_some().cmp(&b.failed.is_some()))
            .then(b.at.cmp(&a.at))
            .then(a.method.cmp(&b.method))
    });
}

fn option(
    target: &TargetName,
    all: &[PointRef],
    point: &PointRef,
    method: Method,
    now: Timestamp,
) -> Option<RestoreOption> {
    let copy = point.copies.iter().find(|c| &c.target == target)?;
    let newest = verdict(&point.proofs, method, target);
    let dump = match method {
        Method::Snapshot => {
            copy.snapshot.as_ref()?;
            None
        }
        Method::Files => {
            (copy.objects > 0).then_some(())?;
            None
        }
        Method::Dump => Some(dump(point, target, newest)?),
    };
    let proof = match newest {
        Verdict::Passed(proof) | Verdict::Failed(proof) => Some(proof),
        Verdict::NeverTried => None,
    };
    let passed = |p: &&Proof| p.passed && p.method == method && &p.target == target;
    let proofs = all.iter().flat_map(|p| &p.proofs);
    let took: Vec<f64> = proofs.filter(passed).map(|p| p.measured.rto_s).collect();
    Some(RestoreOption {
        method,
        target: target.clone(),
        point: point.point.slot,
        at: point.point.at,
        loses_s: now.duration_since(point.point.at).as_secs(),
        proven: matches!(newest, Verdict::Passed(_)),
        failed: match newest {
            Verdict::Failed(proof) => Some(why(proof)),
            Verdict::Passed(_) | Verdict::NeverTried => None,
        },
        proof_age_s: proof.map(|p| now.duration_since(p.at).as_secs()),
        eta_s: (!took.is_empty()).then(|| took.iter().sum::<f64>() / took.len() as f64),
        eta_from_n: took.len() as u64,
        dump,
    })
}

fn why(proof: &Proof) -> String {
    let failed = proof
        .checks
        .iter()
        .find(|c| c.result != CheckResult::Passed);
    failed.map_or_else(
        || "nothing was looked at".to_owned(),
        |c| {
            format!(
                "{}: {}",
                c.id,
                c.why.as_deref().unwrap_or("it did not pass")
            )
        },
    )
}

/// The dump that was proven, else the newest one.
fn dump(point: &PointRef, target: &TargetName, newest: Verdict<'_>) -> Option<ObjectKey> {
    if let Verdict::Passed(proof) = newest
        && let Some(dump) = &proof.dump
    {
        return Some(dump.clone());
    }
    let at_target = point.dumps.iter().filter(|(_, d)| &d.target == target);
    let newest = at_target.max_by_key(|(_, d)| d.at);
    newest.map(|(key, _)| ObjectKey::new(key))
}

/// The first option that fits what was asked for.
pub fn pick<'a>(
    options: &'a [RestoreOption],
    method: Method,
    point: Option<Slot>,
    target: Option<&TargetName>,
) -> Option<&'a RestoreOption> {
    options.iter().find(|o| {
        o.method == method
            && point.is_none_or(|p| p == o.point)
            && target.is_none_or(|t| t == &o.target)
    })
}

#[cfg(test)]
mod tests;
