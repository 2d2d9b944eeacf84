//! A restored database that is a run's own is opened to its user, so that all rows can be read in
//! several sessions at once: no transaction could be undone then. What a dump says of it is kept
//! first, as it was found, in a database beside it.

use super::connect::Postgres;
use super::rights::{Lacking, Of};
use crate::database::error::DatabaseError;
use crate::database::found::{AsFound, Keep, SchemaAsFound, SchemaError, SchemaPart};
use crate::database::quote::literal;
use crate::manifest::{Document, Roles};
use crate::model::Seconds;
use std::collections::BTreeSet;

/// A schema of our own: on old servers anybody may make things in `public`.
const SCHEMA: &str = "CREATE SCHEMA IF NOT EXISTS dr_kept; CREATE TABLE IF NOT EXISTS dr_kept.kept \
     (name text PRIMARY KEY, body text NOT NULL)";
const ROLES: &str = "roles";
const SEQUENCES: &str = "sequences";
const OWNERS: &str = "owners";
const FORCED: &str = "forced";
const UNREAD: &str = "unread";

impl Postgres {
    /// Done twice it is done once. Returns what was changed; nothing for a user that could read
    /// all of it.
    ///
    /// # Errors
    /// The server's. A schema that cannot be read is kept as that: it is the dump's to say so.
    pub(super) async fn open_up(&self, keep: &Keep<'_>) -> Result<Vec<String>, DatabaseError> {
        let Some(kept) = self.kept_at(keep, Make::IfLacking).await? else {
            return Ok(Vec::new());
        };
        kept.execute(SCHEMA).await?;
        let (database, lacking) = (&self.address.database, self.lacking(Of::All).await?);
        let of = |what| named(database, what);
        if kept.body(ROLES).await?.is_none() {
            let roles = self.roles().await?.to_bytes();
            let roles = String::from_utf8_lossy(&roles).into_owned();
            kept.keep(&[(ROLES.to_owned(), roles)]).await?;
        }
        // All before the first change of ours: a crash right here leaves what they were.
        if kept.body(&of(OWNERS)).await?.is_none() {
            let Lacking { owners, forced } = &lacking;
            let rows = [(of(OWNERS), list(owners)), (of(FORCED), list(forced))];
            kept.keep(&rows).await?;
        }
        let owners = unlisted(kept.body(&of(OWNERS)).await?);
        let forced = unlisted(kept.body(&of(FORCED)).await?);
        self.execute("BEGIN").await?;
        let joined = self.join(&owners).await?;
        self.execute("COMMIT").await?;
        if kept.body(&of(SEQUENCES)).await?.is_none() && kept.body(&of(UNREAD)).await?.is_none() {
            let rows = match self.schema_as_found(database).await {
                Ok(rows) => rows,
                Err(SchemaError::Database(e)) if e.transient() => return Err(e),
                Err(e) => vec![(of(UNREAD), why(&e))],
            };
            kept.keep(&rows).await?;
        }
        let mut changed: Vec<String> = joined
            .iter()
            .map(|owner| format!("{} became a member of {owner}", self.address.user))
            .collect();
        for table in &forced {
            self.execute("BEGIN").await?;
            let done = self.no_force(table).await?;
            self.execute("COMMIT").await?;
            if done {
                changed.push(format!(
                    "row-level security of {table} is not forced any more"
                ));
            }
        }
        Ok(changed)
    }

    /// What a dump says of this database now.
    ///
    /// # Errors
    /// `NoReader`; the server's.
    pub(super) async fn schema_as_it_is(
        &self,
        snapshot: &str,
    ) -> Result<SchemaAsFound, SchemaError> {
        /// At a source somebody may be changing a table for hours.
        const PATIENCE: Seconds = Seconds(60);
        let reader = self.schema_reader().await?.waiting(PATIENCE);
        self.reads_safely(&reader).await?;
        let mut sections = Vec::new();
        for part in [SchemaPart::BeforeRows, SchemaPart::AfterRows] {
            sections.push((part, self.schema(&reader, part, snapshot).await?));
        }
        let sequences = self.sequences().await?;
        Ok(SchemaAsFound {
            sections,
            sequences,
        })
    }

