//! Statements of a load, one by one: one that the server refuses keeps no other from it. Many go in
//! one transaction, few enough that their locks fit; where one of them is refused, each goes by
//! itself. How far a part is, and what was refused, stands in the database until the load ends.

use super::connect::Postgres;
use super::running::Running;
use super::script::{Script, Statement};
use crate::database::error::DatabaseError;
use crate::database::found::{Undone, Which};
use crate::database::quote::literal;
use std::collections::BTreeSet;
use std::ops::Range;

/// Statements in one transaction: each locks a few objects.
const AT_ONCE: usize = 64;

/// Beside the items of a load.
pub(super) const TABLES: &str = "CREATE TABLE dr_restore.position (part text PRIMARY KEY, next int \
     NOT NULL); CREATE TABLE dr_restore.undone (part text, number int, settings text NOT NULL, \
     statement text NOT NULL, what text NOT NULL, why text NOT NULL, secures text, PRIMARY KEY \
     (part, number))";

const UNDONE: &str = "SELECT u.part, u.number::text AS n, u.settings, u.statement, u.what, \
     u.secures FROM dr_restore.undone u ORDER BY CASE u.part WHEN 'pre-data' THEN 0 WHEN \
     'large-objects' THEN 1 WHEN 'sequences' THEN 2 WHEN 'post-data' THEN 3 ELSE 4 END, u.number";

/// What a grant on a table waits for.
const WITHHELD: &str = "withheld, because the row-level security of its table is not there";

impl Postgres {
    /// Goes on where an earlier attempt was.
    ///
    /// # Errors
    /// The connection's, or a server that has no room: what it refuses otherwise is kept for
    /// [`Postgres::try_again`].
    pub(super) async fn run(
        &self,
        script: &Script,
        which: Which,
        part: &str,
    ) -> Result<(), DatabaseError> {
        let statements = self.statements_of(script, which).await?;
        let mut running = self.running(&statements, part).await?;
        self.in_order(&mut running, 0..statements.len()).await?;
        // Ours again: they are needed for rows.
        self.ours().await
    }

    pub(super) async fn in_order(
        &self,
        running: &mut Running<'_>,
        range: Range<usize>,
    ) -> Result<(), DatabaseError> {
        let mut at = range.start;
        while at < range.end {
            // Before it came this far it set these as well.
            if at < running.begun {
                let statement = running.statements[at];
                if statement.setting.is_some() {
                    self.execute_as(&statement.what, &statement.text).await?;
                    running.note(at);
                }
                at += 1;
                continue;
            }
            let to = (at + AT_ONCE).min(range.end);
            if !self.all_at_once(running, at, to).await? {
                for one in at..to {
                    self.one(running, one).await?;
                }
            }
            (at..to).for_each(|n| running.note(n));
            at = to;
        }
        Ok(())
    }

    /// False: one of them was refused, and nothing was done.
    async fn all_at_once(
        &self,
        running: &Running<'_>,
        from: usize,
        to: usize,
    ) -> Result<bool, DatabaseError> {
        let some = &running.statements[from..to];
        if some.iter().any(|s| running.withheld(s)) {
            return Ok(false);
        }
        let text: String = some.iter().map(|s| s.text.as_str()).collect();
        let sql = format!("BEGIN;\n{text}\n;{};\nCOMMIT", position(running.part, to));
        self.all_or_none(running.part, &sql).await
    }

    pub(super) async fn all_or_none(&self, part: &str, sql: &str) -> Result<bool, DatabaseError> {
        match self.execute_as(&format!("statements of {part}"), sql).await {
            Ok(()) => Ok(true),
            Err(e) => {
                self.execute("ROLLBACK").await?;
                // Each by itself needs less room.
                if e.transient() && !e.out_of_locks() {
                    return Err(e);
                }
                Ok(false)
            }
        }
    }

