//! What can be restored from where: proven first, newest first. Pure.

use crate::manifest::{CheckResult, Dump, Exception, Proof};
use crate::model::{Method, Name, ObjectKey, Slot, SourceId, TargetName};
use crate::report::Code;
use crate::status::{Verdict, Way, verdict};
use crate::vault::PointRef;
use jiff::Timestamp;
use serde::Serialize;
use std::collections::BTreeSet;

/// One way to restore one point from one target.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RestoreOption {
    pub source: SourceId,
    pub method: Method,
    /// Of a dump.
    pub database: Option<Name>,
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
    /// What it would not bring back.
    pub exceptions: Vec<Exception>,
}

impl RestoreOption {
    /// `shop`, or `shop (database billing)`.
    pub fn what(&self) -> String {
        match &self.database {
            Some(database) => format!("{} (database {database})", self.source),
            None => self.source.to_string(),
        }
    }
}

/// Options of the points of one target, best first.
pub fn options(
    target: &TargetName,
    points: &[PointRef],
    now: Timestamp,
    before: Option<Timestamp>,
) -> Vec<RestoreOption> {
    let at = At {
        target,
        points,
        now,
    };
    let mut options: Vec<RestoreOption> = points.iter().flat_map(|p| at.of_point(p)).collect();
    options.retain(|o| before.is_none_or(|b| o.at <= b));
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

/// One target, and all that is known there.
struct At<'a> {
    target: &'a TargetName,
    points: &'a [PointRef],
    now: Timestamp,
}

impl At<'_> {
    /// What the copies hold, and what drills dumped.
    fn of_point(&self, point: &PointRef) -> Vec<RestoreOption> {
        let mut found = Vec::new();
        for copy in point.copies.iter().filter(|c| &c.target == self.target) {
            // Dumps are told by their documents. Nothing can be brought back of an empty bucket.
            if copy.method() == Method::Dump {
                continue;
            }
            let empty = copy.files().is_some_and(|f| f.objects == 0);
            let way = self.way(&copy.source, copy.method(), None);
            found.extend((!empty).then(|| self.option(point, way, None)));
        }
        let here = point.dumps.iter().filter(|(_, d)| &d.target == self.target);
        let dumped: BTreeSet<(&SourceId, Name)> = here
            .map(|(_, d)| (&d.source, Name::new(&*d.database)))
            .collect();
        for (source, database) in &dumped {
            let way = self.way(source, Method::Dump, Some(database));
            let newest = verdict(&point.proofs, way);
            let key = dump(point, way, newest);
            found.push(self.option(point, way, key));
        }
        found
    }

    fn way<'b>(
        &'b self,
        source: &'b SourceId,
        method: Method,
        database: Option<&'b Name>,
    ) -> Way<'b> {
        Way {
            source,
            method,
            database,
            target: self.target,
        }
    }

    fn option(&self, point: &PointRef, way: Way<'_>, dump: Option<ObjectKey>) -> RestoreOption {
        let newest = verdict(&point.proofs, way);
        let proof = match newest {
            Verdict::Passed(proof) | Verdict::Failed(proof) => Some(proof),
            Verdict::NeverTried => None,
        };
        let passed = |p: &&Proof| p.passed && Way::of(p) == way;
        let proofs = self.points.iter().flat_map(|p| &p.proofs);
        let took: Vec<f64> = proofs.filter(passed).map(|p| p.measured.rto_s).collect();
        let captured = point.captured(way.source);
        let document = dump.as_ref().and_then(|key| {
            let mut dumps = point.dumps.iter();
            dumps.find(|(k, _)| k == key.as_str()).map(|(_, d)| d)
        });
        let at = captured.map(|c| document.map_or(c.at, |d| c.dumped_at(d)));
        let at = at.unwrap_or(point.point.slot.time());
        let copy = point
            .copies
            .iter()
            .find(|c| (&c.source, &c.target) == (way.source, way.target));
        let mut exceptions: Vec<Exception> = captured
            .iter()
            .flat_map(|c| c.exceptions())
            .chain(copy.iter().flat_map(|c| c.exceptions()))
            .cloned()
            .collect();
        exceptions.extend(document.iter().flat_map(|d| left_out(d)));
        RestoreOption {
            source: way.source.clone(),
            method: way.method,
            database: way.database.cloned(),
            target: way.target.clone(),
            point: point.point.slot,
            at,
            loses_s: self.now.duration_since(at).as_secs(),
            proven: matches!(newest, Verdict::Passed(_)),
            failed: match newest {
                Verdict::Failed(proof) => Some(why(proof)),
                Verdict::Passed(_) | Verdict::NeverTried => None,
            },
            proof_age_s: proof.map(|p| self.now.duration_since(p.at).as_secs()),
            eta_s: (!took.is_empty()).then(|| took.iter().sum::<f64>() / took.len() as f64),
            eta_from_n: took.len() as u64,
            dump,
            exceptions,
        }
    }
}

/// What is not in a dump, by kind.
fn left_out(dump: &Dump) -> impl Iterator<Item = Exception> + '_ {
    dump.excluded.iter().map(|(thing, why)| Exception {
        thing: thing.clone(),
        code: Code::NotProtected.to_string(),
        why: why.clone(),
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
fn dump(point: &PointRef, way: Way<'_>, newest: Verdict<'_>) -> Option<ObjectKey> {
    if let Verdict::Passed(proof) = newest
        && let Some(dump) = &proof.dump
    {
        return Some(dump.clone());
    }
    let of = |d: &&(String, Dump)| {
        let (_, dump) = d;
        (&dump.source, &dump.target) == (way.source, way.target)
            && way.database.is_some_and(|w| w.as_str() == dump.database)
    };
    let newest = point.dumps.iter().filter(of).max_by_key(|(_, d)| d.at);
    newest.map(|(key, _)| ObjectKey::new(key))
}

/// What is asked for; what is left out may be anything.
#[derive(Clone, Copy)]
pub struct Wanted<'a> {
    pub method: Method,
    pub source: Option<&'a SourceId>,
    pub database: Option<&'a Name>,
    pub point: Option<Slot>,
    pub target: Option<&'a TargetName>,
}

impl Wanted<'_> {
    fn fits(&self, o: &RestoreOption) -> bool {
        o.method == self.method
            && self.source.is_none_or(|s| s == &o.source)
            && self.database.is_none_or(|d| Some(d) == o.database.as_ref())
            && self.point.is_none_or(|p| p == o.point)
            && self.target.is_none_or(|t| t == &o.target)
    }
}

/// The first option that fits what was asked for.
///
/// # Errors
/// Several sources, or databases, fit: which one is for a person to say.
pub fn pick<'a>(
    options: &'a [RestoreOption],
    wanted: &Wanted<'_>,
) -> Result<Option<&'a RestoreOption>, Ambiguous> {
    let fitting = || options.iter().filter(|o| wanted.fits(o));
    let things: BTreeSet<(SourceId, Option<Name>)> = fitting()
        .map(|o| (o.source.clone(), o.database.clone()))
        .collect();
    if things.len() > 1 {
        return Err(Ambiguous(things));
    }
    Ok(fitting().next())
}

/// Several things, of which one is meant.
#[derive(Debug, PartialEq, Eq)]
pub struct Ambiguous(pub BTreeSet<(SourceId, Option<Name>)>);

#[cfg(test)]
mod tests;
