//! A database that is being loaded: what of it is committed stands in `dr_restore.progress`, one
//! row per item, written in the transaction that loaded it. At the end one row is left: it needs
//! nothing that a restored object could refuse, and goes once what was loaded is looked at.

use super::connect::Postgres;
use super::copy::CopyInto;
use super::large;
use super::session::firsts;
use super::snapshot::column_list;
use super::statements::TABLES;
use crate::database::error::DatabaseError;
use crate::database::found::{Begun, Destination};
use crate::database::kind::RowsIn;
use crate::database::quote::{ident, literal, qualified};
use bytes::Bytes;

pub(super) const BEGUN: &str = "SELECT to_regclass('dr_restore.progress')::text";

/// How the item of a load that has ended begins.
const ENDED: &str = "ended: ";

/// An older version left a comment alone.
const COMMENT: &str = "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname \
     = current_database()";

/// Whether everybody may enter it.
const OPEN: &str = "SELECT EXISTS (SELECT 1 FROM aclexplode(coalesce(datacl, acldefault('d', \
     datdba))) WHERE grantee = 0 AND privilege_type = 'CONNECT') FROM pg_database WHERE datname = \
     current_database()";

/// What `template0` does not have and no extension brought.
const THINGS: &str = "WITH own (class, oid) AS (SELECT 'pg_class'::regclass, c.oid FROM pg_class c \
     JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname !~ '^pg_' AND n.nspname <> \
     'information_schema' AND c.relkind NOT IN ('i', 'I', 't') UNION ALL SELECT \
     'pg_proc'::regclass, p.oid FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace \
     WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' UNION ALL SELECT \
     'pg_type'::regclass, t.oid FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace \
     WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' AND t.typrelid = 0 AND \
     t.typelem = 0 UNION ALL SELECT 'pg_namespace'::regclass, oid FROM pg_namespace WHERE nspname \
     !~ '^pg_' AND nspname NOT IN ('information_schema', 'public') UNION ALL SELECT \
     'pg_foreign_server'::regclass, oid FROM pg_foreign_server UNION ALL SELECT \
     'pg_event_trigger'::regclass, oid FROM pg_event_trigger UNION ALL SELECT \
     'pg_publication'::regclass, oid FROM pg_publication UNION ALL SELECT \
     'pg_largeobject'::regclass, oid FROM pg_largeobject_metadata) SELECT count(*) FROM own o \
     WHERE NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.classid = o.class AND d.objid = o.oid \
     AND d.deptype = 'e')";

/// Tables without a foreign one below them.
const ANALYZED: &str = "WITH RECURSIVE below (root, relid) AS (SELECT inhparent, inhrelid FROM \
     pg_inherits UNION SELECT b.root, i.inhrelid FROM below b JOIN pg_inherits i ON i.inhparent = \
     b.relid) SELECT quote_ident(n.nspname) || '.' || quote_ident(c.relname) FROM pg_class c JOIN \
     pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'p', 'm') AND n.nspname !~ \
     '^pg_' AND n.nspname <> 'information_schema' AND NOT EXISTS (SELECT 1 FROM below b JOIN \
     pg_class f ON f.oid = b.relid WHERE b.root = c.oid AND f.relkind = 'f') ORDER BY 1";

/// All that was committed before is on disk when this is.
const LAST: &str = "SET LOCAL synchronous_commit = on; ";

/// The item of a database that everybody could enter.
const CLOSED: &str = "closed";

impl Postgres {
    /// # Errors
    /// The server's.
    pub(super) async fn ended(&self) -> Result<Option<String>, DatabaseError> {
        if self.value(BEGUN).await?.is_none() {
            return self.value(COMMENT).await;
        }
        let sql = format!(
            "SELECT substr(item, {}) FROM dr_restore.progress WHERE item LIKE '{ENDED}%'",
            ENDED.len() + 1
        );
        self.value(&sql).await
    }

    /// # Errors
    /// The server's.
    pub(super) async fn things(&self) -> Result<u64, DatabaseError> {
        self.number(THINGS).await
    }

    /// # Errors
    /// The server's.
    pub(super) async fn begun(&self, prefix: &str) -> Result<Begun, DatabaseError> {
        if self.value(BEGUN).await?.is_none() {
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
        // Nobody enters before row-level security is there.
        let close = match self.value(OPEN).await?.as_deref() {
            Some("t") => format!(
                "REVOKE CONNECT ON DATABASE {} FROM PUBLIC; INSERT INTO dr_restore.progress \
                 (item) VALUES ('{CLOSED}'); ",
                ident(&self.address.database)
            ),
            _ => String::new(),
        };
        self.execute(&format!(
            "BEGIN; CREATE SCHEMA dr_restore; CREATE TABLE dr_restore.progress (item text PRIMARY \
             KEY, at timestamptz NOT NULL DEFAULT now()); {TABLES}; INSERT INTO \
             dr_restore.progress (item) VALUES ({}); {close}COMMIT",
            literal(mark)
        ))
        .await
    }

    /// For a dump that says nothing of who may enter: whoever could before.
    ///
    /// # Errors
    /// The server's.
    pub(super) async fn open_again(&self) -> Result<(), DatabaseError> {
        if !self.loaded(CLOSED).await? {
            return Ok(());
        }
        let database = ident(&self.address.database);
        self.execute(&format!("GRANT CONNECT ON DATABASE {database} TO PUBLIC"))
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
        let leave = self.leaves().await?;
        self.execute_as(
            "end the load",
            &format!(
                "BEGIN; {LAST}{leave}DELETE FROM dr_restore.progress; INSERT INTO \
                 dr_restore.progress (item) VALUES ({}); COMMIT",
                literal(&format!("{ENDED}{mark}"))
            ),
        )
        .await
    }

    /// What a load left for a second attempt at it; one that has not ended keeps it.
    ///
    /// # Errors
    /// The server's.
    pub(super) async fn forget_load(&self) -> Result<(), DatabaseError> {
        if self.value(BEGUN).await?.is_none() || self.ended().await?.is_none() {
            return Ok(());
        }
        self.execute("DROP SCHEMA IF EXISTS dr_restore CASCADE")
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

    /// Whether this user may say something of the database, as every load does in the end.
    ///
    /// # Errors
    /// The server's.
    pub(super) async fn owns_database(&self) -> Result<bool, DatabaseError> {
        let owns = "SELECT pg_has_role(datdba, 'USAGE') FROM pg_database WHERE datname = \
                    current_database()";
        Ok(self.value(owns).await?.as_deref() == Some("t"))
    }

    /// # Errors
    /// The server's.
    pub(super) async fn rows_in(
        &self,
        into: &Destination<'_>,
    ) -> Result<CopyInto<'_>, DatabaseError> {
        if large::is(into.schema, into.table) {
            self.execute(&format!("BEGIN; {}", large::WAIT)).await?;
            let rows = self.copy_in(large::INTO).await?;
            return Ok(rows.then(large::WRITE));
        }
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
        let (connection, then) = (self.connection, self.then);
        self.finish().await?;
        if let Some(then) = then {
            connection.execute(then).await?;
        }
        connection.commit_item(item).await
    }
}