    async fn one(&self, running: &mut Running<'_>, n: usize) -> Result<(), DatabaseError> {
        let statement = running.statements[n];
        let next = position(running.part, n + 1);
        let refused = if running.withheld(statement) {
            WITHHELD.to_owned()
        } else {
            match self.alone(statement, &next).await? {
                None => {
                    running.note(n);
                    return Ok(());
                }
                Some(refused) => refused,
            }
        };
        let settings: Vec<&str> = running.settings.values().copied().collect();
        let settings = settings.join("\n");
        self.refused(running, (n, &settings), &refused, &next)
            .await?;
        running.open.extend(statement.secures.clone());
        Ok(())
    }

    /// What was refused, and under which settings, with what notes that it had its turn.
    pub(super) async fn refused(
        &self,
        running: &Running<'_>,
        (n, settings): (usize, &str),
        refused: &str,
        note: &str,
    ) -> Result<(), DatabaseError> {
        let statement = running.statements[n];
        let values = [
            running.part,
            settings,
            &statement.text,
            &statement.what,
            refused,
        ];
        let [part, settings, text, what, why] = values.map(literal);
        let secures = statement.secures.as_deref();
        let secured = secures.map_or("NULL".to_owned(), literal);
        let keep = format!(
            "BEGIN; INSERT INTO dr_restore.undone VALUES ({part}, {n}, {settings}, {text}, {what}, \
             {why}, {secured}); {note}; COMMIT"
        );
        self.execute_as("note what was refused", &keep).await
    }

    /// In a transaction of its own, with what notes it; what the server said, where it refused.
    pub(super) async fn alone(
        &self,
        statement: &Statement,
        note: &str,
    ) -> Result<Option<String>, DatabaseError> {
        let mut refused = None;
        let second = statement.second(&self.address.database);
        for text in std::iter::once(&statement.text).chain(&second) {
            let sql = format!("BEGIN;\n{text}\n;{note};\nCOMMIT");
            let Err(e) = self.execute_as(&statement.what, &sql).await else {
                return Ok(None);
            };
            self.execute("ROLLBACK").await?;
            if e.transient() {
                return Err(e);
            }
            refused.get_or_insert(why(&e));
            if !e.forbidden() {
                break;
            }
        }
        Ok(refused)
    }

    /// Once more what was refused, now that all else is there; what is refused again, in its order.
    ///
    /// # Errors
    /// The connection's.
    pub(super) async fn try_again(&self) -> Result<Vec<Undone>, DatabaseError> {
        let mut left = Vec::new();
        let mut open: BTreeSet<String> = BTreeSet::new();
        for row in self.rows(UNDONE).await? {
            let [part, number, settings, text, what, secures] = &row[..] else {
                continue;
            };
            let of = |field: &Option<String>| field.clone().unwrap_or_default();
            let Some(statement) = Statement::of(&of(text)) else {
                continue;
            };
            let done = format!(
                "DELETE FROM dr_restore.undone WHERE part = {} AND number = {}",
                literal(&of(part)),
                of(number)
            );
            let refused = if statement
                .grants_on
                .as_ref()
                .is_some_and(|t| open.contains(t))
            {
                WITHHELD.to_owned()
            } else {
                self.execute_as("settings of a statement", &of(settings))
                    .await?;
                match self.alone(&statement, &done).await? {
                    None => continue,
                    Some(refused) => refused,
                }
            };
            open.extend(secures.clone());
            left.push(Undone {
                what: of(what),
                why: refused,
            });
        }
        self.ours().await?;
        Ok(left)
    }

    pub(super) async fn ours(&self) -> Result<(), DatabaseError> {
        self.execute(
            "SET search_path = pg_catalog; SET check_function_bodies = on; SET row_security = off",
        )
        .await
    }
}

pub(super) fn position(part: &str, next: usize) -> String {
    format!(
        "INSERT INTO dr_restore.position VALUES ({}, {next}) ON CONFLICT (part) DO UPDATE SET next \
         = excluded.next",
        literal(part)
    )
}

fn why(e: &DatabaseError) -> String {
    let code = e.code.as_deref().unwrap_or_default();
    format!("{code} {}", e.source).trim().to_owned()
}
