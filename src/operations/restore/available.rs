//! What one target has of a point, and what drills say of it. Pure.

use super::options::RestoreOption;
use crate::manifest::{CheckResult, Copy, Dump, Exception, Proof};
use crate::model::{Method, Name, ObjectKey, SourceId, TargetName};
use crate::report::Code;
use crate::status::{Verdict, Way, verdict};
use crate::vault::PointRef;
use jiff::Timestamp;
use std::collections::BTreeSet;

/// One target, and all that is known there.
pub(super) struct At<'a> {
    pub target: &'a TargetName,
    pub points: &'a [PointRef],
    pub now: Timestamp,
}

/// What the copies of a method hold.
pub(super) fn copies(at: &At<'_>, point: &PointRef, method: Method) -> Vec<RestoreOption> {
    let ours = |c: &&Copy| &c.target == at.target && c.method() == method;
    // Nothing can be brought back of an empty bucket.
    let empty = |c: &Copy| c.files().is_some_and(|f| f.objects == 0);
    let copies = point.copies.iter().filter(ours).filter(|c| !empty(c));
    copies
        .map(|copy| at.option(point, at.way(&copy.source, method, None), None))
        .collect()
}

/// What was dumped, at a slot or by a drill: told by the dumps' own documents, each database
/// for itself.
pub(super) fn dumps(at: &At<'_>, point: &PointRef, method: Method) -> Vec<RestoreOption> {
    let here = point.dumps.iter().filter(|(_, d)| &d.target == at.target);
    let dumped: BTreeSet<(&SourceId, Name)> = here
        .map(|(_, d)| (&d.source, Name::new(&*d.database)))
        .collect();
    let option = |(source, database): &(&SourceId, Name)| {
        let way = at.way(source, method, Some(database));
        let key = dump(point, way, verdict(&point.proofs, way));
        at.option(point, way, key)
    };
    dumped.iter().map(option).collect()
}

impl At<'_> {
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
            // Those of dumps, each of its own database, are said below.
            .filter(|e| !Dump::is_of_rows(e))
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
            equals: equals(point, way, dump.as_ref()),
            dump,
            exceptions,
        }
    }
}

/// A snapshot and the dumps of its databases stand for one instant.
fn equals(point: &PointRef, way: Way<'_>, own: Option<&ObjectKey>) -> Vec<(Name, ObjectKey)> {
    let databases = match (way.method, way.database) {
        (Method::Dump, Some(database)) => std::slice::from_ref(database),
        (Method::Snapshot, _) => point
            .captured(way.source)
            .map_or(&[][..], |c| c.databases()),
        _ => &[],
    };
    let of = |database: &Name| {
        let way = Way {
            method: Method::Dump,
            database: Some(database),
            ..way
        };
        let key = match own {
            Some(own) => Some(own.clone()),
            None => dump(point, way, verdict(&point.proofs, way)),
        };
        key.map(|key| (database.clone(), key))
    };
    databases.iter().filter_map(of).collect()
}

/// What is not in a dump, by kind.
fn left_out(dump: &Dump) -> impl Iterator<Item = Exception> + '_ {
    let excluded = dump.excluded.iter().map(|(thing, why)| Exception {
        thing: thing.clone(),
        code: Code::NotProtected.to_string(),
        why: why.clone(),
    });
    excluded.chain(dump.exceptions())
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
