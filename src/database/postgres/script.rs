//! Stored SQL text at a load: checked to be statements, and cut into them, without those that set
//! what this server does not know.

use super::connect::Postgres;
use super::lex::{Kind, Piece, pieces, tokens};
use super::writers::writers;
use crate::database::error::DatabaseError;
use crate::database::found::Which;
use crate::database::quote::literal;
use std::collections::BTreeSet;

/// Text that holds nothing but statements.
pub struct Script {
    statements: Vec<Statement>,
    /// Majors of the server that it was written from, and of the program that wrote it.
    writers: Option<(String, String)>,
}

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Statement {
    /// With what stands before it, byte for byte.
    pub text: String,
    /// The setting that it sets.
    pub setting: Option<String>,
    /// Its beginning, without values.
    pub what: String,
    /// The table whose row-level security it is part of.
    pub secures: Option<String>,
    /// The role that it gives something to, or speaks for.
    pub owner: Option<String>,
    /// It gives or takes rights.
    pub gives: bool,
    /// The table that it lets somebody read or write.
    pub grants_on: Option<String>,
}

/// Words that a statement is named by.
const NAMED_BY: usize = 12;

impl Script {
    /// # Errors
    /// A command of psql is in it.
    pub(super) fn of(text: String) -> Result<Self, &'static str> {
        let (mut statements, mut open) = (Vec::<Statement>::new(), false);
        for piece in pieces(&text) {
            match piece.kind {
                Kind::Meta => {
                    return Err("a command of psql stands where a statement should begin");
                }
                Kind::Statement => {
                    let next = Statement::from(&piece);
                    // `SET SESSION AUTHORIZATION g; GRANT …; RESET SESSION AUTHORIZATION;` gives in
                    // the name of somebody: one thing, which must not be torn apart.
                    let begins = |word| {
                        piece
                            .tokens
                            .starts_with(&[word, "SESSION", "AUTHORIZATION"])
                    };
                    match statements.last_mut().filter(|_| open) {
                        Some(unit) => unit.and(next),
                        None => statements.push(next),
                    }
                    open = begins("SET") || open && !begins("RESET");
                }
                Kind::Blank => {}
            }
        }
        Ok(Self {
            statements,
            writers: writers(&text),
        })
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &Statement> {
        self.statements.iter()
    }

    pub(super) fn writers(&self) -> Option<&(String, String)> {
        self.writers.as_ref()
    }

    /// Roles that it gives something to, or speaks for.
    pub(super) fn owners(&self) -> BTreeSet<String> {
        self.statements
            .iter()
            .flat_map(|s| s.owner.clone())
            .collect()
    }

    fn settings(&self) -> BTreeSet<&String> {
        self.statements.iter().flat_map(|s| &s.setting).collect()
    }

    /// Its statements without those that set what the server does not know. A newer `pg_dump` sets
    /// it whatever the server's version (`transaction_timeout`); everything else stays, byte for
    /// byte.
    pub(super) fn without(&self, unknown: &BTreeSet<String>, which: Which) -> Vec<&Statement> {
        let wanted = |s: &&Statement| match &s.setting {
            Some(name) => !unknown.contains(name),
            None => s.which() == which,
        };
        self.statements.iter().filter(wanted).collect()
    }
}

impl Statement {
    fn which(&self) -> Which {
        let on = [
            "CREATE EVENT TRIGGER",
            "ALTER EVENT TRIGGER",
            "COMMENT ON EVENT TRIGGER",
        ];
        if on.iter().any(|words| self.what.starts_with(words)) {
            return Which::EventTriggers;
        }
        match self.gives {
            true => Which::Rights,
            false => Which::Objects,
        }
    }

    fn and(&mut self, next: Self) {
        self.text.push_str(&next.text);
        if next.gives {
            (self.gives, self.what, self.grants_on) = (true, next.what, next.grants_on);
        }
    }

    /// One that was kept as text.
    pub(super) fn of(text: &str) -> Option<Self> {
        Script::of(text.to_owned())
            .ok()?
            .statements
            .into_iter()
            .next()
    }

    fn from(piece: &Piece<'_>) -> Self {
        let all: Vec<&str> = tokens(piece.statement())
            .into_iter()
            .map(|(_, t)| t)
            .collect();
        Self {
            text: piece.text.to_owned(),
            setting: piece.setting().or_else(|| set_config(&all)),
            what: named(&all),
            secures: secures(&all),
            owner: owner(&all),
            gives: gives(&all),
            grants_on: grants_on(&all),
        }
    }
}

