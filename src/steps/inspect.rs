//! What a restored database holds: read once, checked, and kept in the evidence for comparisons.

use super::{Context, StepError, cluster};
use crate::database::{Address, Connection, ident, literal, qualified};
use crate::dump::{Digests, digest_database};
use crate::journal::Evidence;
use crate::manifest::{Check, HeartbeatColumn};
use crate::plan::{Action, StepRef};
use crate::policy::{Assertion, Path, Seconds, TargetName};
use crate::proof::{self, Scope};
use jiff::Timestamp;

/// The newest heartbeat: its number and the instant of its commit.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Beat {
    pub id: Option<i64>,
    pub at: Option<Timestamp>,
}

pub(super) async fn heartbeat(
    connection: &Connection,
    column: Option<&HeartbeatColumn>,
) -> Result<Beat, StepError> {
    let Some(column) = column else {
        return Ok(Beat::default());
    };
    let (schema, table) = column
        .table
        .split_once('.')
        .unwrap_or(("public", &column.table));
    let (id, at) = (ident(&column.id), ident(&column.at));
    let sql = format!(
        "SELECT {id}::bigint, to_char({at} AT TIME ZONE 'UTC', \
         'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"') FROM {} ORDER BY {id} DESC LIMIT 1",
        qualified(schema, table)
    );
    let rows = connection.rows(&sql).await?;
    let field = |n: usize| rows.first().and_then(|r| r.get(n).cloned().flatten());
    Ok(Beat {
        id: field(0).and_then(|t| t.parse().ok()),
        at: field(1).and_then(|t| t.parse().ok()),
    })
}

/// The target whose snapshot copy this drill restored.
fn native_target(ctx: &Context<'_>) -> Result<TargetName, StepError> {
    let found = ctx.plan.steps.iter().find_map(|s| match &s.action {
        Action::WriteProofs { native, .. } => native.clone(),
        _ => None,
    });
    found.ok_or_else(|| StepError::bug("the plan names no native target"))
}

pub(super) async fn scratch(
    ctx: &Context<'_>,
    cluster: &StepRef,
    column: Option<&HeartbeatColumn>,
    snapshot_at: Timestamp,
    max_age: Seconds,
    assertions: &[Assertion],
    streams: u32,
) -> Result<Evidence, StepError> {
    let start = ctx.world.monotonic();
    let target = native_target(ctx)?;
    let scope = Scope {
        path: Path::Native,
        target: &target,
    };
    let address = cluster::enter(ctx, cluster).await?;
    let connection = address.connect(ctx.clients.call_timeout()).await?;
    // First of all: what would act on the world is switched off, then listed.
    let disabled = disable(&connection).await?;
    let beat = heartbeat(&connection, column).await?;
    let digests = digests(ctx, &address, streams).await?;
    let mut checks = vec![
        proof::counts(&scope, &digests.tables, &digests.unreadable),
        proof::negative_control(&scope, &digests.tables),
    ];
    if column.is_some() {
        checks.push(proof::heartbeat(&scope, beat.at, snapshot_at, max_age.0));
    }
    for assertion in assertions {
        checks.push(assert(&connection, &scope, assertion).await?);
    }
    Ok(Evidence::Inspected {
        checks,
        tables: digests.tables,
        heartbeat_id: beat.id,
        heartbeat_at: beat.at,
        disabled,
        took_s: start.elapsed().as_secs_f64(),
    })
}

/// Subscriptions and pg_cron jobs. Names of what was on.
async fn disable(connection: &Connection) -> Result<Vec<String>, StepError> {
    let mut disabled = Vec::new();
    for row in connection
        .rows(
            "SELECT subname FROM pg_subscription WHERE subenabled AND subdbid \
     = (SELECT oid FROM pg_database WHERE datname = current_database())",
        )
        .await?
    {
        if let Some(Some(name)) = row.first() {
            connection
                .execute(&format!("ALTER SUBSCRIPTION {} DISABLE", ident(name)))
                .await?;
            disabled.push(format!("subscription {name}"));
        }
    }
    if connection
        .value("SELECT to_regclass('cron.job')::text")
        .await?
        .is_some()
    {
        for row in connection
            .rows(
                "UPDATE cron.job SET active = false WHERE active RETURNING \
         jobid::text || coalesce(' ' || jobname, '')",
            )
            .await?
        {
            disabled.extend(
                row.first()
                    .cloned()
                    .flatten()
                    .map(|job| format!("scheduled job {job}")),
            );
        }
    }
    Ok(disabled)
}

