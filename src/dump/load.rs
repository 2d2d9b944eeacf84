//! Loading a dump into an empty database, from one target, every byte checked.
//!
//! Progress is in the database itself, one item per stored object, written in the transaction that
//! loaded it, so that a killed load goes on where it was. At the end the items go and one stays,
//! which says so, until what was loaded is looked at.

use super::fill::fill;
use super::section::LoadInput;
use super::{DumpError, roles, section};
use crate::database::{Begun, Database, Which};
use crate::manifest::DatabaseFacts;
use std::collections::BTreeSet;

/// How every mark begins.
const MARK: &str = "restored by dr: ";

pub struct Loaded {
    pub bytes: u64,
    /// Where the server's roles, and the database, are otherwise than the dump's, and why: a load
    /// makes roles that are missing and changes none.
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
    let facts = section::facts_of(input.vault, input.dump).await?;
    if let Some(undone) = ended(main.ended().await?, &mark) {
        let mut exceptions = roles::exceptions(&main, &wanted).await?;
        exceptions.extend(otherwise(&main, facts.as_ref()).await?);
        return Ok(Loaded {
            bytes: 0,
            exceptions,
            undone,
        });
    }
    begin(&main, &mark).await?;
    let mut exceptions = roles::make(&main, &wanted).await?;
    let mut owners = BTreeSet::new();
    for name in ["pre-data", "post-data"] {
        owners.extend(D::owners(&section::script::<D>(input, name).await?));
    }
    main.join_roles(&owners, "memberships").await?;
    section::apply(input, &main, ("pre-data", Which::Objects)).await?;
    section::apply(input, &main, ("large-objects", Which::Objects)).await?;
    let (bytes, refused) = fill::<D>(input).await?;
    section::apply(input, &main, ("sequences", Which::Objects)).await?;
    section::apply(input, &main, ("post-data", Which::Objects)).await?;
    // Last: until its policies are there, nobody reads a table.
    for section in ["pre-data", "large-objects", "post-data"] {
        section::apply(input, &main, (section, Which::Rights)).await?;
    }
    main.try_again().await?;
    dress(input, &main, facts.as_ref()).await?;
    let statements = main.try_again().await?;
    let statements = statements.iter().map(|u| format!("{}: {}", u.what, u.why));
    let undone: Vec<String> = statements.chain(refused).collect();
    exceptions.extend(otherwise(&main, facts.as_ref()).await?);
    main.end_load(&said(&mark, &undone)).await?;
    Ok(Loaded {
        bytes,
        exceptions,
        undone,
    })
}

/// What belongs to the database, and who may enter it.
async fn dress<D: Database>(
    input: &LoadInput<'_>,
    main: &D,
    facts: Option<&DatabaseFacts>,
) -> Result<(), DumpError> {
    let Some(facts) = facts else {
        return Ok(main.open_again().await?);
    };
    let bug = |why: &str| DumpError::Refused(why.into());
    for (which, part) in [
        (Which::Objects, "database"),
        (Which::Rights, "rights of database"),
    ] {
        let script = D::script(main.dress(facts, input.takes)).map_err(bug)?;
        main.run(&script, which, part).await?;
    }
    Ok(())
}

async fn otherwise<D: Database>(
    main: &D,
    facts: Option<&DatabaseFacts>,
) -> Result<Vec<String>, DumpError> {
    let Some(facts) = facts else {
        return Ok(Vec::new());
    };
    Ok(D::database_differences(facts, &main.facts().await?))
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
            "the database is not empty: it has {count} objects of its own; give an empty one"
        )));
    }
    Ok(main.begin_load(mark).await?)
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
