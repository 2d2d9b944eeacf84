//! Whether a loaded database says of itself what the dump does: two texts of a schema, statement by
//! statement, whatever their order.

use super::lex::tokens;
use super::script::{Script, Statement};
use std::collections::{BTreeMap, BTreeSet};

/// `None`: two versions of a server, or of its client programs, write one schema in two ways.
/// `refused`: beginnings of statements that are known not to be there.
pub(super) fn differences(
    stored: &Script,
    here: &Script,
    refused: &BTreeSet<String>,
) -> Option<Vec<String>> {
    if stored.writers().is_none() || stored.writers() != here.writers() {
        return None;
    }
    let (wanted, found) = (count(stored), count(here));
    let missing = only(&wanted, &found).filter(|s| !refused.contains(&s.what));
    let mut told: Vec<String> = missing.map(|s| format!("missing: {}", s.what)).collect();
    // What was refused leaves others behind: an owner that is the loader.
    if refused.is_empty() {
        let extra = only(&found, &wanted);
        told.extend(extra.map(|s| format!("not in the dump: {}", s.what)));
    }
    Some(told)
}

type Counted<'a> = BTreeMap<String, (usize, &'a Statement)>;

fn count(script: &Script) -> Counted<'_> {
    let mut all = Counted::new();
    for statement in script.all().filter(|s| s.setting.is_none()) {
        all.entry(plain(&statement.text))
            .or_insert((0, statement))
            .0 += 1;
    }
    all
}

fn only<'a>(these: &Counted<'a>, those: &Counted<'a>) -> impl Iterator<Item = &'a Statement> {
    let more = |text: &String, n: usize| those.get(text).is_none_or(|(m, _)| *m < n);
    let only: Vec<&Statement> = these
        .iter()
        .filter(|(text, (n, _))| more(text, *n))
        .map(|(_, (_, statement))| *statement)
        .collect();
    only.into_iter()
}

/// Without comments before it, and without what a server adds to an expression or takes from it
/// when it reads its own text: parentheses and casts.
pub(super) fn plain(text: &str) -> String {
    let mut all: Vec<&str> = tokens(text).into_iter().map(|(_, token)| token).collect();
    sort_roles(&mut all);
    sort_columns(&mut all);
    // Its options are shown to some users alone.
    if all.starts_with(&["CREATE", "USER", "MAPPING"]) {
        let options = all.iter().skip(7).position(|t| *t == "OPTIONS");
        all.truncate(options.map_or(all.len(), |n| n + 7));
        all.retain(|t| *t != ";");
    }
    let mut plain = String::with_capacity(text.len());
    let mut n = 0;
    while let Some(token) = all.get(n) {
        n += 1;
        match *token {
            "(" | ")" => {}
            ":" if all.get(n) == Some(&":") => n = past_type(&all, n + 1),
            other => {
                plain.push_str(other);
                plain.push(' ');
            }
        }
    }
    plain
}

/// Roles of a policy stand in the order in which the server got them.
fn sort_roles(all: &mut [&str]) {
    if all.first() != Some(&"CREATE") || all.get(1) != Some(&"POLICY") {
        return;
    }
    let Some(to) = all.iter().position(|t| *t == "TO") else {
        return;
    };
    let behind = |t: &&str| matches!(*t, "USING" | "WITH" | ";");
    let end = all[to..]
        .iter()
        .position(behind)
        .map_or(all.len(), |n| to + n);
    // Commas come first, and are as many in both.
    all[to + 1..end].sort_unstable();
}

