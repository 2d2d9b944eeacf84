//! A database of more kinds of things than any service has (`tests/torture/`): what comes back of
//! it by a dump and by a snapshot is what was there, but for what is listed here, each of which the
//! dump or the load names by itself.

mod classes;
mod exceptions;

use crate::servers::{Bare, Rig};
use crate::source;
use dr::database::{Address, Database, Keep, Postgres};
use dr::dump::{Compared, Loaded, digest_database};
use dr::manifest::Dump;
use dr::model::Seconds;
use dr::proof::differences;
use exceptions::{BY_MASTER, BY_SNAPSHOT, BY_SUPERUSER, Exception};
use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

/// In the order in which they build on each other, with what a server must be for them.
const FILES: [(&str, &str); 14] = [
    ("roles", ANY),
    ("types", ANY),
    ("functions", ANY),
    ("tables", ANY),
    ("indexes", ANY),
    ("views", ANY),
    ("rights", ANY),
    ("values", ANY),
    (
        "xml",
        "SELECT setting LIKE '%--with-libxml%' FROM pg_config WHERE name = 'CONFIGURE'",
    ),
    (
        "icu",
        "SELECT count(*) > 9 FROM pg_collation WHERE collprovider = 'i'",
    ),
    ("16", "SHOW server_version_num"),
    ("17", "SHOW server_version_num"),
    ("18", "SHOW server_version_num"),
    ("database", ANY),
];

const ANY: &str = "SELECT true";

fn text(file: &str) -> String {
    source::read(&format!("tests/torture/{file}.sql"))
}

#[test]
fn there_are_at_least_eighty_kinds_each_with_a_name_of_its_own() {
    let all: Vec<String> = FILES.iter().map(|(f, _)| text(f)).collect();
    let kinds: Vec<&str> = all
        .iter()
        .flat_map(|t| t.lines().filter_map(|l| l.strip_prefix("-- kind: ")))
        .collect();
    let names: BTreeSet<&&str> = kinds.iter().collect();
    assert_eq!(names.len(), kinds.len(), "a name stands twice");
    assert!(kinds.len() >= 80, "{} kinds", kinds.len());
    let listed = source::files("tests/torture", ".sql").len();
    assert_eq!(listed, FILES.len(), "a file is not in the list");
}

/// What a database and its server are, as others than dr read them.
#[derive(Debug, PartialEq, Eq)]
struct Looked {
    /// What `pg_dump --create` writes, by entry: what it is and is called, and its text.
    entries: BTreeMap<String, String>,
    roles: BTreeSet<String>,
    /// The rows of each table, sorted.
    rows: BTreeMap<String, String>,
}

const ROLES: &str = "SELECT json_agg(x ORDER BY x COLLATE \"C\") FROM (SELECT concat('role ', \
     to_jsonb(r) - 'oid', ' ', shobj_description(r.oid, 'pg_authid')) FROM pg_roles r WHERE \
     rolname !~ '^(pg_|rds)' UNION ALL SELECT format('%I in %I %s by %s', m.member::regrole, \
     m.roleid::regrole, m.admin_option, m.grantor::regrole) FROM pg_auth_members m WHERE \
     m.member::regrole::text !~ '^pg_' UNION ALL SELECT format('setting of %s in %s: %s', \
     setrole::regrole, (SELECT datname FROM pg_database WHERE oid = setdatabase), setconfig) FROM \
     pg_db_role_setting) AS all_of_it (x)";

/// Asks for the rows of all tables.
const ROWS: &str = "SELECT 'SELECT json_object_agg(t, r) FROM (' || string_agg(format('SELECT %L, \
     (SELECT string_agg(x::text, E''\\n'' ORDER BY x::text COLLATE \"C\") FROM ONLY %s x)', \
     c.oid::regclass, c.oid::regclass), ' UNION ALL ') || ') AS all_of_it (t, r)' FROM pg_class c \
     JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'm') AND \
     c.relispopulated AND n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', \
     'dr_restore')";

async fn look(server: &Bare) -> Looked {
    let session = server.connect("shop").await;
    let ask = async |sql: &str| session.value(sql).await.expect("an answer").expect("some");
    let rows = ask(ROWS).await;
    let rows: BTreeMap<String, Option<String>> =
        serde_json::from_str(&ask(&rows).await).expect("rows");
    let some = |(table, rows): (String, Option<String>)| (table, rows.unwrap_or_default());
    Looked {
        entries: entries(&whole(&server.address("shop", "postgres"))),
        roles: serde_json::from_str(&ask(ROLES).await).expect("roles"),
        rows: rows.into_iter().map(some).collect(),
    }
}

