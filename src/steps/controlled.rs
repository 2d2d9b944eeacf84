//! The negative control of a drill: in a restored database, which is thrown away afterwards.

use super::Context;
use crate::database::{Damage, Database, Holds, Seen, Table};
use crate::manifest::Check;
use crate::proof::control::{Damaged, Seed, negative_control, nothing_damaged};
use crate::proof::{Scope, Tables};
use crate::report::Fail;

/// The server lets nothing be damaged, as where every table is referred to: what was read of one is
/// changed instead.
fn in_hand(scope: &Scope<'_>, seed: &Seed, wanted: &Tables) -> Check {
    let Some((name, digest)) = wanted.iter().find(|(_, d)| d.rows > 0) else {
        return nothing_damaged(scope);
    };
    let mut digest = *digest;
    digest.sum = digest.sum.wrapping_add(1);
    let damaged = Damaged::Table {
        name,
        digest,
        wanted,
    };
    negative_control(scope, seed, &format!("what was read of {name}"), &damaged)
}

/// Whether the schema of the database was kept before: more can be damaged then.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Schema {
    Kept,
    NotKept,
}

impl Schema {
    /// It is where something had to be changed.
    pub fn of(changed: &[String]) -> Self {
        match changed {
            [] => Self::NotKept,
            _ => Self::Kept,
        }
    }
}

/// Of a kind and a thing that the run decides. A kind of which there is nothing gives way to the
/// next one.
///
/// # Errors
/// The server's.
pub(super) async fn control(
    ctx: &Context<'_>,
    scope: &Scope<'_>,
    connection: &impl Database,
    (wanted, schema): (&Tables, Schema),
) -> Result<Check, Fail> {
    let seed = Seed::of(scope, ctx.plan.run.as_str());
    let mut kinds = vec![Damage::Row, Damage::Sequence];
    if schema == Schema::Kept {
        kinds.extend([Damage::RowSecurity, Damage::Right, Damage::Trigger]);
    }
    let count = kinds.len() as u64;
    kinds.rotate_left(usize::try_from(seed.number(0) % count).unwrap_or(0));
    let mut tables = connection.tables().await?;
    // Of large objects there is no table that a row could be taken from.
    let holds = |t: &Table| wanted.get(&t.full_name()).is_some_and(|d| d.rows > 0);
    tables.retain(|t| t.holds == Holds::Rows && holds(t));
    for kind in kinds {
        let done = connection
            .control(kind, seed.number(1), tables.clone())
            .await?;
        let Some(done) = done else {
            continue;
        };
        let damaged = match &done.seen {
            Seen::Table { name, digest } => Damaged::Table {
                name,
                digest: *digest,
                wanted,
            },
            Seen::Sequences(seen) => Damaged::Sequences(seen),
            Seen::Schema { before, after } => Damaged::Schema { before, after },
        };
        return Ok(negative_control(scope, &seed, &done.what, &damaged));
    }
    Ok(in_hand(scope, &seed, wanted))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::{CheckResult, TableDigest};
    use crate::model::Method;
    use crate::proof::tests::scope;

    #[test]
    fn where_the_server_lets_nothing_be_damaged_what_was_read_is() {
        let scope = scope(Method::Dump);
        let seed = Seed::of(&scope, "drill-1");
        let mut row = TableDigest::default();
        row.add_line(b"a row");
        let wanted: Tables = [
            ("empty".to_owned(), TableDigest::default()),
            ("t".to_owned(), row),
        ]
        .into();
        let check = in_hand(&scope, &seed, &wanted);
        assert_eq!(check.result, CheckResult::Passed);
        let why = check.why.unwrap_or_default();
        assert!(why.starts_with("what was read of t was damaged"), "{why}");
        let none = in_hand(&scope, &seed, &Tables::new());
        assert_eq!(none.result, CheckResult::Failed);
    }
}
