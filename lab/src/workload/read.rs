//! The digest of a running database, read as any judge would read it.

use super::digest::TableDigest;
use crate::pg::PgError;
use crate::pg::session::{Session, identifier};
use futures::StreamExt;
use serde::Serialize;
use std::collections::BTreeMap;

/// What a database holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Reading {
    pub tables: BTreeMap<String, TableDigest>,
    /// The newest operation in it; `None` where there is no heartbeat table.
    pub heartbeat: Option<i64>,
}

const SESSION: &str = "SET datestyle='ISO, MDY'; SET intervalstyle=postgres; SET \
 extra_float_digits=3; SET bytea_output=hex; SET timezone='UTC'; \
     SET client_encoding=UTF8; SET xmloption=content; SET search_path=pg_catalog; SET \
     row_security=off; \
     BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

const TABLES: &str = "SELECT n.nspname, c.relname, coalesce((SELECT \
 string_agg(quote_ident(a.attname), ', ' ORDER BY a.attname COLLATE \"C\") \
   FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND \
   a.attgenerated = ''), '') \
 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
 WHERE c.relkind = 'r' AND c.relpersistence <> 't' AND n.nspname !~ '^pg_' AND n.nspname NOT IN \
 ('information_schema', 'dr_restore') \
   AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid \
   = c.oid AND d.deptype = 'e')";

/// All tables in one snapshot, so that heartbeat and digests belong together.
///
/// # Errors
/// The server's.
pub async fn digest_of_database(url: &str) -> Result<Reading, PgError> {
    let session = Session::url(url).await?;
    session.batch(SESSION).await?;
    let mut reading = Reading::default();
    for row in session.rows(TABLES).await? {
        let [schema, table, columns]: [String; 3] = row
            .into_iter()
            .flatten()
            .collect::<Vec<_>>()
            .try_into()
            .map_err(|_| PgError::told("a table without a name"))?;
        let from = format!("{}.{}", identifier(&schema), identifier(&table));
        let digest = digest(
            &session,
            &format!("COPY (SELECT {columns} FROM ONLY {from}) TO STDOUT"),
        )
        .await?;
        reading.tables.insert(format!("{schema}.{table}"), digest);
    }
    if reading.tables.contains_key("app.heartbeat") {
        let newest = session
            .text("SELECT coalesce(max(id), 0) FROM app.heartbeat")
            .await?;
        reading.heartbeat = newest.and_then(|n| n.parse().ok());
    }
    session.batch("COMMIT").await?;
    Ok(reading)
}

async fn digest(session: &Session, copy: &str) -> Result<TableDigest, PgError> {
    let stream = session
        .client
        .copy_out(copy)
        .await
        .map_err(PgError::sql("COPY"))?;
    futures::pin_mut!(stream);
    let mut digest = TableDigest::default();
    while let Some(bytes) = stream.next().await {
        // The server sends one row a message.
        let bytes = bytes.map_err(PgError::sql("COPY"))?;
        digest.add(bytes.strip_suffix(b"\n").unwrap_or(&bytes));
    }
    Ok(digest)
}