/// What `pg_dump` writes.
fn pg_dump(address: &Address, args: &[&str]) -> Vec<u8> {
    let output = Command::new("pg_dump")
        .env("PGPASSWORD", &address.password.0)
        .env("PGOPTIONS", "-c timezone=UTC")
        .args(["--host", &address.host, "--user", &address.user, "--port"])
        .arg(address.port.to_string())
        .args(["--create", "--no-sync", "--exclude-schema=dr_restore"])
        .args(args)
        .arg(&address.database)
        .output()
        .expect("pg_dump");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    output.stdout
}

fn whole(address: &Address) -> String {
    String::from_utf8(pg_dump(address, &[])).expect("text")
}

/// Cut where an entry begins. Rows come in any order; how a table is stored stands before it.
fn entries(text: &str) -> BTreeMap<String, String> {
    let mut all = BTreeMap::new();
    let mut stored = "";
    let text = text.replace("\n-- Data for Name: ", "\n-- Name: ");
    for entry in text.split("\n--\n-- Name: ").skip(1) {
        let (head, body) = entry.split_once('\n').expect("a heading");
        // Whose it is, is a statement of it.
        let head = head.split("; Owner: ").next().unwrap_or_default();
        let kind = |kind: &str| head.contains(&format!("; Type: {kind};"));
        let mut lines = Vec::new();
        if kind("TABLE") || kind("MATERIALIZED VIEW") {
            lines.push(stored);
        }
        for line in body.lines() {
            match line.split_once(' ') {
                // Their tokens are random.
                Some(("\\restrict" | "\\unrestrict", _)) => {}
                Some(("SET", rest)) if rest.starts_with("default_table_access_method") => {
                    stored = line;
                }
                Some(("SET", rest)) if rest.starts_with("default_tablespace") => {}
                _ => lines.push(line),
            }
        }
        if kind("TABLE DATA") {
            lines.sort_unstable();
        }
        let name = (1..).map(|n| format!("{head}; {n}"));
        let free = name.into_iter().find(|name| !all.contains_key(name));
        all.insert(free.expect("a name"), lines.join("\n").trim().to_owned());
    }
    all
}

/// What is otherwise in the second one, each thing once.
fn otherwise(wanted: &Looked, found: &Looked) -> BTreeSet<String> {
    fn keys<'a>(
        these: &'a BTreeMap<String, String>,
        those: &'a BTreeMap<String, String>,
    ) -> impl Iterator<Item = &'a String> {
        these
            .iter()
            .filter(|(k, v)| those.get(*k) != Some(v))
            .map(|(k, _)| k)
    }
    let both = |a: &BTreeMap<_, _>, b: &BTreeMap<_, _>, what: &str| {
        let all = keys(a, b).chain(keys(b, a));
        all.map(|k| format!("{what} {k}")).collect::<Vec<_>>()
    };
    let roles = wanted.roles.symmetric_difference(&found.roles);
    both(&wanted.entries, &found.entries, "entry")
        .into_iter()
        .chain(both(&wanted.rows, &found.rows, "rows"))
        .chain(roles.cloned())
        .collect()
}

/// All that dr says is otherwise, or not there.
fn named(dump: &Dump, loaded: &Loaded) -> Vec<String> {
    let excluded = dump
        .excluded
        .iter()
        .map(|(what, why)| format!("{what}: {why}"));
    let all = excluded.chain(loaded.exceptions.iter().cloned());
    let (differs, _) = loaded.compared.clone().told();
    all.chain(loaded.undone.iter().cloned())
        .chain(differs)
        .collect()
}

/// Each difference is an exception that dr named, each exception is a difference, and nothing else
/// is named.
fn only(differences: &BTreeSet<String>, named: &[String], exceptions: &[Exception]) {
    let is = |d: &str, begins: &str| !begins.is_empty() && d.starts_with(begins);
    let unlisted: Vec<_> = differences
        .iter()
        .filter(|d| !exceptions.iter().any(|(begins, _)| is(d, begins)))
        .collect();
    assert!(unlisted.is_empty(), "{unlisted:#?}\nnamed: {named:#?}");
    for (begins, by) in exceptions {
        let there = begins.is_empty() || differences.iter().any(|d| is(d, begins));
        assert!(there, "{begins:?} is no difference any more");
        let said = named.iter().any(|n| n.starts_with(by));
        assert!(said, "nothing says {by:?}: {named:#?}");
    }
    let needless = |n: &&String| !exceptions.iter().any(|(_, by)| n.starts_with(by));
    let needless: Vec<&String> = named.iter().filter(needless).collect();
    assert!(needless.is_empty(), "no difference: {needless:#?}");
}

