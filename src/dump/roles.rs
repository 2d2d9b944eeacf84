//! Roles at a load: those that are missing are made, those that exist are left as they are, and
//! what differs then is told.

use super::DumpError;
use super::progress::done;
use crate::database::{Action, Connection, Difference, actions, differences};
use crate::manifest::Roles;
use std::collections::{BTreeMap, BTreeSet};

/// By role and what of it.
type Reasons = BTreeMap<(String, String), String>;

/// Makes what is missing, in one transaction with its progress row: a load that was killed left
/// either none of these roles or all of them, and takes none of them for a foreign one.
pub(super) async fn make(main: &Connection, wanted: &Roles) -> Result<Vec<String>, DumpError> {
    if done(main, "roles").await? {
        return exceptions(main, wanted).await;
    }
    let there = names(&main.roles().await?);
    let mut refused = Reasons::new();
    main.execute("BEGIN").await?;
    for action in actions(wanted, &there, main.version_num().await?) {
        if let Some(why) = act(main, &action).await? {
            refused.insert((action.role, action.what), why);
        }
    }
    main.execute("INSERT INTO dr_restore.progress (item) VALUES ('roles'); COMMIT")
        .await?;
    for role in wanted.roles.iter().filter(|r| there.contains(&r.name)) {
        let why = "it existed and was left as it was";
        refused
            .entry((role.name.clone(), "there".into()))
            .or_insert_with(|| why.into());
    }
    let found = differences(wanted, &main.roles().await?);
    Ok(found.iter().map(|d| told(d, &refused)).collect())
}

/// The same when nothing is known of how the roles came to be what they are.
pub(super) async fn exceptions(
    main: &Connection,
    wanted: &Roles,
) -> Result<Vec<String>, DumpError> {
    let found = differences(wanted, &main.roles().await?);
    Ok(found.iter().map(|d| told(d, &Reasons::new())).collect())
}

fn names(here: &Roles) -> BTreeSet<String> {
    let platform = here.left_out.iter().cloned();
    here.roles
        .iter()
        .map(|r| r.name.clone())
        .chain(platform)
        .collect()
}

/// Tries one way after the other, each in a savepoint; what the server said to the first, where
/// none is taken.
async fn act(main: &Connection, action: &Action) -> Result<Option<String>, DumpError> {
    let operation = format!("{} of role {}", action.what, action.role);
    let mut why = None;
    for way in &action.ways {
        main.execute("SAVEPOINT dr").await?;
        let mut result = Ok(());
        for sql in way {
            result = main.execute_as(operation.trim(), sql).await;
            if result.is_err() {
                break;
            }
        }
        match result {
            Ok(()) => {
                main.execute("RELEASE SAVEPOINT dr").await?;
                return Ok(None);
            }
            Err(e) if e.transient() => return Err(e.into()),
            Err(e) => {
                let code = e.code.as_deref().unwrap_or_default();
                why.get_or_insert(format!("{code} {}", e.source));
                main.execute("ROLLBACK TO SAVEPOINT dr; RELEASE SAVEPOINT dr")
                    .await?;
            }
        }
    }
    Ok(why)
}

fn told(difference: &Difference, refused: &Reasons) -> String {
    let Difference { role, what, text } = difference;
    let reason = |what: &str| refused.get(&(role.clone(), what.to_owned()));
    let why = reason(what).or_else(|| reason("there"));
    let of = if what.is_empty() {
        String::new()
    } else {
        format!("{what} ")
    };
    let why = why.map_or(String::new(), |w| format!(" ({w})"));
    format!("role {role:?}: {of}{text}{why}")
}
