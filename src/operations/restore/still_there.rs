//! Whether what a finished restore made is there: said only after a look. Who drops a database and
//! types the same command again wants it back.

use super::choice::Choice;
use super::places::Places;
use crate::aws::{Kind, Place};
use crate::database::{Database, Postgres};
use crate::journal::RunState;
use crate::model::Role;
use crate::plan::{CheckRestored, ClusterMade, FilesRestored, RestoreCluster, RestoreFiles};
use crate::report::Fail;
use crate::targets::place_of;

/// # Errors
/// The destination does not answer: nothing is known.
pub(super) async fn still_there(
    places: &Places,
    choice: &Choice<'_>,
    state: &RunState,
) -> Result<bool, Fail> {
    for (_, _, made) in state.done::<RestoreCluster>() {
        if !cluster(places, made, state).await? {
            return Ok(false);
        }
    }
    for (_, _, checked) in state.done::<CheckRestored>() {
        if !database(places, choice, checked.tables).await? {
            return Ok(false);
        }
    }
    for (_, action, restored) in state.done::<RestoreFiles>() {
        if !files(places, choice, action, restored).await? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// A cluster of the same name that another run made is not the one.
async fn cluster(places: &Places, made: &ClusterMade, state: &RunState) -> Result<bool, Fail> {
    let endpoint = made.endpoint.as_deref();
    let rds = places
        .clients
        .rds(Role::Restorer, &made.region, endpoint)
        .await;
    let found = rds.cluster(made.id.as_str()).await?;
    let run = state.plan.run.as_str();
    Ok(found
        .is_some_and(|c| c.status != "deleting" && c.tags.get("dr:run").is_some_and(|r| r == run)))
}

/// A database of the user's, by its tables; a restored cluster's password is not known here.
async fn database(places: &Places, choice: &Choice<'_>, tables: u64) -> Result<bool, Fail> {
    let Some(address) = &choice.address else {
        return Ok(true);
    };
    let timeout = places.clients.call_timeout();
    match Postgres::connect(address, timeout).await {
        Ok(connection) => Ok(connection.tables().await?.len() as u64 >= tables),
        Err(e) if e.no_database() => Ok(false),
        Err(e) => Err(e.into()),
    }
}

/// As many keys under the prefix as were restored.
async fn files(
    places: &Places,
    choice: &Choice<'_>,
    action: &RestoreFiles,
    restored: &FilesRestored,
) -> Result<bool, Fail> {
    let vault = &choice.place.target;
    let beside = vault.region == action.region && vault.endpoint == action.endpoint;
    let place = Place {
        provider: action.provider,
        target: beside.then_some(&action.target),
        ..place_of(&action.bucket, &action.region, action.endpoint.as_deref())
    };
    let bucket = places.clients.bucket(Role::Restorer, &place).await;
    let most = usize::try_from(restored.restored)
        .unwrap_or(usize::MAX)
        .saturating_add(1);
    match bucket.keys(&action.prefix, most).await {
        Ok(keys) => Ok(keys.len() as u64 >= restored.restored),
        // More than were restored: they may all be there, and nothing is overwritten anyway.
        Err(e) if e.kind == Kind::TooMany => Ok(true),
        Err(e) if e.kind == Kind::NotFound => Ok(false),
        Err(e) => Err(e.into()),
    }
}
