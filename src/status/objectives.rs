//! Which objectives the newest proven figures meet.

use super::known::Known;
use super::told::{Met, Proven};
use crate::manifest::Captured;
use crate::model::{Method, Name, SourceId};
use crate::policy::{Databases, Objective, Policy, Source};

/// An objective of a method holds for each source, and each database, that the method restores: met
/// where one target's newest proven figures meet all of its numbers.
pub(super) fn objectives(policy: &Policy, proven: &[Proven], newest: Option<&Known>) -> Vec<Met> {
    let mut all = Vec::new();
    for (method, wanted) in &policy.objectives {
        let mut things = restored_by(policy, *method, newest);
        // What is proven of a database that no list names is told as well.
        let known = proven.iter().filter(|p| p.method == *method);
        things.extend(known.map(|p| (p.source.clone(), p.database.clone())));
        things.sort();
        things.dedup();
        all.extend(things.into_iter().map(|(source, database)| {
            let of =
                |p: &&Proven| (p.method, &p.source, &p.database) == (*method, &source, &database);
            let of: Vec<&Proven> = proven.iter().filter(of).collect();
            met((source.clone(), database.clone()), *method, wanted, &of)
        }));
    }
    all
}

/// What a method restores by this policy.
fn restored_by(
    policy: &Policy,
    method: Method,
    newest: Option<&Known>,
) -> Vec<(SourceId, Option<Name>)> {
    let of = |source: &Source| -> Vec<(SourceId, Option<Name>)> {
        let id = source.id().clone();
        match (method, source) {
            (Method::Snapshot, Source::Aurora(_)) | (Method::Files, Source::Bucket(_)) => {
                vec![(id, None)]
            }
            (Method::Dump, _) => {
                let listed = match source.databases() {
                    None => return Vec::new(),
                    Some(Databases::These(names)) => names.clone(),
                    // Those that were there the last time.
                    Some(Databases::All) => {
                        let captured = newest.and_then(|k| k.captured(&id));
                        captured
                            .map(Captured::databases)
                            .unwrap_or_default()
                            .to_vec()
                    }
                };
                let each = listed.into_iter().map(|d| (id.clone(), Some(d)));
                let each: Vec<_> = each.collect();
                // Nothing is known of any: the objective is missed all the same.
                if each.is_empty() {
                    vec![(id, None)]
                } else {
                    each
                }
            }
            _ => Vec::new(),
        }
    };
    policy.sources.iter().flat_map(of).collect()
}

fn met(
    (source, database): (SourceId, Option<Name>),
    method: Method,
    wanted: &Objective,
    of: &[&Proven],
) -> Met {
    let best = |f: fn(&Proven) -> f64| of.iter().map(|p| f(p)).min_by(f64::total_cmp);
    let young = |p: &Proven| {
        let most = wanted
            .proof_age
            .map(|a| i64::try_from(a.0).unwrap_or(i64::MAX));
        most.is_none_or(|most| p.proof_age_s <= most)
    };
    let meets =
        |p: &&&Proven| p.rto_s <= wanted.rto.0 as f64 && p.rpo_s <= wanted.rpo.0 as f64 && young(p);
    Met {
        source,
        database,
        method,
        rto_s: wanted.rto.0,
        rpo_s: wanted.rpo.0,
        measured_rto_s: best(|p| p.rto_s),
        measured_rpo_s: best(|p| p.rpo_s),
        proof_age_s: wanted.proof_age.map(|a| a.0),
        measured_proof_age_s: of.iter().map(|p| p.proof_age_s).min(),
        met: of.iter().any(|p| meets(&p)),
    }
}
