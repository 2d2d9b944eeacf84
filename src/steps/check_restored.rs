//! Checks a restored database that is about to be used: the first answer, then everything counted.

use super::database::{digests, heartbeat};
use super::{Context, Perform, cluster};
use crate::plan::{CheckRestored, Restored, RestoredChecked};
use crate::report::{Code, Fail};

impl Perform for CheckRestored {
    async fn perform(&self, ctx: &Context<'_>) -> Result<RestoredChecked, Fail> {
        let start = ctx.world.monotonic();
        let address = match &self.restored {
            Restored::Cluster(made) => cluster::enter(ctx, ctx.output(made)?).await?,
            Restored::Given => ctx
                .database
                .cloned()
                .ok_or_else(|| Fail::bug("no database was given"))?,
        };
        let connection = address.connect(ctx.clients.call_timeout()).await?;
        let tables = connection.tables().await?;
        let beat = heartbeat(&connection, self.heartbeat.as_ref()).await?;
        let answered_at = ctx.world.now();
        if tables.is_empty() {
            return Err(Fail::new(
                Code::DatabaseEmpty,
                format!("{} has no tables", address.shown()),
            ));
        }
        let digests = digests(ctx, &address, self.streams).await?;
        if let Some((table, why)) = digests.unreadable.iter().next() {
            return Err(Fail::new(
                Code::TableUnreadable,
                format!("table {table} of {} cannot be read: {why}", address.shown()),
            ));
        }
        Ok(RestoredChecked {
            tables: digests.tables.len() as u64,
            rows: digests.rows(),
            heartbeat: beat,
            digests: digests.tables,
            answered_at,
            took_s: start.elapsed().as_secs_f64(),
        })
    }
}
