//! A restored copy beside what its source was read to hold.

use super::Context;
use crate::database::{AsFound, Database, Difference, SchemaError};
use crate::dump::Digests;
use crate::manifest::{
    Check, DatabaseReference, Document, Membership, Reference, RoleRow, Roles, TableRead,
};
use crate::model::{Name, SourceId, TargetName};
use crate::proof::{self, Scope, reference};
use crate::report::{Code, Fail, full};
use crate::vault::{Key, PointDocument, SourceDocument};
use std::collections::{BTreeMap, BTreeSet};

/// What a target holds of the readings at a source; `None`: it was not read.
pub(super) async fn reference_of(
    ctx: &Context<'_>,
    source: &SourceId,
    target: &TargetName,
) -> Result<Option<Reference>, Fail> {
    let document = PointDocument::Source {
        source: source.clone(),
        what: SourceDocument::Reference,
    };
    let key = Key::point(&ctx.plan.policy, ctx.plan.slot, document).to_string();
    let vault = ctx.vault(target).await?;
    match vault.oldest(&key).await {
        Ok((bytes, _)) => {
            let found = Reference::from_bytes(&bytes)?;
            let named = (&found.policy, found.slot, &found.source);
            if named == (&ctx.plan.policy, ctx.plan.slot, source) {
                return Ok(Some(found));
            }
            let message = format!("{key} at {target} speaks of another point than its name");
            Err(Fail::new(Code::PointDamaged, message))
        }
        Err(e) if e.not_found() => Ok(None),
        Err(e) => Err(e.into()),
    }
}

/// A restored database as it was found, before anything was changed in it.
pub struct Found<'a, D: Database> {
    pub connection: &'a D,
    pub database: &'a Name,
    pub as_found: Option<AsFound>,
    /// Why its schema could not be read as it was found.
    pub schema_unread: Option<String>,
    pub digests: &'a Digests,
    pub beat: Option<i64>,
    /// Of a hundred rows, so many must be comparable.
    pub least: u32,
}

/// A reference that cannot be read fails the proof, and keeps nothing else from being looked at.
pub(super) fn damaged(scope: &Scope<'_>, e: &Fail) -> Check {
    let why = format!(
        "what the source was read to hold cannot be read: {}",
        full(e)
    );
    scope.check("source-rows", false, 1, 0, Some(why))
}

/// One check for each thing that was read at the source.
///
/// # Errors
/// The server's.
pub async fn compare<D: Database>(
    scope: &Scope<'_>,
    reference: &Reference,
    found: Found<'_, D>,
) -> Result<Vec<Check>, Fail> {
    let Some(of) = reference.databases.get(found.database) else {
        return Ok(vec![unread(scope, reference, found.database)]);
    };
    let (of, copy) = rows_of(of, found.digests);
    let mut checks = vec![reference::rows(scope, &of, &copy, found.least)];
    checks.push(sequences(scope, &of, found.connection).await?);
    if let Some(before) = of.heartbeat {
        checks.push(reference::beat(scope, before, found.beat));
    }
    if let Some(facts) = &of.facts {
        let here = found.connection.facts().await?;
        checks.push(reference::settings(scope, facts, &here));
    }
    checks.push(roles::<D>(scope, reference, &found).await?);
    checks.push(catalogue(scope, &of, found).await?);
    Ok(checks)
}

/// Both sides without jobs, which are switched off in a scratch cluster, and without tables that
/// this user does not read, which have a check of their own.
fn rows_of(
    of: &DatabaseReference,
    digests: &Digests,
) -> (DatabaseReference, BTreeMap<String, TableRead>) {
    let (mut of, mut copy) = (of.clone(), digests.older.clone());
    let job = |name: &String| super::database::SCHEDULED.contains(&name.as_str());
    copy.retain(|name, _| !job(name));
    of.tables
        .retain(|name, _| !job(name) && !digests.unreadable.contains_key(name));
    (of, copy)
}

