//! Loads a target's dump into an empty database of the scratch cluster, and compares.

use super::database::{Load, digests, heartbeat};
use super::{Context, Perform, cluster};
use crate::database::{Address, ident, literal};
use crate::model::Method;
use crate::plan::{DumpLoaded, LoadScratch};
use crate::proof::{self, Scope};
use crate::report::Fail;

impl Perform for LoadScratch {
    async fn perform(&self, ctx: &Context<'_>) -> Result<DumpLoaded, Fail> {
        let dumped = ctx.output(&self.dumped)?;
        let address = self.database(ctx).await?;
        let load = Load {
            target: &self.target,
            key: &dumped.key,
            version: &dumped.version,
            address: &address,
            mark: format!("{} {}", ctx.plan.run, self.target),
            streams: self.streams,
        };
        let loaded = load.perform(ctx).await?;
        let digests = digests(ctx, &address, self.streams).await?;
        let scope = Scope {
            source: &self.source,
            database: Some(&self.database),
            method: Method::Dump,
            target: &self.target,
        };
        let inspected = &ctx.output(&self.inspected)?.tables;
        let mut checks = vec![
            proof::counts(&scope, &digests.tables, &digests.unreadable),
            proof::equal(&scope, "equal", inspected, &digests.tables),
            proof::negative_control(&scope, &digests.tables),
        ];
        let connection = address.connect(ctx.clients.call_timeout()).await?;
        let beat = heartbeat(&connection, self.heartbeat.as_ref()).await?;
        let sequences = connection.sequences_behind().await?;
        checks.push(proof::sequences(
            &scope,
            sequences.looked_at,
            &sequences.behind,
        ));
        Ok(DumpLoaded {
            checks,
            tables: digests.tables.len() as u64,
            rows: digests.rows(),
            bytes: loaded.bytes,
            took_s: loaded.took_s,
            heartbeat: beat,
            exceptions: loaded.exceptions,
        })
    }
}

impl LoadScratch {
    /// An empty database of this target's own, made where it is not there yet.
    async fn database(&self, ctx: &Context<'_>) -> Result<Address, Fail> {
        let name = self.into.as_str();
        let server = cluster::enter(ctx, &self.cluster).await?;
        let connection = server.connect(ctx.clients.call_timeout()).await?;
        let exists = format!(
            "SELECT 1 FROM pg_database WHERE datname = {}",
            literal(name)
        );
        if connection.value(&exists).await?.is_none() {
            // template0: an empty database, whatever was put into template1.
            let create = format!("CREATE DATABASE {} TEMPLATE template0", ident(name));
            connection.execute(&create).await?;
        }
        Ok(server.with_database(name))
    }
}
