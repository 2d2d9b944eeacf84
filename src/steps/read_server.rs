//! Looks at what a server has to be dumped.

use super::databases_there::{Look, there};
use super::{Context, Perform};
use crate::database::Database;
use crate::manifest::Exception;
use crate::model::Name;
use crate::plan::{ReadServer, ServerRead};
use crate::policy::Databases;
use crate::report::{Code, Fail};

impl Perform for ReadServer {
    async fn perform(&self, ctx: &Context<'_>) -> Result<ServerRead, Fail> {
        let address = ctx.logins.source(&self.source, &self.server)?;
        let connection = ctx.connect(&address).await?;
        let at = connection.now().await?.unwrap_or(ctx.plan.opened_at);
        let server_version = connection.server_version().await?;
        let all = connection.databases().await?;
        drop(connection);
        let (names, missing) = wanted(&self.databases, &self.named, all);
        let mut exceptions: Vec<Exception> = missing.iter().map(|d| self.not_there(d)).collect();
        let how = Look {
            empty_too: self.databases != Databases::All,
            patience: Some(ctx.plan.patience),
        };
        let found = there(ctx, &address, names, how).await?;
        exceptions.extend(found.exceptions);
        let databases = found.databases;
        if databases.is_empty() {
            let why: Vec<&str> = exceptions.iter().map(|e| e.why.as_str()).collect();
            return Err(Fail::new(
                Code::Missing,
                format!(
                    "source {} has no database to dump at {}: {}",
                    self.source,
                    self.server,
                    why.join("; ")
                ),
            ));
        }
        Ok(ServerRead {
            at,
            server_version,
            databases,
            exceptions,
        })
    }
}

impl ReadServer {
    fn not_there(&self, database: &Name) -> Exception {
        let why = format!("the policy names {database}, and {} has none", self.server);
        Exception::of_database(database, Code::Missing, why)
    }
}

/// Those that are dumped, and those that are wanted and not there.
fn wanted(wanted: &Databases, named: &[Name], there: Vec<String>) -> (Vec<Name>, Vec<Name>) {
    let there: Vec<Name> = there.into_iter().map(Name::new).collect();
    match wanted {
        Databases::All => {
            let missing = named.iter().filter(|n| !there.contains(n));
            let missing = missing.cloned().collect();
            (there, missing)
        }
        Databases::These(names) => names.iter().cloned().partition(|n| there.contains(n)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_that_is_not_there_keeps_no_other_one_from_being_dumped() {
        let names = |all: &[&str]| all.iter().map(|n| Name::new(*n)).collect::<Vec<_>>();
        let there = vec!["ledger".to_owned(), "postgres".to_owned()];
        let listed = Databases::These(names(&["ledger", "gone"]));
        assert_eq!(
            wanted(&listed, &[], there.clone()),
            (names(&["ledger"]), names(&["gone"]))
        );
        // What an assertion or the heartbeat asks is asked in a database that must be there.
        let named = names(&["gone", "ledger"]);
        let all = (names(&["ledger", "postgres"]), names(&["gone"]));
        assert_eq!(wanted(&Databases::All, &named, there), all);
    }
}