/// `SELECT pg_catalog.set_config('search_path', …)`: how `pg_dump` sets it.
fn set_config(tokens: &[&str]) -> Option<String> {
    match tokens {
        [select, "pg_catalog", ".", "set_config", "(", name, ..]
            if select.eq_ignore_ascii_case("select") =>
        {
            Some(name.trim_matches('\'').to_owned())
        }
        _ => None,
    }
}

/// Up to its first value or parenthesis.
fn named(tokens: &[&str]) -> String {
    let value = |t: &&str| {
        let number = t.starts_with(|c: char| c.is_ascii_digit());
        number || t.contains('\'') || t.starts_with('$') || matches!(*t, "(" | ";" | "=")
    };
    let words = tokens.iter().copied().take_while(|t| !value(t));
    let mut name = String::new();
    for word in words.take(NAMED_BY) {
        let joined = word == "." || name.ends_with('.') || name.is_empty() || word == ",";
        if !joined {
            name.push(' ');
        }
        name.push_str(word);
    }
    name
}

fn is(token: Option<&&str>, word: &str) -> bool {
    token.is_some_and(|t| t.eq_ignore_ascii_case(word))
}

/// A name with its schema, from a place on.
fn table_at(tokens: &[&str], at: usize) -> Option<String> {
    match tokens.get(at..)? {
        [schema, ".", name, ..] => Some(format!("{schema}.{name}")),
        [name, ..] => Some((*name).to_owned()),
        [] => None,
    }
}

pub(super) fn find(tokens: &[&str], words: &[&str]) -> Option<usize> {
    let found = |at: &usize| (0..words.len()).all(|n| is(tokens.get(at + n), words[n]));
    (0..tokens.len()).find(found)
}

/// `CREATE POLICY … ON table`, `ALTER TABLE [ONLY] table ENABLE|FORCE ROW LEVEL SECURITY`.
fn secures(tokens: &[&str]) -> Option<String> {
    if is(tokens.first(), "create") && is(tokens.get(1), "policy") {
        return table_at(tokens, find(tokens, &["on"])? + 1);
    }
    let alters = is(tokens.first(), "alter") && is(tokens.get(1), "table");
    let at = 2 + usize::from(is(tokens.get(2), "only"));
    let switched = find(tokens, &["row", "level", "security"]).is_some();
    if alters && switched {
        table_at(tokens, at)
    } else {
        None
    }
}

/// `ALTER … OWNER TO role`, `ALTER DEFAULT PRIVILEGES FOR ROLE role`, `SET SESSION AUTHORIZATION
/// role`.
fn owner(tokens: &[&str]) -> Option<String> {
    if find(tokens, &["set", "session", "authorization"]) == Some(0) {
        return tokens.get(3).map(|name| unquoted(name));
    }
    if !is(tokens.first(), "alter") {
        return None;
    }
    let to = find(tokens, &["owner", "to"]).or_else(|| find(tokens, &["for", "role"]))?;
    tokens.get(to + 2).map(|name| unquoted(name))
}

pub(super) fn unquoted(name: &str) -> String {
    let inside = name.strip_prefix('"').and_then(|n| n.strip_suffix('"'));
    inside.map_or_else(|| name.to_lowercase(), |n| n.replace("\"\"", "\""))
}

/// `GRANT`, `REVOKE`, `ALTER DEFAULT PRIVILEGES`. `pg_dump` writes them at the end of what comes
/// before the rows: before the policies that restrict them.
fn gives(tokens: &[&str]) -> bool {
    let alters = is(tokens.first(), "alter") && is(tokens.get(1), "default");
    is(tokens.first(), "grant") || is(tokens.first(), "revoke") || alters
}

/// `GRANT … ON [TABLE] table TO …`.
fn grants_on(tokens: &[&str]) -> Option<String> {
    if !is(tokens.first(), "grant") {
        return None;
    }
    let on = find(tokens, &["on"])? + 1;
    table_at(tokens, on + usize::from(is(tokens.get(on), "table")))
}

impl Postgres {
    /// Names of settings that a script sets and this server does not have.
    ///
    /// # Errors
    /// The server's.
    pub(super) async fn unknown_settings(
        &self,
        script: &Script,
    ) -> Result<BTreeSet<String>, DatabaseError> {
        let mut unknown = BTreeSet::new();
        for name in script.settings() {
            if !self.knows(name).await? {
                unknown.insert(name.clone());
            }
        }
        Ok(unknown)
    }

