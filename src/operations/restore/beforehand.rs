//! The database that a dump is to go into, looked at before anybody is asked: what a load would be
//! refused for is no news after it, and what it leaves as it is no surprise.

use super::choice::Choice;
use super::places::Places;
use crate::database::{Address, Begun, Database, DatabaseError, Postgres};
use crate::dump::{MARK, facts_of};
use crate::manifest::{Document, Dump, MAX_DOCUMENT_BYTES};
use crate::plan::RestoreInto;
use crate::report::{Code, Fail, Finding, first_line};

#[derive(Debug, Default)]
pub struct Beforehand {
    /// Warnings: only the load itself knows whether what is there is its own.
    pub findings: Vec<Finding>,
    /// What the database has otherwise than the dump's, and keeps.
    pub differs: Vec<String>,
}

/// Nothing where no database was given. That it does not answer is told, too.
pub async fn beforehand(places: &Places, choice: &Choice<'_>) -> Beforehand {
    let mut found = Beforehand::default();
    let Some(address) = &choice.address else {
        return found;
    };
    let told = |code: Code, message: String| Finding::warning(code, message).thing(address.shown());
    match objects(places, address).await {
        Ok(0) => {}
        Ok(count) => {
            let message = format!(
                "database {} has {count} objects of its own: unless this restore made them, \
                 nothing is loaded; give an empty database",
                address.shown()
            );
            found.findings.push(told(Code::DatabaseNotEmpty, message));
        }
        Err(e) => {
            let fail = Fail::from(e);
            found.findings.push(told(fail.code, first_line(&fail)));
            return found;
        }
    }
    match differences(places, choice, address).await {
        Ok(differs) => found.differs = differs,
        Err(fail) => found.findings.push(told(fail.code, first_line(&fail))),
    }
    found
}

/// Of somebody else; none where a load of ours is under way.
async fn objects(places: &Places, address: &Address) -> Result<u64, DatabaseError> {
    let session = Postgres::connect(address, places.clients.call_timeout()).await?;
    match session.begun(MARK).await? {
        Begun::Not => session.things().await,
        Begun::By(_) => Ok(0),
    }
}

async fn differences(
    places: &Places,
    choice: &Choice<'_>,
    address: &Address,
) -> Result<Vec<String>, Fail> {
    let RestoreInto::Database(into) = &choice.into else {
        return Ok(Vec::new());
    };
    let vault = &choice.place.vault;
    let (key, version) = (into.dump_key.as_str(), into.dump_version.as_str());
    let got = vault.bucket.get(key, Some(version), MAX_DOCUMENT_BYTES);
    let dump = Dump::from_bytes(&got.await?.bytes)?;
    let Some(wanted) = facts_of(vault, &dump).await? else {
        return Ok(Vec::new());
    };
    let session = Postgres::connect(address, places.clients.call_timeout()).await?;
    Ok(Postgres::database_differences(
        &wanted,
        &session.facts().await?,
    ))
}
