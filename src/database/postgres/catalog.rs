//! Which tables a database has, and what of it is rows beside them.

use super::connect::Postgres;
use super::large;
use crate::database::error::DatabaseError;
use crate::database::found::{Holds, Table};
use serde::Deserialize;

/// Tables of extensions are made by the extension; rows of those that it marks as configuration are
/// its users' (`pg_extension_config_dump`).
const TABLES: &str = "SELECT jsonb_build_object('schema', n.nspname, 'name', c.relname, \
 'policies', CASE WHEN c.relrowsecurity THEN (SELECT md5(concat(c.relforcerowsecurity, \
   string_agg(p::text, ' ' ORDER BY p.oid))) FROM pg_policy p WHERE p.polrelid = c.oid) END, \
 'logged', c.relpersistence <> 'u', 'pages', \
 pg_catalog.pg_relation_size(c.oid) / 8192, 'condition', x.condition, \
 'columns', (SELECT coalesce(jsonb_agg(a.attname ORDER BY a.attname COLLATE \"C\"), '[]') FROM \
 pg_attribute a \
   WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''), \
 'root', (SELECT jsonb_build_array(rn.nspname, r.relname) FROM pg_class r JOIN pg_namespace rn ON \
   rn.oid = r.relnamespace WHERE c.relispartition AND r.oid = pg_partition_root(c.oid) AND EXISTS \
   (SELECT 1 FROM pg_partition_ancestors(c.oid) a JOIN pg_partitioned_table p ON p.partrelid = \
   a.relid WHERE p.partstrat = 'h'))) \
 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace LEFT JOIN LATERAL (SELECT \
 coalesce(e.extcondition[array_position(e.extconfig, c.oid)], '') AS condition FROM pg_extension e \
 WHERE c.oid = ANY (e.extconfig)) x ON true \
 WHERE c.relkind = 'r' AND c.relpersistence <> 't' AND (n.nspname !~ '^pg_' OR x.condition IS NOT \
 NULL) AND n.nspname NOT IN ('information_schema', 'dr_restore') \
   AND (NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid \
   = c.oid AND d.deptype = 'e') OR (x.condition IS NOT NULL AND has_schema_privilege(n.oid, \
   'USAGE') AND has_table_privilege(c.oid, 'SELECT') AND NOT row_security_active(c.oid))) \
 ORDER BY n.nspname COLLATE \"C\", c.relname COLLATE \"C\"";

#[derive(Deserialize)]
struct Row {
    schema: String,
    name: String,
    columns: Vec<String>,
    pages: u64,
    condition: Option<String>,
    root: Option<(String, String)>,
    policies: Option<String>,
    logged: bool,
}

impl Postgres {
    /// # Errors
    /// The server's.
    pub(super) async fn tables(&self) -> Result<Vec<Table>, DatabaseError> {
        let rows = self.json::<Row>(TABLES).await?;
        let mut tables: Vec<Table> = rows.into_iter().map(Table::from).collect();
        if self.number(large::READABLE).await? > 0 {
            tables.push(large::table());
        }
        Ok(tables)
    }
}

impl From<Row> for Table {
    fn from(row: Row) -> Self {
        Self {
            schema: row.schema,
            name: row.name,
            columns: row.columns,
            pages: row.pages,
            hash_root: row.root,
            policies: row.policies,
            logged: row.logged,
            holds: row.condition.map_or(Holds::Rows, Holds::Configuration),
        }
    }
}
