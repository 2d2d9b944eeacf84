//! A database that is being loaded: what of it is committed stands in `dr_restore.progress`, one
//! row per item, written in the transaction that loaded it. At the end that schema goes and a
//! comment on the database stays.

use super::connect::Postgres;
use super::copy::CopyInto;
use super::session::firsts;
use super::snapshot::column_list;
use super::statements::TABLES;
use crate::database::error::DatabaseError;
use crate::database::found::{Begun, Destination};
use crate::database::kind::RowsIn;
use crate::database::quote::{ident, literal, qualified};
use bytes::Bytes;
use std::collections::BTreeSet;

const COMMENT: &str = "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname \
     = current_database()";

const THINGS: &str = "SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = \
     c.relnamespace WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' \
     AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')";

/// Tables without a foreign one below them.
const ANALYZED: &str = "WITH RECURSIVE below (root, relid) AS (SELECT inhparent, inhrelid FROM \
     pg_inherits UNION SELECT b.root, i.inhrelid FROM below b JOIN pg_inherits i ON i.inhparent = \
     b.relid) SELECT quote_ident(n.nspname) || '.' || quote_ident(c.relname) FROM pg_class c JOIN \
     pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'p', 'm') AND n.nspname !~ \
     '^pg_' AND n.nspname <> 'information_schema' AND NOT EXISTS (SELECT 1 FROM below b JOIN \
     pg_class f ON f.oid = b.relid WHERE b.root = c.oid AND f.relkind = 'f') ORDER BY 1";

/// How the item of a membership begins.
const MEMBER: &str = "member of ";

const JOINED: &str = "SELECT substr(item, 11) FROM dr_restore.progress WHERE item LIKE 'member of \
     %'";

/// Roles that this user cannot give anything to. A membership that is there already, whatever its
/// options, is not touched: it would be gone with ours.
fn foreign(version: u32) -> &'static str {
    if version < 160_000 {
        "SELECT rolname FROM pg_roles WHERE NOT rolsuper AND NOT pg_has_role(oid, 'MEMBER')"
    } else {
        "SELECT r.rolname FROM pg_roles r WHERE NOT r.rolsuper AND NOT (pg_has_role(r.oid, \
         'USAGE') AND pg_has_role(r.oid, 'SET')) AND NOT EXISTS (SELECT 1 FROM pg_auth_members m \
         JOIN pg_roles u ON u.rolname = current_user WHERE m.roleid = r.oid AND m.member = u.oid \
         AND m.grantor = u.oid)"
    }
}

impl Postgres {
    /// # Errors
    /// The server's.
    pub(super) async fn comment(&self) -> Result<Option<String>, DatabaseError> {
        self.value(COMMENT).await
    }

    /// # Errors
    /// The server's.
    pub(super) async fn things(&self) -> Result<u64, DatabaseError> {
        self.number(THINGS).await
    }

    /// # Errors
    /// The server's.
    pub(super) async fn begun(&self, prefix: &str) -> Result<Begun, DatabaseError> {
        let table = "SELECT to_regclass('dr_restore.progress')::text";
        if self.value(table).await?.is_none() {
            return Ok(Begun::Not);
        }
        let by = format!(
            "SELECT item FROM dr_restore.progress WHERE item LIKE {}",
            literal(&format!("{prefix}%"))
        );
        Ok(Begun::By(self.value(&by).await?))
    }

    /// # Errors
    /// The server's.
    pub(super) async fn begin_load(&self, mark: &str) -> Result<(), DatabaseError> {
        self.execute(&format!(
            "BEGIN; CREATE SCHEMA dr_restore; CREATE TABLE dr_restore.progress (item text PRIMARY \
             KEY, at timestamptz NOT NULL DEFAULT now()); {TABLES}; INSERT INTO \
             dr_restore.progress (item) VALUES ({}); COMMIT",
            literal(mark)
        ))
        .await
    }

    /// # Errors
    /// The server's.
    pub(super) async fn loaded(&self, item: &str) -> Result<bool, DatabaseError> {
        let found = self
            .value(&format!(
                "SELECT 1 FROM dr_restore.progress WHERE item = {}",
                literal(item)
            ))
            .await?;
        Ok(found.is_some())
    }

