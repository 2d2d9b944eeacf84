//! Which objectives the newest proven figures meet.

use super::known::Known;
use super::told::{Met, Proven};
use crate::manifest::Captured;
use crate::model::{Method, Name, Seconds, SourceId};
use crate::policy::{Databases, Objective, Policy, Source, Unit, unit};
use std::collections::BTreeSet;

/// An objective of a method holds for each source, and each database, that the method restores: met
/// where one target's newest proven figures meet all of its numbers.
pub(super) fn objectives(policy: &Policy, proven: &[Proven], newest: Option<&Known>) -> Vec<Met> {
    let mut all = Vec::new();
    for method in Method::ALL {
        let sources = policy.sources.iter().filter(|s| s.has(method));
        let mut things: BTreeSet<Thing> = sources
            .flat_map(|s| restored_of(s, method, newest))
            .collect();
        // What is proven of a database that no list names is told as well.
        let known = proven.iter().filter(|p| p.method == method);
        things.extend(known.map(|p| (p.source.clone(), p.database.clone())));
        for (source, database) in things {
            let Some(wanted) = policy.objective(&source, method) else {
                continue;
            };
            let of =
                |p: &&Proven| (p.method, &p.source, &p.database) == (method, &source, &database);
            let of: Vec<&Proven> = proven.iter().filter(of).collect();
            all.push(met((source.clone(), database.clone()), method, wanted, &of));
        }
    }
    all
}

/// A source, or one of its databases.
type Thing = (SourceId, Option<Name>);

/// What a method restores of a source.
fn restored_of(source: &Source, method: Method, newest: Option<&Known>) -> Vec<Thing> {
    let id = source.id();
    let databases = match (unit(method), source.databases()) {
        (Unit::Source, _) | (_, None) => &[],
        (Unit::Database, Some(Databases::These(names))) => names.as_slice(),
        // Those that were there the last time.
        (Unit::Database, Some(Databases::All)) => {
            let captured = newest.and_then(|k| k.captured(id));
            captured.map(Captured::databases).unwrap_or_default()
        }
    };
    // Nothing is known of any: the objective is missed all the same.
    if databases.is_empty() {
        return vec![(id.clone(), None)];
    }
    let each = databases.iter();
    each.map(|d| (id.clone(), Some(d.clone()))).collect()
}

fn met(
    (source, database): (SourceId, Option<Name>),
    method: Method,
    wanted: &Objective,
    of: &[&Proven],
) -> Met {
    let best = |f: fn(&Proven) -> f64| of.iter().map(|p| f(p)).min_by(f64::total_cmp);
    let within = |age_s: Option<i64>, most: Option<Seconds>| {
        let most = most.map(|most| i64::try_from(most.0).unwrap_or(i64::MAX));
        most.is_none_or(|most| age_s.is_some_and(|age_s| age_s <= most))
    };
    let young = |p: &Proven| {
        within(Some(p.proof_age_s), wanted.proof_age) && within(p.compared_age_s, wanted.compared)
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
        compared_s: wanted.compared.map(|a| a.0),
        measured_compared_age_s: of.iter().filter_map(|p| p.compared_age_s).min(),
        met: of.iter().any(|p| meets(&p)),
    }
}
