//! f(n): what operation n does, as a pure function. Its `at` and its files, which nobody can
//! compute, come from the log.

use super::line::{Change, Row};
use super::rows;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Ids below these come with the seed.
pub const SEED_ORDERS: i64 = 30_000;
pub const SEED_DOCUMENTS: i64 = 400;
pub const SEED_LEDGER: i64 = 30_000;
pub const SEED_EVENTS: i64 = 20_000;
pub const SEED_MEASUREMENTS: i64 = 20_000;

/// A change of a file in the bucket, as the database will reference it. `None`: deleted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileChange {
    pub key: String,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub content: Option<FileContent>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileContent {
    pub version: String,
    pub sha256: String,
}

/// One line of the operations' log: written before the commit, so the last line for an `n` is what
/// was committed, if it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Logged {
    pub n: i64,
    pub at: String,
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub files: Vec<FileChange>,
}

/// The rows of the seed, table by table, parents first.
pub fn seed() -> impl Iterator<Item = Row> {
    let tenants = (1..=rows::TENANTS).map(|id| rows::tenant(id, 0));
    let orders = (1..=SEED_ORDERS).map(|id| rows::order(id, 0));
    let items = (1..=SEED_ORDERS).flat_map(rows::items);
    let documents = (1..=SEED_DOCUMENTS).map(|id| rows::document(id, 0));
    let ledger = (1..=SEED_LEDGER).map(rows::ledger);
    let events = (1..=SEED_EVENTS).map(rows::event);
    let measurements = (1..=SEED_MEASUREMENTS).map(|id| rows::measurement(id, 0));
    tenants
        .chain(orders)
        .chain(items)
        .chain(documents)
        .chain(ledger)
        .chain(events)
        .chain(measurements)
        .chain(rows::rates())
}

/// All that operation `n` (from 1 on) changes. `files` are the rows of app.files before it.
pub fn changes(logged: &Logged, files: &BTreeMap<String, FileContent>) -> Vec<Change> {
    let n = logged.n;
    let mut all = Vec::with_capacity(8);
    let order = SEED_ORDERS + n;
    all.push(Change::Insert(rows::order(order, 0)));
    all.extend(rows::items(order).into_iter().map(Change::Insert));
    if n > 10 {
        all.push(Change::Update {
            before: rows::order(order - 10, 0),
            after: rows::order(order - 10, 1),
        });
    }
    if n > 500 && n % 3 == 0 {
        all.extend(rows::items(order - 500).into_iter().map(Change::Delete));
        all.push(Change::Delete(rows::order(order - 500, 1)));
    }
    all.push(Change::Insert(rows::ledger(SEED_LEDGER + n)));
    if n % 2 == 0 {
        all.push(Change::Insert(rows::event(SEED_EVENTS + n / 2)));
    }
    if n % 5 == 0 {
        all.push(Change::Insert(rows::measurement(
            SEED_MEASUREMENTS + n / 5,
            0,
        )));
    }
    if n % 25 == 0 {
        let id = SEED_MEASUREMENTS + n / 5 - 3;
        all.push(Change::Update {
            before: rows::measurement(id, 0),
            after: rows::measurement(id, 1),
        });
    }
    if n % 50 == 0 {
        all.push(tenant_change(n / 50));
    }
    all.extend(document_change(n));
    file_changes(logged, files, &mut all);
    all.push(Change::Insert(rows::heartbeat(n, &logged.at)));
    all
}

/// The `turn`th change of a tenant: they take turns, each change raising the tenant's version by
/// one.
fn tenant_change(turn: i64) -> Change {
    let id = 1 + (turn - 1) % rows::TENANTS;
    let before = (turn - 1) / rows::TENANTS;
    Change::Update {
        before: rows::tenant(id, before),
        after: rows::tenant(id, before + 1),
    }
}

fn document_change(n: i64) -> Option<Change> {
    let turn = n / 20;
    let id = SEED_DOCUMENTS + turn;
    match n % 20 {
        0 => Some(Change::Insert(rows::document(id, 0))),
        10 if turn > 2 => Some(Change::Update {
            before: rows::document(id - 2, 0),
            after: rows::document(id - 2, 1),
        }),
        5 if turn > 40 && turn % 3 == 0 => Some(Change::Delete(rows::document(id - 40, 1))),
        _ => None,
    }
}

fn file_changes(logged: &Logged, files: &BTreeMap<String, FileContent>, all: &mut Vec<Change>) {
    let mut now: BTreeMap<&str, Option<&FileContent>> = BTreeMap::new();
    let row = |key: &str, c: &FileContent| rows::file(key, &c.version, &c.sha256);
    for change in &logged.files {
        let key = change.key.as_str();
        let before = now.get(key).copied().unwrap_or_else(|| files.get(key));
        match (before, &change.content) {
            (None, None) => {}
            (None, Some(after)) => all.push(Change::Insert(row(key, after))),
            (Some(before), Some(after)) => all.push(Change::Update {
                before: row(key, before),
                after: row(key, after),
            }),
            (Some(before), None) => all.push(Change::Delete(row(key, before))),
        }
        now.insert(key, change.content.as_ref());
    }
}

/// The whole transaction as one batch. Sequences are set, not drawn from: a batch that was rolled
/// back and is done
/// again leaves them where they belong.
pub fn transaction(logged: &Logged, changes: &[Change]) -> String {
    let mut sql = String::from("BEGIN;");
    changes.iter().for_each(|c| sql.push_str(&c.sql()));
    let order = SEED_ORDERS + logged.n;
    sql.push_str(&format!(
        "SELECT setval('app.orders_id_seq', {order}), setval('app.items_id_seq', {}), \
         setval('app.invoice_number', {});COMMIT;",
        order * 3 + 2,
        1000 + logged.n
    ));
    sql
}
