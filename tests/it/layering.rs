//! The shape of the sources: imports go downward only, outside capabilities are called from one
//! place, files stay short.

use crate::source::{self, Module};
use std::collections::BTreeSet;
use syn::visit::Visit;

/// Layers from the top down. Layers on one line do not import each other.
const ORDER: &[&[&str]] = &[
    &["cli"],
    &["operations"],
    &["engine"],
    &["steps"],
    &["verification"],
    &["proof", "dump", "inventory", "targets"],
    &["transfer"],
    &["vault"],
    &["aws", "database"],
    &["world"],
    &["status"],
    &["journal"],
    &["plan"],
    &["schedule"],
    &["manifest"],
    &["policy"],
    &["report"],
    &["model"],
];

/// Layers that are functions of values: nothing in them waits, or speaks to anything outside.
const PURE: &[&str] = &[
    "model", "report", "policy", "manifest", "schedule", "plan", "journal", "status", "proof",
];

/// Crates that only one module and those in it may import, by the beginning of their names.
const RESERVED: &[(&str, &[&str])] = &[
    ("aws_", &["aws"]),
    ("tokio_postgres", KIND),
    ("rustls", KIND),
    ("cron", &["schedule"]),
    ("chrono", &["schedule"]),
    ("indicatif", &["cli"]),
    ("clap", &["cli"]),
];

/// The only module that speaks SQL.
const KIND: &[&str] = &["database", "postgres"];

const MAX_LINES: usize = 680;

fn level(layer: &str) -> Option<usize> {
    ORDER.iter().position(|layers| layers.contains(&layer))
}

/// A path from the crate's root; `None` where it leads out of the crate or is relative to a name in
/// scope.
fn absolute(at: &[String], path: &[String]) -> Option<Vec<String>> {
    let (first, rest) = path.split_first()?;
    match first.as_str() {
        "crate" => Some(rest.to_vec()),
        "self" => Some([at, rest].concat()),
        "super" => {
            let ups = path.iter().take_while(|s| *s == "super").count();
            Some([&at[..at.len().checked_sub(ups)?], &path[ups..]].concat())
        }
        _ => None,
    }
}

fn inside(at: &[String], module: &[&str]) -> bool {
    at.len() >= module.len() && module.iter().zip(at).all(|(m, a)| m == a)
}

/// Why a reference is not allowed; `None` is good.
fn wrong(layer: &str, at: &[String], path: &[String]) -> Option<String> {
    let shown = path.join("::");
    let Some(target) = absolute(at, path) else {
        let name = path.first()?;
        let reserved = RESERVED
            .iter()
            .find(|(prefix, _)| name.starts_with(prefix))?;
        let elsewhere = path.len() > 1 && !inside(at, reserved.1);
        let place = reserved.1.join("::");
        return elsewhere.then(|| format!("{shown}: only `{place}` imports {name}"));
    };
    let Some(other) = target.first().filter(|r| *r != "*") else {
        return Some(format!("{shown}: brings every layer in at once"));
    };
    if other == layer {
        return None;
    }
    match (level(layer), level(other)) {
        (Some(mine), Some(theirs)) if mine < theirs => None,
        (Some(_), Some(_)) => Some(format!("{shown}: `{layer}` may not import `{other}`")),
        _ => Some(format!(
            "{shown}: `{layer}` or `{other}` has no place in the order"
        )),
    }
}

fn violations(module: &Module) -> Vec<String> {
    let Some(layer) = module.path.first() else {
        return Vec::new();
    };
    let references = source::references(module);
    let found = references
        .iter()
        .filter_map(|(at, path)| wrong(layer, at, path));
    found.map(|why| format!("{}: {why}", module.file)).collect()
}

#[test]
fn imports_go_downward_only() {
    let modules = source::modules("src/lib.rs");
    assert!(modules.len() > 60, "the whole tree was read");
    let found: Vec<String> = modules.iter().flat_map(violations).collect();
    assert!(found.is_empty(), "{}", found.join("\n"));
}

