//! expected(n): the digest of every table after operation n, by adding and subtracting rows.

use super::digest::TableDigest;
use super::line::{Change, Row};
use super::operation::{self, FileContent, Logged};
use super::rows::LEAVES;
use std::collections::BTreeMap;
use std::sync::OnceLock;

/// The database as digests; the files are kept whole, for they come from the log.
#[derive(Clone, Debug)]
pub struct Model {
    pub n: i64,
    tables: BTreeMap<&'static str, TableDigest>,
    files: BTreeMap<String, FileContent>,
}

impl Model {
    /// After the seed, before the first operation. Computed once.
    pub fn seeded() -> Self {
        static SEED: OnceLock<Model> = OnceLock::new();
        SEED.get_or_init(|| {
            let tables = LEAVES
                .iter()
                .map(|t| (*t, TableDigest::default()))
                .collect();
            let mut model = Self {
                n: 0,
                tables,
                files: BTreeMap::new(),
            };
            operation::seed().for_each(|row| model.add(&row));
            model
        })
        .clone()
    }

    fn add(&mut self, row: &Row) {
        self.tables
            .entry(row.leaf)
            .or_default()
            .add(row.line().as_bytes());
    }

    fn subtract(&mut self, row: &Row) {
        self.tables
            .entry(row.leaf)
            .or_default()
            .subtract(row.line().as_bytes());
    }

    /// Goes one operation on; `logged.n` must be the next one.
    pub fn apply(&mut self, logged: &Logged) {
        for change in operation::changes(logged, &self.files) {
            match change {
                Change::Insert(row) => self.add(&row),
                Change::Update { before, after } => {
                    self.subtract(&before);
                    self.add(&after);
                }
                Change::Delete(row) => self.subtract(&row),
            }
        }
        note_files(&mut self.files, logged);
        self.n = logged.n;
    }

    /// Digests by `schema.table`.
    pub fn tables(&self) -> BTreeMap<String, TableDigest> {
        self.tables
            .iter()
            .map(|(t, d)| ((*t).to_owned(), *d))
            .collect()
    }
}

/// The rows of app.files after an operation.
pub fn note_files(files: &mut BTreeMap<String, FileContent>, logged: &Logged) {
    for change in &logged.files {
        match &change.content {
            Some(content) => drop(files.insert(change.key.clone(), content.clone())),
            None => drop(files.remove(&change.key)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workload::operation::FileChange;

    fn plain(n: i64) -> Logged {
        Logged {
            n,
            at: format!("2026-01-01 00:00:00.{n:06}+00"),
            files: Vec::new(),
        }
    }

    #[test]
    fn rows_come_and_go_as_the_law_says() {
        let mut model = Model::seeded();
        let before = model.tables();
        (1..=1_200).for_each(|n| model.apply(&plain(n)));
        let after = model.tables();
        let grown = |t: &str| after[t].rows.cast_signed() - before[t].rows.cast_signed();
        assert_eq!(grown("app.heartbeat"), 1_200);
        assert_eq!(grown("app.orders"), 1_200 - (1_200 - 500) / 3 - 1);
        assert_eq!(grown("app.ledger"), 1_200);
        assert_eq!(grown("app.tenants"), 0);
        assert_ne!(before["app.tenants"], after["app.tenants"]);
        assert_eq!(
            (0..4)
                .map(|i| grown(&format!("app.events_{i}")))
                .sum::<i64>(),
            600
        );
        assert_eq!(
            grown("app.measurements_2024")
                + grown("app.measurements_2025")
                + grown("app.measurements_rest"),
            240
        );
    }

    #[test]
    fn a_file_that_is_put_changed_and_deleted_leaves_no_row() {
        let content = |v: &str| {
            Some(FileContent {
                version: v.into(),
                sha256: "00".into(),
            })
        };
        let change = |content| FileChange {
            key: "tenants/1/a b.txt".into(),
            content,
        };
        let mut model = Model::seeded();
        model.apply(&Logged {
            files: vec![change(content("1"))],
            ..plain(1)
        });
        assert_eq!(model.tables()["app.files"].rows, 1);
        model.apply(&Logged {
            files: vec![change(content("2")), change(content("3")), change(None)],
            ..plain(2)
        });
        assert_eq!(model.tables()["app.files"], TableDigest::default());
    }
}
