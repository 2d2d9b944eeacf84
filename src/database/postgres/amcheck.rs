//! Indexes and pages, looked at by the server's own extension `amcheck`, which is made for it in a
//! transaction that is undone: nothing of it stays, wherever a crash comes.

use super::connect::Postgres;
use super::session::firsts;
use crate::database::error::DatabaseError;
use crate::database::quote::{ident, literal};
use crate::database::structure::{Sample, Structure};
use serde::Deserialize;
use std::collections::BTreeSet;
use std::time::Duration;

const THERE: &str = "SELECT n.nspname FROM pg_extension e JOIN pg_namespace n ON n.oid = \
     e.extnamespace WHERE e.extname = 'amcheck'";

const MAKE: &str = "CREATE SCHEMA dr_amcheck; CREATE EXTENSION amcheck WITH SCHEMA dr_amcheck";

/// Those that this user may call, as `name/parameters`.
const FUNCTIONS: &str = "SELECT p.proname || '/' || p.pronargs FROM pg_proc p JOIN pg_depend d ON \
     d.objid = p.oid AND d.classid = 'pg_proc'::regclass AND d.deptype = 'e' JOIN pg_extension e \
     ON e.oid = d.refobjid AND d.refclassid = 'pg_extension'::regclass WHERE e.extname = \
     'amcheck' AND has_function_privilege(p.oid, 'EXECUTE')";

/// Indexes that a query may use, and tables, with the system's own.
const THINGS: &str = "SELECT json_build_object('oid', c.oid::bigint, 'name', format('%I.%I', \
     n.nspname, c.relname), 'kind', CASE WHEN c.relkind = 'i' THEN a.amname ELSE 'table' END) FROM \
     pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace LEFT JOIN pg_am a ON a.oid = c.relam \
     LEFT JOIN pg_index i ON i.indexrelid = c.oid WHERE c.relpersistence <> 't' AND (c.relkind IN \
     ('r', 'm') OR c.relkind = 'i' AND a.amname IN ('btree', 'gin') AND i.indisvalid AND \
     i.indisready AND i.indislive) ORDER BY md5(c.oid::text || ";

#[derive(Deserialize)]
struct Thing {
    oid: u64,
    name: String,
    kind: String,
}

impl Thing {
    /// What is asked of it; it answers with a text, or refuses, where something is wrong.
    fn question(&self, schema: &str, functions: &BTreeSet<String>) -> Option<String> {
        let has = |function: &str| functions.contains(function);
        let (schema, oid) = (ident(schema), self.oid);
        match self.kind.as_str() {
            "table" if has("verify_heapam/6") => Some(format!(
                "SELECT format('block %s: %s', blkno, msg) FROM {schema}.verify_heapam('{oid}', \
                 true, true, 'none') LIMIT 1"
            )),
            "btree" if has("bt_index_check/3") => Some(format!(
                "SELECT {schema}.bt_index_check('{oid}', true, true)"
            )),
            "btree" if has("bt_index_check/2") => {
                Some(format!("SELECT {schema}.bt_index_check('{oid}', true)"))
            }
            "gin" if has("gin_index_check/1") => {
                Some(format!("SELECT {schema}.gin_index_check('{oid}')"))
            }
            _ => None,
        }
    }
}

/// What a server says that met damage: its own reports of it, files that cannot be read, and what
/// it never expected to find.
fn damage(e: &DatabaseError) -> bool {
    let class = |beginning: &str| e.code.as_ref().is_some_and(|c| c.starts_with(beginning));
    class("XX") || class("58")
}

fn timed_out(e: &DatabaseError) -> bool {
    e.code.as_deref() == Some("57014")
}

impl Postgres {
    /// Of a restored database that is a run's own.
    ///
    /// # Errors
    /// The connection's; that the server refuses to look is told in what is returned.
    pub(super) async fn structure(&self, sample: Sample<'_>) -> Result<Structure, DatabaseError> {
        self.execute("BEGIN").await?;
        let looked = self.looked_into(sample).await;
        let ended = self.execute("ROLLBACK").await;
        let looked = looked?;
        ended.map(|()| looked)
    }

    async fn looked_into(&self, sample: Sample<'_>) -> Result<Structure, DatabaseError> {
        let order = literal(&sample.seed.to_string());
        let things: Vec<Thing> = self.json(&format!("{THINGS}{order})")).await?;
        let mut found = Structure {
            of: things.len() as u64,
            ..Structure::default()
        };
        let schema = match self.extension().await? {
            Ok(schema) => schema,
            Err(why) => {
                found.not_looked = Some(why);
                return Ok(found);
            }
        };
        let functions: BTreeSet<String> = firsts(self.rows(FUNCTIONS).await?).collect();
        let asked = things.iter().filter_map(|thing| {
            let question = thing.question(&schema, &functions)?;
            Some((thing, question))
        });
        let asked: Vec<(&Thing, String)> = asked.collect();
        let without = things.len() - asked.len();
        if without > 0 {
            found.not_looked = Some(format!(
                "for {without} of them this amcheck has no function that this user may call"
            ));
        }
        self.ask_each(&asked, &sample, &mut found).await?;
        Ok(found)
    }

    /// The schema of the extension, made where it is not there; the inner error says why it cannot.
    async fn extension(&self) -> Result<Result<String, String>, DatabaseError> {
        if let Some(schema) = self.value(THERE).await? {
            return Ok(Ok(schema));
        }
        let make = async || self.execute_as("make extension amcheck", MAKE).await;
        Ok(match self.attempt(make).await? {
            Ok(()) => Ok("dr_amcheck".into()),
            Err(e) => Err(format!("amcheck cannot be used here: {}", e.source)),
        })
    }

    async fn ask_each(
        &self,
        asked: &[(&Thing, String)],
        sample: &Sample<'_>,
        found: &mut Structure,
    ) -> Result<(), DatabaseError> {
        for (thing, question) in asked {
            let left = (sample.left)();
            if left == Duration::ZERO {
                found.not_looked = Some(over(sample));
                break;
            }
            let limit = left.as_millis().clamp(1, i32::MAX as u128);
            let ask = async || {
                let limited = format!("SET LOCAL statement_timeout = {limit}");
                self.execute(&limited).await?;
                self.value(question).await
            };
            match self.attempt(ask).await? {
                Ok(wrong) => {
                    found.looked_at += 1;
                    let wrong = wrong.filter(|w| !w.is_empty());
                    let wrong = wrong.map(|w| format!("{}: {w}", thing.name));
                    found.damaged.extend(wrong);
                }
                Err(e) if timed_out(&e) => {
                    found.not_looked = Some(over(sample));
                    break;
                }
                Err(e) => {
                    let told = format!("{}: {}", thing.name, e.source);
                    if damage(&e) {
                        found.looked_at += 1;
                        found.damaged.push(told);
                    } else {
                        found.not_looked = Some(told);
                    }
                }
            }
        }
        Ok(())
    }
}

fn over(sample: &Sample<'_>) -> String {
    format!("the {} s of `drill.amcheck` were over", sample.budget.0)
}
