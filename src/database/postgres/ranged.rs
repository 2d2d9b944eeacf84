//! Reading a running server beside its work: rows by their age, sequences as numbers, the schema
//! as digests of statements. Nothing is changed, and no right is taken that the user has not.

use super::connect::Postgres;
use super::same::plain;
use super::script::Script;
use super::snapshot::select_of;
use crate::database::error::DatabaseError;
use crate::database::found::{Holds, RangedRows, Rows, SchemaAsFound, Table};
use crate::database::kind::RowsOut;
use crate::database::quote::qualified;
use crate::manifest::{Catalogue, HeartbeatColumn, SequenceAt, StatementCount};
use crate::model::{Seconds, Sha256};
use serde::Deserialize;
use std::collections::BTreeMap;

const SEQUENCES: &str = "SELECT json_build_object('schema', n.nspname, 'name', c.relname, \
     'increment', q.seqincrement, 'cache', q.seqcache, 'cycles', q.seqcycle, 'file', \
     c.relfilenode::bigint, 'value', CASE WHEN has_sequence_privilege(c.oid, 'SELECT') THEN \
     coalesce(pg_sequence_last_value(c.oid), greatest(least(q.seqstart::numeric - \
     q.seqincrement, 9223372036854775807), -9223372036854775808)) END) FROM pg_sequence q JOIN \
     pg_class c ON c.oid = q.seqrelid JOIN pg_namespace n ON n.oid = c.relnamespace WHERE \
     n.nspname !~ '^pg_' AND n.nspname <> 'dr_restore' AND c.relpersistence = 'p'";

/// What is written where something is defined; statistics are kept in place.
const DEFINED: [(&str, &str); 7] = [
    ("pg_class", "relpersistence <> 't'"),
    (
        "pg_index",
        "EXISTS (SELECT 1 FROM pg_class c WHERE c.oid = indrelid AND relpersistence <> 't')",
    ),
    ("pg_constraint", "true"),
    ("pg_trigger", "true"),
    ("pg_policy", "true"),
    ("pg_inherits", "true"),
    ("pg_proc", "true"),
];

/// The first transaction whose rows a reader of this snapshot may not see.
const HORIZON: &str = "SELECT pg_snapshot_xmin(pg_current_snapshot())";

#[derive(Deserialize)]
struct Row {
    schema: String,
    name: String,
    increment: i64,
    cache: i64,
    cycles: bool,
    file: u64,
    value: Option<i64>,
}

/// `1` before the columns of a row that a transaction from `horizon` on wrote. Numbers of
/// transactions are kept with a row modulo 2^32, and it is seen only if it is not from the future:
/// those between the horizon and the next one to be given are new. 1 and 2 are no transactions.
fn newer(horizon: u64) -> String {
    const ROUND: u64 = 1 << 32;
    let low = horizon % ROUND;
    format!(
        "CASE WHEN xmin::text::bigint > 2 AND (xmin::text::bigint - {low} + {ROUND}) % {ROUND} < \
         (SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint - {horizon}) THEN '1' ELSE \
         '0' END"
    )
}

impl Postgres {
    /// # Errors
    /// The server's.
    pub(super) async fn horizon(&self) -> Result<u64, DatabaseError> {
        self.number(HORIZON).await
    }

    /// Whether something was defined by transactions from `horizon` on.
    ///
    /// # Errors
    /// The server's.
    pub(super) async fn defined_since(&self, horizon: u64) -> Result<bool, DatabaseError> {
        let newer = newer(horizon);
        let lists = DEFINED.map(|(list, which)| {
            format!("EXISTS (SELECT 1 FROM {list} WHERE {which} AND {newer} = '1')")
        });
        let any = self
            .value(&format!("SELECT {}", lists.join(" OR ")))
            .await?;
        Ok(any.as_deref() == Some("t"))
    }

    /// In the transaction that is open: longer than this no statement takes, nor waits for a lock.
    ///
    /// # Errors
    /// The server's.
    pub(super) async fn limit(&self, to: Seconds) -> Result<(), DatabaseError> {
        let ms = to.0.max(1) * 1000;
        self.execute(&format!(
            "SET LOCAL statement_timeout = {ms}; SET LOCAL lock_timeout = {ms}"
        ))
        .await
    }

    /// In the transaction that is open, which goes on whatever becomes of this.
    ///
    /// # Errors
    /// The server's; policies would hide rows of the table from this user.
    pub(super) async fn ranged(
        &self,
        of: &Table,
        horizon: u64,
    ) -> Result<RangedRows, DatabaseError> {
        self.execute("SAVEPOINT dr_table").await?;
        match self.ranged_now(of, horizon).await {
            Err(e) if e.transient() => Err(e),
            read => {
                // What was set for this table alone is undone as well.
                let back = "ROLLBACK TO SAVEPOINT dr_table; RELEASE SAVEPOINT dr_table";
                self.execute(back).await.and(read)
            }
        }
    }

