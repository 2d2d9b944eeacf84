//! Roles at a load: those that are missing are made, those that exist are left as they are, and
//! what differs then is told.

use super::DumpError;
use crate::database::{Database, Difference};
use crate::manifest::Roles;
use std::collections::{BTreeMap, BTreeSet};

/// By role and what of it.
type Reasons = BTreeMap<(String, String), String>;

/// The item of a load that stands for its roles.
const ITEM: &str = "roles";

/// Makes what is missing, in one transaction with its item: a load that was killed left either
/// none of these roles or all of them, and takes none of them for a foreign one.
pub(super) async fn make<D: Database>(main: &D, wanted: &Roles) -> Result<Vec<String>, DumpError> {
    if main.loaded(ITEM).await? {
        return exceptions(main, wanted).await;
    }
    let there = names(&main.roles().await?);
    let refused = main.make_roles(wanted, &there, ITEM).await?;
    let mut reasons: Reasons = refused
        .into_iter()
        .map(|r| ((r.role, r.what), r.why))
        .collect();
    for role in wanted.roles.iter().filter(|r| there.contains(&r.name)) {
        let why = "it existed and was left as it was";
        reasons
            .entry((role.name.clone(), "there".into()))
            .or_insert_with(|| why.into());
    }
    let found = D::role_differences(wanted, &main.roles().await?);
    Ok(found.iter().map(|d| told(d, &reasons)).collect())
}

/// The same when nothing is known of how the roles came to be what they are.
pub(super) async fn exceptions<D: Database>(
    main: &D,
    wanted: &Roles,
) -> Result<Vec<String>, DumpError> {
    let found = D::role_differences(wanted, &main.roles().await?);
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

fn told(difference: &Difference, reasons: &Reasons) -> String {
    let Difference { role, what, text } = difference;
    let reason = |what: &str| reasons.get(&(role.clone(), what.to_owned()));
    let why = reason(what).or_else(|| reason("there"));
    let of = if what.is_empty() {
        String::new()
    } else {
        format!("{what} ")
    };
    let why = why.map_or(String::new(), |w| format!(" ({w})"));
    format!("role {role:?}: {of}{text}{why}")
}
