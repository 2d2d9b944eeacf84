//! Dumps the scratch cluster's database into one target.

use super::database::Kept;
use super::one_dump::OneDump;
use super::{Context, Perform, cluster};
use crate::database::Database;
use crate::dump::DumpError;
use crate::manifest::Dump;
use crate::model::{Method, ObjectKey, VersionId};
use crate::plan::{DatabaseDumped, DumpDatabase};
use crate::proof::{self, Scope};
use crate::report::{Code, Fail};

impl Perform for DumpDatabase {
    async fn perform(&self, ctx: &Context<'_>) -> Result<DatabaseDumped, Fail> {
        let start = ctx.world.monotonic();
        let vault = ctx.vault(&self.target).await?;
        let one = OneDump {
            source: &self.source,
            database: &self.database,
            target: &self.target,
            streams: self.streams,
            part_size_bytes: self.part_size_bytes,
            chunk_pages: self.chunk_pages,
        };
        let stored = match one.found(ctx, &vault).await? {
            Some(stored) => stored,
            None => {
                let server = cluster::enter(ctx, &self.cluster).await?;
                let address = server.with_database(self.database.as_str());
                let connection = ctx.connect(&address).await?;
                let found = connection.as_found(&Kept::of(ctx).keep(ctx)).await;
                let found = found.map_err(DumpError::from)?;
                drop(connection);
                let at = ctx.plan.opened_at;
                one.write(ctx, &vault, &address, at, found).await?
            }
        };
        self.compare(ctx, &stored.key, &stored.document)?;
        Ok(DatabaseDumped {
            tables: stored.document.tables.len() as u64,
            rows: stored.rows(),
            bytes: stored.bytes(),
            excluded: stored.document.excluded.len() as u64,
            exceptions: stored.document.exceptions().collect(),
            key: ObjectKey::new(stored.key),
            version: VersionId::new(stored.version),
            took_s: start.elapsed().as_secs_f64(),
        })
    }
}

impl DumpDatabase {
    /// The dump must hold what was read of the restored snapshot, table by table.
    fn compare(&self, ctx: &Context<'_>, key: &str, document: &Dump) -> Result<(), Fail> {
        let scope = Scope {
            source: &self.source,
            database: Some(&self.database),
            method: Method::Dump,
            target: &self.target,
        };
        let inspected = &ctx.output(&self.inspected)?.tables;
        let Some(why) = proof::equal(&scope, "dump-equal", inspected, &document.digests()).why
        else {
            return Ok(());
        };
        let unread = document
            .exceptions()
            .map(|e| format!("; {}: {}", e.thing, e.why));
        let message = format!(
            "the dump {key} at {} differs from the restored snapshot: {why}{}",
            self.target,
            unread.collect::<String>()
        );
        Err(Fail::new(Code::DumpDiffers, message))
    }
}
