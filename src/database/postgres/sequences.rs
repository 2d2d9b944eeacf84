//! Sequences: where they are, and whether what they number has overtaken them.

use super::connect::Postgres;
use super::rights::Of;
use crate::database::error::DatabaseError;
use crate::database::found::SequencesBehind;
use crate::database::quote::{ident, literal, qualified};

const ALL: &str = "SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = \
     c.relnamespace WHERE c.relkind = 'S' AND n.nspname !~ '^pg_' AND (NOT EXISTS (SELECT 1 FROM \
     pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e') \
     OR (has_sequence_privilege(c.oid, 'SELECT') AND EXISTS (SELECT 1 FROM pg_extension e WHERE \
     c.oid = ANY (e.extconfig)))) ORDER BY 1, 2";

/// Sequences owned by a column (serial, identity): their names and what they number. Ascending ones
/// only; a cycling one says nothing.
const OWNED: &str = "SELECT sn.nspname, s.relname, tn.nspname, t.relname, a.attname FROM \
 pg_depend d \
 JOIN pg_class s ON s.oid = d.objid AND s.relkind = 'S' JOIN pg_namespace sn ON sn.oid = \
 s.relnamespace JOIN pg_sequence q ON q.seqrelid = s.oid \
 JOIN pg_class t ON t.oid = d.refobjid JOIN pg_namespace tn ON tn.oid = t.relnamespace JOIN \
 pg_attribute a ON a.attrelid = t.oid AND a.attnum = d.refobjsubid \
 WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass AND d.deptype IN \
 ('a', 'i') AND q.seqincrement > 0 AND NOT q.seqcycle ORDER BY 1, 2";

impl Postgres {
    /// # Errors
    /// The server's.
    pub(super) async fn sequences_behind(&self) -> Result<SequencesBehind, DatabaseError> {
        let mut found = SequencesBehind::default();
        for row in self.rows(OWNED).await? {
            let [
                Some(schema),
                Some(name),
                Some(table_schema),
                Some(table),
                Some(column),
            ] = &row[..]
            else {
                continue;
            };
            let sql = format!(
                "SELECT coalesce((SELECT max({}) FROM {}), last_value) > last_value FROM {}",
                ident(column),
                qualified(table_schema, table),
                qualified(schema, name)
            );
            found.looked_at += 1;
            let numbered = Of::Table {
                schema: table_schema,
                name: table,
            };
            let behind = self.borrowed(numbered, async || self.value(&sql).await);
            match behind.await {
                Ok(Some(behind)) if behind == "t" => found.behind.push(format!("{schema}.{name}")),
                Ok(_) => {}
                Err(e) if e.transient() => return Err(e),
                Err(e) => found.unread.push(format!("{schema}.{name}: {}", e.source)),
            }
        }
        Ok(found)
    }

    /// `setval` for every sequence.
    ///
    /// # Errors
    /// The server's.
    pub(super) async fn sequences(&self) -> Result<String, DatabaseError> {
        let mut sql = String::new();
        for row in self.rows(ALL).await? {
            let [Some(schema), Some(name)] = &row[..] else {
                continue;
            };
            let sequence = qualified(schema, name);
            let state = self
                .rows(&format!("SELECT last_value, is_called FROM {sequence}"))
                .await?;
            if let Some([Some(value), Some(called)]) = state.first().map(Vec::as_slice) {
                sql.push_str(&format!(
                    "SELECT pg_catalog.setval({}, {value}, {});\n",
                    literal(&sequence),
                    called == "t"
                ));
            }
        }
        Ok(sql)
    }
}
