//! Row-level security of a table that is read. With `row_security` off a policy that would hide
//! rows is an error; it is on for a table alone of which a policy says that this user sees all.

use super::connect::Postgres;
use crate::database::error::DatabaseError;
use crate::database::found::Table;
use crate::database::quote::{literal, qualified};
use serde::Deserialize;
use std::sync::atomic::Ordering;

/// Whether a policy applies to this user, if one lets it see every row, and if one takes some away.
const SECURED: &str = "SELECT json_build_object('active', row_security_active(c.oid), 'shown', \
     EXISTS (SELECT 1 FROM pg_policy p WHERE p.polrelid = c.oid AND p.polpermissive AND p.polcmd \
     IN ('r', '*') AND (0::oid = ANY (p.polroles) OR u.oid = ANY (p.polroles)) AND \
     pg_get_expr(p.polqual, p.polrelid) = 'true'), 'restricted', EXISTS (SELECT 1 FROM pg_policy p \
     WHERE p.polrelid = c.oid AND NOT p.polpermissive AND p.polcmd IN ('r', '*')), 'user', \
     quote_ident(current_user)) FROM pg_class c, pg_roles u WHERE u.rolname = current_user AND \
     c.oid = ";

#[derive(Deserialize)]
struct Secured {
    active: bool,
    shown: bool,
    restricted: bool,
    user: String,
}

impl Postgres {
    /// In the transaction that is open: what comes of this table are all of its rows.
    ///
    /// # Errors
    /// The server's; policies would hide rows of the table from this user.
    pub(super) async fn see_all(&self, of: &Table) -> Result<(), DatabaseError> {
        let table = qualified(&of.schema, &of.name);
        let secured = match of.policies {
            Some(_) => {
                let sql = format!("{SECURED}{}::regclass", literal(&table));
                self.json::<Secured>(&sql).await?.pop()
            }
            None => None,
        };
        let Some(secured) = secured.filter(|s| s.active) else {
            return self.without_policies().await;
        };
        if secured.shown && !secured.restricted {
            self.by_policy.store(true, Ordering::Relaxed);
            return self.execute("SET LOCAL row_security = on").await;
        }
        let user = secured.user;
        let typed = match secured.restricted {
            false => format!(
                "type as its owner: CREATE POLICY dr_reads ON {table} FOR SELECT TO {user} USING \
                 (true)"
            ),
            true => {
                format!("a restrictive policy takes some away; type: ALTER ROLE {user} BYPASSRLS")
            }
        };
        let why = format!("row-level security would hide rows of {table} from {user}; {typed}");
        let mut e = self.odd(DatabaseError::HIDES_ROWS, &why);
        e.code = Some("42501".into());
        Err(e)
    }

    /// As every session begins: what a policy would hide is an error.
    async fn without_policies(&self) -> Result<(), DatabaseError> {
        if !self.by_policy.swap(false, Ordering::Relaxed) {
            return Ok(());
        }
        self.execute("SET LOCAL row_security = off").await
    }
}