    /// Of a copy: what it has no rows by age of is read as it is.
    ///
    /// # Errors
    /// As [`Postgres::ranged`].
    pub(super) async fn rows_by_age(
        &self,
        of: &Table,
        horizon: u64,
    ) -> Result<Rows, DatabaseError> {
        if of.holds == Holds::LargeObjects {
            return self.digest_of(of).await.map(|all| (all, None));
        }
        match self.ranged(of, horizon).await {
            Ok(rows) => Ok((rows.all, Some(rows.older))),
            Err(e) if e.in_no_copy() => self.digest_of(of).await.map(|all| (all, None)),
            Err(e) => Err(e),
        }
    }

    async fn ranged_now(&self, of: &Table, horizon: u64) -> Result<RangedRows, DatabaseError> {
        if !of.logged {
            return Err(self.unlogged(&qualified(&of.schema, &of.name)));
        }
        self.see_all(of).await?;
        let mut read = RangedRows::default();
        let select = select_of(of, &newer(horizon));
        let mut rows = self.copy_out(&format!("COPY ({select}) TO STDOUT")).await?;
        while let Some(lines) = RowsOut::next(&mut rows).await? {
            read.add_lines(&lines);
        }
        Ok(read)
    }

    fn unlogged(&self, table: &str) -> DatabaseError {
        let why = format!("{table} is unlogged: a snapshot leaves it empty");
        let mut e = self.odd("read a table", &why);
        e.code = Some(DatabaseError::NOT_IN_A_COPY.into());
        e
    }

    /// `None`: this user may not read it.
    ///
    /// # Errors
    /// The server's.
    pub(super) async fn sequence_values(
        &self,
    ) -> Result<BTreeMap<String, Option<SequenceAt>>, DatabaseError> {
        let rows = self.json::<Row>(SEQUENCES).await?.into_iter();
        let at = |row: Row| {
            let at = row.value.map(|value| SequenceAt {
                value,
                file: row.file,
                increment: row.increment,
                cache: row.cache,
                cycles: row.cycles,
            });
            (qualified(&row.schema, &row.name), at)
        };
        Ok(rows.map(at).collect())
    }

    /// The number of the newest heartbeat, by the rights that this user has.
    ///
    /// # Errors
    /// The server's.
    pub(super) async fn newest_beat(
        &self,
        column: &HeartbeatColumn,
    ) -> Result<Option<i64>, DatabaseError> {
        let beat = self.rows(&super::restored::beat_of(column)).await?;
        let id = beat
            .first()
            .and_then(|row| row.first()?.as_ref()?.parse().ok());
        Ok(id)
    }
}

/// `None`: something in the text is no statement, or it does not say who wrote it.
pub(super) fn catalogue(schema: SchemaAsFound) -> Option<Catalogue> {
    let (mut statements, mut writers) = (BTreeMap::new(), None);
    for (_, text) in schema.sections {
        let script = Script::of(text).ok()?;
        for statement in script.all().filter(|s| s.setting.is_none()) {
            let count = statements
                .entry(Sha256::of(plain(&statement.text).as_bytes()))
                .or_insert_with(|| StatementCount {
                    times: 0,
                    begins: statement.what.clone(),
                });
            count.times += 1;
        }
        writers = script.writers().cloned();
    }
    let (server, program) = writers?;
    Some(Catalogue {
        server,
        program,
        statements,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::database::found::SchemaPart;

    #[test]
    fn numbers_of_transactions_are_compared_within_their_round() {
        let sql = newer((1 << 32) + 5);
        assert!(sql.contains("- 5 + 4294967296) % 4294967296 <"), "{sql}");
        assert!(sql.contains("::text::bigint - 4294967301)"), "{sql}");
    }

    #[test]
    fn a_catalogue_counts_statements_and_knows_who_wrote_them() {
        let text = "-- Dumped from database version 15.18\n-- Dumped by pg_dump version \
                    15.18\n\nSET lock_timeout = 0;\nCREATE TABLE a (b int);\nCREATE TABLE a (b \
                    int);\n";
        let of = |text: &str| {
            catalogue(SchemaAsFound {
                sections: vec![(SchemaPart::BeforeRows, text.to_owned())],
                sequences: String::new(),
            })
        };
        let found = of(text).unwrap();
        let counts: Vec<_> = found.statements.values().collect();
        assert_eq!((counts.len(), counts[0].times), (1, 2));
        assert_eq!(counts[0].begins, "CREATE TABLE a");
        assert_eq!(of("CREATE TABLE a (b int);"), None);
    }
}
