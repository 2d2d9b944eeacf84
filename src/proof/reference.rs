//! A restored copy beside what its source was read to hold.
//!
//! The source goes on while its snapshot is taken, at an instant that nobody names. It is read
//! before the snapshot is asked for and after it is available; rows that the first reading could
//! see, in ranges that are the same both times, were there in between as well. Rows of later
//! transactions are left out of all three, so that rows can only go: from a range that lost one row
//! the copy has it or has not; one that lost several is compared where the copy is as it was before
//! or after. That makes "equal" exact while the source is written to.

mod stayed;

pub use stayed::between;

use super::Scope;
use crate::manifest::{
    Catalogue, CatalogueReference, Check, DatabaseFacts, DatabaseReference, MAX_RANGES, RangePair,
    SequenceAt, SequenceBetween, TableDigest, TableRead, TableReference, ranges_from_hex,
};
use std::collections::BTreeMap;

/// Tables of a copy, as the reference is to be compared with.
pub type Copied = BTreeMap<String, TableRead>;

/// Rows in ranges that did not change at the source are in the copy, byte for byte. Of the rows
/// that were read there, at least `least` of a hundred must be such, else too little was looked at
/// to say so. What was not read is counted, and judged by nothing.
pub fn rows(scope: &Scope<'_>, of: &DatabaseReference, copy: &Copied, least: u32) -> Check {
    let (mut wrong, mut tested) = (Vec::new(), 0_u64);
    let sum = |all: &mut dyn Iterator<Item = u64>| all.fold(0, u64::saturating_add);
    let read = sum(&mut of.tables.values().map(|t| t.rows));
    for (name, wanted) in &of.tables {
        match copy.get(name).map(|found| rows_of(wanted, found)) {
            // Made anew at the source, where it may have been away for a moment.
            None if wanted.digest.rows == 0 => {}
            None => wrong.push(format!("{name} is missing")),
            Some(Ok(compared)) => tested = tested.saturating_add(compared),
            Some(Err(why)) => {
                tested = tested.saturating_add(wanted.digest.rows);
                wrong.push(format!("{name} has {why}"));
            }
        }
    }
    let enough = u128::from(tested) * 100 >= u128::from(read) * u128::from(least);
    if wrong.is_empty() && !enough {
        wrong.push(format!(
            "{tested} of {read} rows could be compared with the source, at least {least} of a \
             hundred must be: the others changed while the snapshot was taken"
        ));
    }
    let beside = copy
        .iter()
        .filter(|(name, _)| !of.tables.contains_key(*name));
    let population = read.saturating_add(sum(&mut beside.map(|(_, t)| t.rows)));
    let passed = wrong.is_empty();
    scope.check("source-rows", passed, population, tested, some_of(wrong))
}

/// How many rows were compared, all of them equal.
fn rows_of(wanted: &TableReference, found: &TableRead) -> Result<u64, String> {
    if !wanted.ranges.is_power_of_two() || wanted.ranges > MAX_RANGES {
        return Err(format!(
            "{} ranges in its reference, which cannot be",
            wanted.ranges
        ));
    }
    let mut found = found.clone();
    found.fold_to(wanted.ranges);
    let stayed = ranges_from_hex(&wanted.stayed);
    let mut digest = TableDigest::default();
    let whole = found.ranges.iter().zip(stayed).filter(|(_, set)| *set);
    whole.for_each(|(range, _)| digest.merge(*range));
    if digest.rows != wanted.digest.rows {
        let (have, want) = (digest.rows, wanted.digest.rows);
        return Err(format!(
            "{have} of {want} rows that its source had before and after"
        ));
    }
    if digest != wanted.digest {
        return Err("other rows than its source".into());
    }
    let mut compared = digest.rows;
    for (range, RangePair { before, after }) in &wanted.lost {
        let here = found.ranges.get(*range).copied().unwrap_or_default();
        let may_have = after.rows..=before.rows;
        if here == *before || here == *after {
            compared = compared.saturating_add(here.rows);
        } else if before.rows == after.rows.saturating_add(1) || !may_have.contains(&here.rows) {
            return Err(format!(
                "{} rows in a range that had {} before and {} after, or other ones",
                here.rows, before.rows, after.rows
            ));
        }
    }
    Ok(compared)
}

