//! What several steps read of a restored database.

use super::Context;
use crate::database::{Address, Keep, Postgres, Takes, Watch};
use crate::dump::{Compared, Digests, LoadInput, digest_database};
use crate::manifest::{DatabaseFacts, Dump, TableDigest, UnreadRows};
use crate::model::{ObjectKey, RunId, Sha256, TargetName, VaultId, VersionId};
use crate::plan::Refusals;
use crate::report::Fail;
use crate::vault::Vault;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use std::collections::BTreeMap;

/// Jobs are switched off in the scratch cluster that a dump is taken from, and run again in what is
/// restored.
pub(super) const SCHEDULED: [&str; 2] = ["cron.job", "cron.job_run_details"];

/// What a database says that a drill makes on a server of the user's.
pub(super) fn mark(vault: &VaultId, run: &RunId) -> String {
    format!("dr:vault={} dr:run={run} dr:role=scratch", vault.0)
}

/// The database of a scratch cluster that keeps what the restored ones were like.
pub(super) struct Kept {
    database: String,
    comment: String,
}

impl Kept {
    pub fn of(ctx: &Context<'_>) -> Self {
        let comment = mark(&ctx.plan.vault, &ctx.plan.run);
        let name = Sha256::of(comment.as_bytes());
        Self {
            database: format!("dr_kept_{}", &name.0[..10]),
            comment,
        }
    }

    pub fn keep(&self, ctx: &Context<'_>) -> Keep<'_> {
        Keep {
            database: &self.database,
            comment: &self.comment,
            timeout: ctx.clients.call_timeout(),
        }
    }
}

pub(super) async fn digests(
    ctx: &Context<'_>,
    address: &Address,
    streams: u32,
) -> Result<Digests, Fail> {
    Ok(digest_database::<Postgres>(address, streams, ctx.clients.call_timeout()).await?)
}

/// Whoever looks at a step.
struct Watched<'a>(&'a Context<'a>);

impl Watch for Watched<'_> {
    fn told(&self, done: u64, total: u64, unit: &str) {
        self.0.report(done, total, unit);
    }

    fn pause(&self) -> BoxFuture<'_, bool> {
        self.0.pause().map(|waited| waited.is_ok()).boxed()
    }
}

/// A dump at one target, and where it goes.
pub(super) struct Load<'a> {
    pub target: &'a TargetName,
    pub key: &'a ObjectKey,
    pub version: &'a VersionId,
    pub address: &'a Address,
    /// Says in the database whose load it is, so that a second attempt knows its own.
    pub mark: String,
    pub streams: u32,
    pub refusals: Refusals,
    pub takes: Takes,
}

pub(super) struct Done {
    pub bytes: u64,
    pub took_s: f64,
    pub tables: u64,
    pub rows: u64,
    /// Of each table, as the dump says.
    pub digests: BTreeMap<String, TableDigest>,
    /// What the server has otherwise than the dump, and was not changed.
    pub exceptions: Vec<String>,
    /// Statements that the server refused.
    pub undone: Vec<String>,
    /// Its schema, beside the dump's.
    pub compared: Compared,
}

/// What a target holds of a dump, beside its chunks.
pub(super) struct DumpAt {
    vault: Vault,
    pub document: Dump,
    /// `None`: an older version wrote it.
    pub facts: Option<DatabaseFacts>,
}

impl DumpAt {
    /// Of tables that it has no rows of, with the reasons.
    pub fn unread(&self) -> BTreeMap<String, String> {
        let why = |(table, unread): (&String, &UnreadRows)| {
            (table.clone(), format!("not in the dump: {}", unread.why))
        };
        self.document.unread.iter().map(why).collect()
    }
}

impl Load<'_> {
    pub async fn read(&self, ctx: &Context<'_>) -> Result<DumpAt, Fail> {
        let vault = ctx.vault(self.target).await?;
        let stored = crate::dump::stored(&vault, (self.key, self.version));
        let (document, facts) = stored.await?;
        Ok(DumpAt {
            vault,
            document,
            facts,
        })
    }

    pub async fn perform(&self, ctx: &Context<'_>, dump: &DumpAt) -> Result<Done, Fail> {
        let start = ctx.world.monotonic();
        let document = &dump.document;
        let input = LoadInput {
            address: self.address,
            vault: &dump.vault,
            dump: document,
            facts: dump.facts.as_ref(),
            mark: &self.mark,
            streams: self.streams,
            timeout: ctx.clients.call_timeout(),
            takes: self.takes,
            refusals: self.refusals,
            watch: &Watched(ctx),
        };
        let loaded = crate::dump::load::<Postgres>(&input).await?;
        Ok(Done {
            bytes: loaded.bytes,
            took_s: start.elapsed().as_secs_f64(),
            tables: document.tables.len() as u64,
            rows: document.tables.iter().map(|t| t.digest.rows).sum(),
            digests: document.digests(),
            exceptions: loaded.exceptions,
            undone: loaded.undone,
            compared: loaded.compared,
        })
    }
}
