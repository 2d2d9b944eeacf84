//! Checks a restored database that is about to be used: the first answer, then everything counted.

mod entered;

use super::database::SCHEDULED;
use super::source_compared::{Found, compare, reference_of};
use super::{Context, Perform, cluster};
use crate::database::{Address, Database, Postgres};
use crate::dump::{Digests, digest_older};
use crate::manifest::{Check, CheckResult, Document, Dump, Reference, TableDigest};
use crate::model::{Method, Name, TargetName};
use crate::plan::{Against, Beat, CheckRestored, Restored, RestoredChecked};
use crate::proof::{self, Scope};
use crate::report::{Fail, Failure, full};
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
        let several = addresses.len() + differs.len() > 1;
        let named = |address: &Address, table: String| match several {
            true => format!("{}.{table}", address.database),
            false => table,
        };
        let (addresses, beat) = self.first_answers(ctx, addresses, &mut differs).await?;
        let answered_at = ctx.world.now();
        let reference = self.reference(ctx).await;
        let (mut all, mut rows) = (BTreeMap::new(), 0);
        let mut compared = None;
        for address in &addresses {
            let looked = self
                .looked_at(ctx, address, (reference.as_ref(), &beat))
                .await;
            // One that is damaged, or was shut meanwhile, keeps nobody from the others.
            let looked = match looked {
                Ok(looked) => looked,
                Err(e) if e.failure() == Failure::Unavailable => return Err(e),
                Err(e) => {
                    let (of, why) = (&address.database, full(&e));
                    differs.push(format!("database {of} could not be read: {why}"));
                    continue;
                }
            };
            rows += looked.digests.rows();
            differs.extend(looked.differs.into_iter().map(|text| named(address, text)));
            if let Some(tables) = looked.compared {
                compared = Some(compared.unwrap_or(0) + tables);
            }
            let tables = looked.digests.tables.into_iter();
            all.extend(tables.map(|(table, digest)| (named(address, table), digest)));
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

/// What was seen of one database.
struct Looked {
    digests: Digests,
    differs: Vec<String>,
    /// Tables, where there was a dump.
    compared: Option<u64>,
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
    /// One database, beside a dump of it and what its source was read to hold.
    async fn looked_at(
        &self,
        ctx: &Context<'_>,
        address: &Address,
        (reference, beat): (Option<&(Reference, TargetName)>, &Beat),
    ) -> Result<Looked, Fail> {
        let digests = self.digests(ctx, address, reference).await?;
        let unread = digests.unreadable.iter();
        let unread = unread.map(|(table, why)| format!("{table} cannot be read: {why}"));
        let (mut differs, mut compared) = (unread.collect::<Vec<_>>(), None);
        let before = differs.len();
        if let Some(dump) = self.wanted(ctx, address).await? {
            let mut wanted = dump.digests();
            wanted.retain(|table, _| !digests.unreadable.contains_key(table));
            let found = lasting(digests.listed(&wanted));
            let wanted = lasting(wanted);
            compared = Some(wanted.len() as u64);
            let [wanted, found] = dump.comparable(&wanted, &found);
            differs.extend(self.without_rows(&dump));
            differs.extend(proof::differences(&wanted, &found));
        }
        if let Some((reference, target)) = reference {
            let found = (address, &digests, beat.id);
            let wrong = self.unlike_source(ctx, (reference, target), found).await?;
            let wrong = told_once(wrong, &differs[before..]);
            differs.extend(wrong);
        }
        Ok(Looked {
            digests,
            differs,
            compared,
        })
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
}

/// Tables that nothing but an application writes to.
fn lasting(mut tables: BTreeMap<String, TableDigest>) -> BTreeMap<String, TableDigest> {
    tables.retain(|name, _| !SCHEDULED.contains(&name.as_str()));
    tables
}
