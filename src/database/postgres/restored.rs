//! What is asked of a restored database, and what is switched off in it.

use super::connect::Postgres;
use super::rights::Of;
use super::session::firsts;
use crate::database::answers::Each;
use crate::database::error::DatabaseError;
use crate::database::quote::{ident, qualified};
use crate::manifest::HeartbeatColumn;
use crate::plan::Beat;
use futures_util::StreamExt;
use std::pin::pin;
use tokio_postgres::{Column, SimpleQueryMessage};

const SUBSCRIPTIONS: &str = "SELECT subname FROM pg_subscription WHERE subenabled AND subdbid \
     = (SELECT oid FROM pg_database WHERE datname = current_database())";
const JOBS: &str = "UPDATE cron.job SET active = false WHERE active RETURNING \
     jobid::text || coalesce(' ' || jobname, '')";

impl Postgres {
    /// # Errors
    /// The server's.
    pub(super) async fn heartbeat(&self, column: &HeartbeatColumn) -> Result<Beat, DatabaseError> {
        let sql = beat_of(column);
        let (schema, table) = place_of(column);
        let name = Of::Table {
            schema,
            name: table,
        };
        let rows = self.borrowed(name, async || self.rows(&sql).await).await?;
        let field = |n: usize| rows.first().and_then(|r| r.get(n).cloned().flatten());
        Ok(Beat {
            id: field(0).and_then(|t| t.parse().ok()),
            at: field(1).and_then(|t| t.parse().ok()),
        })
    }

    /// In a transaction that is rolled back.
    ///
    /// # Errors
    /// Of the transaction; the statement's own are inside.
    pub(super) async fn ask(
        &self,
        statement: &str,
    ) -> Result<Result<Option<String>, DatabaseError>, DatabaseError> {
        let value = async || {
            // One statement alone: a second one could end the transaction that is undone.
            let prepared = self.client.prepare(statement).await;
            prepared.map_err(|e| self.failed("prepare an assertion", &e))?;
            self.value(statement).await
        };
        self.looking(value).await
    }

    /// The same of all rows: they come as they are taken, and none is kept here.
    ///
    /// # Errors
    /// Of the transaction; the statement's own are inside.
    pub(super) async fn answers_of(
        &self,
        statement: &str,
        each: &mut dyn Each,
    ) -> Result<Result<(), DatabaseError>, DatabaseError> {
        self.looking(async || self.each_row(statement, each).await)
            .await
    }

    /// Work that may look and not change, by the rights of all.
    async fn looking<T>(
        &self,
        work: impl AsyncFnOnce() -> Result<T, DatabaseError>,
    ) -> Result<Result<T, DatabaseError>, DatabaseError> {
        let asked = async || {
            // Whoever borrowed rights is in a transaction already.
            self.execute("BEGIN; SET TRANSACTION READ ONLY").await?;
            Ok(work().await)
        };
        let answer = self.borrowed(Of::All, asked).await?;
        self.execute("ROLLBACK").await?;
        Ok(answer)
    }

    async fn each_row(&self, statement: &str, each: &mut dyn Each) -> Result<(), DatabaseError> {
        const OPERATION: &str = "read the rows of a reference";
        let failed = |e: &tokio_postgres::Error| self.failed(OPERATION, e);
        // One statement alone, as above; and what its columns are called, before the first row.
        let prepared = self.client.prepare(statement).await;
        let prepared = prepared.map_err(|e| failed(&e))?;
        let names: Vec<&str> = prepared.columns().iter().map(Column::name).collect();
        let fit = each.columns(&names);
        fit.map_err(|why| self.odd(OPERATION, &why))?;
        let rows = self.client.simple_query_raw(statement).await;
        let mut rows = pin!(rows.map_err(|e| failed(&e))?);
        while let Some(message) = rows.next().await {
            if let SimpleQueryMessage::Row(row) = message.map_err(|e| failed(&e))? {
                let values: Vec<Option<&str>> = (0..row.len()).map(|n| row.get(n)).collect();
                each.row(&values);
            }
        }
        Ok(())
    }

    /// Whether this server starts what runs jobs; who may not know that takes it for so.
    async fn runs_jobs(&self) -> Result<bool, DatabaseError> {
        let shown = self
            .value("SELECT setting FROM pg_settings WHERE name = 'shared_preload_libraries'")
            .await?;
        Ok(shown.is_none_or(|libraries| libraries.contains("pg_cron")))
    }

    /// Subscriptions and pg_cron jobs.
    ///
    /// # Errors
    /// The server's.
    pub(super) async fn side_effects_off(&self) -> Result<Vec<String>, DatabaseError> {
        let mut off = Vec::new();
        for name in firsts(self.rows(SUBSCRIPTIONS).await?) {
            let disable = format!("ALTER SUBSCRIPTION {} DISABLE", ident(&name));
            // One that is still on would take what its publisher holds for production.
            self.execute(&disable).await?;
            off.push(format!("subscription {name}"));
        }
        let has_jobs = "SELECT to_regclass('cron.job')::text";
        if self.value(has_jobs).await?.is_some() {
            match self.rows(JOBS).await {
                Err(e) if e.transient() || self.runs_jobs().await? => return Err(e),
                Err(e) => off.push(format!("scheduled jobs, which nothing runs: {}", e.source)),
                Ok(rows) => off.extend(firsts(rows).map(|job| format!("scheduled job {job}"))),
            }
        }
        Ok(off)
    }
}

fn place_of(column: &HeartbeatColumn) -> (&str, &str) {
    let place = column.table.split_once('.');
    place.unwrap_or(("public", &column.table))
}

/// The newest one: its number, and its instant in UTC.
pub(super) fn beat_of(column: &HeartbeatColumn) -> String {
    let (schema, table) = place_of(column);
    let (id, at) = (ident(&column.id), ident(&column.at));
    format!(
        "SELECT {id}::bigint, to_char({at} AT TIME ZONE 'UTC', \
         'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"') FROM {} ORDER BY {id} DESC LIMIT 1",
        qualified(schema, table)
    )
}
