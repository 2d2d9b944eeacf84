//! Reads what the restored scratch cluster holds: once, checked, and kept in the evidence for
//! comparisons.

use super::controlled::{Schema, control};
use super::database::Kept;
use super::heartbeat::{beat_checked, heartbeat};
use super::referred::looked_up;
use super::source_compared::{Found, compare, damaged, reference_of, without};
use super::structure::looked_into;
use super::{Context, Perform, assertion, cluster};
use crate::database::{AsFound, Database, Postgres, SchemaError};
use crate::dump::{Digests, digest_older};
use crate::manifest::{Check, Reference};
use crate::model::Method;
use crate::plan::{InspectScratch, ScratchInspected};
use crate::proof::{self, Scope};
use crate::report::{Exit, Fail};

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
        let reference = match reference_of(ctx, &self.source, &self.target).await {
            Err(e) if e.exit == Exit::Unavailable => return Err(e),
            read => read,
        };
        let of = reference.as_ref().ok().and_then(Option::as_ref);
        let of = of.and_then(|r| r.databases.get(&self.database));
        let timeout = ctx.clients.call_timeout();
        let digests = digest_older::<Postgres>(&address, of, self.streams, timeout).await?;
        let compared = match &reference {
            Ok(Some(reference)) => {
                let as_found = connection.as_found(&kept.keep(ctx)).await;
                let id = beat.as_ref().ok().and_then(|b| b.id);
                let found = (as_found, &digests, id);
                let compared = self.compared(&connection, &scope, (reference, found));
                compared.await?
            }
            Ok(None) => vec![without(&scope, &digests)],
            Err(e) => vec![damaged(&scope, e)],
        };
        let mut checks = vec![proof::counts(&scope, &digests.tables, &digests.unreadable)];
        if self.heartbeat.is_some() {
            let (at, most) = (self.snapshot_at, self.heartbeat_max_age);
            checks.push(beat_checked(&scope, &beat, at, most));
        }
        checks.extend(compared);
        let sequences = connection.sequences_behind().await?;
        checks.push(proof::sequences(&scope, &sequences));
        for asked in &self.assertions {
            checks.push(assertion::ask(&connection, &scope, asked).await?);
        }
        checks.extend(looked_up(ctx, &scope, &connection, &self.references).await?);
        let session = ctx.connect(&address).await?;
        let wanted = (&digests.tables, Schema::of(&opened));
        checks.push(control(ctx, &scope, &session, wanted).await?);
        checks.extend(looked_into(ctx, &scope, &address, self.amcheck).await?);
        Ok(ScratchInspected {
            checks,
            tables: digests.tables,
            heartbeat: beat.unwrap_or_default(),
            disabled,
            opened,
            took_s: start.elapsed().as_secs_f64(),
        })
    }
}

type FoundHere<'a> = (
    Result<Option<AsFound>, SchemaError>,
    &'a Digests,
    Option<i64>,
);

impl InspectScratch {
    /// With what the source was read to hold.
    async fn compared(
        &self,
        connection: &impl Database,
        scope: &Scope<'_>,
        (reference, (as_found, digests, beat)): (&Reference, FoundHere<'_>),
    ) -> Result<Vec<Check>, Fail> {
        // Read now, what was changed here would count as a difference.
        let (as_found, schema_unread) = match as_found {
            Ok(found) => (found, None),
            Err(SchemaError::NoReader(why)) => (None, Some(why)),
            Err(SchemaError::Database(e)) => return Err(e.into()),
        };
        let found = Found {
            connection,
            database: &self.database,
            as_found,
            schema_unread,
            digests,
            beat,
            least: self.min_comparable.unwrap_or(0),
        };
        compare(scope, reference, found).await
    }
}
