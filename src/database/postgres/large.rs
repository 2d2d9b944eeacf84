//! Large objects: how they are read and written as if they were rows of a table, and what belongs
//! to them beside their bytes. Only a superuser reads the table that they really are in.

use super::connect::Postgres;
use crate::database::error::DatabaseError;
use crate::database::found::{Holds, Table};
use crate::database::quote::{ident, literal};
use serde::Deserialize;

const SCHEMA: &str = "pg_catalog";
const NAME: &str = "pg_largeobject";

/// Of `m`, those that this user, `u`, may read.
macro_rules! may_read {
    () => {
        "(u.rolsuper OR pg_has_role(m.lomowner, 'USAGE') OR EXISTS (SELECT 1 FROM \
         aclexplode(m.lomacl) a WHERE a.privilege_type = 'SELECT' AND (a.grantee = 0 OR \
         pg_has_role(a.grantee, 'USAGE'))))"
    };
}

macro_rules! of {
    () => {
        " FROM pg_largeobject_metadata m JOIN pg_roles u ON u.rolname = current_user "
    };
}

pub(super) const READABLE: &str = concat!("SELECT count(*)", of!(), "WHERE ", may_read!());
pub(super) const UNREADABLE: &str = concat!("SELECT count(*)", of!(), "WHERE NOT ", may_read!());

/// One line a piece: its object, where it begins, its bytes. An empty object is one empty piece;
/// holes are read as the zeros that they stand for.
/// Those that may not be read are left out before any is.
pub(super) const PIECES: &str = concat!(
    "WITH readable AS MATERIALIZED (SELECT m.oid",
    of!(),
    "WHERE ",
    may_read!(),
    ") SELECT m.oid, p.at, p.data FROM readable m CROSS JOIN LATERAL (WITH RECURSIVE piece (at, \
     data) AS (SELECT 0::bigint, lo_get(m.oid, 0, 262144) UNION ALL SELECT at + 262144, \
     lo_get(m.oid, at + 262144, 262144) FROM piece WHERE length(data) = 262144) SELECT at, data \
     FROM piece WHERE at = 0 OR length(data) > 0) p"
);

const OBJECTS: &str = concat!(
    "SELECT json_build_object('oid', m.oid::bigint, 'owner', pg_get_userbyid(m.lomowner), \
     'comment', obj_description(m.oid, 'pg_largeobject'), 'acl', CASE WHEN m.lomacl IS NOT NULL \
     THEN (SELECT coalesce(json_agg(json_build_object('to', CASE a.grantee WHEN 0 THEN NULL ELSE \
     pg_get_userbyid(a.grantee) END, 'what', a.privilege_type, 'passes_on', a.is_grantable)), \
     '[]') FROM aclexplode(m.lomacl) a) END)",
    of!(),
    "WHERE ",
    may_read!(),
    " ORDER BY m.oid"
);

/// Where pieces wait until they are written into their objects.
pub(super) const WAIT: &str = "CREATE TEMPORARY TABLE dr_pieces (loid oid, at bigint, data bytea) \
     ON COMMIT DROP";
pub(super) const INTO: &str = "COPY pg_temp.dr_pieces FROM STDIN";
pub(super) const WRITE: &str = "SELECT count(lo_put(loid, at, data)) FROM pg_temp.dr_pieces";

pub(super) fn table() -> Table {
    let columns = ["loid", "at", "data"];
    Table {
        schema: SCHEMA.into(),
        name: NAME.into(),
        columns: columns.map(str::to_owned).into(),
        pages: 0,
        hash_root: None,
        logged: true,
        policies: None,
        holds: Holds::LargeObjects,
    }
}

pub(super) fn is(schema: &str, name: &str) -> bool {
    (schema, name) == (SCHEMA, NAME)
}

#[derive(Deserialize)]
struct Object {
    oid: u32,
    owner: String,
    comment: Option<String>,
    /// `None`: as every new one has it.
    acl: Option<Vec<Right>>,
}

#[derive(Deserialize)]
struct Right {
    /// `None`: everybody.
    to: Option<String>,
    what: String,
    passes_on: bool,
}

impl Postgres {
    /// Statements that make them, empty, for their owners, with their comments and rights; those
    /// that are read.
    ///
    /// # Errors
    /// The server's.
    pub(super) async fn large_objects(&self) -> Result<String, DatabaseError> {
        let objects: Vec<Object> = self.json(OBJECTS).await?;
        Ok(objects.iter().map(statements).collect())
    }
}

fn statements(object: &Object) -> String {
    let (oid, owner) = (object.oid, ident(&object.owner));
    let mut sql = format!(
        "SELECT pg_catalog.lo_create({oid});\nALTER LARGE OBJECT {oid} OWNER TO {owner};\n"
    );
    if let Some(comment) = &object.comment {
        let comment = literal(comment);
        sql.push_str(&format!("COMMENT ON LARGE OBJECT {oid} IS {comment};\n"));
    }
    if let Some(acl) = &object.acl {
        sql.push_str(&format!("REVOKE ALL ON LARGE OBJECT {oid} FROM {owner};\n"));
        for right in acl {
            let to = right.to.as_deref().map_or("PUBLIC".into(), ident);
            let option = if right.passes_on {
                " WITH GRANT OPTION"
            } else {
                ""
            };
            let what = &right.what;
            sql.push_str(&format!(
                "GRANT {what} ON LARGE OBJECT {oid} TO {to}{option};\n"
            ));
        }
    }
    sql
}
