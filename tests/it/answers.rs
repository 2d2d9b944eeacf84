//! docs/JSON.md and the answers of the program name the same fields.

use crate::program::dr;
use crate::source;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use syn::visit::Visit;

/// What each verb's sources set: the schemas of its answers, and their fields.
const VERBS: &[&[&str]] = &[
    &["src/cli/policy.rs"],
    &["src/cli/vault.rs", "src/cli/vault/probes.rs"],
    &["src/cli/plan.rs"],
    &["src/cli/tick.rs"],
    &["src/cli/status.rs"],
    &["src/cli/verify.rs"],
    &["src/cli/log.rs"],
    &["src/cli/drill.rs"],
    &[
        "src/cli/restore/mod.rs",
        "src/cli/restore/show.rs",
        "src/cli/restore/done.rs",
    ],
    &["src/cli/completions.rs"],
];

/// Top-level fields by schema, as documented.
fn documented() -> BTreeMap<String, BTreeSet<String>> {
    let page = source::read("docs/JSON.md");
    let sections = page.split("\n## `").skip(1);
    let fields = |section: &str| {
        let rows = section
            .lines()
            .filter_map(|l| l.strip_prefix("| `"))
            .filter_map(|l| l.split(" | ").next());
        let names = rows
            .flat_map(|cell| cell.split(", "))
            .map(|n| n.trim_matches('`').to_owned());
        names.filter(|n| !n.contains('.')).collect()
    };
    sections
        .map(|s| (s.split('`').next().unwrap().to_owned(), fields(s)))
        .collect()
}

struct Sets {
    fields: BTreeSet<String>,
    schemas: BTreeSet<String>,
}

impl<'ast> Visit<'ast> for Sets {
    fn visit_expr_method_call(&mut self, call: &'ast syn::ExprMethodCall) {
        if call.method == "set" && call.args.len() == 2 {
            self.fields.extend(call.args.first().and_then(literal));
        }
        syn::visit::visit_expr_method_call(self, call);
    }
    fn visit_expr_call(&mut self, call: &'ast syn::ExprCall) {
        let answer = matches!(&*call.func, syn::Expr::Path(p)
            if p.path.segments.iter().map(|s| s.ident.to_string()).eq(["Answer", "new"]));
        if answer {
            self.schemas.extend(call.args.first().and_then(literal));
        }
        syn::visit::visit_expr_call(self, call);
    }
}

fn literal(expr: &syn::Expr) -> Option<String> {
    match expr {
        syn::Expr::Lit(syn::ExprLit {
            lit: syn::Lit::Str(text),
            ..
        }) => Some(text.value()),
        _ => None,
    }
}

fn sets(files: &[&str]) -> Sets {
    let mut sets = Sets {
        fields: BTreeSet::new(),
        schemas: BTreeSet::new(),
    };
    for file in files {
        sets.visit_file(&syn::parse_file(&source::read(file)).unwrap());
    }
    sets
}

#[test]
fn every_field_that_a_verb_sets_is_documented_and_no_other_one() {
    let documented = documented();
    let mut schemas = BTreeSet::from(["dr/error/1".to_owned(), "dr-lab/demo/1".to_owned()]);
    for files in VERBS {
        let sets = sets(files);
        assert!(!sets.schemas.is_empty(), "{files:?} makes no answer");
        let told: BTreeSet<String> = sets
            .schemas
            .iter()
            .filter_map(|s| documented.get(s))
            .flatten()
            .cloned()
            .collect();
        assert_eq!(told, sets.fields, "{files:?} and docs/JSON.md differ");
        schemas.extend(sets.schemas);
    }
    assert_eq!(
        schemas,
        documented.keys().cloned().collect(),
        "schemas in the sources and in docs/JSON.md"
    );
}

#[test]
fn every_answer_is_made_by_a_file_that_this_test_reads() {
    let read: BTreeSet<&str> = VERBS
        .iter()
        .flat_map(|f| f.iter().copied())
        .chain(["src/cli/answer.rs"])
        .collect();
    for file in source::files("src/cli", ".rs")
        .iter()
        .filter(|f| !read.contains(f.as_str()))
    {
        let sets = sets(&[file.as_str()]);
        assert!(
            sets.fields.is_empty() && sets.schemas.is_empty(),
            "{file} sets {:?}",
            sets.fields
        );
    }
}

