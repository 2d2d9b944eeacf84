//! A restored database that is a run's own is opened to its user, so that all rows can be read in
//! several sessions at once: no transaction could be undone then. What a dump says of it is kept
//! first, as it was found, in a database beside it.

use super::client::DumpProgram;
use super::connect::Postgres;
use super::rights::Of;
use crate::database::error::DatabaseError;
use crate::database::found::{AsFound, Keep, SchemaError, SchemaPart};
use crate::database::quote::literal;
use crate::manifest::{Document, Roles};
use std::collections::BTreeSet;

const TABLE: &str = "CREATE TABLE IF NOT EXISTS public.kept (name text PRIMARY KEY, body text NOT \
     NULL)";
const ROLES: &str = "roles";
const SEQUENCES: &str = "sequences";
const OWNERS: &str = "owners";
const FORCED: &str = "forced";

impl Postgres {
    /// Done twice it is done once. Returns what was changed; nothing for a user that could read
    /// all of it.
    ///
    /// # Errors
    /// As a dump's; the server's.
    pub(super) async fn open_up(
        &self,
        keep: &Keep<'_>,
        reader: &DumpProgram,
    ) -> Result<Vec<String>, SchemaError> {
        let Some(kept) = self.kept_at(keep, Make::IfLacking).await? else {
            return Ok(Vec::new());
        };
        kept.execute(TABLE).await?;
        let database = &self.address.database;
        if kept.body(ROLES).await?.is_none() {
            // Before the first membership of ours: a crash right here leaves them as they were.
            let roles = self.roles().await?.to_bytes();
            let roles = String::from_utf8_lossy(&roles).into_owned();
            kept.keep(&[(ROLES.to_owned(), roles)]).await?;
        }
        let lacking = self.lacking(Of::All).await?;
        self.execute("BEGIN").await?;
        let joined = self.join(&lacking.owners).await?;
        self.execute("COMMIT").await?;
        if kept.body(&named(database, FORCED)).await?.is_none() {
            self.reads_safely(reader).await?;
            let snapshot = self.begin_snapshot().await?;
            let mut rows = Vec::new();
            for part in [SchemaPart::BeforeRows, SchemaPart::AfterRows] {
                let text = self.schema(reader, part, &snapshot).await?;
                rows.push((named(database, part.section()), text));
            }
            rows.push((named(database, SEQUENCES), self.sequences().await?));
            self.execute("ROLLBACK").await?;
            rows.push((named(database, OWNERS), lines(&joined)));
            let forced: Vec<String> = lacking.forced.into_iter().collect();
            rows.push((named(database, FORCED), lines(&forced)));
            kept.keep(&rows).await?;
        }
        let of = |what| named(database, what);
        let owners = unlined(kept.body(&of(OWNERS)).await?);
        let forced = unlined(kept.body(&of(FORCED)).await?);
        for table in &forced {
            self.no_force(table).await?;
        }
        let user = &self.address.user;
        let joined = owners
            .iter()
            .map(|o| format!("{user} became a member of {o}"));
        let past = forced
            .iter()
            .map(|t| format!("row-level security of {t} is not forced any more"));
        Ok(joined.chain(past).collect())
    }

    /// What was kept of this database.
    ///
    /// # Errors
    /// The server's; what is kept is no list of roles.
    pub(super) async fn as_found(&self, keep: &Keep<'_>) -> Result<Option<AsFound>, DatabaseError> {
        let Some(kept) = self.kept_at(keep, Make::Never).await? else {
            return Ok(None);
        };
        let (mut sections, database) = (Vec::new(), &self.address.database);
        for part in [SchemaPart::BeforeRows, SchemaPart::AfterRows] {
            let Some(text) = kept.body(&named(database, part.section())).await? else {
                return Ok(None);
            };
            sections.push((part, text));
        }
        let (roles, sequences) = (
            kept.body(ROLES).await?.unwrap_or_default(),
            kept.body(&named(database, SEQUENCES)).await?,
        );
        let roles = Roles::from_bytes(roles.as_bytes());
        Ok(Some(AsFound {
            roles: roles.map_err(|e| self.odd("read the kept roles", &e.to_string()))?,
            sections,
            sequences: sequences.unwrap_or_default(),
        }))
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
            there = self.make_database(keep.database, keep.comment).await?
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
            "SELECT body FROM public.kept WHERE name = {}",
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
            "INSERT INTO public.kept (name, body) VALUES {}",
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

fn named(database: &str, what: &str) -> String {
    format!("{what} of {database}")
}

/// Names may hold line breaks.
fn lines(names: &[String]) -> String {
    serde_json::to_string(names).unwrap_or_default()
}

fn unlined(text: Option<String>) -> BTreeSet<String> {
    let text = text.unwrap_or_default();
    serde_json::from_str(&text).unwrap_or_default()
}
