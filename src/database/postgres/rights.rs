//! What a user that is no superuser lacks to read a database of ours whole: membership in the
//! owners, and a way past row-level security that is forced on owners too. Read is as
//! `secured.rs` says: what a policy would hide is an error, never fewer rows.

use super::connect::Postgres;
use super::platform;
use super::session::firsts;
use crate::database::error::DatabaseError;
use crate::database::found::{Pages, Table};
use crate::database::kind::{Read, RowsOut};
use crate::database::quote::{ident, literal, qualified};
use crate::manifest::TableDigest;
use serde::Deserialize;
use std::collections::BTreeSet;

/// Of which tables.
#[derive(Clone, Copy)]
pub(super) enum Of<'a> {
    All,
    Table { schema: &'a str, name: &'a str },
}

/// What is lacking to read them.
#[derive(Default)]
pub(super) struct Lacking {
    /// Owners of tables, sequences and schemas whom the user is no member of; and who reads all,
    /// where an owner has no right to read what is his, or is a superuser, whom nobody joins.
    pub owners: BTreeSet<String>,
    /// Tables that force their policies on their owners, quoted.
    pub forced: BTreeSet<String>,
}

impl Lacking {
    pub fn is_empty(&self) -> bool {
        self.owners.is_empty() && self.forced.is_empty()
    }
}

#[derive(Deserialize)]
struct Row {
    owner: String,
    member: bool,
    schema_owner: String,
    schema_member: bool,
    schema: String,
    name: String,
    forced: bool,
    unread: bool,
}

/// Statements that change locks wait this long for whoever holds one.
const PATIENCE: &str = "SET LOCAL lock_timeout = '60s'";

/// Has the right to read every table and sequence, and changes none by having it; from 14 on.
const READS_ALL: &str = "pg_read_all_data";

/// Nothing of an extension.
fn lacking(of: Of<'_>) -> String {
    let one = match of {
        Of::All => String::new(),
        Of::Table { schema, name } => format!(
            " AND n.nspname = {} AND c.relname = {}",
            literal(schema),
            literal(name)
        ),
    };
    format!(
        "SELECT json_build_object('owner', o.rolname, 'member', m.member, 'schema_owner', \
         s.rolname, 'schema_member', m.schema_member, 'schema', n.nspname, 'name', c.relname, \
         'forced', m.forced, 'unread', m.unread) FROM pg_class c JOIN pg_namespace n ON n.oid = \
         c.relnamespace JOIN pg_roles o ON o.oid = c.relowner JOIN pg_roles s ON s.oid = \
         n.nspowner JOIN pg_roles u ON u.rolname = current_user, LATERAL (SELECT o.rolsuper OR \
         pg_has_role(o.oid, 'USAGE') AS member, s.rolsuper OR pg_has_role(s.oid, 'USAGE') OR \
         has_schema_privilege(n.oid, 'USAGE') AS schema_member, c.relrowsecurity AND \
         c.relforcerowsecurity AND NOT u.rolbypassrls AND NOT o.rolsuper AS forced, c.relkind IN \
         ('r', 'p', 'S') AND NOT ((has_schema_privilege(n.oid, 'USAGE') OR (NOT s.rolsuper AND \
         has_schema_privilege(s.oid, n.oid, 'USAGE'))) AND (has_table_privilege(c.oid, 'SELECT') \
         OR (NOT o.rolsuper AND has_table_privilege(o.oid, c.oid, 'SELECT')))) AS unread) m WHERE \
         NOT u.rolsuper AND c.relkind IN ('r', 'p', 'S', 'v', 'm') AND n.nspname !~ '^pg_' AND \
         n.nspname <> 'information_schema' AND NOT (m.member AND m.schema_member AND NOT m.forced \
         AND NOT m.unread) AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.classid = \
         'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e'){one}"
    )
}

/// Owners of large objects.
const OBJECTS: &str = "SELECT DISTINCT o.rolname FROM pg_largeobject_metadata m JOIN pg_roles o ON \
     o.oid = m.lomowner JOIN pg_roles u ON u.rolname = current_user WHERE NOT (u.rolsuper OR \
     o.rolsuper OR pg_has_role(o.oid, 'USAGE'))";

/// Refused because of who owns what, and for good.
fn not_given(e: &DatabaseError) -> bool {
    let codes = ["42501", "0LP01", "42704", "2BP01"];
    e.code.as_deref().is_some_and(|c| codes.contains(&c))
}

