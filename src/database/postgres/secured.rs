//! Row-level security of a table that is read. With `row_security` off a policy that would hide
//! rows is an error; it is on for a table alone of which a policy says that this user sees all.

use super::connect::Postgres;
use crate::database::error::DatabaseError;
use crate::database::found::Table;
use crate::database::quote::{literal, qualified};
use serde::Deserialize;

/// Whether a policy applies to this user, and if one lets it see every row while none takes some
/// away.
const SECURED: &str = "SELECT json_build_object('active', row_security_active(c.oid), 'seen', \
     EXISTS (SELECT 1 FROM pg_policy p WHERE p.polrelid = c.oid AND p.polpermissive AND p.polcmd \
     IN ('r', '*') AND (0::oid = ANY (p.polroles) OR u.oid = ANY (p.polroles)) AND \
     pg_get_expr(p.polqual, p.polrelid) = 'true') AND NOT EXISTS (SELECT 1 FROM pg_policy p WHERE \
     p.polrelid = c.oid AND NOT p.polpermissive AND p.polcmd IN ('r', '*')), 'user', \
     quote_ident(current_user)) FROM pg_class c, pg_roles u WHERE u.rolname = current_user AND \
     c.oid = ";

#[derive(Deserialize)]
struct Secured {
    active: bool,
    seen: bool,
    user: String,
}

impl Postgres {
    /// In the transaction that is open, until the next such table: what comes of this one are all
    /// of its rows.
    ///
    /// # Errors
    /// The server's; policies would hide rows of the table from this user.
    pub(super) async fn see_all(&self, of: &Table) -> Result<(), DatabaseError> {
        if !of.secured {
            return Ok(());
        }
        let table = qualified(&of.schema, &of.name);
        let sql = format!("{SECURED}{}::regclass", literal(&table));
        let Some(secured) = self.json::<Secured>(&sql).await?.pop() else {
            return Ok(());
        };
        match (secured.active, secured.seen) {
            (false, _) => self.execute("SET LOCAL row_security = off").await,
            (true, true) => self.execute("SET LOCAL row_security = on").await,
            (true, false) => {
                let user = secured.user;
                let why = format!(
                    "row-level security would hide rows of {table} from {user}; type as its \
                     owner: CREATE POLICY dr_reads ON {table} FOR SELECT TO {user} USING (true)"
                );
                let mut e = self.odd("read a table with policies", &why);
                e.code = Some("42501".into());
                Err(e)
            }
        }
    }
}