/// Every object is in the copy as it was at the source before and after.
pub fn catalogue_equal(scope: &Scope<'_>, of: &CatalogueReference, copy: &Catalogue) -> Check {
    const ID: &str = "source-catalogue";
    if of.changed {
        let why = "something was defined at the source while the snapshot was taken";
        return not_compared(scope, ID, why.into());
    }
    let wanted = &of.stayed;
    if (&wanted.server, &wanted.program) != (&copy.server, &copy.program) {
        let why = format!(
            "the source was read by pg_dump {} from PostgreSQL {}, the copy by {} from {}: they \
             write one schema in two ways",
            wanted.program, wanted.server, copy.program, copy.server
        );
        return not_compared(scope, ID, why);
    }
    let lacking = |these: &Catalogue, those: &Catalogue, say: &str| -> Vec<String> {
        let lacks = |(sha256, count): &(&_, &crate::manifest::StatementCount)| {
            those.statements.get(*sha256).map_or(0, |c| c.times) < count.times
        };
        let lacked = these.statements.iter().filter(lacks);
        lacked
            .map(|(_, c)| format!("{say}: {}", c.begins))
            .collect()
    };
    let mut wrong = lacking(wanted, copy, "missing");
    wrong.extend(lacking(copy, wanted, "not at the source"));
    let population = wanted.statements.len() as u64;
    scope.check(ID, wrong.is_empty(), population, population, some_of(wrong))
}

/// A sequence is where it was before, or further on. After a crash, as a snapshot is to a server,
/// it may have left out what was logged ahead of need.
pub fn sequences_between(
    scope: &Scope<'_>,
    of: &BTreeMap<String, SequenceBetween>,
    copy: &BTreeMap<String, SequenceAt>,
) -> Check {
    const LOGGED_AHEAD: i64 = 32;
    let mut wrong = Vec::new();
    for (name, wanted) in of {
        let Some(found) = copy.get(name) else {
            wrong.push(format!("{name} is missing"));
            continue;
        };
        let ahead = LOGGED_AHEAD
            .saturating_add(wanted.cache)
            .saturating_mul(wanted.increment);
        let last = wanted.after.saturating_add(ahead);
        let (low, high) = (wanted.before.min(last), wanted.before.max(last));
        if !(low..=high).contains(&found.value) {
            let (value, before, after) = (found.value, wanted.before, wanted.after);
            wrong.push(format!(
                "{name} is at {value}, and was at {before} before and at {after} after"
            ));
        }
    }
    let all = of.len() as u64;
    scope.check(
        "source-sequences",
        wrong.is_empty(),
        all,
        all,
        some_of(wrong),
    )
}

/// The newest heartbeat that was seen before the snapshot was asked for is in it.
pub fn beat(scope: &Scope<'_>, before: i64, copy: Option<i64>) -> Check {
    let why = match copy {
        Some(copy) if copy >= before => None,
        Some(copy) => Some(format!(
            "the newest heartbeat is {copy}; {before} was there before the snapshot was asked for"
        )),
        None => Some("the heartbeat table has no row".into()),
    };
    scope.check("source-heartbeat", why.is_none(), 1, 1, why)
}

/// What belongs to the database itself: settings, rights, encoding, collation, limit, comment.
pub fn settings(scope: &Scope<'_>, of: &DatabaseFacts, copy: &DatabaseFacts) -> Check {
    let same = of == copy;
    let why = "settings, rights, encoding, collation, limit or comment of the database are \
               otherwise than at the source";
    scope.check("source-settings", same, 1, 1, (!same).then(|| why.into()))
}

/// Differences of roles, as the kind of database tells them.
pub fn roles(scope: &Scope<'_>, all: u64, differ: Vec<String>) -> Check {
    scope.check("source-roles", differ.is_empty(), all, all, some_of(differ))
}

/// Passes and has looked at nothing.
pub fn not_compared(scope: &Scope<'_>, id: &str, why: String) -> Check {
    scope.check(id, true, 1, 0, Some(why))
}

fn some_of(wrong: Vec<String>) -> Option<String> {
    const SHOWN: usize = 5;
    let more = wrong.len().saturating_sub(SHOWN);
    let shown: Vec<String> = wrong.into_iter().take(SHOWN).collect();
    let told = shown.join("; ");
    match (shown.is_empty(), more) {
        (true, _) => None,
        (false, 0) => Some(told),
        (false, more) => Some(format!("{told}; and {more} more")),
    }
}

#[cfg(test)]
mod tests;
