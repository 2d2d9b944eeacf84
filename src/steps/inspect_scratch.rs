//! Reads what the restored scratch cluster holds: once, checked, and kept in the evidence for
//! comparisons.

use super::database::{Kept, digests, heartbeat};
use super::{Context, Perform, assertion, cluster};
use crate::database::Database;
use crate::model::Method;
use crate::plan::{InspectScratch, ScratchInspected};
use crate::proof::{self, Scope};
use crate::report::Fail;

impl Perform for InspectScratch {
    async fn perform(&self, ctx: &Context<'_>) -> Result<ScratchInspected, Fail> {
        let start = ctx.world.monotonic();
        let scope = Scope {
            source: &self.source,
            database: Some(&self.database),
            method: Method::Snapshot,
            target: &self.target,
        };
        let server = cluster::enter(ctx, &self.cluster).await?;
        let address = server.with_database(self.database.as_str());
        let connection = ctx.connect(&address).await?;
        // First of all: what would act on the world is switched off, then listed.
        let disabled = connection.side_effects_off().await?;
        let kept = Kept::of(ctx);
        let opened = connection.open_up(&kept.keep(ctx)).await?;
        let beat = heartbeat(&connection, self.heartbeat.as_ref()).await?;
        let digests = digests(ctx, &address, self.streams).await?;
        let mut checks = vec![
            proof::counts(&scope, &digests.tables, &digests.unreadable),
            proof::negative_control(&scope, &digests.tables),
        ];
        if self.heartbeat.is_some() {
            let max_age_s = self.heartbeat_max_age.0;
            checks.push(proof::heartbeat(
                &scope,
                beat.at,
                self.snapshot_at,
                max_age_s,
            ));
        }
        for asked in &self.assertions {
            checks.push(assertion::ask(&connection, &scope, asked).await?);
        }
        Ok(ScratchInspected {
            checks,
            tables: digests.tables,
            heartbeat: beat,
            disabled,
            opened,
            took_s: start.elapsed().as_secs_f64(),
        })
    }
}
