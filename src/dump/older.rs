//! The digest of every table of a restored database, and in the same pass of the rows that are
//! older than a reading of its source.

use super::queue::{Queue, in_sessions};
use super::rows::digest;
use super::write::FORGET_AFTER;
use super::{Digests, DumpError, digest_database};
use crate::database::{Address, Database, Holds, Pages};
use crate::model::Seconds;

/// Where this user does not read all tables as they are, of all rows alone.
///
/// # Errors
/// As [`digest_database`].
pub async fn digest_older<D: Database>(
    address: &Address,
    horizon: Option<u64>,
    streams: u32,
    timeout: Seconds,
) -> Result<Digests, DumpError> {
    let main = D::connect(address, timeout).await?;
    let Some(horizon) = horizon else {
        return digest_database::<D>(address, streams, timeout).await;
    };
    if !main.reads_all().await? {
        return digest_database::<D>(address, streams, timeout).await;
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
            let read = match table.holds {
                Holds::LargeObjects => {
                    let read = digest(&connection, &table, Pages::ALL).await?;
                    read.map(|all| (all, None))
                }
                Holds::Rows | Holds::Configuration(_) => {
                    let read = connection.ranged(&table, horizon).await;
                    read.map(|rows| (rows.all, Some(rows.older)))
                }
            };
            all.push((table, read));
        }
        Ok(all)
    };
    let mut digests = Digests::default();
    for (table, read) in in_sessions(streams, session).await? {
        let read = read.map(|(all, older)| {
            let named = older.map(|older| (table.full_name(), older));
            digests.older.extend(named);
            all
        });
        digests.note(&table, read)?;
    }
    Ok(digests)
}
