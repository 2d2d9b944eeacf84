//! The portable path: a dump out of the scratch cluster into a target, and its load into an empty
//! database.

use super::{Context, StepError, cluster, inspect};
use crate::database::{ident, literal};
use crate::dump::{self, DumpInput, LoadInput};
use crate::journal::Evidence;
use crate::manifest::{Document, Dump, HeartbeatColumn, TableDigest};
use crate::plan::Action;
use crate::policy::Path;
use crate::proof::{self, Scope};
use crate::vault::layout;
use std::collections::BTreeMap;

type Tables = BTreeMap<String, TableDigest>;

/// What the inspection read from the native restore: dumps and loads must agree with it, table by
/// table.
fn inspected<'a>(ctx: &'a Context<'_>) -> Result<&'a Tables, StepError> {
    match ctx.evidence("inspect") {
        Some(Evidence::Inspected { tables, .. }) => Ok(tables),
        _ => Err(StepError::bug("the scratch cluster was not inspected")),
    }
}

fn digests_of(dump: &Dump) -> Tables {
    dump.tables
        .iter()
        .map(|t| (t.name.clone(), t.digest))
        .collect()
}

/// Where the plan dumps what is about to be restored, a program that can read it must be there
/// before anything is made.
pub(super) async fn readable(ctx: &Context<'_>, engine_version: &str) -> Result<(), StepError> {
    let dumps = |s: &crate::plan::Step| matches!(s.action, Action::DumpTo { .. });
    let major = engine_version.split('.').next().map(str::parse::<u32>);
    match major {
        Some(Ok(major)) if ctx.plan.steps.iter().any(dumps) => Ok(dump::readable(major).await?),
        _ => Ok(()),
    }
}

pub(super) async fn dump(ctx: &Context<'_>) -> Result<Evidence, StepError> {
    let Action::DumpTo {
        target,
        cluster,
        prefix,
        streams,
        part_size_bytes,
        chunk_pages,
    } = &ctx.step.action
    else {
        return Err(StepError::bug("not a dump"));
    };
    let start = ctx.world.monotonic();
    let vault = ctx.vault(target).await?;
    let key = format!(
        "{}{}-{target}.json",
        layout::dumps(&ctx.plan.policy, &ctx.plan.slot),
        ctx.plan.run
    );
    // A runner before us may have finished it and died before it could say so.
    let found = match vault.oldest(&key).await {
        Ok((bytes, version)) => Some((Dump::from_bytes(&bytes)?, version)),
        Err(e) if e.not_found() => None,
        Err(e) => return Err(e.into()),
    };
    let (document, version) = match found {
        Some(found) => found,
        None => {
            let address = cluster::enter(ctx, cluster).await?;
            let input = DumpInput {
                address: &address,
                vault: &vault,
                lock: ctx.lock(target)?,
                prefix,
                streams: *streams,
                part_size_bytes: *part_size_bytes,
                chunk_pages: u64::from(*chunk_pages),
                timeout: ctx.clients.call_timeout(),
            };
            let written = dump::dump(&input).await?;
            let document = Dump {
                policy: ctx.plan.policy.clone(),
                slot: ctx.plan.slot.clone(),
                run: ctx.plan.run.to_string(),
                target: target.clone(),
                at: ctx.plan.opened_at,
                database: address.database.clone(),
                server_version: written.server_version,
                sections: written.sections,
                tables: written.tables,
                collations: written.collations,
                excluded: written.excluded,
            };
            // A crash before this line leaves chunks that no document names; the next runner dumps
            // again.
            let version = vault
                .create(&key, document.to_bytes().into(), Some(ctx.lock(target)?))
                .await?;
            (document, version)
        }
    };
    let scope = Scope {
        path: Path::Portable,
        target,
    };
    let check = proof::equal(
        &scope,
        "dump-equal",
        inspected(ctx)?,
        &digests_of(&document),
    );
    if let Some(why) = check.why {
        return Err(StepError::finding(
            "dump-differs",
            format!("the dump {key} at {target} differs from the native restore: {why}"),
        ));
    }
    let chunks = || {
        document
            .tables
            .iter()
            .flat_map(|t| &t.chunks)
            .chain(document.sections.iter().map(|s| &s.chunk))
    };
    Ok(Evidence::Dumped {
        key,
        version,
        tables: document.tables.len() as u64,
        rows: document.tables.iter().map(|t| t.digest.rows).sum(),
        bytes: chunks().map(|c| c.size_bytes).sum(),
        excluded: document.excluded.len() as u64,
        took_s: start.elapsed().as_secs_f64(),
    })
}

