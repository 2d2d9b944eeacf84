//! Tables whose rows a server does not give: they keep no other from being dumped.

use crate::database::{DatabaseError, Table};
use crate::manifest::UnreadRows;
use crate::report::{Code, full};
use std::collections::BTreeMap;
use std::sync::Mutex;

/// Shared by the sessions of one dump; by the number of each table.
#[derive(Default)]
pub(super) struct Unread(Mutex<BTreeMap<usize, DatabaseError>>);

impl Unread {
    pub fn has(&self, table: usize) -> bool {
        self.0.lock().is_ok_and(|all| all.contains_key(&table))
    }

    pub fn add(&self, table: usize, why: DatabaseError) {
        let mut all = self
            .0
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner());
        all.entry(table).or_insert(why);
    }

    /// As a dump says it, by the names of the tables.
    pub fn told(self, tables: &[Table]) -> BTreeMap<String, UnreadRows> {
        let all = self
            .0
            .into_inner()
            .unwrap_or_else(|poisoned| poisoned.into_inner());
        let told = all.into_iter().map(|(n, e)| {
            let code = match e.forbidden() {
                true => Code::RowSecurity,
                false => Code::RowsUnread,
            };
            let (code, why) = (code.to_string(), full(&e));
            (tables[n].full_name(), UnreadRows { code, why })
        });
        told.collect()
    }
}
