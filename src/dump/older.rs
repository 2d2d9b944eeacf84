//! The digest of every table of a restored database, and in the same pass of the rows that are
//! older than a reading of its source.

use super::queue::{Queue, in_sessions};
use super::write::FORGET_AFTER;
use super::{Digests, DumpError, digest_database};
use crate::database::{Address, Database, Rows, Table};
use crate::manifest::DatabaseReference;
use crate::model::Seconds;

/// By rights that are borrowed where this user does not read all tables as they are.
///
/// # Errors
/// As [`digest_database`].
pub async fn digest_older<D: Database>(
    address: &Address,
    of: Option<&DatabaseReference>,
    streams: u32,
    timeout: Seconds,
) -> Result<Digests, DumpError> {
    let Some(of) = of else {
        return digest_database::<D>(address, streams, timeout).await;
    };
    let main = D::connect(address, timeout).await?;
    let (horizon, ranges) = (of.horizon, of.ranges());
    // At once: of many tables all ranges would not fit.
    let folded = |table: &Table, (all, older): Rows| {
        let older = older.map(|mut older| {
            older.fold_to(ranges.get(&table.full_name()).copied().unwrap_or(1));
            older
        });
        (all, older)
    };
    let mut digests = Digests::default();
    if !main.reads_all().await? {
        for (table, read) in main.digests_borrowing(Some(horizon)).await? {
            let read = read.map(|rows| folded(&table, rows));
            digests.note_by_age(&table, read)?;
        }
        return Ok(digests);
    }
    let snapshot = main.begin_snapshot().await?;
    let left = Queue::new(main.tables().await?);
    let session = async || {
        let connection = D::connect(address, timeout).await?;
        let mut all = Vec::new();
        while let Some(table) = left.next() {
            // Locks of tables that were read are given back.
            if all.len() % FORGET_AFTER == 0 {
                connection.join_snapshot(&snapshot).await?;
            }
            let read = connection.rows_by_age(&table, horizon).await;
            // One that was refused has ended its transaction.
            if read.is_err() {
                connection.join_snapshot(&snapshot).await?;
            }
            let read = read.map(|rows| folded(&table, rows));
            all.push((table, read));
        }
        Ok(all)
    };
    for (table, read) in in_sessions(streams, session).await? {
        digests.note_by_age(&table, read)?;
    }
    Ok(digests)
}
