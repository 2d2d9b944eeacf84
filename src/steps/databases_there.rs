//! Which of a running server's databases can be entered, and hold something.

use super::Context;
use super::away::Away;
use crate::database::{Address, Database};
use crate::manifest::Exception;
use crate::model::{Name, Seconds};
use crate::report::{Code, Fail, full};
use std::time::Duration;

/// Those that can be dumped.
#[derive(Default)]
pub(super) struct There {
    pub databases: Vec<Name>,
    pub exceptions: Vec<Exception>,
}

/// How they are looked at.
#[derive(Clone, Copy)]
pub(super) struct Look {
    /// Somebody named them: they are dumped whatever they hold.
    pub empty_too: bool,
    /// One that does not answer while its server does is asked again for so long. Nothing waits for
    /// it where a snapshot would: a limit of no connections looks like one that is full.
    pub patience: Option<Seconds>,
}

/// One that may not be entered, or holds nothing, keeps no other one from being dumped.
///
/// # Errors
/// The server itself does not answer.
pub(super) async fn there(
    ctx: &Context<'_>,
    server: &Address,
    names: Vec<Name>,
    how: Look,
) -> Result<There, Fail> {
    let (mut found, mut away, mut left) = (There::default(), Away::default(), names);
    while !left.is_empty() {
        let mut silent = Vec::new();
        for name in left {
            // A lock that is held for long is one database's trouble.
            let look = look(ctx, server, &name, how.empty_too);
            let most = ctx.clients.call_timeout().as_duration();
            let silence = |_| Err(Fail::new(Code::DatabaseUnavailable, no_answer(&name, most)));
            let looked = tokio::time::timeout(most, look).await;
            match looked.unwrap_or_else(silence) {
                Ok(()) => found.databases.push(name),
                Err(e) if Away::is_one(&e) => silent.push((name, e)),
                Err(e) => found.exceptions.push(not_dumped(&name, &e)),
            }
        }
        let again = match how.patience {
            Some(patience) if !silent.is_empty() => away.again(ctx, server, patience).await?,
            _ => false,
        };
        if !again {
            let silent = silent.iter().map(|(name, e)| not_dumped(name, e));
            found.exceptions.extend(silent);
            break;
        }
        left = silent.into_iter().map(|(name, _)| name).collect();
    }
    found.databases.sort();
    Ok(found)
}

fn no_answer(database: &Name, most: Duration) -> String {
    format!(
        "database {database} did not say within {} s what it holds",
        most.as_secs()
    )
}

pub(super) fn not_dumped(database: &Name, e: &Fail) -> Exception {
    Exception::of_database(database, e.code, full(e))
}

async fn look(
    ctx: &Context<'_>,
    server: &Address,
    database: &Name,
    empty_too: bool,
) -> Result<(), Fail> {
    let address = server.with_database(database.as_str());
    let connection = ctx.connect(&address).await?;
    if !empty_too && connection.tables().await?.is_empty() {
        let message = format!("{} has no tables, so nothing is dumped", address.shown());
        return Err(Fail::new(Code::DatabaseEmpty, message));
    }
    Ok(())
}
