//! Checks on restored data. Pure comparisons here; the reading is done by the steps.

pub mod control;
pub mod reference;
pub mod references;

use crate::database::{SequencesBehind, Structure};
use crate::manifest::{Check, CheckResult, TableDigest};
use crate::model::{Method, Name, SourceId, TargetName};
use std::collections::BTreeMap;

pub type Tables = BTreeMap<String, TableDigest>;

/// What a check speaks of.
#[derive(Clone, Copy)]
pub struct Scope<'a> {
    pub source: &'a SourceId,
    /// Of a check of one database.
    pub database: Option<&'a Name>,
    pub method: Method,
    pub target: &'a TargetName,
}

impl Scope<'_> {
    pub fn check(
        &self,
        id: &str,
        passed: bool,
        population: u64,
        tested: u64,
        why: Option<String>,
    ) -> Check {
        let result = if passed {
            CheckResult::Passed
        } else {
            CheckResult::Failed
        };
        Check {
            id: id.into(),
            source: self.source.clone(),
            database: self.database.cloned(),
            method: self.method,
            target: self.target.clone(),
            result,
            population,
            tested,
            skipped: population - tested.min(population),
            why,
        }
    }
}

/// An empty database, or a table that cannot be read, is a finding.
pub fn counts(scope: &Scope<'_>, tables: &Tables, unreadable: &BTreeMap<String, String>) -> Check {
    let rows: u64 = tables.values().map(|t| t.rows).sum();
    let population = (tables.len() + unreadable.len()) as u64;
    let why = match unreadable.iter().next() {
        Some((table, why)) => Some(format!(
            "{} tables could not be read, first {table}: {why}",
            unreadable.len()
        )),
        None if tables.is_empty() => Some("the database has no tables".into()),
        None if rows == 0 => Some(format!("all {population} tables are empty")),
        None => None,
    };
    scope.check(
        "counts",
        why.is_none(),
        population,
        tables.len() as u64,
        why,
    )
}

/// Tables that are otherwise than they should be, or not there, or should not be.
pub fn differences(wanted: &Tables, found: &Tables) -> Vec<String> {
    let mut wrong: Vec<String> = Vec::new();
    for (name, digest) in wanted {
        match found.get(name) {
            None => wrong.push(format!("{name} is missing")),
            Some(other) if other.rows != digest.rows => wrong.push(format!(
                "{name} has {} rows, should have {}",
                other.rows, digest.rows
            )),
            Some(other) if other != digest => wrong.push(format!(
                "{name}: digest {} should be {}",
                other.hex(),
                digest.hex()
            )),
            Some(_) => {}
        }
    }
    wrong.extend(
        found
            .keys()
            .filter(|n| !wanted.contains_key(*n))
            .map(|n| format!("{n} should not be there")),
    );
    wrong
}

/// Two sets of table digests must be equal, table by table.
pub fn equal(scope: &Scope<'_>, id: &str, wanted: &Tables, found: &Tables) -> Check {
    let wrong = differences(wanted, found);
    let tested = wanted.keys().filter(|n| found.contains_key(*n)).count() as u64;
    let passed = wrong.is_empty() && !wanted.is_empty();
    let why = (!passed).then(|| {
        if wrong.is_empty() {
            "nothing to compare".to_owned()
        } else {
            wrong.into_iter().take(5).collect::<Vec<_>>().join("; ")
        }
    });
    scope.check(id, passed, wanted.len() as u64, tested, why)
}

/// The newest heartbeat may be at most `max_age_s` older than the snapshot.
pub fn heartbeat(
    scope: &Scope<'_>,
    newest: Result<Option<jiff::Timestamp>, &str>,
    snapshot_at: jiff::Timestamp,
    max_age_s: u64,
) -> Check {
    let none = |why: String| scope.check("heartbeat", false, 1, 0, Some(why));
    let newest = match newest {
        Ok(Some(newest)) => newest,
        Ok(None) => return none("the heartbeat table has no row".into()),
        Err(why) => return none(format!("the heartbeat could not be read: {why}")),
    };
    let age_s = snapshot_at.duration_since(newest).as_secs();
    let fresh = age_s <= i64::try_from(max_age_s).unwrap_or(i64::MAX);
    scope.check(
        "heartbeat",
        fresh,
        1,
        1,
        (!fresh).then(|| {
            format!(
                "the newest heartbeat is \
     {age_s} s older than the snapshot, at most {max_age_s} s are allowed"
            )
        }),
    )
}

