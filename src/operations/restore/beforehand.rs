//! The database that a dump is to go into, looked at before anybody is asked: what a load would be
//! refused for is no news after it, and what it leaves as it is no surprise.

use super::choice::Choice;
use super::places::Places;
use crate::database::{Address, Database, Postgres};
use crate::dump::{standing, stored};
use crate::model::Seconds;
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
    let Some(address) = &choice.address else {
        return Beforehand::default();
    };
    let most = places.clients.call_timeout();
    // A lock that somebody holds must not keep anybody from being asked.
    let looked = tokio::time::timeout(most.as_duration(), look(choice, address, most)).await;
    let (differs, refused) = looked.unwrap_or_else(|_| {
        let message = format!("it did not say within {most} what it holds");
        (
            Vec::new(),
            Some(Fail::new(Code::DatabaseUnavailable, message)),
        )
    });
    let told = |fail: Fail| {
        let message = format!("database {}: {}", address.shown(), first_line(&fail));
        Finding::warning(fail.code, message).thing(address.shown())
    };
    Beforehand {
        findings: refused.into_iter().map(told).collect(),
        differs,
    }
}

/// What it has otherwise, and why it would not take the dump now.
async fn look(
    choice: &Choice<'_>,
    address: &Address,
    timeout: Seconds,
) -> (Vec<String>, Option<Fail>) {
    let RestoreInto::Database(into) = &choice.into else {
        return (Vec::new(), None);
    };
    let looked = async {
        let session = Postgres::connect(address, timeout).await?;
        let at = (&into.dump_key, &into.dump_version);
        let (dump, wanted) = stored(&choice.place.vault, at).await?;
        let load = choice.plan.actions::<LoadDump>().next();
        let mark = load.map(|(_, load)| load.mark(choice.plan.slot));
        let at = (
            dump.server_version.as_str(),
            mark.as_deref().unwrap_or_default(),
        );
        let refused = standing(&session, at).await.err().map(Fail::from);
        let Some(wanted) = wanted else {
            return Ok((Vec::new(), refused));
        };
        let here = session.facts().await?;
        Ok((Postgres::database_differences(&wanted, &here), refused))
    };
    looked
        .await
        .unwrap_or_else(|fail: Fail| (Vec::new(), Some(fail)))
}
