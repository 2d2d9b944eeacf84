//! Which databases a cluster's copy holds, where its policy says `all`: asked of the running
//! cluster before its snapshot and after.

use super::read_reference::{DatabasesListed, DatabasesRead, ReferenceRead};
use crate::manifest::Exception;
use crate::model::{ClusterId, Name};
use crate::plan::Link;
use crate::report::Code;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// What was asked, for those that go by it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AllDatabases {
    /// Those that the policy itself names: of its heartbeat and its assertions.
    pub named: Vec<Name>,
    pub before: Link<ReferenceRead>,
    pub after: Link<ReferenceRead>,
}

/// The databases of a copy, as far as they are known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DatabasesKnown {
    pub databases: Vec<Name>,
    pub exceptions: Vec<Exception>,
}

impl AllDatabases {
    /// A snapshot holds what was there when it was asked for. What went before it was available may
    /// be in it or not, and what came meanwhile as well: a drill that insisted on one of them would
    /// fail a copy that is whole, so they are told. Where only the later answer is there, it is the
    /// best that is known.
    ///
    /// Where there is none, no earlier point is asked instead: names that lie in a vault would
    /// decide what is planned, and a database that was dropped since would fail every drill. What
    /// the policy itself names is looked at all the same, and that the rest is not known is told.
    pub fn known(
        &self,
        cluster: &ClusterId,
        before: Option<&DatabasesListed>,
        after: Option<&DatabasesListed>,
    ) -> DatabasesKnown {
        let mut known = match (read(before), read(after)) {
            (Some(first), Some(last)) => between(first, last),
            (Some(only), None) | (None, Some(only)) => DatabasesKnown {
                databases: only.databases.clone(),
                exceptions: only.exceptions.clone(),
            },
            (None, None) => DatabasesKnown {
                databases: Vec::new(),
                exceptions: vec![unknown(cluster, before.or(after))],
            },
        };
        // Like those of a list: one that is not there fails its drill, and its heartbeat and
        // assertions are not passed over.
        known.databases.extend(self.named.iter().cloned());
        known.databases.sort();
        known.databases.dedup();
        let named = |e: &Exception| self.named.iter().any(|d| e.is_of_database(d));
        known.exceptions.retain(|e| !named(e));
        known
    }
}

fn read(listed: Option<&DatabasesListed>) -> Option<&DatabasesRead> {
    match listed? {
        DatabasesListed::Read(read) => Some(read),
        DatabasesListed::Unread(_) => None,
    }
}

fn between(first: &DatabasesRead, last: &DatabasesRead) -> DatabasesKnown {
    // One that could be entered at one of the two times was only busy at the other.
    let both = first.databases.iter().chain(&last.databases);
    let entered: BTreeSet<&Name> = both.filter(|d| first.there.contains(d)).collect();
    let (stayed, gone): (Vec<&Name>, Vec<&Name>) =
        entered.into_iter().partition(|d| last.there.contains(d));
    let entered = |e: &&Exception| stayed.iter().any(|d| e.is_of_database(d));
    let exceptions = first.exceptions.iter().filter(|e| !entered(e));
    let exceptions: Vec<Exception> = exceptions.cloned().collect();
    let came = last.there.iter().filter(|d| !first.there.contains(d));
    DatabasesKnown {
        databases: stayed.into_iter().cloned().collect(),
        exceptions: exceptions
            .into_iter()
            .chain(gone.into_iter().map(|d| told(d, WENT)))
            .chain(came.map(|d| told(d, CAME)))
            .collect(),
    }
}

const WENT: &str = "it was dropped while the snapshot was taken, so nobody knows whether a copy \
     has it";
const CAME: &str = "it was made while the snapshot was taken, so nobody knows whether a copy has \
     it; the next point has it";

fn told(database: &Name, why: &str) -> Exception {
    Exception::of_database(database, Code::NotProtected, why)
}

fn unknown(cluster: &ClusterId, listed: Option<&DatabasesListed>) -> Exception {
    let why = match listed {
        Some(DatabasesListed::Unread(why)) => why.as_str(),
        Some(DatabasesListed::Read(_)) | None => "that step did not end",
    };
    Exception {
        thing: "databases that the policy does not name".to_owned(),
        code: Code::ReferenceUnread.to_string(),
        why: format!("cluster {cluster} was not asked which it has: {why}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::ReadReference;
    use crate::plan::step::Steps;

    fn names(all: &[&str]) -> Vec<Name> {
        all.iter().map(|n| Name::new(*n)).collect()
    }

    fn listed(databases: &[&str], closed: &[&str]) -> DatabasesListed {
        DatabasesListed::Read(DatabasesRead {
            databases: names(databases),
            there: names(&[databases, closed].concat()),
            exceptions: closed.iter().map(|d| told(&Name::new(*d), "no")).collect(),
        })
    }

    fn known(
        named: &[&str],
        before: Option<DatabasesListed>,
        after: Option<DatabasesListed>,
    ) -> (Vec<Name>, Vec<String>) {
        let link = || Steps::coming::<ReadReference>(&[&"shop"]);
        let all = AllDatabases {
            named: names(named),
            before: link(),
            after: link(),
        };
        let cluster = ClusterId::new("shop");
        let known = all.known(&cluster, before.as_ref(), after.as_ref());
        let things = known.exceptions.into_iter().map(|e| e.thing);
        (known.databases, things.collect())
    }

    #[test]
    fn a_copy_has_what_was_there_before_and_after_it_and_the_rest_is_told() {
        let before = listed(&["went", "shop"], &["closed"]);
        let after = listed(&["shop", "came"], &["closed"]);
        let told = ["closed", "went", "came"].map(|d| format!("database {d}"));
        assert_eq!(
            known(&[], Some(before), Some(after)),
            (names(&["shop"]), told.into())
        );
    }

    #[test]
    fn one_answer_is_better_than_none_and_none_leaves_what_the_policy_names() {
        let unread = || Some(DatabasesListed::Unread("it is away".into()));
        let one = || Some(listed(&["tax", "shop"], &["closed"]));
        let wanted = || (names(&["shop", "tax"]), vec!["database closed".to_owned()]);
        assert_eq!(known(&["shop"], one(), unread()), wanted());
        assert_eq!(known(&["shop"], unread(), one()), wanted());
        let told = vec!["databases that the policy does not name".to_owned()];
        assert_eq!(
            known(&["shop"], unread(), unread()),
            (names(&["shop"]), told.clone())
        );
        assert_eq!(known(&[], None, None), (Vec::new(), told));
    }

    #[test]
    fn what_the_policy_names_is_looked_at_whatever_the_cluster_says() {
        let both = || Some(listed(&["tax"], &["shop"]));
        assert_eq!(
            known(&["shop"], both(), both()),
            (names(&["shop", "tax"]), Vec::new())
        );
    }
}
