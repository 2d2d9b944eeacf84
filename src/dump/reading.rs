//! One reading of a running database, all of it as of one instant: rows by their ranges,
//! sequences, schema, settings, heartbeat. It takes no more than its time, and what it did not come
//! to is named.

use super::DumpError;
use super::queue::{Queue, in_sessions};
use super::write::FORGET_AFTER;
use crate::database::{Address, Database, DatabaseError, Holds, LeftOut, SchemaError, Table};
use crate::manifest::{Catalogue, Exception, HeartbeatColumn, Reading, SequenceAt, TableRead};
use crate::model::{Name, Seconds};
use crate::report::{Code, full};
use std::collections::BTreeMap;

/// How a database is read.
pub struct ReadingInput<'a> {
    pub address: &'a Address,
    pub database: &'a Name,
    /// The reading that this one comes after; `None`: this is the first.
    pub first: Option<&'a Reading>,
    /// The table that is read first, as a share of all of them: what one reading did not come to
    /// another one begins with.
    pub begin_at: f64,
    pub heartbeat: Option<&'a HeartbeatColumn>,
    pub streams: u32,
    pub timeout: Seconds,
    /// What is left of the time.
    pub left: &'a dyn Fn() -> Option<Seconds>,
}

/// # Errors
/// No connection, or it was lost. All else is named in the exceptions.
pub async fn read_database<D: Database>(
    input: &ReadingInput<'_>,
) -> Result<(Reading, Vec<Exception>), DumpError> {
    let main = D::connect(input.address, input.timeout).await?;
    let mut unread = Unread::of(input.database);
    // Under no snapshot, and each by itself: one that is refused keeps nothing else from being
    // read.
    let sequences = sequences(&main, &mut unread).await?;
    let heartbeat = match input.heartbeat {
        Some(column) => beat(&main, column, &mut unread).await?,
        None => None,
    };
    let snapshot = main.begin_snapshot().await?;
    main.limit((input.left)().unwrap_or(Seconds(1))).await?;
    let horizon = match input.first {
        Some(first) => first.horizon,
        None => main.horizon().await?,
    };
    let defined = match input.first {
        Some(first) => main.defined_since(first.horizon).await?,
        None => false,
    };
    if main.count(LeftOut::LargeObjects).await? > 0 {
        unread.add("large objects", Code::NotCompared, NO_OBJECTS);
    }
    let tables = read_tables::<D>(input, &main, (&snapshot, horizon), &mut unread).await?;
    let facts = Some(main.facts().await?);
    // Last: what refuses it ends the transaction.
    let catalogue = catalogue(&main, &snapshot, &mut unread).await?;
    let reading = Reading {
        horizon,
        tables,
        sequences,
        catalogue,
        defined,
        facts,
        heartbeat,
    };
    Ok((reading, unread.all))
}

async fn sequences(
    main: &impl Database,
    unread: &mut Unread<'_>,
) -> Result<BTreeMap<String, SequenceAt>, DumpError> {
    let found = match main.sequence_values().await {
        Ok(found) => found,
        Err(e) if e.transient() => return Err(e.into()),
        Err(e) => {
            unread.add("sequences", Code::ReferenceUnread, &full(&e));
            return Ok(BTreeMap::new());
        }
    };
    let mut at = BTreeMap::new();
    for (name, found) in found {
        match found {
            Some(found) => drop(at.insert(name, found)),
            None => {
                let why = format!("type: GRANT SELECT ON SEQUENCE {name} TO the reader");
                unread.add(&name, Code::ReferenceUnread, &why);
            }
        }
    }
    Ok(at)
}

const NO_OBJECTS: &str = "their bytes are not compared with the source";

type Tables = BTreeMap<String, TableRead>;

async fn read_tables<D: Database>(
    input: &ReadingInput<'_>,
    main: &D,
    (snapshot, horizon): (&str, u64),
    unread: &mut Unread<'_>,
) -> Result<Tables, DumpError> {
    let mut all = main.tables().await?;
    if all.iter().any(|t| t.holds == Holds::LargeObjects) {
        unread.add("large objects", Code::NotCompared, NO_OBJECTS);
    }
    all.retain(|t| t.holds != Holds::LargeObjects);
    rotate(&mut all, input.begin_at);
    let left = Queue::new(all);
    let session = async || {
        let connection = D::connect(input.address, input.timeout).await?;
        let mut read = Vec::new();
        while let Some(table) = left.next() {
            // Locks of tables that were read are given back.
            if read.len() % FORGET_AFTER == 0 {
                connection.join_snapshot(snapshot).await?;
            }
            let rows = match (input.left)() {
                Some(time) => {
                    connection.limit(time).await?;
                    let rows = connection.ranged(&table, horizon).await;
                    Some(rows.map(|rows| folded(rows.older, &table, input.first)))
                }
                None => None,
            };
            read.push((table, rows));
        }
        Ok(read)
    };
    let mut tables = Tables::new();
    for (table, rows) in in_sessions(input.streams, session).await? {
        note(&table, rows, &mut tables, unread)?;
    }
    Ok(tables)
}