/// Where a file waits.
#[derive(Default)]
struct Waits(Option<&'static str>);

impl<'a> Visit<'a> for Waits {
    fn visit_signature(&mut self, signature: &'a syn::Signature) {
        if signature.asyncness.is_some() {
            self.0 = Some("async");
        }
        syn::visit::visit_signature(self, signature);
    }
    fn visit_expr_async(&mut self, _: &'a syn::ExprAsync) {
        self.0 = Some("async");
    }
    fn visit_expr_await(&mut self, _: &'a syn::ExprAwait) {
        self.0 = Some("await");
    }
    fn visit_ident(&mut self, ident: &'a syn::Ident) {
        if ident == "tokio" {
            self.0 = Some("tokio");
        }
    }
}

fn impure(module: &Module) -> Option<String> {
    let layer = module.path.first().filter(|r| PURE.contains(&r.as_str()))?;
    let mut waits = Waits::default();
    waits.visit_file(&module.ast);
    let word = waits.0?;
    Some(format!(
        "{}: `{layer}` is pure, and this says {word}",
        module.file
    ))
}

#[test]
fn what_is_pure_waits_for_nothing() {
    let modules = source::modules("src/lib.rs");
    let found: Vec<String> = modules.iter().filter_map(impure).collect();
    assert!(found.is_empty(), "{}", found.join("\n"));
    for (text, caught) in [
        ("async fn f() {}", true),
        ("fn f() { let _ = async { 1 }; }", true),
        ("fn f() { tokio::spawn(g()); }", true),
        ("/// async in words\nfn f() {}", false),
    ] {
        let ast = syn::parse_file(text).unwrap();
        let (path, file) = (vec!["plan".into(), "step".into()], "planted.rs".into());
        let found = impure(&Module { path, file, ast });
        assert_eq!(found.is_some(), caught, "{text}");
    }
}

/// How a statement begins; as PostgreSQL's users write it, and as this program does.
const STATEMENTS: [&str; 36] = [
    "ALTER",
    "ANALYZE",
    "BEGIN",
    "CALL",
    "COMMENT",
    "COMMIT",
    "COPY",
    "CREATE",
    "DECLARE",
    "DELETE",
    "DO",
    "DROP",
    "EXECUTE",
    "EXPLAIN",
    "GRANT",
    "INSERT",
    "LISTEN",
    "LOCK",
    "MERGE",
    "NOTIFY",
    "REFRESH",
    "REINDEX",
    "RELEASE",
    "RESET",
    "REVOKE",
    "ROLLBACK",
    "SAVEPOINT",
    "SELECT",
    "SET",
    "SHOW",
    "START",
    "TRUNCATE",
    "UPDATE",
    "VACUUM",
    "VALUES",
    "WITH",
];

/// The beginnings of string literals of a file that are statements, those inside of macros as
/// well; comments are none.
fn statements(text: &str) -> Vec<String> {
    let all = source::literals(text).into_iter();
    let begins = |literal: &String| {
        let word: String = literal
            .trim_start()
            .chars()
            .take_while(|c| c.is_ascii_alphabetic())
            .collect();
        STATEMENTS.contains(&word.as_str())
    };
    let beginning = |literal: String| literal.trim_start().chars().take(40).collect();
    all.filter(begins).map(beginning).collect()
}

#[test]
fn sql_is_in_one_module_alone() {
    let (kinds, others): (Vec<Module>, Vec<Module>) = source::modules("src/lib.rs")
        .into_iter()
        .partition(|m| inside(&m.path, KIND));
    let of = |m: &Module| statements(&source::read(&m.file));
    let spoken: usize = kinds.iter().map(|m| of(m).len()).sum();
    assert!(
        spoken > 40,
        "{spoken} statements were found where they belong"
    );
    let found: Vec<String> = others
        .iter()
        .flat_map(|m| of(m).into_iter().map(|sql| format!("{}: {sql}", m.file)))
        .collect();
    assert!(found.is_empty(), "SQL elsewhere:\n{}", found.join("\n"));
}

#[test]
fn a_planted_statement_is_caught_in_every_form() {
    for text in [
        "const ALL: &str = \"SELECT 1\";",
        "const ALL: &str = r#\"SELECT 1\"#;",
        "fn f(c: &C) { c.execute(\"BEGIN\"); }",
        "fn f(t: &str) -> String { format!(\"COPY {t} FROM STDIN\") }",
        "fn f() { g(&[(1, vec![\"\\n  LOCK TABLE t\"])]); }",
        "#[cfg(test)] mod tests { const ALL: &str = \"SHOW x\"; }",
    ] {
        assert_eq!(statements(text).len(), 1, "{text}");
    }
    for text in [
        "/// SELECT 1\nfn f() {}",
        "//! SELECT 1\nfn f() {}",
        "#[doc = \"SELECT 1\"] fn f() {}",
        "fn f() { g(\"selects rows\", \"SETTINGS\", \"say: SELECT 1\"); }",
    ] {
        assert_eq!(statements(text), Vec::<String>::new(), "{text}");
    }
}

#[test]
fn every_layer_has_a_place_in_the_order() {
    for module in source::modules("src/lib.rs")
        .iter()
        .filter(|m| m.path.len() == 1)
    {
        assert!(
            level(&module.path[0]).is_some(),
            "{} has no place in the order",
            module.file
        );
    }
}

#[test]
fn a_planted_violation_is_caught_in_every_form() {
    let planted = [
        "use crate::vault::Vault;",
        "use crate::{manifest::Point, vault};",
        "use super::super::vault::Vault as V;",
        "fn f() -> crate::vault::Vault { todo() }",
        "fn f() { let _ = g(crate::vault::NAME); }",
        "fn f() -> String { format!(\"{}\", crate::vault::NAME) }",
        "#[serde(with = \"crate::vault::text\")] struct S;",
        "mod inner { use super::super::super::vault::Vault; }",
        "use crate::*;",
        "use crate as everything;",
        "use aws_sdk_s3::Client;",
        "fn f(c: aws_sdk_s3::Client) {}",
        "use tokio_postgres::NoTls;",
    ];
    for text in planted {
        let module = Module {
            path: vec!["policy".into(), "check".into()],
            file: "planted.rs".into(),
            ast: syn::parse_file(text).unwrap(),
        };
        assert!(!violations(&module).is_empty(), "not caught: {text}");
    }
    for text in [
        "use super::ids::Region;",
        "use crate::model::Region;",
        "use std::fmt;",
        "use serde::Serialize;",
    ] {
        let module = Module {
            path: vec!["policy".into(), "check".into()],
            file: "good.rs".into(),
            ast: syn::parse_file(text).unwrap(),
        };
        assert_eq!(violations(&module), Vec::<String>::new(), "{text}");
    }
}

#[test]
fn the_driver_is_imported_by_its_kind_alone() {
    let path = ["tokio_postgres", "NoTls"].map(str::to_owned);
    let at = |module: &str| module.split("::").map(str::to_owned).collect::<Vec<_>>();
    for (module, allowed) in [
        ("database::postgres", true),
        ("database::postgres::copy", true),
        ("database", false),
        ("database::kind", false),
        ("dump", false),
    ] {
        let at = at(module);
        assert_eq!(wrong(&at[0], &at, &path).is_none(), allowed, "{module}");
    }
}

#[test]
fn siblings_on_one_level_do_not_import_each_other() {
    let at = ["proof".to_owned()];
    let path = |p: &str| p.split("::").map(str::to_owned).collect::<Vec<_>>();
    assert!(wrong("proof", &at, &path("crate::dump::load")).is_some());
    assert!(wrong("proof", &at, &path("crate::database::Database")).is_none());
}

#[test]
fn outside_capabilities_are_called_from_world_alone() {
    let lint = "disallowed_methods";
    let listed = |file: &str| file.contains("(clippy::") && file.contains(lint);
    let allowed: Vec<String> = source::files("src", ".rs")
        .into_iter()
        .filter(|f| listed(&source::read(f)))
        .collect();
    assert_eq!(allowed, ["src/world.rs"]);
    let clippy = source::read("clippy.toml");
    for method in [
        "SystemTime::now",
        "Instant::now",
        "tokio::time::sleep",
        "std::env::var",
        "std::process::exit",
    ] {
        assert!(
            clippy.contains(method),
            "clippy.toml does not list {method}"
        );
    }
}

#[test]
fn nothing_is_switched_off_silently() {
    let words = [
        ["allow(dead", "_code"].concat(),
        ["#[ign", "ore"].concat(),
        ["#![all", "ow("].concat(),
    ];
    for file in all_rust() {
        let text = source::read(&file);
        for word in &words {
            assert!(!text.contains(word.as_str()), "{file} has {word}");
        }
    }
}

fn all_rust() -> Vec<String> {
    ["src", "tests", "lab/src", "lab/tests"]
        .iter()
        .flat_map(|f| source::files(f, ".rs"))
        .collect()
}

#[test]
fn files_are_short_and_their_names_say_what_is_inside() {
    let mut wrong = Vec::new();
    for file in all_rust() {
        let lines = source::read(&file).lines().count();
        if lines > MAX_LINES {
            wrong.push(format!("{file} has {lines} lines, at most {MAX_LINES}"));
        }
        let name = file.rsplit('/').next().unwrap().trim_end_matches(".rs");
        if [
            "utils", "util", "common", "helpers", "helper", "manager", "misc",
        ]
        .contains(&name)
        {
            wrong.push(format!("{file}: this name says nothing"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_file_is_forgotten_by_its_crate() {
    for (roots, folder) in [
        (&["src/lib.rs", "src/main.rs"][..], "src"),
        (&["tests/it/main.rs"][..], "tests/it"),
        (&["lab/src/lib.rs", "lab/src/main.rs"][..], "lab/src"),
    ] {
        let reached: BTreeSet<String> = roots
            .iter()
            .flat_map(|r| source::modules(r))
            .map(|m| m.file)
            .collect();
        let there: BTreeSet<String> = source::files(folder, ".rs").into_iter().collect();
        let forgotten: Vec<_> = there.difference(&reached).collect();
        assert!(forgotten.is_empty(), "no `mod` reaches {forgotten:?}");
    }
}

#[test]
fn the_lab_does_not_depend_on_the_product() {
    let manifest = source::read("lab/Cargo.toml");
    assert!(
        !manifest
            .lines()
            .any(|l| l.starts_with("dr ") || l.starts_with("dr=")),
        "lab/Cargo.toml names dr"
    );
    for module in source::modules("lab/src/lib.rs") {
        let uses = source::references(&module)
            .into_iter()
            .any(|(_, p)| p.len() > 1 && p[0] == "dr");
        assert!(!uses, "{} uses dr", module.file);
    }
}
