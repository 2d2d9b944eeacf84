//! Looks at what a server has to be dumped.

use super::{Context, Perform};
use crate::database::Address;
use crate::manifest::Exception;
use crate::model::Name;
use crate::plan::{ReadServer, ServerRead};
use crate::policy::Databases;
use crate::report::{Code, Fail, Failure, full};

impl Perform for ReadServer {
    async fn perform(&self, ctx: &Context<'_>) -> Result<ServerRead, Fail> {
        let address = ctx.logins.source(&self.source, &self.server)?;
        let connection = address.connect(ctx.clients.call_timeout()).await?;
        let there = connection.databases().await?;
        let (names, missing) = wanted(&self.databases, there);
        let mut exceptions: Vec<Exception> = missing.iter().map(|d| self.not_there(d)).collect();
        let (mut databases, mut away) = (Vec::new(), None);
        for name in names {
            match self.look(ctx, &address, &name).await {
                Ok(()) => databases.push(name),
                Err(e) if may_pass(ctx, &e) => away = away.or(Some(e)),
                // One that may not be entered, or holds nothing, keeps no other one from its dump.
                Err(e) => exceptions.push(Exception {
                    thing: format!("database {name}"),
                    code: e.code.to_string(),
                    why: full(&e),
                }),
            }
        }
        if let Some(e) = away {
            return Err(e);
        }
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
            at: connection.now().await?.unwrap_or(ctx.plan.opened_at),
            server_version: connection.server_version().await?,
            databases,
            exceptions,
        })
    }
}

/// Worth another attempt; after the last one it is an exception of its database like any other.
pub(super) fn may_pass(ctx: &Context<'_>, e: &Fail) -> bool {
    e.failure() == Failure::Unavailable && ctx.attempt() < ctx.plan.step_attempts
}

impl ReadServer {
    fn not_there(&self, database: &Name) -> Exception {
        Exception {
            thing: format!("database {database}"),
            code: Code::Missing.to_string(),
            why: format!("the policy names {database}, and {} has none", self.server),
        }
    }

    /// Whether it can be entered, and holds something.
    async fn look(&self, ctx: &Context<'_>, server: &Address, database: &Name) -> Result<(), Fail> {
        let address = server.with_database(database.as_str());
        let connection = address.connect(ctx.clients.call_timeout()).await?;
        if self.databases == Databases::All && connection.tables().await?.is_empty() {
            let message = format!("{} has no tables, so nothing is dumped", address.shown());
            return Err(Fail::new(Code::DatabaseEmpty, message));
        }
        Ok(())
    }
}

/// Those that are dumped, and those that are wanted and not there.
fn wanted(wanted: &Databases, there: Vec<String>) -> (Vec<Name>, Vec<Name>) {
    let there: Vec<Name> = there.into_iter().map(Name::new).collect();
    match wanted {
        Databases::All => (there, Vec::new()),
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
            wanted(&listed, there.clone()),
            (names(&["ledger"]), names(&["gone"]))
        );
        let all = (names(&["ledger", "postgres"]), Vec::new());
        assert_eq!(wanted(&Databases::All, there), all);
    }
}