impl Postgres {
    /// # Errors
    /// The server's.
    pub(super) async fn lacking(&self, of: Of<'_>) -> Result<Lacking, DatabaseError> {
        let mut found = Lacking::default();
        for row in self.json::<Row>(&lacking(of)).await? {
            let owners = [
                (row.member, row.owner),
                (row.schema_member, row.schema_owner),
            ];
            let missing = owners.into_iter().filter(|(member, _)| !member);
            found.owners.extend(missing.map(|(_, owner)| owner));
            if row.unread {
                found.owners.insert(READS_ALL.to_owned());
            }
            if row.forced {
                found.forced.insert(qualified(&row.schema, &row.name));
            }
        }
        if matches!(of, Of::All) {
            found.owners.extend(firsts(self.rows(OBJECTS).await?));
        }
        Ok(found)
    }

    /// Becomes a member of roles, in the transaction that is open; of those that the server gives,
    /// and of none of the platform's.
    ///
    /// # Errors
    /// The server's, but for its refusal.
    pub(super) async fn join(
        &self,
        roles: impl IntoIterator<Item = &String>,
    ) -> Result<Vec<String>, DatabaseError> {
        // Before 16 a membership has no options, and inherits as its member does.
        let options = match self.version_num().await? {
            160_000.. => " WITH INHERIT TRUE, SET TRUE",
            _ => "",
        };
        let mut joined = Vec::new();
        for role in roles
            .into_iter()
            .filter(|r| !platform::role(r) || *r == READS_ALL)
        {
            let grant = format!("GRANT {} TO CURRENT_USER{options}", ident(role));
            // What a role owns that is not given cannot be read, and whoever reads it says so.
            if self.given(&grant).await? {
                joined.push(role.clone());
            }
        }
        Ok(joined)
    }

    /// False: the server does not give it.
    async fn given(&self, sql: &str) -> Result<bool, DatabaseError> {
        match self.attempt(async || self.execute(sql).await).await? {
            Ok(()) => Ok(true),
            Err(e) if not_given(&e) => Ok(false),
            Err(e) => Err(e),
        }
    }

    /// In the transaction that is open. False: this user is no member of the owner.
    ///
    /// # Errors
    /// The server's, but for its refusal.
    pub(super) async fn no_force(&self, table: &str) -> Result<bool, DatabaseError> {
        self.given(&format!("ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY"))
            .await
    }

    /// Does what needs to read tables of a database of ours, with rights that are given back: the
    /// transaction that took them is undone. Not for a database that others write to: a table that
    /// forces its policies is locked meanwhile.
    ///
    /// # Errors
    /// The server's; the work's.
    pub(super) async fn borrowed<T>(
        &self,
        of: Of<'_>,
        work: impl AsyncFnOnce() -> Result<T, DatabaseError>,
    ) -> Result<T, DatabaseError> {
        let lacking = self.lacking(of).await?;
        if lacking.is_empty() {
            return work().await;
        }
        self.undone(&lacking, work).await
    }

    /// With what is lacking, in a transaction of which nothing stays.
    ///
    /// # Errors
    /// The server's; the work's.
    pub(super) async fn undone<T>(
        &self,
        lacking: &Lacking,
        work: impl AsyncFnOnce() -> Result<T, DatabaseError>,
    ) -> Result<T, DatabaseError> {
        self.execute("BEGIN").await?;
        let result = async {
            self.execute(PATIENCE).await?;
            self.join(&lacking.owners).await?;
            for table in &lacking.forced {
                self.no_force(table).await?;
            }
            work().await
        };
        let result = result.await;
        let undone = self.execute("ROLLBACK").await;
        let result = result?;
        undone.map(|()| result)
    }

    /// One after the other, with rights that are borrowed once: two sessions that borrow those of
    /// one owner would wait for each other.
    ///
    /// # Errors
    /// The connection's; what a table refuses is its own result.
    pub(super) async fn digests_borrowing(
        &self,
        horizon: Option<u64>,
    ) -> Result<Vec<Read>, DatabaseError> {
        let each = async || {
            let mut all = Vec::new();
            // Listed with the same rights: which large objects there are is not seen without.
            for table in self.tables().await? {
                self.execute("SAVEPOINT dr_table").await?;
                let read = match horizon {
                    Some(horizon) => self.rows_by_age(&table, horizon).await,
                    None => self.digest_of(&table).await.map(|all| (all, None)),
                };
                if read.as_ref().is_err_and(DatabaseError::transient) {
                    return read.map(|_| all);
                }
                // Its locks go as well: of many tables they would not fit.
                self.execute("ROLLBACK TO SAVEPOINT dr_table; RELEASE SAVEPOINT dr_table")
                    .await?;
                all.push((table, read));
            }
            Ok(all)
        };
        self.borrowed(Of::All, each).await
    }

    /// # Errors
    /// The server's.
    pub(super) async fn digest_of(&self, of: &Table) -> Result<TableDigest, DatabaseError> {
        let mut digest = TableDigest::default();
        let mut rows = self.rows_out(of, Pages::ALL).await?;
        while let Some(lines) = RowsOut::next(&mut rows).await? {
            digest.add_lines(&lines);
        }
        Ok(digest)
    }
}
