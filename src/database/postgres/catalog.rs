//! Which tables a database has, and how their rows are read so that every reader gets the same
//! lines.

use super::connect::Connection;
use super::error::PgError;
use super::text::{ident, qualified};
use serde_json::Value;

/// A table that holds rows of its own: ordinary tables and partitions; never partitioned roots,
/// views or foreign tables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    pub schema: String,
    pub name: String,
    /// Non-generated columns, sorted by name (bytewise), so that two databases with other column
    /// orders agree.
    pub columns: Vec<String>,
    pub pages: u64,
    /// Root of a hash partition.
    pub hash_root: Option<(String, String)>,
}

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

/// Sequences that number a column, and those of them that the column has overtaken.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SequencesBehind {
    pub looked_at: u64,
    pub behind: Vec<String>,
}

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

impl Connection {
    /// # Errors
    /// The server's.
    pub async fn sequences_behind(&self) -> Result<SequencesBehind, PgError> {
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
            if self.value(&sql).await?.as_deref() == Some("t") {
                found.behind.push(format!("{schema}.{name}"));
            }
        }
        Ok(found)
    }

    /// # Errors
    /// The server's.
    pub async fn tables(&self) -> Result<Vec<Table>, PgError> {
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

impl Table {
    /// `schema.table`, for people and for keys of digests; quoted where a dot or a quote would make
    /// two tables one.
    pub fn full_name(&self) -> String {
        let plain = [&self.schema, &self.name]
            .iter()
            .all(|n| !n.contains(['.', '"']));
        if plain {
            format!("{}.{}", self.schema, self.name)
        } else {
            qualified(&self.schema, &self.name)
        }
    }

    pub fn column_list(&self) -> String {
        self.columns
            .iter()
            .map(|c| ident(c))
            .collect::<Vec<_>>()
            .join(", ")
    }

    /// COPY of the rows on pages `from` up to, not including, `to` (`None`: to the end).
    pub fn copy_out(&self, from: u64, to: Option<u64>) -> String {
        let table = qualified(&self.schema, &self.name);
        let upper = to
            .map(|t| format!(" AND ctid < '({t},0)'"))
            .unwrap_or_default();
        let range = if from == 0 && to.is_none() {
            String::new()
        } else {
            format!(" WHERE ctid >= '({from},0)'{upper}")
        };
        format!(
            "COPY (SELECT {} FROM ONLY {table}{range}) TO STDOUT",
            self.column_list()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_tables_have_one_name() {
        let name = |schema: &str, name: &str| {
            Table {
                schema: schema.into(),
                name: name.into(),
                columns: Vec::new(),
                pages: 0,
                hash_root: None,
            }
            .full_name()
        };
        assert_eq!(name("app", "orders"), "app.orders");
        let all = [
            name("app", "a.b"),
            name("app.a", "b"),
            name("\"app", "x"),
            name("app\".\"a", "b"),
            name("app", "a\".\"b"),
        ];
        assert_eq!(
            all.iter().collect::<std::collections::BTreeSet<_>>().len(),
            all.len(),
            "{all:?}"
        );
    }

    #[test]
    fn the_last_chunk_is_open_ended_and_names_are_quoted() {
        let table = Table {
            schema: "s".into(),
            name: "a\"b".into(),
            columns: vec!["x".into()],
            pages: 9,
            hash_root: None,
        };
        assert_eq!(
            table.copy_out(0, None),
            "COPY (SELECT \"x\" FROM ONLY \"s\".\"a\"\"b\") TO STDOUT"
        );
        assert_eq!(
            table.copy_out(4, Some(8)),
            "COPY (SELECT \"x\" FROM ONLY \"s\".\"a\"\"b\" WHERE ctid >= '(4,0)' AND ctid < \
             '(8,0)') TO STDOUT"
        );
        assert_eq!(
            table.copy_out(8, None),
            "COPY (SELECT \"x\" FROM ONLY \"s\".\"a\"\"b\" WHERE ctid >= '(8,0)') TO STDOUT"
        );
    }
}
