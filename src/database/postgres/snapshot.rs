//! Reading a database as of one instant, in several sessions, and its rows so that every reader
//! gets the same lines.

use super::connect::Postgres;
use super::copy::Lines;
use super::large;
use crate::database::error::DatabaseError;
use crate::database::found::{Holds, Pages, Table};
use crate::database::kind::RowsOut;
use crate::database::quote::{ident, literal, qualified};
use bytes::Bytes;

/// Tables that one statement locks.
const LOCKED_AT_ONCE: usize = 200;

impl Postgres {
    /// # Errors
    /// The server's.
    pub(super) async fn begin_snapshot(&self) -> Result<String, DatabaseError> {
        self.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            .await?;
        let snapshot = self.value("SELECT pg_export_snapshot()").await?;
        Ok(snapshot.unwrap_or_default())
    }

    /// # Errors
    /// The server's: the other session ended.
    pub(super) async fn join_snapshot(&self, snapshot: &str) -> Result<(), DatabaseError> {
        self.execute(&format!(
            "ROLLBACK; BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET TRANSACTION SNAPSHOT \
             {}",
            literal(snapshot)
        ))
        .await
    }

    /// Without this a TRUNCATE after the snapshot would be seen as zero rows.
    ///
    /// # Errors
    /// The server's.
    pub(super) async fn hold(&self, tables: &[Table]) -> Result<(), DatabaseError> {
        for some in tables.chunks(LOCKED_AT_ONCE) {
            // Of large objects there is no table that could be emptied.
            let held = some.iter().filter(|t| t.holds != Holds::LargeObjects);
            let names: Vec<String> = held
                .map(|t| format!("ONLY {}", qualified(&t.schema, &t.name)))
                .collect();
            if names.is_empty() {
                continue;
            }
            self.execute(&format!(
                "LOCK TABLE {} IN ACCESS SHARE MODE",
                names.join(", ")
            ))
            .await?;
        }
        Ok(())
    }

    /// # Errors
    /// The server's.
    pub(super) async fn rows_out(
        &self,
        of: &Table,
        pages: Pages,
    ) -> Result<Lines<'_>, DatabaseError> {
        self.see_all(of).await?;
        self.copy_out(&rows_of(of, pages)).await
    }
}

impl RowsOut for Lines<'_> {
    async fn next(&mut self) -> Result<Option<Bytes>, DatabaseError> {
        Lines::next(self).await
    }
}

pub(super) fn column_list(columns: &[String]) -> String {
    let quoted: Vec<String> = columns.iter().map(|c| ident(c)).collect();
    quoted.join(", ")
}

fn rows_of(of: &Table, pages: Pages) -> String {
    format!("COPY ({}) TO STDOUT", selected(of, pages, None))
}

/// All rows of a table, with something before their columns.
pub(super) fn select_of(of: &Table, first: &str) -> String {
    selected(of, Pages::ALL, Some(first))
}

fn selected(of: &Table, Pages { from, to }: Pages, first: Option<&str>) -> String {
    let condition = match &of.holds {
        Holds::LargeObjects => return large::PIECES.to_owned(),
        Holds::Configuration(condition) => condition.trim(),
        Holds::Rows => "",
    };
    let table = qualified(&of.schema, &of.name);
    let upper = to
        .map(|t| format!(" AND ctid < '({t},0)'"))
        .unwrap_or_default();
    // The condition is kept with its WHERE.
    let range = match (from == 0 && to.is_none(), condition) {
        (true, "") => String::new(),
        (true, condition) => format!(" {condition}"),
        (false, "") => format!(" WHERE ctid >= '({from},0)'{upper}"),
        (false, condition) => {
            let condition = condition.get(5..).unwrap_or_default();
            format!(" WHERE ctid >= '({from},0)'{upper} AND ({condition})")
        }
    };
    let columns = column_list(&of.columns);
    let columns = match first {
        Some(first) if columns.is_empty() => first.to_owned(),
        Some(first) => format!("{first}, {columns}"),
        None => columns,
    };
    format!("SELECT {columns} FROM ONLY {table}{range}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_chunk_is_open_ended_and_names_are_quoted() {
        let table = Table {
            schema: "s".into(),
            name: "a\"b".into(),
            columns: vec!["x".into()],
            pages: 9,
            hash_root: None,
            logged: true,
            policies: None,
            holds: Holds::Rows,
        };
        let rows = |from, to| rows_of(&table, Pages { from, to });
        assert_eq!(
            rows_of(&table, Pages::ALL),
            "COPY (SELECT \"x\" FROM ONLY \"s\".\"a\"\"b\") TO STDOUT"
        );
        assert_eq!(
            rows(4, Some(8)),
            "COPY (SELECT \"x\" FROM ONLY \"s\".\"a\"\"b\" WHERE ctid >= '(4,0)' AND ctid < \
             '(8,0)') TO STDOUT"
        );
        assert_eq!(
            rows(8, None),
            "COPY (SELECT \"x\" FROM ONLY \"s\".\"a\"\"b\" WHERE ctid >= '(8,0)') TO STDOUT"
        );
        let table = Table {
            holds: Holds::Configuration("WHERE x OR y".into()),
            ..table
        };
        let whole = "COPY (SELECT \"x\" FROM ONLY \"s\".\"a\"\"b\" WHERE x OR y) TO STDOUT";
        assert_eq!(rows_of(&table, Pages::ALL), whole);
        let from = Pages { from: 8, to: None };
        assert_eq!(
            rows_of(&table, from),
            "COPY (SELECT \"x\" FROM ONLY \"s\".\"a\"\"b\" WHERE ctid >= '(8,0)' AND ( x OR y)) \
             TO STDOUT"
        );
    }
}