async fn make(rig: &Rig) {
    let session = rig.from.connect("shop").await;
    for (file, needs) in FILES {
        let answer = session.value(needs).await.expect("an answer");
        let fits = match (file.parse::<u32>(), answer.as_deref()) {
            (Ok(since), Some(version)) => {
                version.parse::<u32>().expect("a number") >= since * 10_000
            }
            (_, answer) => answer == Some("t"),
        };
        if fits {
            rig.from.sql("shop", &text(file)).await;
        }
    }
}

async fn equal_rows(dump: &Dump, to: &Address, but: &[&str]) {
    let found = digest_database::<Postgres>(to, 2, Seconds(30)).await;
    let wanted = dump.digests();
    let found = dump.gathered(&found.expect("read").listed(&wanted));
    let wrong = differences(&dump.gathered(&wanted), &found);
    assert_eq!(wrong, but);
}

#[test]
fn a_dump_carries_every_class_that_pg_dump_knows_and_brings_back_all_but_what_it_names() {
    let rig = Rig::new("torture");
    rig.run(async {
        make(&rig).await;
        let wanted = look(&rig.from).await;
        let dump = rig.dump().await.expect("dumped");
        classes::carried_or_named(&rig, &dump).await;
        let to = rig.to.address("shop", "postgres");
        let loaded = rig.load(&dump, &to).await.expect("loaded");
        rig.forget(&to).await;
        let found = look(&rig.to).await;
        let differs = otherwise(&wanted, &found);
        only(&differs, &named(&dump, &loaded), BY_SUPERUSER);
        assert_eq!(loaded.compared, Compared::Schema(Vec::new()));
        equal_rows(&dump, &to, &[]).await;
    });
}

/// What Aurora's master user is.
const MASTER: [&str; 2] = [
    "CREATE ROLE master LOGIN CREATEDB CREATEROLE PASSWORD 'pw'",
    "ALTER DATABASE shop OWNER TO master",
];

#[test]
fn the_same_through_a_user_who_is_no_superuser() {
    let mut rig = Rig::new("tortured");
    rig.user = "master";
    rig.run(async {
        make(&rig).await;
        for server in [&rig.from, &rig.to] {
            for statement in MASTER {
                server.sql("postgres", statement).await;
            }
        }
        let wanted = look(&rig.from).await;
        let address = rig.from.address("shop", "master");
        let source = Postgres::connect(&address, Seconds(30)).await.expect("in");
        let keep = Keep {
            database: "dr_kept",
            comment: "dr:run=a-test",
            timeout: Seconds(30),
        };
        source.open_up(&keep).await.expect("opened");
        rig.found(source.as_found(&keep).await.expect("kept"));
        let dump = rig.dump().await.expect("dumped");
        let to = rig.to.address("shop", "master");
        let loaded = rig.load(&dump, &to).await.expect("loaded");
        rig.forget(&to).await;
        let found = look(&rig.to).await;
        only(
            &otherwise(&wanted, &found),
            &named(&dump, &loaded),
            BY_MASTER,
        );
        equal_rows(&dump, &to, &["val.labels is missing"]).await;
    });
}

#[test]
fn a_copy_of_the_bytes_is_read_as_what_it_was_taken_from() {
    let mut rig = Rig::new("copied");
    rig.to = rig.run(async {
        make(&rig).await;
        rig.from.copied("copy").await
    });
    let dumped = |rig: &Rig| rig.run(async { rig.dump().await.expect("dumped") });
    let source = dumped(&rig);
    std::mem::swap(&mut rig.from, &mut rig.to);
    let copy = dumped(&rig);
    rig.run(async {
        let differs = otherwise(&look(&rig.to).await, &look(&rig.from).await);
        // What both dumps leave out is in both.
        let excluded = copy.excluded.iter();
        let new = excluded.filter(|(what, _)| !source.excluded.contains_key(*what));
        let named: Vec<String> = new.map(|(what, why)| format!("{what}: {why}")).collect();
        only(&differs, &named, BY_SNAPSHOT);
        for section in &source.sections {
            let [wanted, found] = [&source, &copy].map(|dump| rig.section(dump, &section.name));
            let unlogged = |l: &&str| !l.contains("tab\".\"unlogged");
            let (wanted, found) = (wanted.await, found.await);
            let [wanted, found] = [&wanted, &found].map(|t| t.lines().filter(unlogged));
            assert!(wanted.eq(found), "{}", section.name);
        }
        let unlogged = "tab.unlogged has 0 rows, should have 1";
        let wrong = differences(&source.digests(), &copy.digests());
        assert_eq!(wrong, [unlogged]);
        // As a drill and a restore compare one with a dump of the same point.
        let to = rig.from.address("shop", "postgres");
        let read = digest_database::<Postgres>(&to, 2, Seconds(30)).await;
        let wrong = differences(&source.digests(), &read.expect("read").tables);
        assert_eq!(wrong, [unlogged]);
    });
}
