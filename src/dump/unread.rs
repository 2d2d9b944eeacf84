//! Tables whose rows a server does not give: they keep no other from being dumped.

use crate::database::{DatabaseError, Holds, Table};
use crate::manifest::{ChunkRow, UnreadRows};
use crate::report::{Code, full};
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Shared by the sessions of one dump; by the number of each table, with the reason.
pub(super) struct Unread(Mutex<Reasons>);

type Reasons = BTreeMap<usize, (Code, String)>;

impl Unread {
    /// Those whose policies are not any more what the snapshot says, which is what a reader goes
    /// by: `now` was read while all of them were locked, so that nothing changes from then on.
    pub fn changed(tables: &[Table], now: &[Table]) -> Self {
        const WHY: &str = "its row-level security was changed while the dump began";
        let now: BTreeMap<String, &Table> = now.iter().map(|t| (t.full_name(), t)).collect();
        let other = |table: &Table| {
            let now = now.get(&table.full_name());
            table.holds != Holds::LargeObjects
                && now.is_none_or(|now| now.policies != table.policies)
        };
        let all = tables.iter().enumerate().filter(|(_, table)| other(table));
        Self(Mutex::new(
            all.map(|(n, _)| (n, (Code::RowSecurity, WHY.to_owned())))
                .collect(),
        ))
    }

    pub fn has(&self, table: usize) -> bool {
        self.reasons().contains_key(&table)
    }

    pub fn add(&self, table: usize, why: &DatabaseError) {
        let code = match why.hides_rows() {
            true => Code::RowSecurity,
            false => Code::RowsUnread,
        };
        self.reasons().entry(table).or_insert((code, full(why)));
    }

    fn reasons(&self) -> MutexGuard<'_, Reasons> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// As a dump says it, by the names of the tables; with what was put of each.
    pub fn told(
        self,
        tables: &[Table],
        mut put: BTreeMap<usize, Vec<ChunkRow>>,
    ) -> BTreeMap<String, UnreadRows> {
        let all = self.0.into_inner().unwrap_or_else(PoisonError::into_inner);
        let told = all.into_iter().map(|(n, (code, why))| {
            let unread = UnreadRows {
                code: code.to_string(),
                why,
                load_into: tables[n].hash_root.clone(),
                chunks: put.remove(&n).unwrap_or_default(),
            };
            (tables[n].full_name(), unread)
        });
        told.collect()
    }
}
