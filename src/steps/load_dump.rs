//! Loads a dump into a database of the user's: it must be empty, or this very restore must have
//! begun it.

use super::database::Load;
use super::{Context, Perform};
use crate::database::Takes;
use crate::plan::{Beat, DumpLoaded, LoadDump};
use crate::report::Fail;

impl Perform for LoadDump {
    async fn perform(&self, ctx: &Context<'_>) -> Result<DumpLoaded, Fail> {
        let address = ctx
            .database
            .ok_or_else(|| Fail::bug("no database was given"))?;
        let load = Load {
            target: &self.target,
            key: &self.dump_key,
            version: &self.dump_version,
            address,
            mark: self.mark(ctx.plan.slot),
            streams: self.streams,
            refusals: self.refusals,
            // Afterwards all of them are looked at, and one session asks.
            takes: Takes::All {
                sessions: self.streams + 1,
            },
        };
        let dump = load.read(ctx).await?;
        let done = load.perform(ctx, &dump).await?;
        let (objects_differ, objects_not_compared) = done.compared.told();
        Ok(DumpLoaded {
            checks: Vec::new(),
            tables: done.tables,
            rows: done.rows,
            bytes: done.bytes,
            took_s: done.took_s,
            heartbeat: Beat::default(),
            exceptions: done.exceptions,
            undone: done.undone,
            objects_differ,
            objects_not_compared,
        })
    }
}
