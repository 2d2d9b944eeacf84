//! Looks at what a server has to be dumped.

use super::away::Away;
use super::{Context, Perform};
use crate::database::{Address, Database};
use crate::manifest::Exception;
use crate::model::Name;
use crate::plan::{ReadServer, ServerRead};
use crate::policy::Databases;
use crate::report::{Code, Fail, full};

impl Perform for ReadServer {
    async fn perform(&self, ctx: &Context<'_>) -> Result<ServerRead, Fail> {
        let address = ctx.logins.source(&self.source, &self.server)?;
        let connection = ctx.connect(&address).await?;
        let at = connection.now().await?.unwrap_or(ctx.plan.opened_at);
        let server_version = connection.server_version().await?;
        let there = connection.databases().await?;
        drop(connection);
        let (names, missing) = wanted(&self.databases, there);
        let mut exceptions: Vec<Exception> = missing.iter().map(|d| self.not_there(d)).collect();
        let (mut databases, mut away, mut left) = (Vec::new(), Away::default(), names);
        while !left.is_empty() {
            let mut silent = Vec::new();
            for name in left {
                match self.look(ctx, &address, &name).await {
                    Ok(()) => databases.push(name),
                    Err(e) if Away::is_one(&e) => silent.push((name, e)),
                    // One that may not be entered, or holds nothing, keeps no other one from its
                    // dump.
                    Err(e) => exceptions.push(not_dumped(&name, &e)),
                }
            }
            if !silent.is_empty() && !away.again(ctx, &address).await? {
                exceptions.extend(silent.iter().map(|(name, e)| not_dumped(name, e)));
                break;
            }
            left = silent.into_iter().map(|(name, _)| name).collect();
        }
        databases.sort();
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

pub(super) fn not_dumped(database: &Name, e: &Fail) -> Exception {
    Exception {
        thing: format!("database {database}"),
        code: e.code.to_string(),
        why: full(e),
    }
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
        let connection = ctx.connect(&address).await?;
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
