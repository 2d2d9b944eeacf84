//! Statements of a load, one by one: one that the server refuses keeps no other from it. Many go in
//! one transaction, few enough that their locks fit; where one of them is refused, each goes by
//! itself. How far a part is, and what was refused, stands in the database until the load ends.

use super::connect::Postgres;
use super::script::{Script, Statement};
use super::session::firsts;
use crate::database::error::DatabaseError;
use crate::database::found::{Undone, Which};
use crate::database::quote::literal;
use std::collections::{BTreeMap, BTreeSet};

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

const OPEN: &str = "SELECT secures FROM dr_restore.undone WHERE secures IS NOT NULL";

/// What a grant on a table waits for.
const WITHHELD: &str = "withheld, because the row-level security of its table is not there";

/// A part that is being run.
struct Running<'a> {
    part: &'a str,
    statements: &'a [&'a Statement],
    /// Settings in force, by name.
    settings: BTreeMap<&'a str, &'a str>,
    /// Tables whose row-level security was refused.
    open: BTreeSet<String>,
}

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
        let unknown = self.unknown_settings(script).await?;
        let statements = script.without(&unknown, which);
        let sql = format!(
            "SELECT next FROM dr_restore.position WHERE part = {}",
            literal(part)
        );
        let next = self.value(&sql).await?;
        let begun = next.and_then(|n| n.parse().ok()).unwrap_or(0);
        let mut running = Running {
            part,
            statements: &statements,
            settings: BTreeMap::new(),
            open: firsts(self.rows(OPEN).await?).collect(),
        };
        let mut at = 0;
        while at < statements.len() {
            // Before it came this far it set these as well.
            if at < begun {
                if statements[at].setting.is_some() {
                    self.execute_as(&statements[at].what, &statements[at].text)
                        .await?;
                    running.note(at);
                }
                at += 1;
                continue;
            }
            let to = (at + AT_ONCE).min(statements.len());
            if !self.all_at_once(&running, at, to).await? {
                for one in at..to {
                    self.one(&mut running, one).await?;
                }
            }
            (at..to).for_each(|n| running.note(n));
            at = to;
        }
        // Ours again: they are needed for rows.
        self.ours().await
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
        let what = format!("statements of {}", running.part);
        match self.execute_as(&what, &sql).await {
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
        let secures = statement.secures.as_deref();
        let settings: Vec<&str> = running.settings.values().copied().collect();
        let values = [
            running.part,
            &settings.join("\n"),
            &statement.text,
            &statement.what,
            &refused,
        ];
        let [part, settings, text, what, why] = values.map(literal);
        let secured = secures.map_or("NULL".to_owned(), literal);
        let keep = format!(
            "BEGIN; INSERT INTO dr_restore.undone VALUES ({part}, {n}, {settings}, {text}, {what}, \
             {why}, {secured}); {next}; COMMIT"
        );
        self.execute_as("note what was refused", &keep).await?;
        running.open.extend(statement.secures.clone());
        Ok(())
    }

    /// In a transaction of its own, with what notes it; what the server said, where it refused.
    async fn alone(
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

    async fn ours(&self) -> Result<(), DatabaseError> {
        self.execute(
            "SET search_path = pg_catalog; SET check_function_bodies = on; SET row_security = off",
        )
        .await
    }
}

impl<'a> Running<'a> {
    fn note(&mut self, n: usize) {
        let statement: &'a Statement = self.statements[n];
        if let Some(name) = &statement.setting {
            self.settings.insert(name, &statement.text);
        }
    }

    fn withheld(&self, statement: &Statement) -> bool {
        let table = statement.grants_on.as_ref();
        table.is_some_and(|t| self.open.contains(t))
    }
}

fn position(part: &str, next: usize) -> String {
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
