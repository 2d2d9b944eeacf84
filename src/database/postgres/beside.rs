//! Statements of a load that build what takes long, beside each other in several sessions. What of
//! them is committed stands in the database one by one, as items: their end is in no order.

use super::builds::{Name, Ready, Relations, Stretch, Unit, stretches};
use super::connect::Postgres;
use super::running::Running;
use super::script::Script;
use super::statements::position;
use crate::database::error::DatabaseError;
use crate::database::found::{Watch, Which};
use crate::database::quote::literal;
use futures_util::StreamExt;
use futures_util::future::{Either, select};
use futures_util::stream::FuturesUnordered;
use serde::Deserialize;
use std::collections::BTreeSet;

/// With what each is directly below of.
const RELATIONS: &str = "SELECT json_build_object('schema', n.nspname, 'name', c.relname, 'bytes', \
     CASE c.relkind WHEN 'r' THEN pg_table_size(c.oid) ELSE 0 END, 'above', (SELECT \
     coalesce(json_agg(json_build_array(pn.nspname, p.relname)), '[]') FROM pg_inherits i JOIN \
     pg_class p ON p.oid = i.inhparent JOIN pg_namespace pn ON pn.oid = p.relnamespace WHERE \
     i.inhrelid = c.oid)) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE \
     c.relkind IN ('r', 'p', 'f', 'm') AND n.nspname !~ '^pg_' AND n.nspname <> \
     'information_schema'";

/// Of the indexes of this database that are being built, how far each is.
const BUILDING: &str = "SELECT string_agg(phase || coalesce(' ' || floor(100.0 * CASE WHEN \
     tuples_total > 0 THEN tuples_done::numeric / tuples_total ELSE blocks_done::numeric / \
     nullif(blocks_total, 0) END) || ' %', ''), ', ' ORDER BY pid) FROM \
     pg_stat_progress_create_index WHERE datname = current_database()";

/// What is counted.
const WHAT: &str = "indexes and keys";

#[derive(Deserialize)]
struct Relation {
    schema: String,
    name: String,
    bytes: u64,
    above: Vec<Name>,
}

impl Postgres {
    /// As [`Postgres::run`], with `others` for what may go beside each other.
    ///
    /// # Errors
    /// As there.
    pub(super) async fn run_beside(
        &self,
        others: &[Self],
        (script, which, part): (&Script, Which, &str),
        watch: &dyn Watch,
    ) -> Result<(), DatabaseError> {
        let statements = self.statements_of(script, which).await?;
        let mut running = self.running(&statements, part).await?;
        let relations = self.relations().await?;
        for stretch in stretches(&statements, &relations) {
            match stretch {
                Stretch::Beside(range, units) if range.end > running.begun => {
                    let work = Work {
                        running: &running,
                        units: &units,
                    };
                    self.build(others, &work, watch).await?;
                    self.execute(&position(part, range.end)).await?;
                    running.begun = range.end;
                    self.in_order(&mut running, range).await?;
                }
                Stretch::Serial(range) | Stretch::Beside(range, _) => {
                    self.in_order(&mut running, range).await?;
                }
            }
        }
        self.ours().await
    }

    async fn relations(&self) -> Result<Relations, DatabaseError> {
        let mut relations = Relations::default();
        for one in self.json::<Relation>(RELATIONS).await? {
            let name = (one.schema, one.name);
            for above in &one.above {
                let below = relations.below.entry(above.clone()).or_default();
                below.push(name.clone());
            }
            relations.above.insert(name.clone(), one.above);
            relations.bytes.insert(name, one.bytes);
        }
        Ok(relations)
    }

