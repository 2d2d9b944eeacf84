//! Loads a target's dump into an empty scratch database, and compares.

use super::controlled::{Schema, control};
use super::database::{Load, digests, mark};
use super::heartbeat::{beat_checked, heartbeat};
use super::referred::looked_up;
use super::structure::looked_into;
use super::{Context, Perform, assertion, cluster};
use crate::database::{Address, Database, Takes};
use crate::manifest::DatabaseFacts;
use crate::model::{Method, ObjectKey, VersionId};
use crate::plan::{DumpLoaded, DumpTaken, LoadScratch, Refusals, ScratchAt};
use crate::proof::{self, Scope};
use crate::report::{Code, Fail};

impl Perform for LoadScratch {
    async fn perform(&self, ctx: &Context<'_>) -> Result<DumpLoaded, Fail> {
        let (key, version) = self.dump(ctx)?;
        let server = self.server(ctx).await?;
        let address = server.with_database(self.into.as_str());
        let load = Load {
            target: &self.target,
            key,
            version,
            address: &address,
            mark: format!("{} {}", mark(&ctx.plan.vault, &ctx.plan.run), self.target),
            streams: self.streams,
            refusals: Refusals::Told,
            takes: Takes::WithoutName,
        };
        let dump = load.read(ctx).await?;
        self.make(ctx, &server, dump.facts.as_ref()).await?;
        let loaded = load.perform(ctx, &dump).await?;
        let digests = digests(ctx, &address, self.streams).await?;
        let scope = Scope {
            source: &self.source,
            database: Some(&self.database),
            method: Method::Dump,
            target: &self.target,
        };
        let wanted = match &self.inspected {
            Some(inspected) => ctx.output(inspected)?.tables.clone(),
            None => loaded.digests,
        };
        let found = digests.listed(&wanted);
        let [wanted, found] = dump.document.comparable(&wanted, &found);
        // They are there, and hold nothing of the dump.
        let digests = digests.without(dump.unread());
        let (objects_differ, objects_not_compared) = loaded.compared.told();
        let objects = objects_not_compared.as_deref();
        let mut checks = vec![
            proof::objects(&scope, &objects_differ, objects),
            proof::statements(&scope, &loaded.undone),
            proof::counts(&scope, &digests.tables, &digests.unreadable),
            proof::equal(&scope, "equal", &wanted, &found),
        ];
        let connection = ctx.connect(&address).await?;
        let beat = heartbeat(&connection, self.heartbeat.as_ref()).await?;
        if let Some(asked) = &self.asked {
            if self.heartbeat.is_some() {
                let most = asked.heartbeat_max_age;
                checks.push(beat_checked(&scope, &beat, asked.at, most));
            }
            checks.extend(looked_up(ctx, &scope, &connection, &asked.references).await?);
            for asked in &asked.assertions {
                checks.push(assertion::ask(&connection, &scope, asked).await?);
            }
        }
        let sequences = connection.sequences_behind().await?;
        checks.push(proof::sequences(&scope, &sequences));
        let wanted = (&digests.tables, Schema::NotKept);
        checks.push(control(ctx, &scope, &connection, wanted).await?);
        checks.extend(looked_into(ctx, &scope, &address, self.amcheck).await?);
        Ok(DumpLoaded {
            checks,
            tables: digests.tables.len() as u64,
            rows: digests.rows(),
            bytes: loaded.bytes,
            took_s: loaded.took_s,
            heartbeat: beat.unwrap_or_default(),
            exceptions: loaded.exceptions,
            undone: loaded.undone,
            objects_differ,
            objects_not_compared,
        })
    }
}

impl LoadScratch {
    fn dump<'a>(&'a self, ctx: &'a Context<'_>) -> Result<(&'a ObjectKey, &'a VersionId), Fail> {
        Ok(match &self.dump {
            DumpTaken::Dumped(link) => {
                let dumped = ctx.output(link)?;
                (&dumped.key, &dumped.version)
            }
            DumpTaken::Held(held) => (&held.key, &held.version),
        })
    }

    async fn server(&self, ctx: &Context<'_>) -> Result<Address, Fail> {
        match &self.at {
            ScratchAt::Cluster(made) => cluster::enter(ctx, made).await,
            ScratchAt::Server(place) => ctx.logins.scratch(place),
        }
    }

    /// An empty database of this target's own, made where it is not there yet.
    async fn make(
        &self,
        ctx: &Context<'_>,
        server: &Address,
        like: Option<&DatabaseFacts>,
    ) -> Result<(), Fail> {
        let (name, comment) = (self.into.as_str(), mark(&ctx.plan.vault, &ctx.plan.run));
        let connection = ctx.connect(server).await?;
        if connection.make_database(name, &comment, like).await? {
            return Ok(());
        }
        Err(Fail::new(
            Code::NotOurs,
            format!(
                "database {name} at {} is somebody else's: its comment is not this run's; it is \
                 left as it is",
                server.shown()
            ),
        ))
    }
}
