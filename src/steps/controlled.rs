//! The negative control of a drill: in a restored database, which is thrown away afterwards.

use super::Context;
use crate::database::{Damage, Database, Holds, Seen, Table};
use crate::manifest::Check;
use crate::proof::control::{Damaged, Seed, negative_control, nothing_damaged};
use crate::proof::{Scope, Tables};
use crate::report::Fail;

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
            Seen::Sequences(seen) => Damaged::Sequences {
                looked_at: seen.looked_at,
                behind: &seen.behind,
            },
            Seen::Schema { before, after } => Damaged::Schema { before, after },
        };
        return Ok(negative_control(scope, &seed, &done.what, &damaged));
    }
    Ok(nothing_damaged(scope))
}
