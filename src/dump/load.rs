//! Loading a dump into an empty database, from one target, every byte checked.
//!
//! Progress is in the database itself, one item per stored object, written in the transaction that
//! loaded it, so that a killed load goes on where it was. At the end the items go and one stays,
//! which says so, until what was loaded is looked at.

use super::compare::{Compared, compare};
use super::fill::fill;
use super::section::{LoadInput, Scripts};
use super::{DumpError, roles, section};
use crate::database::{Begun, Database, Undone, Which};
use crate::manifest::DatabaseFacts;
use crate::plan::Refusals;

/// How every mark begins.
const MARK: &str = "restored by dr: ";

pub struct Loaded {
    pub bytes: u64,
    /// Where the server's roles, and the database, are otherwise than the dump's, and why: a load
    /// makes roles that are missing and changes none.
    pub exceptions: Vec<String>,
    /// Statements that the server refused, each with what it said: all else is there.
    pub undone: Vec<String>,
    /// Its schema, beside the dump's.
    pub compared: Compared,
}

/// # Errors
/// `Refused`: the database is not empty and was not begun by this load. `Damaged`: stored bytes
/// differ.
pub async fn load<D: Database>(input: &LoadInput<'_>) -> Result<Loaded, DumpError> {
    let main = D::connect(input.address, input.timeout).await?;
    let wanted = section::roles(input).await?;
    let mark = format!("{MARK}{}", input.mark);
    let at = (input.dump.server_version.as_str(), input.mark);
    let standing = standing(&main, at).await?;
    if let Some(Standing::Ended(undone, compared)) = standing {
        let mut exceptions = roles::exceptions(&main, &wanted).await?;
        exceptions.extend(otherwise(&main, input.facts).await?);
        return Ok(Loaded {
            bytes: 0,
            exceptions,
            undone,
            compared,
        });
    }
    main.hurry().await?;
    if standing.is_none() {
        main.begin_load(&mark).await?;
    }
    let mut exceptions = roles::make(&main, &wanted).await?;
    let scripts = Scripts::read::<D>(input).await?;
    let owners = scripts.all().flat_map(D::owners).collect();
    main.join_roles(&owners, "memberships").await?;
    scripts.apply(&main, "pre-data", Which::Objects).await?;
    scripts
        .apply(&main, "large-objects", Which::Objects)
        .await?;
    let (bytes, refused) = fill::<D>(input).await?;
    scripts.apply(&main, "sequences", Which::Objects).await?;
    scripts.build(&main, input).await?;
    // Last: until its policies are there, nobody reads a table.
    for section in ["pre-data", "large-objects", "post-data"] {
        scripts.apply(&main, section, Which::Rights).await?;
    }
    // Nobody was let in yet.
    all_taken(input, &main.try_again().await?, &refused)?;
    scripts
        .apply(&main, "post-data", Which::EventTriggers)
        .await?;
    dress(input, &main, &refused).await?;
    let statements = main.try_again().await?;
    main.join_readers().await?;
    let compared = compare::<D>(input, &scripts, &statements).await?;
    let undone: Vec<String> = statements.iter().map(told).chain(refused).collect();
    exceptions.extend(otherwise(&main, input.facts).await?);
    main.end_load(&said(&mark, &undone, &compared)).await?;
    Ok(Loaded {
        bytes,
        exceptions,
        undone,
        compared,
    })
}

/// A load of which all is wanted goes no further without.
fn all_taken(
    input: &LoadInput<'_>,
    undone: &[Undone],
    refused: &[String],
) -> Result<(), DumpError> {
    let undone = undone.iter().map(told);
    let mut all = undone.chain(refused.iter().cloned());
    match all.next() {
        Some(first) if input.refusals == Refusals::End => Err(DumpError::NotAll {
            count: 1 + all.count(),
            first,
        }),
        _ => Ok(()),
    }
}

fn told(undone: &Undone) -> String {
    format!("{}: {}", undone.what, undone.why)
}

