//! Roles that a load joins, so that it can give them what is theirs, and leaves again.

use super::connect::Postgres;
use super::load::BEGUN;
use super::rights::Of;
use super::session::firsts;
use crate::database::error::DatabaseError;
use crate::database::quote::{ident, literal};
use std::collections::BTreeSet;

/// How the item of a membership begins.
const MEMBER: &str = "member of ";

const JOINED: &str = "SELECT r.rolname FROM dr_restore.progress JOIN pg_roles r ON r.rolname = \
     substr(item, 11) WHERE item LIKE 'member of %'";

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

    /// Whose rights it takes to read what is loaded, now that owners have theirs alone.
    ///
    /// # Errors
    /// The server's.
    pub(super) async fn join_readers(&self) -> Result<(), DatabaseError> {
        let lacking = self.lacking(Of::All).await?;
        self.join_roles(&lacking.owners, "readers").await
    }

    /// Leaves the roles that a load joined; for a database that goes before its load has ended.
    ///
    /// # Errors
    /// The server's.
    pub(super) async fn leave_roles(&self) -> Result<(), DatabaseError> {
        if self.value(BEGUN).await?.is_none() {
            return Ok(());
        }
        let leave = self.leaves().await?;
        self.execute(&leave).await
    }

    /// Statements that leave them.
    ///
    /// # Errors
    /// The server's.
    pub(super) async fn leaves(&self) -> Result<String, DatabaseError> {
        Ok(firsts(self.rows(JOINED).await?)
            .map(|role| format!("REVOKE {} FROM CURRENT_USER; ", ident(&role)))
            .collect())
    }
}
