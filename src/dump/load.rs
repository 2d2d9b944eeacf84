//! Loading a dump into an empty database, from one target, every byte checked.
//!
//! Progress is in the database itself, one item per stored object, written in the transaction that
//! loaded it, so that a killed load goes on where it was. At the end the items go and a comment on
//! the database stays.

use super::section::{LoadInput, fetch};
use super::{DumpError, roles, section};
use crate::database::{Begun, Database, Destination, RowsIn, Which};
use crate::manifest::{ChunkRow, TableRow};
use futures_util::StreamExt;
use std::collections::BTreeSet;
use std::io::Read;

/// How every mark begins.
const MARK: &str = "restored by dr: ";

pub struct Loaded {
    pub bytes: u64,
    /// Where the server's roles are otherwise than the dump's, and why: a load makes roles that are
    /// missing and changes none.
    pub exceptions: Vec<String>,
    /// Statements that the server refused, each with what it said: all else is there.
    pub undone: Vec<String>,
}

/// # Errors
/// `Refused`: the database is not empty and was not begun by this load. `Damaged`: stored bytes
/// differ.
pub async fn load<D: Database>(input: &LoadInput<'_>) -> Result<Loaded, DumpError> {
    let main = D::connect(input.address, input.timeout).await?;
    let mark = format!("{MARK}{}", input.mark);
    let wanted = section::roles(input).await?;
    if let Some(undone) = ended(main.comment().await?, &mark) {
        return Ok(Loaded {
            bytes: 0,
            exceptions: roles::exceptions(&main, &wanted).await?,
            undone,
        });
    }
    begin(&main, &mark).await?;
    let exceptions = roles::make(&main, &wanted).await?;
    let mut owners = BTreeSet::new();
    for name in ["pre-data", "post-data"] {
        owners.extend(D::owners(&section::script::<D>(input, name).await?));
    }
    main.join_roles(&owners, "memberships").await?;
    section::apply(input, &main, ("pre-data", Which::Objects)).await?;
    let bytes = tables::<D>(input).await?;
    section::apply(input, &main, ("sequences", Which::Objects)).await?;
    section::apply(input, &main, ("post-data", Which::Objects)).await?;
    // Last: until its policies are there, nobody reads a table.
    for section in ["pre-data", "post-data"] {
        section::apply(input, &main, (section, Which::Rights)).await?;
    }
    let undone = main.try_again().await?;
    let undone: Vec<String> = undone
        .iter()
        .map(|u| format!("{}: {}", u.what, u.why))
        .collect();
    main.end_load(&said(&mark, &undone)).await?;
    Ok(Loaded {
        bytes,
        exceptions,
        undone,
    })
}

/// What the database says when the load has ended: the mark, and what it is without, a line each. A
/// crash right after it leaves this for the next attempt's evidence.
fn said(mark: &str, undone: &[String]) -> String {
    let lines = undone.iter().map(|u| u.replace(['\n', '\r'], " "));
    [mark.to_owned()]
        .into_iter()
        .chain(lines)
        .collect::<Vec<_>>()
        .join("\n")
}

/// `None`: this load has not ended.
fn ended(comment: Option<String>, mark: &str) -> Option<Vec<String>> {
    let comment = comment?;
    let mut lines = comment.split('\n');
    (lines.next() == Some(mark)).then(|| lines.map(str::to_owned).collect())
}

/// Claims an empty database, or finds that this load began it.
async fn begin(main: &impl Database, mark: &str) -> Result<(), DumpError> {
    match main.begun(MARK).await? {
        Begun::Not => {}
        Begun::By(by) if by.as_deref() == Some(mark) => return Ok(()),
        Begun::By(_) => {
            return Err(DumpError::Refused(
                "another restore began in this database; give an empty one".into(),
            ));
        }
    }
    if !main.owns_database().await? {
        return Err(DumpError::Refused(
            "the database belongs to somebody else; give one that its user owns".into(),
        ));
    }
    let count = main.things().await?;
    if count > 0 {
        return Err(DumpError::Refused(format!(
            "the database is not empty: it has {count} tables, views, indexes or sequences; give \
             an empty one"
        )));
    }
    Ok(main.begin_load(mark).await?)
}

async fn tables<D: Database>(input: &LoadInput<'_>) -> Result<u64, DumpError> {
    let work: Vec<(&TableRow, &ChunkRow)> = input
        .dump
        .tables
        .iter()
        .flat_map(|t| t.chunks.iter().map(move |c| (t, c)))
        .collect();
    let (total, mut count, mut bytes) = (work.len() as u64, 0, 0);
    let loads = futures_util::stream::iter(work).map(|(table, chunk)| async move {
        let connection = D::connect(input.address, input.timeout).await?;
        if !connection.loaded(chunk.key.as_str()).await? {
            rows(input, &connection, table, chunk).await?;
        }
        Ok::<_, DumpError>(chunk.size_bytes)
    });
    let mut loads = loads.buffer_unordered(input.streams as usize);
    while let Some(size_bytes) = loads.next().await {
        bytes += size_bytes?;
        count += 1;
        (input.progress)(count, total);
    }
    Ok(bytes)
}

/// One chunk in one transaction with its item.
async fn rows(
    input: &LoadInput<'_>,
    connection: &impl Database,
    table: &TableRow,
    chunk: &ChunkRow,
) -> Result<(), DumpError> {
    let compressed = fetch(input, chunk).await?;
    let (schema, name) = table
        .load_into
        .as_ref()
        .map_or((&table.schema, &table.table), |(s, n)| (s, n));
    let into = Destination {
        schema,
        table: name,
        columns: &table.columns,
    };
    let mut rows = connection.rows_in(&into).await?;
    let mut decoder = zstd::Decoder::new(&compressed[..])
        .map_err(|e| DumpError::Compression(chunk.key.to_string(), e))?;
    loop {
        let mut piece = vec![0; 256 << 10];
        let read = decoder
            .read(&mut piece)
            .map_err(|e| DumpError::Compression(chunk.key.to_string(), e))?;
        if read == 0 {
            break;
        }
        piece.truncate(read);
        rows.send(piece.into()).await?;
    }
    Ok(rows.commit(chunk.key.as_str()).await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_load_is_without_is_said_by_the_database_and_read_again() {
        let undone = vec!["an index a\nb: 42".to_owned(), "x: y".to_owned()];
        let comment = said("a mark", &undone);
        let read = ended(Some(comment.clone()), "a mark");
        assert_eq!(read, Some(vec!["an index a b: 42".into(), "x: y".into()]));
        assert_eq!(ended(Some("a mark".into()), "a mark"), Some(Vec::new()));
        assert_eq!(ended(Some(comment), "another"), None);
        assert_eq!(ended(None, "a mark"), None);
    }
}