    /// Ends a transaction with the item that it loaded.
    ///
    /// # Errors
    /// The server's.
    pub(super) async fn commit_item(&self, item: &str) -> Result<(), DatabaseError> {
        self.execute(&format!(
            "INSERT INTO dr_restore.progress (item) VALUES ({}); COMMIT",
            literal(item)
        ))
        .await
    }

    /// # Errors
    /// The server's.
    pub(super) async fn end_load(&self, mark: &str) -> Result<(), DatabaseError> {
        // Needs the memberships, which go now; done again it does no harm.
        self.analyze().await?;
        let database = ident(&self.address.database);
        let leave: String = firsts(self.rows(JOINED).await?)
            .map(|role| format!("REVOKE {} FROM CURRENT_USER; ", ident(&role)))
            .collect();
        self.execute(&format!(
            "BEGIN; {leave}DROP SCHEMA dr_restore CASCADE; COMMENT ON DATABASE {database} IS {}; \
             COMMIT",
            literal(mark)
        ))
        .await
    }

    /// Each table by itself: a foreign one below it would be connected to, and one that cannot be
    /// analyzed keeps no other from it. What has no statistics is slow and right.
    async fn analyze(&self) -> Result<(), DatabaseError> {
        for table in firsts(self.rows(ANALYZED).await?) {
            match self.execute(&format!("ANALYZE {table}")).await {
                Err(e) if e.transient() => return Err(e),
                _ => {}
            }
        }
        Ok(())
    }

    /// A superuser needs none. What a crash leaves behind is in the items, and goes with them.
    ///
    /// # Errors
    /// The server's.
    pub(super) async fn join_roles(
        &self,
        roles: &BTreeSet<String>,
        item: &str,
    ) -> Result<(), DatabaseError> {
        if self.loaded(item).await? {
            return Ok(());
        }
        let foreign = foreign(self.version_num().await?);
        let foreign: BTreeSet<String> = firsts(self.rows(foreign).await?).collect();
        self.execute("BEGIN").await?;
        for role in self.join(roles.intersection(&foreign)).await? {
            self.execute(&format!(
                "INSERT INTO dr_restore.progress (item) VALUES ({})",
                literal(&format!("{MEMBER}{role}"))
            ))
            .await?;
        }
        self.commit_item(item).await
    }

    /// Whether this user may say something of the database, as every load does in the end.
    ///
    /// # Errors
    /// The server's.
    pub(super) async fn owns_database(&self) -> Result<bool, DatabaseError> {
        let owns = "SELECT pg_has_role(datdba, 'USAGE') FROM pg_database WHERE datname = \
                    current_database()";
        Ok(self.value(owns).await?.as_deref() == Some("t"))
    }

    /// Leaves the roles that a load joined; for a database that goes before its load has ended.
    ///
    /// # Errors
    /// The server's.
    pub(super) async fn leave_roles(&self) -> Result<(), DatabaseError> {
        let table = "SELECT to_regclass('dr_restore.progress')::text";
        if self.value(table).await?.is_none() {
            return Ok(());
        }
        for role in firsts(self.rows(JOINED).await?) {
            let leave = format!("REVOKE {} FROM CURRENT_USER", ident(&role));
            self.execute(&leave).await?;
        }
        Ok(())
    }

    /// # Errors
    /// The server's.
    pub(super) async fn rows_in(
        &self,
        into: &Destination<'_>,
    ) -> Result<CopyInto<'_>, DatabaseError> {
        let columns = column_list(into.columns);
        // Without columns COPY takes no list, and an empty line is a row.
        let list = if columns.is_empty() {
            String::new()
        } else {
            format!(" ({columns})")
        };
        self.execute("BEGIN").await?;
        self.copy_in(&format!(
            "COPY {}{list} FROM STDIN",
            qualified(into.schema, into.table)
        ))
        .await
    }
}

impl RowsIn for CopyInto<'_> {
    async fn send(&mut self, bytes: Bytes) -> Result<(), DatabaseError> {
        CopyInto::send(self, bytes).await
    }

    async fn commit(self, item: &str) -> Result<(), DatabaseError> {
        let connection = self.connection;
        self.finish().await?;
        connection.commit_item(item).await
    }
}
