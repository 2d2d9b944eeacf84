//! ARCHITECTURE.md names every module, and the files that it and README.md name are there.

use crate::source;
use std::collections::BTreeSet;

const BEGINNINGS: [&str; 10] = [
    "src/",
    "lab/",
    "docs/",
    "tests/",
    "policies/",
    "runbooks/",
    "deploy/",
    "scripts/",
    "Dockerfile",
    "Makefile",
];

/// What stands in backticks and is a path of this repository.
fn paths(text: &str) -> Vec<String> {
    let quoted = text.split('`').skip(1).step_by(2);
    let ours = quoted.filter(|p| BEGINNINGS.iter().any(|b| p.starts_with(b)));
    let whole = ours.filter(|p| !p.contains(['*', '<', ' ']));
    whole.map(|p| p.trim_end_matches('/').to_owned()).collect()
}

#[test]
fn every_path_that_is_named_exists() {
    for page in ["ARCHITECTURE.md", "README.md"] {
        let missing: Vec<String> = paths(&source::read(page))
            .into_iter()
            .filter(|path| !source::root().join(path).exists())
            .collect();
        assert_eq!(missing, Vec::<String>::new(), "{page}");
    }
}

#[test]
fn every_module_is_named() {
    let named: BTreeSet<String> = paths(&source::read("ARCHITECTURE.md"))
        .into_iter()
        .collect();
    assert!(named.len() > 60, "{} paths were found", named.len());
    let modules = std::fs::read_dir(source::root().join("src")).unwrap();
    let silent: Vec<String> = modules
        .map(|e| format!("src/{}", e.unwrap().file_name().to_string_lossy()))
        .filter(|module| !named.contains(module))
        .collect();
    assert_eq!(silent, Vec::<String>::new());
}

#[test]
fn every_layer_has_a_line_of_its_own() {
    let text = source::read("ARCHITECTURE.md");
    let modules = source::modules("src/lib.rs");
    for module in modules.iter().filter(|m| m.path.len() == 1) {
        let name = &module.path[0];
        let begins = [format!("| `src/{name}/` |"), format!("| `src/{name}.rs` |")];
        let line = text
            .lines()
            .any(|l| begins.iter().any(|b| l.starts_with(b)));
        assert!(line, "ARCHITECTURE.md has no line for {name}");
    }
}

#[test]
fn a_path_is_known_by_its_folder() {
    let text = "`src/main.rs` and `docs/x/`, not `srcs/a`, `cargo test` or src/lib.rs";
    assert_eq!(paths(text), ["src/main.rs", "docs/x"]);
}
