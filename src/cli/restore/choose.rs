//! What can be restored from where, newest proven first. Pure.

use crate::manifest::Proof;
use crate::policy::{Path, TargetName};
use crate::vault::PointRef;
use jiff::Timestamp;
use serde::Serialize;

/// One way to restore one point from one target.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Way {
    pub path: Path,
    pub target: TargetName,
    pub point: String,
    pub at: Timestamp,
    /// What would be lost: the age of the point.
    pub loses_s: i64,
    pub proven: bool,
    pub proof_age_s: Option<i64>,
    /// Mean of what the drills of this path at this target took, of any point.
    pub eta_s: Option<f64>,
    pub eta_from_n: u64,
    /// Key of the dump's document, for the portable path.
    pub dump: Option<String>,
}

/// Ways through the points of one target. Newest proven first, then the newest unproven.
pub fn ways(
    target: &TargetName,
    points: &[PointRef],
    now: Timestamp,
    before: Option<Timestamp>,
) -> Vec<Way> {
    let mut ways: Vec<Way> = points
        .iter()
        .filter(|p| before.is_none_or(|b| p.point.at < b))
        .flat_map(|p| {
            Path::ALL
                .into_iter()
                .filter_map(move |path| way(target, points, p, path, now))
        })
        .collect();
    order(&mut ways);
    ways
}

/// Proven before unproven, then newest first; the faster path first where points are equal.
pub fn order(ways: &mut [Way]) {
    ways.sort_by(|a, b| {
        b.proven
            .cmp(&a.proven)
            .then(b.at.cmp(&a.at))
            .then(a.path.cmp(&b.path))
    });
}

fn way(
    target: &TargetName,
    all: &[PointRef],
    point: &PointRef,
    path: Path,
    now: Timestamp,
) -> Option<Way> {
    let copy = point.copies.iter().find(|c| &c.target == target)?;
    let proof = newest_proof(point, path, target);
    let dump = match path {
        Path::Native => {
            copy.native.as_ref()?;
            None
        }
        Path::S3 => {
            (copy.objects > 0).then_some(())?;
            None
        }
        Path::Portable => Some(
            proof
                .and_then(|p| p.dump.clone())
                .or_else(|| newest_dump(point, target))?,
        ),
    };
    let took: Vec<f64> = all
        .iter()
        .flat_map(|p| &p.proofs)
        .filter(|p| p.passed && p.path == path && &p.target == target)
        .map(|p| p.measured.rto_s)
        .collect();
    Some(Way {
        path,
        target: target.clone(),
        point: point.point.slot.clone(),
        at: point.point.at,
        loses_s: now.duration_since(point.point.at).as_secs(),
        proven: proof.is_some(),
        proof_age_s: proof.map(|p| now.duration_since(p.at).as_secs()),
        eta_s: (!took.is_empty()).then(|| took.iter().sum::<f64>() / took.len() as f64),
        eta_from_n: took.len() as u64,
        dump,
    })
}

fn newest_proof<'a>(point: &'a PointRef, path: Path, target: &TargetName) -> Option<&'a Proof> {
    point
        .proofs
        .iter()
        .filter(|p| p.passed && p.path == path && &p.target == target)
        .max_by_key(|p| p.at)
}

fn newest_dump(point: &PointRef, target: &TargetName) -> Option<String> {
    point
        .dumps
        .iter()
        .filter(|(_, d)| &d.target == target)
        .max_by_key(|(_, d)| d.at)
        .map(|(key, _)| key.clone())
}

/// The first way that fits what was asked for.
pub fn pick<'a>(
    ways: &'a [Way],
    path: Path,
    point: Option<&str>,
    target: Option<&TargetName>,
) -> Option<&'a Way> {
    ways.iter().find(|w| {
        w.path == path
            && point.is_none_or(|p| p == w.point)
            && target.is_none_or(|t| t == &w.target)
    })
}
