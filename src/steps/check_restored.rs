//! Checks a restored database that is about to be used: the first answer, then everything counted.

use super::database::SCHEDULED;
use super::databases_there::{Look, there};
use super::heartbeat::heartbeat;
use super::source_compared::{Found, compare, reference_of};
use super::{Context, Perform, cluster};
use crate::database::{Address, Database, Postgres};
use crate::dump::{Digests, digest_older};
use crate::manifest::{
    Check, CheckResult, Document, Dump, Exception, HeartbeatColumn, Reference, TableDigest,
};
use crate::model::{Method, Name, TargetName};
use crate::plan::{Against, Beat, CheckRestored, Restored, RestoredChecked};
use crate::proof::{self, Scope};
use crate::report::{Code, Fail, Failure, full};
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
        let (addresses, mut differs) = self.addresses(ctx, &given).await?;
        let beat = self.first_answers(ctx, &addresses).await?;
        let answered_at = ctx.world.now();
        let beat = beat.unwrap_or_else(|why| {
            differs.push(format!("the heartbeat could not be read: {why}"));
            Beat::default()
        });
        let reference = self.reference(ctx).await;
        let (mut all, mut rows) = (BTreeMap::new(), 0);
        let mut compared = None;
        for address in &addresses {
            let named = |table: String| match addresses.len() {
                1 => table,
                _ => format!("{}.{table}", address.database),
            };
            let digests = match self.digests(ctx, address, reference.as_ref()).await {
                Ok(digests) => digests,
                Err(e) if e.failure() == Failure::Unavailable => return Err(e),
                Err(e) => {
                    let (of, why) = (&address.database, full(&e));
                    differs.push(format!("database {of} could not be read: {why}"));
                    continue;
                }
            };
            rows += digests.rows();
            // One that is damaged keeps nobody from the others.
            let unread = digests.unreadable.iter();
            let unread = unread.map(|(table, why)| named(format!("{table} cannot be read: {why}")));
            differs.extend(unread);
            let before = differs.len();
            if let Some(dump) = self.wanted(ctx, address).await? {
                let mut wanted = dump.digests();
                wanted.retain(|table, _| !digests.unreadable.contains_key(table));
                let mut found = lasting(digests.listed(&wanted));
                found.retain(|table, _| !dump.unread.contains_key(table));
                differs.extend(self.without_rows(&dump).map(named));
                let wanted = lasting(wanted);
                compared = Some(compared.unwrap_or(0) + wanted.len() as u64);
                let wrong = proof::differences(&dump.gathered(&wanted), &dump.gathered(&found));
                differs.extend(wrong.into_iter().map(named));
            }
            if let Some((reference, target)) = &reference {
                let found = (address, &digests, beat.id);
                let wrong = self.unlike_source(ctx, (reference, target), found).await?;
                let wrong = told_once(wrong, &differs[before..]);
                differs.extend(wrong.into_iter().map(named));
            }
            all.extend(digests.tables.into_iter().map(|(t, d)| (named(t), d)));
        }
        differs.extend(self.forget(ctx, &given).await?);
        Ok(RestoredChecked {
            tables: all.len() as u64,
            rows,
            heartbeat: beat,
            digests: all,
            compared,
            differs,
            answered_at,
            took_s: start.elapsed().as_secs_f64(),
        })
    }
}

/// Rows that a dump said to be otherwise are told once, by the names of their tables.
fn told_once(wrong: Vec<Check>, differs: &[String]) -> Vec<String> {
    let told = |c: &Check| !differs.is_empty() && OF_ROWS.contains(&c.id.as_str());
    let wrong = wrong.into_iter().filter(|c| !told(c));
    wrong
        .map(|c| format!("{}: {}", c.id, c.why.unwrap_or_default()))
        .collect()
}

const OF_ROWS: [&str; 2] = ["source-rows", "source-heartbeat"];

impl CheckRestored {
    /// What an application would see first. A heartbeat that cannot be read, inside, keeps nobody
    /// from using all else.
    async fn first_answers(
        &self,
        ctx: &Context<'_>,
        addresses: &[Address],
    ) -> Result<Result<Beat, String>, Fail> {
        let (mut beat, mut tables) = (Ok(Beat::default()), 0);
        for address in addresses {
            let connection = ctx.connect(address).await?;
            tables += connection.tables().await?.len();
            if let Some(column) = self.heartbeat_at(address) {
                beat = heartbeat(&connection, Some(column)).await?;
            }
        }
        if tables > 0 {
            return Ok(beat);
        }
        let shown: Vec<String> = addresses.iter().map(Address::shown).collect();
        let message = format!("{} has no tables", shown.join(" and "));
        Err(Fail::new(Code::DatabaseEmpty, message))
    }

    /// The mark of a load goes. A crash right after it leaves a database as it was at its source.
    async fn forget(&self, ctx: &Context<'_>, given: &Address) -> Result<Option<String>, Fail> {
        if !matches!(self.restored, Restored::Given) {
            return Ok(None);
        }
        match ctx.connect(given).await?.forget_load().await {
            Ok(()) => Ok(None),
            Err(e) if e.transient() => Err(e.into()),
            // An event trigger of the database may refuse it.
            Err(e) => Ok(Some(format!("schema dr_restore is left: {}", e.source))),
        }
    }

