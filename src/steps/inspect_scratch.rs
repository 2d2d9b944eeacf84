//! Reads what the restored scratch cluster holds: once, checked, and kept in the evidence for
//! comparisons.

use super::database::{digests, heartbeat};
use super::{Context, Perform, cluster};
use crate::database::{Connection, ident, literal};
use crate::manifest::Check;
use crate::model::Method;
use crate::plan::{InspectScratch, ScratchInspected};
use crate::policy::Assertion;
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
        let connection = address.connect(ctx.clients.call_timeout()).await?;
        // First of all: what would act on the world is switched off, then listed.
        let disabled = disable(&connection).await?;
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
        for assertion in &self.assertions {
            checks.push(assert(&connection, &scope, assertion).await?);
        }
        Ok(ScratchInspected {
            checks,
            tables: digests.tables,
            heartbeat: beat,
            disabled,
            took_s: start.elapsed().as_secs_f64(),
        })
    }
}

const SUBSCRIPTIONS: &str = "SELECT subname FROM pg_subscription WHERE subenabled AND subdbid \
     = (SELECT oid FROM pg_database WHERE datname = current_database())";
const JOBS: &str = "UPDATE cron.job SET active = false WHERE active RETURNING \
     jobid::text || coalesce(' ' || jobname, '')";

/// Subscriptions and pg_cron jobs. Names of what was on.
async fn disable(connection: &Connection) -> Result<Vec<String>, Fail> {
    let first = |row: &Vec<Option<String>>| row.first().cloned().flatten();
    let mut disabled = Vec::new();
    for name in connection
        .rows(SUBSCRIPTIONS)
        .await?
        .iter()
        .filter_map(first)
    {
        let disable = format!("ALTER SUBSCRIPTION {} DISABLE", ident(&name));
        connection.execute(&disable).await?;
        disabled.push(format!("subscription {name}"));
    }
    let has_jobs = "SELECT to_regclass('cron.job')::text";
    if connection.value(has_jobs).await?.is_some() {
        let jobs = connection.rows(JOBS).await?;
        let jobs = jobs.iter().filter_map(first);
        disabled.extend(jobs.map(|job| format!("scheduled job {job}")));
    }
    Ok(disabled)
}

async fn assert(
    connection: &Connection,
    scope: &Scope<'_>,
    assertion: &Assertion,
) -> Result<Check, Fail> {
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
