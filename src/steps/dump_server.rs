//! Dumps the databases of a running server into one target.

use super::one_dump::{OneDump, Stored};
use super::read_server::may_pass;
use super::{Context, Perform};
use crate::manifest::{DumpsHeld, Exception};
use crate::model::Name;
use crate::plan::{DumpServer, ServerDumped};
use crate::report::{Fail, Failure, full};
use crate::vault::Vault;

impl Perform for DumpServer {
    async fn perform(&self, ctx: &Context<'_>) -> Result<ServerDumped, Fail> {
        let vault = ctx.vault(&self.target).await?;
        let databases = &ctx.output(&self.read)?.databases;
        let (mut dumps, mut exceptions) = (Vec::new(), Vec::new());
        let (mut first, mut away) = (None, None);
        for (done, database) in databases.iter().enumerate() {
            ctx.report(done as u64, databases.len() as u64, "databases");
            let mut taken = self.one(ctx, &vault, database).await;
            if taken
                .as_ref()
                .is_err_and(|e| e.failure() != Failure::Unavailable)
            {
                // A statement that was cancelled, a deadlock: once more, before it is left out.
                taken = self.one(ctx, &vault, database).await;
            }
            match taken {
                Ok(stored) => dumps.push(stored.held()),
                // The others first; what is there already is found at the next attempt.
                Err(e) if may_pass(ctx, &e) => away = away.or(Some(e)),
                Err(e) => {
                    exceptions.push(Exception {
                        thing: format!("database {database}"),
                        code: e.code.to_string(),
                        why: full(&e),
                    });
                    first.get_or_insert(e);
                }
            }
            if ctx.world.stopping() {
                return Err(Fail::stopped());
            }
        }
        if let Some(e) = away {
            return Err(e);
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
        let connection = address.connect(ctx.clients.call_timeout()).await?;
        let at = connection.now().await?.unwrap_or(ctx.plan.opened_at);
        drop(connection);
        one.write(ctx, vault, &address, at).await
    }
}
