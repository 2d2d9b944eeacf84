//! What a user that is no superuser lacks to read a database of ours whole: membership in the
//! owners, and a way past row-level security that is forced on owners too. Read is with
//! `row_security=off`: what a policy would hide is an error, never fewer rows.

use super::connect::Postgres;
use crate::database::error::DatabaseError;
use crate::database::quote::{ident, literal, qualified};
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
    /// Owners of tables, sequences and schemas whom the user is no member of.
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
}

/// Statements that change locks wait this long for whoever holds one.
const PATIENCE: &str = "SET LOCAL lock_timeout = '60s'";

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
         'forced', m.forced) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN \
         pg_roles o ON o.oid = c.relowner JOIN pg_roles s ON s.oid = n.nspowner JOIN pg_roles u \
         ON u.rolname = current_user, LATERAL (SELECT pg_has_role(c.relowner, 'USAGE') AS member, \
         pg_has_role(n.nspowner, 'USAGE') OR has_schema_privilege(n.oid, 'USAGE') AS \
         schema_member, c.relrowsecurity AND c.relforcerowsecurity AND NOT u.rolbypassrls AS \
         forced) m WHERE NOT u.rolsuper AND c.relkind IN ('r', 'p', 'S', 'v', 'm') AND n.nspname \
         !~ '^pg_' AND n.nspname <> 'information_schema' AND NOT (m.member AND m.schema_member \
         AND NOT m.forced){one}"
    )
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
            if row.forced {
                found.forced.insert(qualified(&row.schema, &row.name));
            }
        }
        Ok(found)
    }

    /// Becomes a member of roles, in the transaction that is open; those that the server gives.
    ///
    /// # Errors
    /// The connection's.
    pub(super) async fn join(
        &self,
        roles: impl IntoIterator<Item = &String>,
    ) -> Result<Vec<String>, DatabaseError> {
        let mut joined = Vec::new();
        for role in roles {
            self.execute("SAVEPOINT dr").await?;
            let grant = format!("GRANT {} TO CURRENT_USER", ident(role));
            match self.execute(&grant).await {
                Ok(()) => {
                    self.execute("RELEASE SAVEPOINT dr").await?;
                    joined.push(role.clone());
                }
                Err(e) if e.transient() => return Err(e),
                // What it owns cannot be read, and whoever reads it says so.
                Err(_) => {
                    let back = "ROLLBACK TO SAVEPOINT dr; RELEASE SAVEPOINT dr";
                    self.execute(back).await?;
                }
            }
        }
        Ok(joined)
    }

    /// # Errors
    /// The server's: this user is no member of the owner.
    pub(super) async fn no_force(&self, table: &str) -> Result<(), DatabaseError> {
        self.execute(&format!("ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY"))
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
}
