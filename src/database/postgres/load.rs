//! A database that is being loaded: what of it is committed stands in `dr_restore.progress`, one
//! row per item, written in the transaction that loaded it. At the end that schema goes and a
//! comment on the database stays.

use super::connect::Postgres;
use super::copy::CopyInto;
use super::snapshot::column_list;
use crate::database::error::DatabaseError;
use crate::database::found::{Begun, Destination};
use crate::database::kind::RowsIn;
use crate::database::quote::{ident, literal, qualified};
use bytes::Bytes;

const COMMENT: &str = "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname \
     = current_database()";

const THINGS: &str = "SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = \
     c.relnamespace WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' \
     AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')";

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
             KEY, at timestamptz NOT NULL DEFAULT now()); INSERT INTO dr_restore.progress (item) \
             VALUES ({}); COMMIT",
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
        let database = ident(&self.address.database);
        self.execute(&format!(
            "BEGIN; DROP SCHEMA dr_restore CASCADE; COMMENT ON DATABASE {database} IS {}; COMMIT",
            literal(mark)
        ))
        .await?;
        self.execute("ANALYZE").await
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
