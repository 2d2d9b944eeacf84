//! The schema of a database that was loaded, beside the dump's: an object that is not there, or is
//! otherwise, is named.

use super::DumpError;
use super::section::{LoadInput, Scripts};
use crate::database::{Database, SchemaError, SchemaPart, Undone};
use std::collections::BTreeSet;

/// What came out of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Compared {
    /// With what differs.
    Schema(Vec<String>),
    /// Why it could not be.
    Not(String),
}

impl Compared {
    /// What differs, and why nothing was looked at.
    pub fn told(self) -> (Vec<String>, Option<String>) {
        match self {
            Compared::Schema(differs) => (differs, None),
            Compared::Not(why) => (Vec::new(), Some(why)),
        }
    }
}

/// While the loader still has the rights of the owners.
///
/// # Errors
/// The server's.
pub async fn compare<D: Database>(
    input: &LoadInput<'_>,
    scripts: &Scripts<D::Script>,
    undone: &[Undone],
) -> Result<Compared, DumpError> {
    if input.facts.is_none() {
        let why = "an older version wrote the dump, with other settings";
        return Ok(Compared::Not(why.into()));
    }
    let session = D::connect(input.address, input.timeout).await?;
    let reader = match session.schema_reader().await {
        Ok(reader) => reader,
        // An incident does not wait for a program.
        Err(SchemaError::NoReader(why)) => return Ok(Compared::Not(why)),
        Err(SchemaError::Database(e)) => return Err(e.into()),
    };
    let refused: BTreeSet<String> = undone.iter().map(|u| u.what.clone()).collect();
    let snapshot = session.begin_snapshot().await?;
    let mut all = Vec::new();
    for part in [SchemaPart::BeforeRows, SchemaPart::AfterRows] {
        let here = match session.schema(&reader, part, &snapshot).await {
            Ok(text) => text,
            Err(e) if e.transient() => return Err(e.into()),
            Err(e) => return Ok(Compared::Not(format!("{e}: {}", e.source))),
        };
        let odd = |why: &str| DumpError::Refused(why.to_owned());
        let here = D::script(here).map_err(odd)?;
        let stored = scripts.of(part.section());
        let stored = stored.ok_or(DumpError::Incomplete(part.section()))?;
        match D::schema_differences(stored, &here, &refused) {
            Some(some) => all.extend(some),
            None => {
                let why = "the dump was written from another version of the server, or by another \
                           one of pg_dump, which write one schema in two ways";
                return Ok(Compared::Not(why.into()));
            }
        }
    }
    Ok(Compared::Schema(all))
}
