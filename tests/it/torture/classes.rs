//! The classes of entries that `pg_dump` knows, beside what a dump carries or names: none is left
//! to chance, and the torture schema has one of each.

use super::pg_dump;
use crate::servers::Rig;
use dr::dump::facts_of;
use dr::manifest::{DatabaseFacts, Dump};
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::process::{Command, Stdio};

/// Where a dump has the entries of a class.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Carried {
    /// In the text of the schema, entry by entry.
    Text,
    /// Settings, which every section begins with.
    Head(&'static str),
    Tables,
    Sequences,
    LargeObjects,
    Database,
    Excluded(&'static str),
}

use Carried::{Database, Excluded, Head, LargeObjects, Sequences, Tables, Text};

const CLASSES: [(&str, Carried); 64] = [
    ("ACCESS METHOD", Text),
    ("ACL", Text),
    ("AGGREGATE", Text),
    ("BLOB", LargeObjects),
    ("BLOB METADATA", LargeObjects),
    ("BLOBS", LargeObjects),
    ("CAST", Text),
    ("CHECK CONSTRAINT", Text),
    ("COLLATION", Text),
    ("COMMENT", Text),
    ("CONSTRAINT", Text),
    ("CONVERSION", Text),
    ("DATABASE", Database),
    ("DATABASE PROPERTIES", Database),
    ("DEFAULT", Text),
    ("DEFAULT ACL", Text),
    ("DOMAIN", Text),
    ("ENCODING", Head("SET client_encoding = 'UTF8';")),
    ("EVENT TRIGGER", Text),
    ("EXTENSION", Text),
    ("FK CONSTRAINT", Text),
    ("FOREIGN DATA WRAPPER", Text),
    ("FOREIGN TABLE", Text),
    ("FUNCTION", Text),
    ("INDEX", Text),
    ("INDEX ATTACH", Text),
    ("MATERIALIZED VIEW", Text),
    ("MATERIALIZED VIEW DATA", Text),
    ("OPERATOR", Text),
    ("OPERATOR CLASS", Text),
    ("OPERATOR FAMILY", Text),
    ("POLICY", Text),
    ("PROCEDURAL LANGUAGE", Text),
    ("PROCEDURE", Text),
    ("PUBLICATION", Text),
    ("PUBLICATION TABLE", Text),
    ("PUBLICATION TABLES IN SCHEMA", Text),
    ("ROW SECURITY", Text),
    ("RULE", Text),
    ("SCHEMA", Text),
    (
        "SEARCHPATH",
        Head("SELECT pg_catalog.set_config('search_path', '', false);"),
    ),
    ("SECURITY LABEL", Text),
    ("SEQUENCE", Text),
    ("SEQUENCE OWNED BY", Text),
    ("SEQUENCE SET", Sequences),
    ("SERVER", Text),
    ("SHELL TYPE", Text),
    ("STATISTICS", Text),
    ("STDSTRINGS", Head("SET standard_conforming_strings = on;")),
    ("SUBSCRIPTION", Excluded("subscriptions")),
    ("TABLE", Text),
    ("TABLE ATTACH", Text),
    ("TABLE DATA", Tables),
    ("TEXT SEARCH CONFIGURATION", Text),
    ("TEXT SEARCH DICTIONARY", Text),
    ("TEXT SEARCH PARSER", Text),
    ("TEXT SEARCH TEMPLATE", Text),
    ("TRANSFORM", Text),
    ("TRIGGER", Text),
    ("TYPE", Text),
    ("USER MAPPING", Text),
    ("VIEW", Text),
    // Of rows, large objects and databases, and no statement of a schema.
    ("about LARGE OBJECT", LargeObjects),
    ("about DATABASE", Database),
];

/// Those that this schema does not have everywhere: a label needs a module that no package brings,
/// and a server writes large objects one way before 17 and another way from then on.
const ELSEWHERE: [&str; 3] = ["BLOB", "BLOB METADATA", "SECURITY LABEL"];

/// The class of a line of `pg_restore -l`: `12; 1259 16400 TABLE app orders owner`.
fn class(line: &str) -> Option<&'static str> {
    let (number, rest) = line.split_once("; ")?;
    number.parse::<u32>().ok()?;
    let rest = rest.splitn(3, ' ').nth(2)?;
    let fits = |(class, _): &&(&'static str, Carried)| {
        rest.strip_prefix(class).is_some_and(|r| r.starts_with(' '))
    };
    let found = CLASSES.iter().filter(fits).max_by_key(|(c, _)| c.len());
    let (class, _) = found.unwrap_or_else(|| panic!("nobody knows what becomes of {line}"));
    let of = rest.strip_prefix(class).unwrap_or_default();
    Some(match of {
        _ if of.starts_with(" - LARGE OBJECT ") => "about LARGE OBJECT",
        _ if of.starts_with(" - DATABASE ") => "about DATABASE",
        _ => class,
    })
}