    /// All units of a stretch. Where one fails, those that run are waited for: the server would go
    /// on with them, and the next attempt would meet them.
    async fn build(
        &self,
        others: &[Self],
        work: &Work<'_>,
        watch: &dyn Watch,
    ) -> Result<(), DatabaseError> {
        let there = self.items(work.running.part).await?;
        let mut ready = Ready::of(work.units);
        let (total, mut done, mut failed) = (work.units.len() as u64, 0, None);
        let mut idle: Vec<Session<'_>> = others.iter().map(|s| (s, String::new())).collect();
        let mut busy = FuturesUnordered::new();
        loop {
            while failed.is_none()
                && let Some(session) = idle.pop()
            {
                let Some(n) = ready.take() else {
                    idle.push(session);
                    break;
                };
                busy.push(unit(session, (work, n), &there));
            }
            if busy.is_empty() {
                return failed.map_or(Ok(()), Err);
            }
            let ended = self.watched(busy.next(), (done, total), watch).await?;
            if let Some((session, n, result)) = ended {
                idle.push(session);
                ready.done(n);
                done += 1;
                watch.told(done, total, WHAT);
                failed = failed.or(result.err());
            }
        }
    }

    /// Says from time to time how far those are that take long.
    async fn watched<T>(
        &self,
        wanted: impl Future<Output = T> + Unpin,
        (done, total): (u64, u64),
        watch: &dyn Watch,
    ) -> Result<T, DatabaseError> {
        let mut wanted = wanted;
        loop {
            match select(wanted, watch.pause()).await {
                Either::Left((all, _)) => return Ok(all),
                Either::Right((false, left)) => return Ok(left.await),
                Either::Right((true, left)) => wanted = left,
            }
            if let Some(building) = self.value(BUILDING).await? {
                watch.told(done, total, &format!("{WHAT}; {building}"));
            }
        }
    }

    /// Numbers of the statements of a part that are committed.
    async fn items(&self, part: &str) -> Result<BTreeSet<usize>, DatabaseError> {
        let sql = format!(
            "SELECT substr(item, {}) FROM dr_restore.progress WHERE starts_with(item, {})",
            part.chars().count() + 2,
            literal(&format!("{part} "))
        );
        let numbers = super::session::firsts(self.rows(&sql).await?);
        Ok(numbers.filter_map(|n| n.parse().ok()).collect())
    }

    async fn unit(
        &self,
        running: &Running<'_>,
        left: Vec<usize>,
        settings: &str,
    ) -> Result<(), DatabaseError> {
        if left.len() > 1 && self.together(running, &left).await? {
            return Ok(());
        }
        for n in left {
            let note = note(running.part, n);
            let Some(refused) = self.alone(running.statements[n], &note).await? else {
                continue;
            };
            // An attempt that was killed may have left it to the server, which has done it.
            if !self.loaded(&item(running.part, n)).await? {
                self.refused(running, (n, settings), &refused, &note)
                    .await?;
            }
        }
        Ok(())
    }

    /// False: one of them was refused, and nothing was done.
    async fn together(
        &self,
        running: &Running<'_>,
        numbers: &[usize],
    ) -> Result<bool, DatabaseError> {
        let texts = numbers.iter().map(|n| running.statements[*n].text.as_str());
        let notes = numbers.iter().map(|n| note(running.part, *n));
        let (text, notes): (String, Vec<String>) = (texts.collect(), notes.collect());
        let sql = format!("BEGIN;\n{text}\n;{};\nCOMMIT", notes.join("; "));
        self.all_or_none(running.part, &sql).await
    }
}

/// With the settings that it has from the unit before.
type Session<'a> = (&'a Postgres, String);

/// One unit, without what is there.
async fn unit<'a>(
    (session, had): Session<'a>,
    (work, n): (&Work<'_>, usize),
    there: &BTreeSet<usize>,
) -> (Session<'a>, usize, Result<(), DatabaseError>) {
    let (running, statements) = (work.running, &work.units[n].statements);
    let left = statements.clone().filter(|n| !there.contains(n)).collect();
    let settings = running.before(statements.start);
    let done = async {
        if had != settings {
            session
                .execute_as("settings of statements", &settings)
                .await?;
        }
        session.unit(running, left, &settings).await
    };
    let done = done.await;
    ((session, settings), n, done)
}

/// A stretch that is being built.
struct Work<'a> {
    running: &'a Running<'a>,
    units: &'a [Unit],
}

fn item(part: &str, n: usize) -> String {
    format!("{part} {n}")
}

fn note(part: &str, n: usize) -> String {
    let item = literal(&item(part, n));
    format!("INSERT INTO dr_restore.progress (item) VALUES ({item})")
}