/// How many there are, and the first of them; `None`: there is none.
fn first_of(all: &[String], what: &str) -> Option<String> {
    let first = all.first()?;
    Some(format!("{} {what}, first {first}", all.len()))
}

/// All that is to be told, as one text.
fn joined(told: impl IntoIterator<Item = String>) -> Option<String> {
    let told: Vec<String> = told.into_iter().collect();
    (!told.is_empty()).then(|| told.join("; "))
}

/// Every statement of the dump was taken.
pub fn statements(scope: &Scope<'_>, undone: &[String]) -> Check {
    let why = first_of(undone, "statements were refused");
    scope.check("statements", why.is_none(), 1, 1, why)
}

/// Every object is there as the dump says. Two versions of a server or of its programs cannot be
/// compared by text: that is told, and counts as not looked at.
pub fn objects(scope: &Scope<'_>, differs: &[String], not_compared: Option<&str>) -> Check {
    if let Some(why) = not_compared {
        return scope.check("objects", true, 1, 0, Some(why.to_owned()));
    }
    let why = first_of(differs, "objects differ");
    scope.check("objects", why.is_none(), 1, 1, why)
}

/// No sequence may stand behind the column that it numbers: the next insert would collide.
pub fn sequences(scope: &Scope<'_>, found: &SequencesBehind) -> Check {
    let behind = first_of(&found.behind, "sequences are behind their columns");
    let unread = first_of(&found.unread, "sequences could not be read");
    let unread = unread.map(|told| format!("columns of {told}"));
    let why = joined(behind.into_iter().chain(unread));
    let tested = found.looked_at - (found.unread.len() as u64).min(found.looked_at);
    scope.check("sequences", why.is_none(), found.looked_at, tested, why)
}

/// Indexes agree with their tables, and pages can be read. What nobody could look at is told.
pub fn amcheck(scope: &Scope<'_>, found: &Structure) -> Check {
    let damaged = first_of(&found.damaged, "indexes or tables are damaged");
    let passed = damaged.is_none();
    let not_looked = found.of - found.looked_at.min(found.of);
    let untold = found.not_looked.as_ref();
    let untold =
        untold.map(|why| format!("{not_looked} indexes and tables were not looked at: {why}"));
    let why = joined(damaged.into_iter().chain(untold));
    scope.check("amcheck", passed, found.of, found.looked_at, why)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use std::sync::LazyLock;

    /// Of a source at a target.
    pub(crate) fn scope(method: Method) -> Scope<'static> {
        static SHOP: LazyLock<SourceId> = LazyLock::new(|| SourceId::new("shop"));
        static CENTRAL: LazyLock<TargetName> = LazyLock::new(|| TargetName::new("central"));
        Scope {
            source: &SHOP,
            database: None,
            method,
            target: &CENTRAL,
        }
    }

    fn tables(rows: &[(&str, &[u8])]) -> Tables {
        let mut tables = Tables::new();
        for (name, line) in rows {
            tables.entry((*name).to_owned()).or_default().add_line(line);
        }
        tables
    }

    #[test]
    fn one_changed_missing_or_extra_row_is_found_and_named() {
        let scope = scope(Method::Snapshot);
        let wanted = tables(&[("a", b"1"), ("a", b"2"), ("b", b"3")]);
        assert_eq!(
            equal(&scope, "equal", &wanted, &wanted).result,
            CheckResult::Passed
        );
        let fewer = equal(
            &scope,
            "equal",
            &wanted,
            &tables(&[("a", b"1"), ("b", b"3")]),
        );
        assert_eq!(fewer.why.unwrap(), "a has 1 rows, should have 2");
        let changed = equal(
            &scope,
            "equal",
            &wanted,
            &tables(&[("a", b"1"), ("a", b"9"), ("b", b"3")]),
        );
        assert!(changed.why.unwrap().starts_with("a: digest "));
        assert_eq!(
            equal(&scope, "equal", &Tables::new(), &Tables::new()).result,
            CheckResult::Failed
        );
    }

    #[test]
    fn an_empty_database_is_a_finding() {
        let scope = scope(Method::Snapshot);
        assert_eq!(
            counts(&scope, &Tables::new(), &BTreeMap::new())
                .why
                .unwrap(),
            "the database has no tables"
        );
        let empty: Tables = [("a".to_owned(), TableDigest::default())].into();
        assert_eq!(
            counts(&scope, &empty, &BTreeMap::new()).result,
            CheckResult::Failed
        );
    }
}