/// What is in the archive of a database, counted by class.
fn archive(rig: &Rig) -> BTreeMap<&'static str, usize> {
    let bytes = pg_dump(&rig.from.address("shop", "postgres"), &["--format=custom"]);
    let mut lists = Command::new("pg_restore")
        .args(["--list", "--create", "--verbose"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("pg_restore");
    let mut input = lists.stdin.take().expect("its input");
    let feeds = std::thread::spawn(move || input.write_all(&bytes));
    let output = lists.wait_with_output().expect("a list");
    // It reads no further than the list goes.
    drop(feeds.join().expect("no panic"));
    let text = String::from_utf8(output.stdout).expect("text");
    let mut all = BTreeMap::new();
    for class in text.lines().filter_map(class) {
        *all.entry(class).or_default() += 1;
    }
    all
}

/// How many entries a section has, which `pg_dump` writes for large objects.
fn of_large_objects(class: &str, section: &str) -> usize {
    let count = |words: &str| section.matches(words).count();
    match class {
        "about LARGE OBJECT" => {
            count("COMMENT ON LARGE OBJECT ") + count("REVOKE ALL ON LARGE OBJECT ")
        }
        _ => count("pg_catalog.lo_create("),
    }
}

fn of_database(class: &str, facts: &DatabaseFacts) -> usize {
    match class {
        "DATABASE" => usize::from(facts.encoding == "UTF8"),
        "DATABASE PROPERTIES" => usize::from(!facts.settings.is_empty()),
        _ => usize::from(facts.comment.is_some()) + usize::from(facts.rights.is_some()),
    }
}

/// The text of all sections of the schema.
async fn schema(rig: &Rig, dump: &Dump) -> String {
    rig.section(dump, "pre-data").await + &rig.section(dump, "post-data").await
}

/// Every class that is in the archive of a database is in its dump, entry by entry, or named.
pub async fn carried_or_named(rig: &Rig, dump: &Dump) {
    let all = archive(rig);
    let text = schema(rig, dump).await;
    let count = |words: &str| text.matches(words).count();
    let facts = facts_of(&rig.vault().await, dump)
        .await
        .expect("read")
        .expect("there");
    let objects = rig.section(dump, "large-objects").await;
    let sequences = rig.section(dump, "sequences").await;
    let never: Vec<&str> = CLASSES.iter().map(|(class, _)| *class).collect();
    let never = never.iter().filter(|c| !all.contains_key(*c)).copied();
    let never: BTreeSet<&str> = never.filter(|c| !ELSEWHERE.contains(c)).collect();
    assert!(never.is_empty(), "the schema has no {never:?}");
    for (class, carried) in CLASSES {
        let Some(wanted) = all.get(class).copied() else {
            continue;
        };
        let found = match carried {
            Text => count(&format!("; Type: {class}; ")),
            Head(line) => count(&format!("\n{line}\n")) / 2,
            Tables => dump
                .tables
                .iter()
                .filter(|t| t.schema != "pg_catalog")
                .count(),
            Sequences => sequences.matches("pg_catalog.setval(").count(),
            LargeObjects => of_large_objects(class, &objects),
            Database => of_database(class, &facts),
            Excluded(what) => {
                let named = dump.excluded.get(what).expect(class);
                named
                    .split(':')
                    .next()
                    .and_then(|n| n.parse().ok())
                    .expect("a number")
            }
        };
        // They come in groups, of one owner and one list of rights from 17 on.
        let wanted = match class {
            "BLOBS" | "BLOB METADATA" if (1..=found).contains(&wanted) => found,
            _ => wanted,
        };
        assert_eq!(found, wanted, "{class}");
    }
}
