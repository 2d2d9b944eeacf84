//! Dumps the databases of a running server into one target.

use super::away::Away;
use super::databases_there::not_dumped;
use super::one_dump::{OneDump, Stored};
use super::{Context, Perform};
use crate::database::Database;
use crate::manifest::DumpsHeld;
use crate::model::Name;
use crate::plan::{DumpServer, ServerDumped};
use crate::report::{Fail, Failure};
use crate::vault::Vault;

impl Perform for DumpServer {
    async fn perform(&self, ctx: &Context<'_>) -> Result<ServerDumped, Fail> {
        let vault = ctx.vault(&self.target).await?;
        let databases = &ctx.output(&self.read)?.databases;
        let server = ctx.logins.source(&self.source, &self.server)?;
        let (mut dumps, mut exceptions, mut first) = (Vec::new(), Vec::new(), None);
        let (mut away, mut left): (_, Vec<&Name>) = (Away::default(), databases.iter().collect());
        while !left.is_empty() {
            let mut silent = Vec::new();
            for database in left {
                ctx.report(dumps.len() as u64, databases.len() as u64, "databases");
                match self.taken(ctx, &vault, database).await {
                    Ok(stored) => {
                        exceptions.extend(stored.document.exceptions());
                        dumps.push(stored.held());
                    }
                    // The others first; what is there already is found at the next attempt.
                    Err(e) if Away::is_one(&e) => silent.push((database, e)),
                    // The target's trouble is no database's.
                    Err(e) if e.failure() == Failure::Unavailable => return Err(e),
                    Err(e) => {
                        exceptions.push(not_dumped(database, &e));
                        first.get_or_insert(e);
                    }
                }
                if ctx.world.stopping() {
                    return Err(Fail::stopped());
                }
            }
            left = silent.iter().map(|(database, _)| *database).collect();
            if !silent.is_empty() && !away.again(ctx, &server, ctx.plan.patience).await? {
                for (database, e) in silent {
                    exceptions.push(not_dumped(database, &e));
                    first.get_or_insert(e);
                }
                break;
            }
        }
        match first {
            Some(e) if dumps.is_empty() => Err(e),
            _ => Ok(ServerDumped {
                held: DumpsHeld { dumps, exceptions },
            }),
        }
    }
}

impl DumpServer {
    /// A statement that was cancelled, a deadlock: once more, before it is left out.
    async fn taken(&self, ctx: &Context<'_>, vault: &Vault, of: &Name) -> Result<Stored, Fail> {
        match self.one(ctx, vault, of).await {
            Err(e) if e.failure() != Failure::Unavailable => self.one(ctx, vault, of).await,
            taken => taken,
        }
    }

    async fn one(&self, ctx: &Context<'_>, vault: &Vault, database: &Name) -> Result<Stored, Fail> {
        let one = OneDump {
            source: &self.source,
            database,
            target: &self.target,
            streams: self.streams,
            part_size_bytes: self.part_size_bytes,
            chunk_pages: self.chunk_pages,
        };
        if let Some(stored) = one.found(ctx, vault).await? {
            return Ok(stored);
        }
        let server = ctx.logins.source(&self.source, &self.server)?;
        let address = server.with_database(database.as_str());
        // Before the dump's own snapshot: what it holds is never older than it says.
        let connection = ctx.connect(&address).await?;
        let at = connection.now().await?.unwrap_or(ctx.plan.opened_at);
        drop(connection);
        one.write(ctx, vault, &address, at, None).await
    }
}
