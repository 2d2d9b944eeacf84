//! The database that a dump is to go into, looked at before anybody is asked: what a load would be
//! refused for is no news after it, and what it leaves as it is no surprise.

use super::choice::Choice;
use super::places::Places;
use crate::database::{Begun, Database, DatabaseError, Postgres};
use crate::dump::{MARK, stored};
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
    let told = |fail: &Fail| {
        let finding = Finding::warning(fail.code, first_line(fail));
        finding.thing(address.shown())
    };
    let session = match Postgres::connect(address, places.clients.call_timeout()).await {
        Ok(session) => session,
        Err(e) => {
            found.findings.push(told(&e.into()));
            return found;
        }
    };
    match objects(&session).await {
        Ok(0) => {}
        Ok(count) => {
            let message = format!(
                "database {} has {count} objects of its own: unless this restore made them, \
                 nothing is loaded; give an empty database",
                address.shown()
            );
            let fail = Fail::new(Code::DatabaseNotEmpty, message);
            found.findings.push(told(&fail));
        }
        Err(e) => {
            found.findings.push(told(&e.into()));
            return found;
        }
    }
    match differences(choice, &session).await {
        Ok(differs) => found.differs = differs,
        Err(fail) => found.findings.push(told(&fail)),
    }
    found
}

/// Of somebody else; none where a load of ours is under way.
async fn objects(session: &Postgres) -> Result<u64, DatabaseError> {
    match session.begun(MARK).await? {
        Begun::Not => session.things().await,
        Begun::By(_) => Ok(0),
    }
}

async fn differences(choice: &Choice<'_>, session: &Postgres) -> Result<Vec<String>, Fail> {
    let RestoreInto::Database(into) = &choice.into else {
        return Ok(Vec::new());
    };
    let at = (&into.dump_key, &into.dump_version);
    let (_, wanted) = stored(&choice.place.vault, at).await?;
    let Some(wanted) = wanted else {
        return Ok(Vec::new());
    };
    let here = session.facts().await?;
    Ok(Postgres::database_differences(&wanted, &here))
}
