//! Checks a restored database that is about to be used: the first answer, then everything counted.

use super::database::{digests, heartbeat};
use super::{Context, Perform, cluster};
use crate::database::{Address, Database};
use crate::manifest::HeartbeatColumn;
use crate::plan::{Beat, CheckRestored, Restored, RestoredChecked};
use crate::report::{Code, Fail};
use std::collections::BTreeMap;

impl Perform for CheckRestored {
    async fn perform(&self, ctx: &Context<'_>) -> Result<RestoredChecked, Fail> {
        let start = ctx.world.monotonic();
        let given = match &self.restored {
            Restored::Cluster(made) => cluster::enter(ctx, made).await?,
            Restored::Given => ctx
                .database
                .cloned()
                .ok_or_else(|| Fail::bug("no database was given"))?,
        };
        let addresses = self.addresses(&given);
        let (mut beat, mut tables) = (Beat::default(), 0);
        for address in &addresses {
            let connection = ctx.connect(address).await?;
            tables += connection.tables().await?.len();
            if let Some(column) = self.heartbeat_at(address) {
                beat = heartbeat(&connection, Some(column)).await?;
            }
        }
        let answered_at = ctx.world.now();
        if tables == 0 {
            return Err(Fail::new(
                Code::DatabaseEmpty,
                format!("{} has no tables", given.shown()),
            ));
        }
        let (mut all, mut rows) = (BTreeMap::new(), 0);
        for address in &addresses {
            let digests = digests(ctx, address, self.streams).await?;
            if let Some((table, why)) = digests.unreadable.iter().next() {
                return Err(Fail::new(
                    Code::TableUnreadable,
                    format!("table {table} of {} cannot be read: {why}", address.shown()),
                ));
            }
            rows += digests.rows();
            let named = |table: String| match addresses.len() {
                1 => table,
                _ => format!("{}.{table}", address.database),
            };
            all.extend(digests.tables.into_iter().map(|(t, d)| (named(t), d)));
        }
        // A crash right after it leaves a database as it was at its source.
        if matches!(self.restored, Restored::Given) {
            ctx.connect(&given).await?.forget_load().await?;
        }
        Ok(RestoredChecked {
            tables: all.len() as u64,
            rows,
            heartbeat: beat,
            digests: all,
            answered_at,
            took_s: start.elapsed().as_secs_f64(),
        })
    }
}

impl CheckRestored {
    /// Of each database that is looked at.
    fn addresses(&self, given: &Address) -> Vec<Address> {
        if self.databases.is_empty() {
            return vec![given.clone()];
        }
        let databases = self.databases.iter();
        databases.map(|d| given.with_database(d.as_str())).collect()
    }

    /// A dump may be loaded under another name than it was dumped from.
    fn heartbeat_at(&self, address: &Address) -> Option<&HeartbeatColumn> {
        let heartbeat = self.heartbeat.as_ref()?;
        let here = self.databases.is_empty() || heartbeat.database.as_str() == address.database;
        here.then_some(heartbeat)
    }
}