    async fn knows(&self, setting: &str) -> Result<bool, DatabaseError> {
        let asked = format!(
            "SELECT pg_catalog.current_setting({}, true)",
            literal(setting)
        );
        match self.value(&asked).await {
            Ok(value) => Ok(value.is_some()),
            Err(e) if e.forbidden() => Ok(true),
            Err(e) => Err(e),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What each `pg_dump` writes first, after its own `\\restrict` was taken out.
    const HEADS: [(&str, &str); 4] = [
        ("15", include_str!("heads/15.sql")),
        ("16", include_str!("heads/16.sql")),
        ("17", include_str!("heads/17.sql")),
        ("18", include_str!("heads/18.sql")),
    ];

    fn script(text: &str) -> Script {
        Script::of(text.to_owned()).unwrap()
    }

    fn text(statements: &[&Statement]) -> String {
        statements.iter().map(|s| s.text.as_str()).collect()
    }

    #[test]
    fn only_what_a_server_does_not_know_is_left_out_of_the_heads_of_all_versions() {
        for (version, head) in HEADS {
            let script = script(head);
            let new = script
                .settings()
                .iter()
                .any(|s| *s == "transaction_timeout");
            assert_eq!(new, version >= "17", "{version}");
            assert!(
                script.settings().iter().any(|s| *s == "row_security"),
                "{head}"
            );
            let all = script.without(&BTreeSet::new(), Which::Objects);
            assert!(head.starts_with(&text(&all)));
            let unknown = BTreeSet::from(["transaction_timeout".to_owned()]);
            let wanted = head.replace("\nSET transaction_timeout = 0;", "");
            assert!(
                wanted.starts_with(&text(&script.without(&unknown, Which::Objects))),
                "{version}"
            );
        }
    }

    #[test]
    fn a_line_that_looks_like_a_setting_stays_where_it_is_none() {
        let sql = "CREATE FUNCTION f() AS $$\r\nSET transaction_timeout = 0;\r\n\\restrict x\n$$;\
             COMMENT ON TABLE t IS '\nSET transaction_timeout = 0;\n';";
        let unknown = BTreeSet::from(["transaction_timeout".to_owned()]);
        assert_eq!(text(&script(sql).without(&unknown, Which::Objects)), sql);
        assert!(script(sql).without(&unknown, Which::Rights).is_empty());
        assert!(Script::of("SELECT 1;\n\\! ls\n".into()).is_err());
    }

    #[test]
    fn a_statement_is_named_without_values_and_says_whose_security_it_is() {
        let of = |sql: &str| {
            let s = Statement::of(sql).unwrap_or_else(|| panic!("{sql}"));
            (s.what, s.secures, s.grants_on)
        };
        let some = |t: &str| Some(t.to_owned());
        let named = |t: &str| t.to_owned();
        assert_eq!(
            of("-- a\nALTER TABLE ONLY app.\"a b\" FORCE ROW LEVEL SECURITY;"),
            (
                named("ALTER TABLE ONLY app.\"a b\" FORCE ROW LEVEL SECURITY"),
                some("app.\"a b\""),
                None
            )
        );
        assert_eq!(
            of("CREATE POLICY p ON app.orders FOR SELECT USING ((x = 'secret'));"),
            (
                named("CREATE POLICY p ON app.orders FOR SELECT USING"),
                some("app.orders"),
                None
            )
        );
        assert_eq!(
            of("GRANT SELECT,INSERT ON TABLE app.orders TO app_ro;"),
            (
                named("GRANT SELECT, INSERT ON TABLE app.orders TO app_ro"),
                None,
                some("app.orders")
            )
        );
        assert_eq!(
            of("COMMENT ON TABLE app.orders IS 'secret';").0,
            "COMMENT ON TABLE app.orders IS"
        );
        assert_eq!(
            of("ALTER TABLE ONLY app.a ALTER COLUMN b SET DEFAULT 'secret';").0,
            "ALTER TABLE ONLY app.a ALTER COLUMN b SET DEFAULT"
        );
        let path = Statement::of("SELECT pg_catalog.set_config('search_path', '', false);");
        let setting = path.and_then(|p| p.setting);
        assert_eq!(setting.as_deref(), Some("search_path"));
    }
}