/// At once: of many tables all ranges would not fit. The second time to those of the first one.
fn folded(mut rows: TableRead, table: &Table, first: Option<&Reading>) -> TableRead {
    let Some(first) = first else {
        return rows.folded();
    };
    let of_first = first.tables.get(&table.full_name());
    rows.fold_to(of_first.map_or(1, |t| t.ranges.len()));
    rows
}

fn note(
    table: &Table,
    rows: Option<Result<TableRead, DatabaseError>>,
    tables: &mut Tables,
    unread: &mut Unread<'_>,
) -> Result<(), DumpError> {
    let name = table.full_name();
    match rows {
        Some(Ok(rows)) => drop(tables.insert(name, rows)),
        Some(Err(e)) if e.transient() => return Err(e.into()),
        Some(Err(e)) if e.in_no_copy() => unread.add(&name, Code::NotCompared, &full(&e)),
        Some(Err(e)) if e.forbidden() => unread.add(&name, Code::RowSecurity, &full(&e)),
        Some(Err(e)) => unread.add(&name, Code::ReferenceUnread, &full(&e)),
        None => unread.add(
            &name,
            Code::ReferenceUnread,
            "there was no time left for it",
        ),
    }
    Ok(())
}

fn rotate(tables: &mut [Table], begin_at: f64) {
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "any table will do, and there are not so many"
    )]
    let first = (tables.len() as f64 * begin_at.clamp(0.0, 1.0)) as usize;
    tables.rotate_left(first.min(tables.len()));
}

async fn beat(
    main: &impl Database,
    column: &HeartbeatColumn,
    unread: &mut Unread<'_>,
) -> Result<Option<i64>, DumpError> {
    // In a database that has no such table the snapshot goes on.
    match main.newest_beat(column).await {
        Ok(beat) => Ok(beat),
        Err(e) if e.transient() => Err(e.into()),
        Err(e) => {
            unread.add(&column.table, Code::ReferenceUnread, &full(&e));
            Ok(None)
        }
    }
}

async fn catalogue<D: Database>(
    main: &D,
    snapshot: &str,
    unread: &mut Unread<'_>,
) -> Result<Option<Catalogue>, DumpError> {
    let why = match main.schema_as_it_is(snapshot).await {
        Ok(schema) => match D::catalogue(schema) {
            Some(catalogue) => return Ok(Some(catalogue)),
            None => "its text is not what pg_dump writes".to_owned(),
        },
        Err(SchemaError::Database(e)) if e.transient() => return Err(e.into()),
        Err(SchemaError::Database(e)) => full(&e),
        Err(SchemaError::NoReader(why)) => why,
    };
    unread.add("schema", Code::ReferenceUnread, &why);
    Ok(None)
}

struct Unread<'a> {
    database: &'a Name,
    all: Vec<Exception>,
}

impl<'a> Unread<'a> {
    fn of(database: &'a Name) -> Self {
        Self {
            database,
            all: Vec::new(),
        }
    }

    fn add(&mut self, thing: &str, code: Code, why: &str) {
        self.all.push(Exception {
            thing: format!("{thing} of database {}", self.database),
            code: code.to_string(),
            why: why.to_owned(),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_one_reading_did_not_come_to_another_begins_with() {
        let table = |name: &str| Table {
            schema: "s".into(),
            name: name.into(),
            columns: Vec::new(),
            pages: 0,
            hash_root: None,
            logged: true,
            policies: None,
            holds: Holds::Rows,
        };
        let first = |begin_at| {
            let mut tables = ["a", "b", "c", "d"].map(table);
            rotate(&mut tables, begin_at);
            tables.map(|t| t.name).concat()
        };
        assert_eq!(first(0.0), "abcd");
        assert_eq!(first(0.5), "cdab");
        assert_eq!(first(1.0), "abcd");
        rotate(&mut [], 0.5);
    }
}
