//! The negative control: something was damaged, and a check must fail. One that cannot fail proves
//! nothing.

use super::{Scope, Tables, equal, reference, sequences};
use crate::database::SequencesBehind;
use crate::manifest::{Catalogue, CatalogueReference, Check, CheckResult, TableDigest};
use crate::model::Sha256;

/// Decides what is damaged: the same run damages the same thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seed(Sha256);

impl Seed {
    pub fn of(scope: &Scope<'_>, run: &str) -> Self {
        let database = scope.database.map_or("", |d| d.as_str());
        let text = format!(
            "{run} {} {database} {} {}",
            scope.source, scope.method, scope.target
        );
        Self(Sha256::of(text.as_bytes()))
    }

    /// A number of its own for each use.
    pub fn number(&self, of_use: usize) -> u64 {
        let digits = self.0.0.get(of_use * 8..of_use * 8 + 8);
        u64::from_str_radix(digits.unwrap_or("0"), 16).unwrap_or(0)
    }

    pub fn shown(&self) -> &str {
        self.0.short()
    }
}

/// What was read with one thing damaged, and what it is compared with.
pub enum Damaged<'a> {
    Table {
        name: &'a str,
        digest: TableDigest,
        wanted: &'a Tables,
    },
    Sequences(&'a SequencesBehind),
    Schema {
        before: &'a Catalogue,
        after: &'a Catalogue,
    },
}

/// The check that looks at such a thing, run on the damaged one.
fn looked(scope: &Scope<'_>, damaged: &Damaged<'_>) -> Check {
    match damaged {
        Damaged::Table {
            name,
            digest,
            wanted,
        } => {
            let of = wanted.get(*name).map(|d| ((*name).to_owned(), *d));
            let found = [((*name).to_owned(), *digest)].into();
            equal(scope, "equal", &of.into_iter().collect(), &found)
        }
        Damaged::Sequences(found) => sequences(scope, found),
        Damaged::Schema { before, after } => {
            let whole = CatalogueReference {
                stayed: (*before).clone(),
                changed: false,
            };
            reference::catalogue_equal(scope, &whole, after)
        }
    }
}

/// Passed: the damage was noticed. `what` names the thing.
pub fn negative_control(
    scope: &Scope<'_>,
    seed: &Seed,
    what: &str,
    damaged: &Damaged<'_>,
) -> Check {
    let check = looked(scope, damaged);
    let noticed = check.result == CheckResult::Failed;
    let (id, seed) = (&check.id, seed.shown());
    let why = match noticed {
        true => format!("{what} was damaged (seed {seed}), and `{id}` failed as it must"),
        false => format!("{what} was damaged (seed {seed}), and `{id}` did not notice"),
    };
    scope.check("negative-control", noticed, 1, 1, Some(why))
}

/// Nothing could be damaged: whether a check would notice is not known.
pub fn nothing_damaged(scope: &Scope<'_>) -> Check {
    let why = "there is nothing that could be damaged to see whether a check notices";
    scope.check("negative-control", false, 1, 0, Some(why.into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::StatementCount;
    use crate::model::Method;
    use crate::proof::tests::scope;
    use std::collections::BTreeMap;

    #[test]
    fn a_damage_that_no_check_notices_fails() {
        let scope = scope(Method::Snapshot);
        let seed = Seed::of(&scope, "drill-1");
        assert_ne!(seed, Seed::of(&scope, "drill-2"));
        assert_ne!(seed.number(0), seed.number(1));
        let control = |damaged: &Damaged<'_>| negative_control(&scope, &seed, "it", damaged);
        let mut digest = TableDigest::default();
        digest.add_line(b"a row");
        let wanted: Tables = [("t".to_owned(), digest)].into();
        let table = |digest| Damaged::Table {
            name: "t",
            digest,
            wanted: &wanted,
        };
        let noticed = control(&table(TableDigest::default()));
        assert_eq!(noticed.result, CheckResult::Passed);
        assert!(
            noticed
                .why
                .is_some_and(|w| w.contains("`equal` failed as it must"))
        );
        assert_eq!(control(&table(digest)).result, CheckResult::Failed);
        let sequence = |behind: &[String]| {
            control(&Damaged::Sequences(&SequencesBehind {
                looked_at: 1,
                behind: behind.to_vec(),
                unread: Vec::new(),
            }))
        };
        assert_eq!(sequence(&["s".to_owned()]).result, CheckResult::Passed);
        assert_eq!(sequence(&[]).result, CheckResult::Failed);
        let of = |statements: &[&str]| Catalogue {
            server: "15".into(),
            program: "15".into(),
            statements: statements
                .iter()
                .map(|s| {
                    let count = StatementCount {
                        times: 1,
                        begins: (*s).to_owned(),
                    };
                    (Sha256::of(s.as_bytes()), count)
                })
                .collect::<BTreeMap<_, _>>(),
        };
        let (before, less) = (of(&["a", "b"]), of(&["a"]));
        let schema = |after: &Catalogue| {
            control(&Damaged::Schema {
                before: &before,
                after,
            })
        };
        assert_eq!(schema(&less).result, CheckResult::Passed);
        assert_eq!(schema(&before).result, CheckResult::Failed);
        assert_eq!(nothing_damaged(&scope).result, CheckResult::Failed);
    }
}
