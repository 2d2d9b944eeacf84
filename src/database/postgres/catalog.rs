//! Which tables a database has.

use super::connect::Postgres;
use crate::database::error::DatabaseError;
use crate::database::found::Table;
use serde_json::Value;

const TABLES: &str = "SELECT jsonb_build_object('schema', n.nspname, 'name', c.relname, 'pages', \
 pg_catalog.pg_relation_size(c.oid) / 8192, \
 'columns', (SELECT coalesce(jsonb_agg(a.attname ORDER BY a.attname COLLATE \"C\"), '[]') FROM \
 pg_attribute a \
   WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''), \
 'root', (SELECT jsonb_build_array(rn.nspname, r.relname) FROM pg_partition_tree(c.oid) t, \
 pg_class r JOIN pg_namespace rn ON rn.oid = r.relnamespace, pg_partitioned_table p \
   WHERE t.level = 0 AND c.relispartition AND r.oid = pg_partition_root(c.oid) AND p.partrelid = \
   r.oid AND p.partstrat = 'h')) \
 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
 WHERE c.relkind = 'r' AND c.relpersistence <> 't' AND n.nspname !~ '^pg_' AND n.nspname NOT IN \
 ('information_schema', 'dr_restore') \
   AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid \
   = c.oid AND d.deptype = 'e') \
 ORDER BY n.nspname COLLATE \"C\", c.relname COLLATE \"C\"";

impl Postgres {
    /// # Errors
    /// The server's.
    pub(super) async fn tables(&self) -> Result<Vec<Table>, DatabaseError> {
        let rows = self.rows(TABLES).await?;
        Ok(rows
            .iter()
            .filter_map(|r| table(r.first()?.as_deref()?))
            .collect())
    }
}

fn table(json: &str) -> Option<Table> {
    let value: Value = serde_json::from_str(json).ok()?;
    let text = |v: &Value| v.as_str().map(str::to_owned);
    let root = value["root"]
        .as_array()
        .and_then(|r| Some((text(r.first()?)?, text(r.get(1)?)?)));
    Some(Table {
        schema: text(&value["schema"])?,
        name: text(&value["name"])?,
        columns: value["columns"]
            .as_array()?
            .iter()
            .filter_map(text)
            .collect(),
        pages: value["pages"].as_u64().unwrap_or(0),
        hash_root: root,
    })
}