async fn assert(
    connection: &Connection,
    scope: &Scope<'_>,
    assertion: &Assertion,
) -> Result<Check, StepError> {
    let id = format!("assertion:{}", assertion.id);
    // In a transaction that is rolled back: an assertion may look, not change.
    connection.execute("BEGIN READ ONLY").await?;
    let result = connection.value(&assertion.sql).await;
    connection.execute("ROLLBACK").await?;
    Ok(match result {
        Ok(Some(found)) if found == assertion.expect => scope.check(&id, true, 1, 1, None),
        Ok(found) => scope.check(
            &id,
            false,
            1,
            1,
            Some(format!(
                "returned {}, wanted {}",
                told(found.as_deref(), &assertion.expect),
                literal(&assertion.expect)
            )),
        ),
        Err(e) if e.transient() => return Err(e.into()),
        Err(e) => scope.check(&id, false, 1, 0, Some(format!("{e}: {}", e.source))),
    })
}

/// A number where a number was wanted, or a truth value where one was; another text may be a
/// tenant's and is not kept.
fn told(found: Option<&str>, wanted: &str) -> String {
    let number = |text: &str| text.len() < 40 && text.parse::<f64>().is_ok();
    let truth = |text: &str| matches!(text, "t" | "f");
    match found {
        None => "nothing".into(),
        Some(text) if number(text) && number(wanted) => literal(text),
        Some(text) if truth(text) && truth(wanted) => literal(text),
        Some(_) => "another text".into(),
    }
}

pub(super) async fn digests(
    ctx: &Context<'_>,
    address: &Address,
    streams: u32,
) -> Result<Digests, StepError> {
    Ok(digest_database(address, streams, ctx.clients.call_timeout()).await?)
}

/// A restored database that is about to be used: the first answer, then everything counted.
pub(super) async fn restored(
    ctx: &Context<'_>,
    cluster: Option<&StepRef>,
    column: Option<&HeartbeatColumn>,
    streams: u32,
) -> Result<Evidence, StepError> {
    let start = ctx.world.monotonic();
    let address = match (cluster, ctx.database) {
        (Some(step), _) => cluster::enter(ctx, step).await?,
        (None, Some(address)) => address.clone(),
        (None, None) => return Err(StepError::bug("no database was given")),
    };
    let connection = address.connect(ctx.clients.call_timeout()).await?;
    let tables = connection.tables().await?;
    let beat = heartbeat(&connection, column).await?;
    let answered_at = ctx.world.now();
    if tables.is_empty() {
        return Err(StepError::finding(
            "database-empty",
            format!("{} has no tables", address.shown()),
        ));
    }
    let digests = digests(ctx, &address, streams).await?;
    if let Some((table, why)) = digests.unreadable.iter().next() {
        return Err(StepError::finding(
            "table-unreadable",
            format!("table {table} of {} cannot be read: {why}", address.shown()),
        ));
    }
    Ok(Evidence::Checked {
        tables: digests.tables.len() as u64,
        rows: digests.rows(),
        heartbeat_id: beat.id,
        heartbeat_at: beat.at,
        digests: digests.tables,
        answered_at,
        took_s: start.elapsed().as_secs_f64(),
    })
}

#[cfg(test)]
mod tests {
    use super::told;

    #[test]
    fn an_assertion_keeps_numbers_and_no_text_of_a_row() {
        assert_eq!(told(Some("7"), "0"), "'7'");
        assert_eq!(told(Some("f"), "t"), "'f'");
        assert_eq!(told(None, "t"), "nothing");
        for (found, wanted) in [("mia@example.org", "0"), ("41111111", "x"), ("f", "0")] {
            assert_eq!(told(Some(found), wanted), "another text");
        }
    }
}