/// A table that inherits is made with the columns of its parents first, whatever their order was
/// before it inherited; rows are read by name.
fn sort_columns(all: &mut Vec<&str>) {
    let table = all.iter().take(3).position(|t| *t == "TABLE");
    let Some(open) = all.iter().position(|t| *t == "(") else {
        return;
    };
    if all.first() != Some(&"CREATE") || table.is_none() {
        return;
    }
    let (mut depth, mut parts, mut close) = (0usize, vec![Vec::new()], None);
    for (n, token) in all.iter().enumerate().skip(open) {
        match *token {
            "(" | "[" => depth += 1,
            ")" | "]" => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 {
            close = Some(n);
            break;
        }
        match (n == open, depth == 1 && *token == ",") {
            (true, _) => {}
            (_, true) => parts.push(Vec::new()),
            _ => parts.last_mut().map_or((), |part| part.push(*token)),
        }
    }
    let Some(close) = close.filter(|n| all.get(n + 1) == Some(&"INHERITS")) else {
        return;
    };
    parts.sort_unstable();
    all.splice(open..=close, parts.join(&","));
}

/// Behind the name of a type: `a.b`, `character varying`, `text[]`.
fn past_type(all: &[&str], mut at: usize) -> usize {
    const SECOND: [&str; 4] = ["varying", "precision", "with", "without"];
    at += 1;
    while all.get(at) == Some(&".") {
        at += 2;
    }
    while all.get(at).is_some_and(|t| SECOND.contains(t)) {
        let zone = all.get(at).is_some_and(|t| t.starts_with("with"));
        at += if zone { 3 } else { 1 };
    }
    while matches!(all.get(at), Some(&"[" | &"]")) {
        at += 1;
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "-- Dumped from database version 15.18 (Debian 15.18-1)\n-- Dumped by \
                        pg_dump version 15.18\n\nSET lock_timeout = 0;\n";

    fn script(text: &str) -> Script {
        Script::of(format!("{HEAD}{text}")).unwrap_or_else(|e| panic!("{e}"))
    }

    #[test]
    fn what_is_missing_changed_or_too_many_is_named_whatever_the_order() {
        let stored = script(
            "CREATE TABLE a (b text);\nCREATE INDEX i ON a USING btree (b);\nALTER TABLE a ENABLE \
             ROW LEVEL SECURITY;\n",
        );
        let none = BTreeSet::new();
        assert_eq!(differences(&stored, &stored, &none), Some(Vec::new()));
        let other =
            script("-- Owner: x\nCREATE INDEX i ON a USING btree (c);\nCREATE TABLE a (b text);\n");
        let told = differences(&stored, &other, &none).unwrap_or_default();
        assert_eq!(
            told,
            [
                "missing: ALTER TABLE a ENABLE ROW LEVEL SECURITY",
                "missing: CREATE INDEX i ON a USING btree",
                "not in the dump: CREATE INDEX i ON a USING btree"
            ]
        );
        let refused = BTreeSet::from(["CREATE INDEX i ON a USING btree".to_owned()]);
        let told = differences(&stored, &other, &refused).unwrap_or_default();
        assert_eq!(told, ["missing: ALTER TABLE a ENABLE ROW LEVEL SECURITY"]);
    }

    #[test]
    fn parentheses_and_casts_make_no_difference_and_values_do() {
        let of = |check: &str| script(&format!("CREATE TABLE a (b text, CHECK ({check}));"));
        let first =
            of("((b)::text = ANY (ARRAY['x'::character varying, 'y'::pg_catalog.text]::text[]))");
        let second = of("((b)::text = ANY ((ARRAY['x'::character varying, 'y'::text])::text[]))");
        let none = BTreeSet::new();
        assert_eq!(differences(&first, &second, &none), Some(Vec::new()));
        let third = of("((b)::text = ANY ((ARRAY['x'::character varying, 'z'::text])::text[]))");
        assert_eq!(differences(&first, &third, &none).map(|d| d.len()), Some(2));
    }

    #[test]
    fn roles_of_a_policy_may_come_in_any_order() {
        let none = BTreeSet::new();
        let of = |roles: &str| script(&format!("CREATE POLICY p ON a.t TO {roles} USING (true);"));
        let told = |a: &str, b: &str| differences(&of(a), &of(b), &none).map(|d| d.len());
        assert_eq!(told("rw, ro", "ro, rw"), Some(0));
        assert_eq!(told("rw, ro", "ro"), Some(2));
    }

    #[test]
    fn columns_of_a_table_that_inherits_may_come_in_any_order_and_of_no_other() {
        let none = BTreeSet::new();
        let of = |columns: &str, of: &str| {
            script(&format!("CREATE UNLOGGED TABLE a.t (\n{columns}\n){of};"))
        };
        let told = |a: &str, b: &str, below: &str| {
            differences(&of(a, below), &of(b, below), &none).map(|d| d.len())
        };
        let (one, other) = (
            "a numeric(10, 2), b int CHECK (b IN (1, 2))",
            "b int CHECK (b IN (1, 2)), a numeric(10, 2)",
        );
        assert_eq!(told(one, other, "\nINHERITS (a.p, a.q)"), Some(0));
        assert_eq!(told(one, other, ""), Some(2));
        let changed = "b int CHECK (b IN (1, 3)), a numeric(10, 2)";
        assert_eq!(told(one, changed, "\nINHERITS (a.p)"), Some(2));
    }

    #[test]
    fn texts_of_two_versions_are_not_compared() {
        let older = script("CREATE TABLE a (b text);");
        let text =
            format!("{HEAD}CREATE TABLE a (b text);").replace("version 15.18\n", "version 16.2\n");
        let newer = Script::of(text).unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(differences(&older, &newer, &BTreeSet::new()), None);
    }
}