pub(super) async fn load_scratch(ctx: &Context<'_>) -> Result<Evidence, StepError> {
    let Action::LoadFrom {
        target,
        cluster,
        database,
        dump_key,
        streams,
    } = &ctx.step.action
    else {
        return Err(StepError::bug("not a load"));
    };
    let Some(Evidence::Dumped { version, .. }) = ctx.evidence(&format!("dump:{target}")) else {
        return Err(StepError::bug(format!("there is no dump at {target}")));
    };
    let server = cluster::enter(ctx, cluster).await?;
    let connection = server.connect(ctx.clients.call_timeout()).await?;
    let exists = format!(
        "SELECT 1 FROM pg_database WHERE datname = {}",
        literal(database)
    );
    if connection.value(&exists).await?.is_none() {
        // template0: an empty database, whatever was put into template1.
        connection
            .execute(&format!(
                "CREATE DATABASE {} TEMPLATE template0",
                ident(database)
            ))
            .await?;
    }
    let address = server.with_database(database);
    let mark = format!("{} {target}", ctx.plan.run);
    let loaded = load(ctx, target, dump_key, version, &address, &mark, *streams).await?;
    let digests = inspect::digests(ctx, &address, *streams).await?;
    let scope = Scope {
        path: Path::Portable,
        target,
    };
    let mut checks = vec![
        proof::counts(&scope, &digests.tables, &digests.unreadable),
        proof::equal(&scope, "equal", inspected(ctx)?, &digests.tables),
        proof::negative_control(&scope, &digests.tables),
    ];
    let column = heartbeat_column(ctx);
    let connection = address.connect(ctx.clients.call_timeout()).await?;
    let beat = inspect::heartbeat(&connection, column).await?;
    checks.push(proof::sequences(
        &scope,
        connection.sequences_behind().await?,
    ));
    Ok(Evidence::Loaded {
        checks,
        tables: digests.tables.len() as u64,
        rows: digests.rows(),
        bytes: loaded.bytes,
        took_s: loaded.took_s,
        heartbeat_id: beat.id,
        heartbeat_at: beat.at,
        exceptions: loaded.exceptions,
    })
}

fn heartbeat_column<'a>(ctx: &'a Context<'_>) -> Option<&'a HeartbeatColumn> {
    ctx.plan.steps.iter().find_map(|s| match &s.action {
        Action::InspectScratch { heartbeat, .. } | Action::CheckRestored { heartbeat, .. } => {
            heartbeat.as_ref()
        }
        _ => None,
    })
}

struct Done {
    bytes: u64,
    took_s: f64,
    tables: u64,
    rows: u64,
    exceptions: Vec<String>,
}

async fn load(
    ctx: &Context<'_>,
    target: &crate::policy::TargetName,
    key: &str,
    version: &str,
    address: &crate::database::Address,
    mark: &str,
    streams: u32,
) -> Result<Done, StepError> {
    let start = ctx.world.monotonic();
    let vault = ctx.vault(target).await?;
    let got = vault
        .bucket
        .get(key, Some(version), crate::manifest::MAX_DOCUMENT_BYTES)
        .await?;
    let document = Dump::from_bytes(&got.bytes)?;
    let report = |done: u64, total: u64| ctx.report(done, total, "chunks");
    let input = LoadInput {
        address,
        vault: &vault,
        dump: &document,
        mark,
        streams,
        timeout: ctx.clients.call_timeout(),
        progress: &report,
    };
    let loaded = dump::load(&input).await?;
    Ok(Done {
        bytes: loaded.bytes,
        took_s: start.elapsed().as_secs_f64(),
        tables: document.tables.len() as u64,
        rows: document.tables.iter().map(|t| t.digest.rows).sum(),
        exceptions: loaded.exceptions,
    })
}

/// Into a database of the user's: it must be empty, or this very restore must have begun it.
pub(super) async fn load_given(ctx: &Context<'_>) -> Result<Evidence, StepError> {
    let Action::LoadDump {
        target,
        dump_key,
        dump_version,
        streams,
        ..
    } = &ctx.step.action
    else {
        return Err(StepError::bug("not a load"));
    };
    let address = ctx
        .database
        .ok_or_else(|| StepError::bug("no database was given"))?;
    let mark = format!("{} {} {target}", ctx.plan.slot, &ctx.plan.hash().0[..16]);
    let done = load(
        ctx,
        target,
        dump_key,
        dump_version,
        address,
        &mark,
        *streams,
    )
    .await?;
    Ok(Evidence::Loaded {
        checks: Vec::new(),
        tables: done.tables,
        rows: done.rows,
        bytes: done.bytes,
        took_s: done.took_s,
        heartbeat_id: None,
        heartbeat_at: None,
        exceptions: done.exceptions,
    })
}
