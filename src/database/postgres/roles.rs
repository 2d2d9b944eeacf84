//! Roles: read from the catalogues, compared, and made again by statements of our own. Nothing that
//! was stored is ever read as SQL.

mod action;
mod compare;
mod hand;
mod make;

pub(super) use action::list;
pub(super) use compare::differences;
pub(super) use hand::by_hand;

use super::connect::Postgres;
use super::platform;
use crate::database::error::DatabaseError;
use crate::manifest::{Membership, ParameterGrant, RoleRow, Roles};
use serde::de::DeserializeOwned;

const ROLES: &str = "SELECT json_build_object('name', r.rolname, 'superuser', r.rolsuper, \
 'inherit', r.rolinherit, 'create_role', r.rolcreaterole, 'create_db', r.rolcreatedb, 'login', \
 r.rolcanlogin, 'replication', r.rolreplication, 'bypass_rls', r.rolbypassrls, \
 'connection_limit', r.rolconnlimit, 'valid_until', r.rolvaliduntil::text, \
 'comment', shobj_description(r.oid, 'pg_authid'), \
 'settings', (SELECT coalesce(json_agg(json_build_object('name', split_part(s.line, '=', 1), \
   'value', substr(s.line, strpos(s.line, '=') + 1)) ORDER BY s.at), '[]') FROM \
   pg_db_role_setting d, unnest(d.setconfig) WITH ORDINALITY AS s (line, at) \
   WHERE d.setrole = r.oid AND d.setdatabase = 0)) \
 FROM pg_roles r ORDER BY r.rolname COLLATE \"C\"";

/// `options`: what servers from 16 on have beside the admin option.
fn memberships(options: bool) -> String {
    let options = if options {
        "m.inherit_option, 'set', m.set_option"
    } else {
        "null, 'set', null"
    };
    format!(
        "SELECT json_build_object('role', r.rolname, 'member', u.rolname, 'admin', \
         m.admin_option, 'inherit', {options}, 'grantor', g.rolname) FROM pg_auth_members m JOIN \
         pg_roles r ON r.oid = m.roleid JOIN pg_roles u ON u.oid = m.member LEFT JOIN pg_roles g \
         ON g.oid = m.grantor ORDER BY r.rolname COLLATE \"C\", u.rolname COLLATE \"C\", \
         g.rolname COLLATE \"C\""
    )
}

/// Grants to roles; one to everybody belongs to the server.
const PARAMETERS: &str = "SELECT json_build_object('parameter', p.parname, 'role', r.rolname, \
 'privilege', a.privilege_type, 'grantable', a.is_grantable) FROM pg_parameter_acl p, \
 aclexplode(p.paracl) a JOIN pg_roles r ON r.oid = a.grantee WHERE r.oid <> 10 \
 ORDER BY p.parname COLLATE \"C\", r.rolname COLLATE \"C\", a.privilege_type";

impl Postgres {
    /// The server's version as a number: 150018.
    ///
    /// # Errors
    /// The server's.
    pub async fn version_num(&self) -> Result<u32, DatabaseError> {
        let shown = self.value("SHOW server_version_num").await?;
        Ok(shown.and_then(|s| s.parse().ok()).unwrap_or(0))
    }

    /// # Errors
    /// The server's.
    pub(super) async fn roles(&self) -> Result<Roles, DatabaseError> {
        let version = self.version_num().await?;
        let (left_out, roles) = self
            .json::<RoleRow>(ROLES)
            .await?
            .into_iter()
            .partition::<Vec<_>, _>(|r| platform::role(&r.name));
        let memberships: Vec<Membership> = self.json(&memberships(version >= 160_000)).await?;
        let parameters: Vec<ParameterGrant> = if version >= 150_000 {
            self.json(PARAMETERS).await?
        } else {
            Vec::new()
        };
        Ok(Roles {
            roles,
            memberships: memberships
                .into_iter()
                .filter(|m| !platform::role(&m.member))
                .collect(),
            parameters: parameters
                .into_iter()
                .filter(|p| !platform::role(&p.role))
                .collect(),
            left_out: left_out.into_iter().map(|r| r.name).collect(),
        })
    }

    /// Rows of one column, each a document.
    ///
    /// # Errors
    /// The server's; it answers otherwise than expected.
    pub(super) async fn json<T: DeserializeOwned>(
        &self,
        sql: &str,
    ) -> Result<Vec<T>, DatabaseError> {
        let rows = self.rows(sql).await?;
        let read = |row: Vec<Option<String>>| {
            let text = row.into_iter().next().flatten().unwrap_or_default();
            serde_json::from_str(&text)
        };
        rows.into_iter()
            .map(read)
            .collect::<Result<_, _>>()
            .map_err(|_| {
                self.odd(
                    "read the catalogues",
                    "the server answers otherwise than expected",
                )
            })
    }
}