/// Those that this user may not read are not compared.
async fn sequences(
    scope: &Scope<'_>,
    of: &DatabaseReference,
    connection: &impl Database,
) -> Result<Check, Fail> {
    let (mut wanted, mut found) = (of.sequences.clone(), BTreeMap::new());
    for (name, at) in connection.sequence_values().await? {
        match at {
            Some(at) => drop(found.insert(name, at)),
            None => drop(wanted.remove(&name)),
        }
    }
    let check = reference::sequences_between(scope, &wanted, &found);
    let all = of.sequences.len() as u64;
    Ok(Check {
        population: all,
        skipped: all - check.tested.min(all),
        ..check
    })
}

/// What a restored server lets somebody do that its source does not.
fn gained(wanted: &Roles, here: &Roles) -> Vec<String> {
    let known = |r: &&RoleRow| wanted.roles.iter().any(|w| w.name == r.name);
    let new = here.roles.iter().filter(|r| !known(r));
    let mut gained: Vec<String> = new
        .map(|r| format!("role {} is not at the source", r.name))
        .collect();
    let pair = |m: &Membership| (m.role.clone(), m.member.clone());
    let held: BTreeSet<_> = wanted.memberships.iter().map(pair).collect();
    let more = here.memberships.iter().filter(|m| !held.contains(&pair(m)));
    gained.extend(more.map(|m| format!("{} is a member of {} here alone", m.member, m.role)));
    gained
}

fn unread(scope: &Scope<'_>, reference: &Reference, database: &Name) -> Check {
    let of = |thing: &str| thing.ends_with(&format!("database {database}"));
    let why = reference.unread.iter().find(|u| of(&u.thing));
    let why = why.map_or("it was not read".to_owned(), |u| u.why.clone());
    let why = format!("not compared with the source: {why}");
    reference::not_compared(scope, "source-rows", why)
}

async fn roles<D: Database>(
    scope: &Scope<'_>,
    reference: &Reference,
    found: &Found<'_, D>,
) -> Result<Check, Fail> {
    let Some(wanted) = &reference.roles else {
        let why = "roles changed while the snapshot was taken, or were not read";
        return Ok(reference::not_compared(scope, "source-roles", why.into()));
    };
    // What was changed here is not told from what was otherwise.
    if let Some(why) = &found.schema_unread {
        return Ok(reference::not_compared(scope, "source-roles", why.clone()));
    }
    let here = match &found.as_found {
        Some(kept) => kept.roles.clone(),
        None => found.connection.roles().await?,
    };
    let differ = D::role_differences(wanted, &here).into_iter();
    let told = |d: Difference| format!("role {}: {} {}", d.role, d.what, d.text);
    let told = differ.map(told).chain(gained(wanted, &here)).collect();
    Ok(reference::roles(scope, wanted.roles.len() as u64, told))
}

async fn catalogue<D: Database>(
    scope: &Scope<'_>,
    of: &DatabaseReference,
    found: Found<'_, D>,
) -> Result<Check, Fail> {
    const ID: &str = "source-catalogue";
    let Some(wanted) = &of.catalogue else {
        let why = "the schema could not be read at the source before and after";
        return Ok(proof::reference::not_compared(scope, ID, why.into()));
    };
    if let Some(why) = found.schema_unread {
        return Ok(reference::not_compared(scope, ID, why));
    }
    let schema = match found.as_found.and_then(|kept| kept.schema) {
        Some(schema) => schema,
        None => {
            let snapshot = found.connection.begin_snapshot().await?;
            let read = found.connection.schema_as_it_is(&snapshot).await;
            // Others of the step must not wait for what it locked.
            found.connection.end_reading().await?;
            match read {
                Ok(schema) => schema,
                Err(SchemaError::Database(e)) if e.transient() => return Err(e.into()),
                Err(e) => return Ok(reference::not_compared(scope, ID, full(&e))),
            }
        }
    };
    Ok(match D::catalogue(schema) {
        Some(here) => reference::catalogue_equal(scope, wanted, &here),
        None => reference::not_compared(scope, ID, "its text is not what pg_dump writes".into()),
    })
}

/// Nothing at the source was read: a check that says so, and has looked at nothing.
pub(super) fn without(scope: &Scope<'_>, digests: &Digests) -> Check {
    let why = "the source was not read when its snapshot was taken: name a `reader` in the policy";
    Check {
        population: digests.rows(),
        skipped: digests.rows(),
        ..reference::not_compared(scope, "source-rows", why.into())
    }
}