#[test]
fn nested_fields_are_named() {
    let page = source::read("docs/JSON.md");
    let named =
        |name: &str| page.contains(&format!("`{name}`")) || page.contains(&format!(".{name}`"));
    // Keys of `json!` in the verbs; those of bucket policies are Amazon's.
    for file in VERBS.iter().flat_map(|f| f.iter()) {
        for piece in source::read(file)
            .split('"')
            .collect::<Vec<_>>()
            .windows(2)
            .filter(|w| w[1].starts_with(':'))
            .map(|w| w[0])
        {
            let key =
                !piece.is_empty() && piece.chars().all(|c| c.is_ascii_lowercase() || c == '_');
            assert!(
                !key || named(piece),
                "{file} sets {piece}, docs/JSON.md does not name it"
            );
        }
    }
    // Fields of what is serialised whole.
    for (file, types) in [
        (
            "src/status/told.rs",
            &[
                "Status",
                "OpenRun",
                "Newest",
                "TargetState",
                "Proven",
                "Drills",
                "LastDrill",
                "FailedProof",
                "Met",
                "Retention",
            ][..],
        ),
        ("src/manifest/proof.rs", &["Check"]),
        ("src/report/finding.rs", &["Finding"]),
        ("src/operations/restore/options.rs", &["RestoreOption"]),
        (
            "lab/src/demo/report.rs",
            &[
                "Report", "Backup", "Target", "Drill", "Proof", "Region1", "Restore", "Phase",
                "Equality",
            ],
        ),
    ] {
        for name in types {
            // What a finding ends a command with is the answer's `exit_code`.
            for field in fields(file, name).into_iter().filter(|f| f != "exit") {
                assert!(
                    named(&field),
                    "{name} in {file} has {field}, docs/JSON.md does not name it"
                );
            }
        }
    }
}

fn fields(file: &str, name: &str) -> Vec<String> {
    let ast = syn::parse_file(&source::read(file)).unwrap();
    let found = ast.items.into_iter().find_map(|i| match i {
        syn::Item::Struct(s) if s.ident == name => Some(s),
        _ => None,
    });
    let fields: Vec<String> = found
        .unwrap_or_else(|| panic!("{file} has no {name}"))
        .fields
        .iter()
        .filter_map(|f| Some(f.ident.as_ref()?.to_string()))
        .collect();
    assert!(!fields.is_empty());
    fields
}

/// The common fields, and those documented for the answer's schema, no more and no less.
fn complete(words: &[&str], code: i32) -> Value {
    let out = dr(&[words, &["--json"]].concat());
    assert_eq!(
        (out.code, out.stdout.lines().count()),
        (code, 1),
        "{words:?}: {}{}",
        out.stdout,
        out.stderr
    );
    let answer: Value = serde_json::from_str(&out.stdout).unwrap();
    let mut wanted = documented()[answer["schema"].as_str().unwrap()].clone();
    wanted.extend(
        [
            "schema",
            "dr_version",
            "exit_code",
            "measured_on",
            "findings",
        ]
        .map(str::to_owned),
    );
    let found: BTreeSet<String> = answer.as_object().unwrap().keys().cloned().collect();
    assert_eq!(found, wanted, "{words:?}");
    assert_eq!(
        (&answer["exit_code"], &answer["dr_version"]),
        (&code.into(), &env!("CARGO_PKG_VERSION").into())
    );
    for finding in answer["findings"].as_array().unwrap() {
        let keys: BTreeSet<&str> = finding
            .as_object()
            .unwrap()
            .keys()
            .map(String::as_str)
            .collect();
        assert_eq!(
            keys,
            BTreeSet::from(["code", "severity", "thing", "place", "hint", "message"])
        );
    }
    answer
}

#[test]
fn answers_that_need_no_network_have_exactly_the_documented_fields() {
    assert_eq!(
        complete(&["policy", "check", "policies/saas.yaml"], 0)["files"][0],
        "policies/saas.yaml"
    );
    let red = complete(&["policy", "check", "policies/invalid/tabs.yaml"], 2);
    assert_eq!(red["findings"][0]["code"], "policy-invalid");
    assert!(complete(&["policy", "schema"], 0)["policy_schema"]["properties"].is_object());
    assert!(complete(&["vault", "policy", "--policy", "policies/saas.yaml"],
    0)["bucket_policies"]["central"].is_object());
    assert_eq!(
        complete(&["status", "--policy", "none.yaml"], 2)["findings"][0]["code"],
        "policy-unreadable"
    );
    complete(&["completions", "bash"], 0);
}