    async fn schema_as_found(&self, database: &str) -> Result<Vec<(String, String)>, SchemaError> {
        let snapshot = self.begin_snapshot().await?;
        let found = self.schema_as_it_is(&snapshot).await;
        self.execute("ROLLBACK").await?;
        let found = found?;
        let section = |(part, text): (SchemaPart, String)| (named(database, part.section()), text);
        let mut rows: Vec<_> = found.sections.into_iter().map(section).collect();
        rows.push((named(database, SEQUENCES), found.sequences));
        Ok(rows)
    }

    /// What was kept of this database, or of its server alone where nothing was changed in it.
    ///
    /// # Errors
    /// The server's; its schema could not be read then.
    pub(super) async fn as_found(&self, keep: &Keep<'_>) -> Result<Option<AsFound>, SchemaError> {
        let Some(kept) = self.kept_at(keep, Make::Never).await? else {
            return Ok(None);
        };
        kept.execute(SCHEMA).await?;
        let database = &self.address.database;
        if let Some(why) = kept.body(&named(database, UNREAD)).await? {
            return Err(SchemaError::NoReader(why));
        }
        let Some(roles) = kept.body(ROLES).await? else {
            return Ok(None);
        };
        let roles = Roles::from_bytes(roles.as_bytes());
        let roles = roles.map_err(|e| self.odd("read the kept roles", &e.to_string()))?;
        let mut sections = Vec::new();
        for part in [SchemaPart::BeforeRows, SchemaPart::AfterRows] {
            let text = kept.body(&named(database, part.section())).await?;
            sections.extend(text.map(|text| (part, text)));
        }
        let sequences = kept.body(&named(database, SEQUENCES)).await?;
        let schema = sequences.map(|sequences| SchemaAsFound {
            sections,
            sequences,
        });
        Ok(Some(AsFound { roles, schema }))
    }

    async fn kept_at(
        &self,
        keep: &Keep<'_>,
        make: Make,
    ) -> Result<Option<Postgres>, DatabaseError> {
        let mut there = self.is_there(keep).await?;
        if !there && (make == Make::Never || self.lacking(Of::All).await?.is_empty()) {
            return Ok(None);
        }
        if !there {
            there = self
                .make_database(keep.database, keep.comment, None)
                .await?
                && self.is_there(keep).await?;
        }
        if !there {
            let why = format!("database {} is somebody else's", keep.database);
            return Err(self.odd("keep what was found", &why));
        }
        let address = self.address.with_database(keep.database);
        Self::open(&address, keep.timeout).await.map(Some)
    }

    async fn is_there(&self, keep: &Keep<'_>) -> Result<bool, DatabaseError> {
        Ok(self.value(&there(keep)).await?.is_some())
    }

    async fn body(&self, name: &str) -> Result<Option<String>, DatabaseError> {
        let sql = format!(
            "SELECT body FROM dr_kept.kept WHERE name = {}",
            literal(name)
        );
        self.value(&sql).await
    }

    /// All of them or none.
    async fn keep(&self, rows: &[(String, String)]) -> Result<(), DatabaseError> {
        let values: Vec<String> = rows
            .iter()
            .map(|(name, body)| format!("({}, {})", literal(name), literal(body)))
            .collect();
        let sql = format!(
            "INSERT INTO dr_kept.kept (name, body) VALUES {}",
            values.join(", ")
        );
        self.execute_as("keep what was found", &sql).await
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Make {
    IfLacking,
    Never,
}

/// Only one of this user's own: what somebody put there under its name is not believed.
fn there(keep: &Keep<'_>) -> String {
    format!(
        "SELECT 1 FROM pg_database d JOIN pg_roles r ON r.oid = d.datdba WHERE d.datname = {} AND \
         r.rolname = current_user",
        literal(keep.database)
    )
}

fn why(e: &SchemaError) -> String {
    match e {
        SchemaError::NoReader(why) => why.clone(),
        SchemaError::Database(e) => format!("{e}: {}", e.source),
    }
}

fn named(database: &str, what: &str) -> String {
    format!("{what} of {database}")
}

/// Names may hold line breaks.
fn list(names: &BTreeSet<String>) -> String {
    serde_json::to_string(names).unwrap_or_default()
}

fn unlisted(text: Option<String>) -> BTreeSet<String> {
    let text = text.unwrap_or_default();
    serde_json::from_str(&text).unwrap_or_default()
}
