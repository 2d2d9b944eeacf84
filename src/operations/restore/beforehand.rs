//! The database that a dump is to go into, looked at before anybody is asked: what a load would be
//! refused for is no news after it, and what it leaves as it is no surprise.

use super::choice::Choice;
use super::places::Places;
use crate::database::{Database, DatabaseError, Postgres};
use crate::dump::{standing, stored};
use crate::plan::{LoadDump, RestoreInto};
use crate::report::{Code, Fail, Finding, first_line};

#[derive(Debug, Default)]
pub struct Beforehand {
    /// Warnings: what is there may be gone when the load begins.
    pub findings: Vec<Finding>,
    /// What the database has otherwise than the dump's, and keeps.
    pub differs: Vec<String>,
}

/// Nothing where no database was given. That it does not answer is told, too.
pub async fn beforehand(places: &Places, choice: &Choice<'_>) -> Beforehand {
    let mut found = Beforehand::default();
    let (Some(address), RestoreInto::Database(into)) = (&choice.address, &choice.into) else {
        return found;
    };
    let at = (&into.dump_key, &into.dump_version);
    // What a vault does not give is no reason to say nothing of the database.
    let (version, wanted) = match stored(&choice.place.vault, at).await {
        Ok((dump, facts)) => (dump.server_version, facts),
        Err(e) => {
            let fail = Fail::from(e);
            let finding = Finding::warning(fail.code, first_line(&fail));
            found.findings.push(finding.thing(into.dump_key.as_str()));
            (String::new(), None)
        }
    };
    let most = places.clients.call_timeout();
    let load = choice.plan.actions::<LoadDump>().next();
    let mark = load.map(|(_, load)| load.mark(choice.plan.slot));
    let begun = (version.as_str(), mark.as_deref().unwrap_or_default());
    let look = async {
        let session = Postgres::connect(address, most).await?;
        let refused = standing(&session, begun).await.err();
        let here = match &wanted {
            Some(wanted) => Some((wanted, session.facts().await)),
            None => None,
        };
        Ok::<_, DatabaseError>((refused, here))
    };
    let mut told = |fail: Fail| {
        let message = format!("database {}: {}", address.shown(), first_line(&fail));
        let finding = Finding::warning(fail.code, message);
        found.findings.push(finding.thing(address.shown()));
    };
    // A lock that somebody holds must not keep anybody from being asked.
    match tokio::time::timeout(most.as_duration(), look).await {
        Ok(Ok((refused, here))) => {
            refused.map(Fail::from).into_iter().for_each(&mut told);
            match here {
                Some((wanted, Ok(here))) => {
                    found.differs = Postgres::database_differences(wanted, &here);
                }
                Some((_, Err(e))) => told(e.into()),
                None => {}
            }
        }
        Ok(Err(e)) => told(Fail::from(e)),
        Err(_) => {
            let message = format!("it did not say within {most} what it holds");
            told(Fail::new(Code::DatabaseUnavailable, message));
        }
    }
    found
}
