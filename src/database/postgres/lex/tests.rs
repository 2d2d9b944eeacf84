use super::*;
use proptest::prelude::*;

/// The statements of a text, without what stands before them.
fn statements(text: &str) -> Vec<&str> {
    let all = pieces(text);
    let kinds = all.iter().filter(|p| p.kind == Kind::Statement);
    kinds.map(Piece::statement).collect()
}

#[test]
fn a_semicolon_inside_of_something_ends_nothing() {
    for inside in [
        "SELECT 'a;b''c;d\\'",
        "SELECT E'a\\';b\\\\'",
        "SELECT E'a'\n  '\\';b'",
        "SELECT E'a' -- and ;\n'\\';b'",
        "SELECT 'a'\n'\\'",
        "SELECT \"a;\"\"b\", U&\"c;\\0041\", U&'d;'",
        "SELECT B'1;', x'F;', n';'",
        "SELECT $$;'$$, $a$;$$;$b$;$a$, $Ü1$;$Ü1$",
        "SELECT a$b$, 1; SELECT c$b$",
        "SELECT $1, $2",
        "SELECT /* ; /* ; */ ; */ 1",
        "SELECT 1 -- ; '\n + 1",
        "SELECT 1+-- ;\r2",
        "CREATE RULE r AS ON INSERT TO t DO (SELECT 1; SELECT 2)",
        "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE WHEN true THEN 1 END; END",
        "create or replace procedure p()\n begin /* ; */ atomic\n select 1; select 2; end",
    ] {
        let text = format!("{inside};\nSELECT 9;");
        let found = statements(&text);
        // One of them holds two on purpose: `a$b$` opens nothing.
        let wanted = 1 + inside.matches("; SELECT c").count();
        assert_eq!(found.len(), wanted + 1, "{inside}: {found:?}");
        assert_eq!(found.last(), Some(&"SELECT 9;"), "{inside}");
    }
}

#[test]
fn names_that_look_like_blocks_open_none() {
    let text = "CREATE FUNCTION f(begin int) RETURNS public.begin LANGUAGE sql AS 'x';SELECT 2;\
         BEGIN;COMMIT;CREATE TABLE t (\"begin\" int, atomic int);SELECT 3;";
    assert_eq!(statements(text).len(), 6);
}

#[test]
fn commands_of_psql_are_seen_where_a_statement_would_begin_and_nowhere_else() {
    let text =
        "--\n\\restrict x;y'\nSELECT '\n\\restrict z\n', $$\n\\unrestrict\n$$;\n\\unrestrict x";
    let all = pieces(text);
    let metas: Vec<&str> = all
        .iter()
        .filter(|p| p.kind == Kind::Meta)
        .map(Piece::statement)
        .collect();
    assert_eq!(metas, ["\\restrict x;y'\n", "\\unrestrict x"]);
    assert_eq!(&all[0].text[..all[0].start], "--\n");
    assert_eq!(statements(text).len(), 1);
}

#[test]
fn only_a_whole_setting_is_one() {
    let setting = |text: &str| pieces(text)[0].setting();
    for (text, name) in [
        ("SET transaction_timeout = 0;", Some("transaction_timeout")),
        (
            "-- x\nset Session Lock_Timeout TO '1';",
            Some("lock_timeout"),
        ),
        ("SET LOCAL a = 1;", Some("a")),
        ("SET ROLE x;", None),
        ("SET SESSION AUTHORIZATION 'x';", None),
        ("SET TRANSACTION READ ONLY;", None),
        ("SET app.x = 1;", None),
        ("SELECT 1;", None),
        ("UPDATE t SET a = 1;", None),
        ("\\set a = 1", None),
    ] {
        assert_eq!(setting(text).as_deref(), name, "{text}");
    }
}

/// Texts made of what could be misread.
fn sql() -> impl Strategy<Value = String> {
    let part = prop::sample::select(vec![
        "'",
        "''",
        "\"",
        "$$",
        "$a$",
        "$",
        "\\",
        "\\'",
        ";",
        "--",
        "/*",
        "*/",
        "\n",
        "\r",
        " ",
        "E'",
        "U&'",
        "U&\"",
        "(",
        ")",
        "CREATE FUNCTION",
        "BEGIN ATOMIC",
        "CASE",
        "END",
        "é",
        "🦀",
        "\0",
        "SET",
        "x",
        "1e",
        "=",
    ]);
    prop::collection::vec(part, 0..40).prop_map(|parts| parts.concat())
}

proptest! {
    #[test]
    fn the_pieces_are_the_text(text in sql()) {
        let all = pieces(&text);
        prop_assert_eq!(all.iter().map(|p| p.text).collect::<String>(), text.clone());
        for piece in all {
            prop_assert!(!piece.text.is_empty() && piece.start <= piece.text.len());
        }
    }

    /// Whatever a quoted text holds, the statement around it is one.
    #[test]
    fn what_is_quoted_is_never_cut(inside in sql()) {
        let literal = crate::database::literal(&inside.replace('\0', ""));
        let name = crate::database::quote::ident(&inside);
        let body = inside.replace('$', "");
        for quoted in [literal, name, format!("$dr${body}$dr$"), format!("/*{}*/",
            body.replace(['*', '/'], ""))] {
            let text = format!("SELECT {quoted};SELECT 2;");
            prop_assert_eq!(statements(&text).len(), 2, "{}", text);
        }
    }
}