    /// Of each database that is looked at, and what is told of those that cannot be. A point that
    /// does not know them keeps no cluster from being used: the cluster is asked.
    async fn addresses(
        &self,
        ctx: &Context<'_>,
        given: &Address,
    ) -> Result<(Vec<Address>, Vec<String>), Fail> {
        if matches!(self.restored, Restored::Given) {
            let databases = self.databases.iter();
            let named: Vec<_> = databases.map(|d| given.with_database(d.as_str())).collect();
            let all = if named.is_empty() {
                vec![given.clone()]
            } else {
                named
            };
            return Ok((all, Vec::new()));
        }
        let known = !self.databases.is_empty();
        let names = match known {
            true => self.databases.clone(),
            false => {
                let all = ctx.connect(given).await?.databases().await?;
                all.into_iter().map(Name::new).collect()
            }
        };
        let how = Look {
            empty_too: known,
            patient: true,
        };
        let found = there(ctx, given, names, how).await?;
        let told = |e: &Exception| format!("{} cannot be looked at: {}", e.thing, e.why);
        // What holds nothing, and was named by nobody, is as it was.
        let shut = found.exceptions.iter();
        let shut: Vec<_> = shut
            .filter(|e| e.code != Code::DatabaseEmpty.to_string())
            .collect();
        let told: Vec<String> = shut.into_iter().map(told).collect();
        if let (true, Some(first)) = (found.databases.is_empty(), told.first()) {
            let message = format!("of {} databases none answers; {first}", told.len());
            return Err(Fail::new(Code::DatabaseRefused, message));
        }
        let databases = found.databases.iter();
        let addresses = databases.map(|d| given.with_database(d.as_str()));
        Ok((addresses.collect(), told))
    }

    /// What a dump of the same point says of the tables of a database; `None`: there is none.
    async fn wanted(&self, ctx: &Context<'_>, address: &Address) -> Result<Option<Dump>, Fail> {
        let given = matches!(self.restored, Restored::Given);
        let of = |a: &&Against| given || a.database.as_str() == address.database;
        let Some(against) = self.against.iter().find(of) else {
            return Ok(None);
        };
        let vault = ctx.vault(&against.target).await?;
        let (bytes, _) = vault.oldest(against.dump.as_str()).await?;
        Ok(Some(Dump::from_bytes(&bytes)?))
    }

    /// Tables that a dump made, and has no rows of.
    fn without_rows<'a>(&self, dump: &'a Dump) -> impl Iterator<Item = String> + 'a {
        let loaded = matches!(self.restored, Restored::Given);
        let unread = dump.unread.iter().filter(move |_| loaded);
        unread.map(|(table, unread)| format!("{table} has no rows: {}", unread.why))
    }

    /// What was read at the source while its snapshot was taken, at whichever target has it. An
    /// incident does not wait for it.
    async fn reference(&self, ctx: &Context<'_>) -> Option<(Reference, TargetName)> {
        if !matches!(self.restored, Restored::Cluster(_)) {
            return None;
        }
        for target in &ctx.plan.targets {
            if let Ok(Some(found)) = reference_of(ctx, &self.source, &target.name).await {
                return Some((found, target.name.clone()));
            }
        }
        None
    }

    async fn digests(
        &self,
        ctx: &Context<'_>,
        address: &Address,
        reference: Option<&(Reference, TargetName)>,
    ) -> Result<Digests, Fail> {
        let database = Name::new(address.database.as_str());
        let of = reference.and_then(|(r, _)| r.databases.get(&database));
        let timeout = ctx.clients.call_timeout();
        Ok(digest_older::<Postgres>(address, of, self.streams, timeout).await?)
    }

    /// What a restored snapshot has otherwise than its source had before and after.
    async fn unlike_source(
        &self,
        ctx: &Context<'_>,
        (reference, target): (&Reference, &TargetName),
        (address, digests, beat): (&Address, &Digests, Option<i64>),
    ) -> Result<Vec<Check>, Fail> {
        let database = Name::new(address.database.as_str());
        let scope = Scope {
            source: &self.source,
            database: Some(&database),
            method: Method::Snapshot,
            target,
        };
        let connection = ctx.connect(address).await?;
        let found = Found {
            connection: &connection,
            database: &database,
            as_found: None,
            schema_unread: None,
            digests,
            beat,
            least: 0,
        };
        let checks = compare(&scope, reference, found).await?.into_iter();
        Ok(checks.filter(|c| c.result == CheckResult::Failed).collect())
    }

    /// A dump may be loaded under another name than it was dumped from.
    fn heartbeat_at(&self, address: &Address) -> Option<&HeartbeatColumn> {
        let heartbeat = self.heartbeat.as_ref()?;
        let here = self.databases.is_empty() || heartbeat.database.as_str() == address.database;
        here.then_some(heartbeat)
    }
}

/// Tables that nothing but an application writes to.
fn lasting(mut tables: BTreeMap<String, TableDigest>) -> BTreeMap<String, TableDigest> {
    tables.retain(|name, _| !SCHEDULED.contains(&name.as_str()));
    tables
}