/// What belongs to the database, and who may enter it.
async fn dress<D: Database>(
    input: &LoadInput<'_>,
    main: &D,
    refused: &[String],
) -> Result<(), DumpError> {
    let Some(facts) = input.facts else {
        return Ok(main.open_again().await?);
    };
    let script = D::script(main.dress(facts, input.takes));
    let script = script.map_err(|why| DumpError::Refused(why.into()))?;
    main.run(&script, Which::Objects, "database").await?;
    if input.refusals == Refusals::End {
        all_taken(input, &main.try_again().await?, refused)?;
    }
    Ok(main
        .run(&script, Which::Rights, "rights of database")
        .await?)
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
fn said(mark: &str, undone: &[String], compared: &Compared) -> String {
    let (differs, not) = match compared {
        Compared::Schema(differs) => (differs.as_slice(), None),
        Compared::Not(why) => (&[][..], Some(why)),
    };
    let undone = undone.iter().map(|text| (UNDONE, text));
    let differs = differs.iter().map(|text| (DIFFERS, text));
    let not = not.into_iter().map(|text| (NOT_COMPARED, text));
    let mut said = mark.to_owned();
    for (what, text) in undone.chain(differs).chain(not) {
        said.push_str(&format!("\n{what}{}", text.replace(['\n', '\r'], " ")));
    }
    said
}

const UNDONE: &str = "undone ";
const DIFFERS: &str = "differs ";
const NOT_COMPARED: &str = "not compared ";

/// `None`: this load has not ended.
fn ended(said: Option<String>, mark: &str) -> Option<(Vec<String>, Compared)> {
    let said = said?;
    let mut lines = said.split('\n');
    if lines.next() != Some(mark) {
        return None;
    }
    let lines: Vec<&str> = lines.collect();
    let of = |what: &str| {
        let texts = lines.iter().filter_map(|l| l.strip_prefix(what));
        texts.map(str::to_owned).collect::<Vec<_>>()
    };
    let compared = match of(NOT_COMPARED).pop() {
        Some(why) => Compared::Not(why),
        None => Compared::Schema(of(DIFFERS)),
    };
    Some((of(UNDONE), compared))
}

/// Nothing is begun that cannot end: an older server does not know what a newer one writes.
fn not_older(dumped: &str, here: &str) -> Result<(), DumpError> {
    let major = |version: &str| {
        let end = version.find(|c: char| !c.is_ascii_digit());
        version[..end.unwrap_or(version.len())].parse::<u32>().ok()
    };
    match (major(dumped), major(here)) {
        (Some(dumped), Some(here)) if dumped > here => Err(DumpError::Older(format!(
            "the dump is of PostgreSQL {dumped} and this server is {here}, which does not know all \
             that it holds; restore into PostgreSQL {dumped} or newer"
        ))),
        _ => Ok(()),
    }
}

/// Whether a database takes a load of a dump: `None`, it is empty; else how far this load is.
///
/// # Errors
/// `Refused`, `Older`: it does not, and why. The server's.
pub async fn standing(
    main: &impl Database,
    (server_version, mark): (&str, &str),
) -> Result<Option<Standing>, DumpError> {
    let mark = format!("{MARK}{mark}");
    if let Some((undone, compared)) = ended(main.ended().await?, &mark) {
        return Ok(Some(Standing::Ended(undone, compared)));
    }
    not_older(server_version, &main.server_version().await?)?;
    match main.begun(MARK).await? {
        Begun::Not => {}
        Begun::By(by) if by.as_deref() == Some(&mark) => return Ok(Some(Standing::Begun)),
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
    match main.things().await? {
        0 => Ok(None),
        count => Err(DumpError::Refused(format!(
            "the database is not empty: it has {count} objects of its own; give an empty one"
        ))),
    }
}

/// How far a load is.
pub enum Standing {
    Begun,
    /// With what is not there, and what its schema is like beside the dump's.
    Ended(Vec<String>, Compared),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_is_older_than_the_dump_is_refused() {
        for (dumped, here, taken) in [
            ("15.18 (Debian 15.18-1)", "15.2", true),
            ("13.1", "18beta1", true),
            ("18.6", "15.18", false),
            ("unknown", "15", true),
        ] {
            assert_eq!(not_older(dumped, here).is_ok(), taken, "{dumped} {here}");
        }
    }

    #[test]
    fn what_a_load_is_without_is_said_by_the_database_and_read_again() {
        let undone = vec!["an index a\nb: 42".to_owned(), "x: y".to_owned()];
        let differs = Compared::Schema(vec!["missing: z".to_owned()]);
        let text = said("a mark", &undone, &differs);
        let wanted = vec!["an index a b: 42".to_owned(), "x: y".to_owned()];
        assert_eq!(ended(Some(text.clone()), "a mark"), Some((wanted, differs)));
        let none = (Vec::new(), Compared::Schema(Vec::new()));
        assert_eq!(ended(Some("a mark".into()), "a mark"), Some(none));
        let not = Compared::Not("too old".into());
        let text_of_not = said("a mark", &[], &not);
        assert_eq!(ended(Some(text_of_not), "a mark"), Some((Vec::new(), not)));
        assert_eq!(ended(Some(text), "another"), None);
        assert_eq!(ended(None, "a mark"), None);
    }
}
