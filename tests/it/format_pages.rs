//! The pages under docs/formats/ name every format, field and kind that the program writes.

use crate::formats::{FOLDER, JOURNALS, golden, lines, unzstd};
use crate::source;
use serde_json::Value;
use std::collections::BTreeSet;

#[test]
fn golden_files_and_pages_name_each_other() {
    let (mut named, mut silent) = (BTreeSet::new(), Vec::new());
    for page in source::files("docs/formats", ".md")
        .into_iter()
        .filter(|p| !p.ends_with("README.md") && !p.ends_with("volatile.md"))
    {
        let text = source::read(&page);
        let found: Vec<&str> = text
            .split("`golden/")
            .skip(1)
            .filter_map(|t| t.split('`').next())
            .collect();
        if found.is_empty() {
            silent.push(page.clone());
        }
        named.extend(found.into_iter().map(str::to_owned));
        let stem = page.rsplit('/').next().unwrap();
        assert!(
            source::read("docs/formats/README.md").contains(&format!("]({stem})")),
            "README.md does not link {stem}"
        );
    }
    assert_eq!(silent, Vec::<String>::new(), "pages without a golden file");
    named.extend(["SHA256SUMS".to_owned()]);
    let there: BTreeSet<String> = source::files(FOLDER, "")
        .iter()
        .map(|f| f[FOLDER.len() + 1..].to_owned())
        .collect();
    assert_eq!(
        named.difference(&there).collect::<Vec<_>>(),
        Vec::<&String>::new(),
        "named by a page, not there"
    );
    assert_eq!(
        there.difference(&named).collect::<Vec<_>>(),
        Vec::<&String>::new(),
        "there, named by no page"
    );
}

/// Names of an enum's variants as serde writes them.
fn variants(file: &str, name: &str) -> Vec<String> {
    let ast = syn::parse_file(&source::read(file)).unwrap();
    let item = ast.items.iter().find_map(|i| match i {
        syn::Item::Enum(e) if e.ident == name => Some(e),
        _ => None,
    });
    let kebab = |name: String| {
        let words = name.chars().enumerate().flat_map(|(n, c)| {
            if c.is_uppercase() && n > 0 {
                vec!['-', c]
            } else {
                vec![c]
            }
        });
        words.collect::<String>().to_lowercase()
    };
    item.unwrap_or_else(|| panic!("{file} has no enum {name}"))
        .variants
        .iter()
        .map(|v| kebab(v.ident.to_string()))
        .collect()
}

fn walk(value: &Value, found: &mut dyn FnMut(&str, &Value)) {
    match value {
        Value::Object(fields) => fields.iter().for_each(|(k, v)| {
            found(k, v);
            walk(v, found);
        }),
        Value::Array(items) => items.iter().for_each(|v| walk(v, found)),
        _ => {}
    }
}

fn all_entries() -> Vec<Value> {
    let stored = JOURNALS
        .iter()
        .flat_map(|n| lines(n))
        .map(|l| serde_json::from_slice(&l).unwrap());
    stored
        .chain([serde_json::from_slice(&golden("entry.json")).unwrap()])
        .collect()
}

#[test]
fn every_event_action_and_evidence_is_in_a_golden_file_and_on_a_page() {
    let mut seen: BTreeSet<(String, String)> = BTreeSet::new();
    for entry in all_entries() {
        walk(&entry, &mut |key, value| {
            if let (true, Some(text)) = (["event", "of", "do"].contains(&key), value.as_str()) {
                seen.insert((key.to_owned(), text.to_owned()));
            }
        });
    }
    let names: Vec<String> = dr::plan::StoredAction::NAMES
        .iter()
        .map(|n| (*n).to_owned())
        .collect();
    let wanted = [
        ("event", variants("src/journal.rs", "Event"), "journal"),
        ("of", names.clone(), "journal"),
        ("do", names, "plan"),
    ];
    for (key, names, page) in wanted {
        assert!(names.len() >= 8, "{key}: {names:?}");
        let text = source::read(&format!("docs/formats/{page}.md"));
        for name in names {
            assert!(
                seen.contains(&(key.to_owned(), name.clone())),
                "no golden file has {key} {name}"
            );
            assert!(
                text.contains(&format!("`{name}`")),
                "{page}.md does not name {name}"
            );
        }
    }
}

#[test]
fn every_field_is_on_its_page() {
    let pages = [
        (
            "vault",
            vec![serde_json::from_slice(&golden("vault.json")).unwrap()],
        ),
        (
            "probe",
            vec![serde_json::from_slice(&golden("probe.json")).unwrap()],
        ),
        (
            "point",
            vec![serde_json::from_slice(&golden("point.json")).unwrap()],
        ),
        (
            "captured",
            [
                "captured-cluster.json",
                "captured-server.json",
                "captured-bucket.json",
            ]
            .map(|n| serde_json::from_slice(&golden(n)).unwrap())
            .to_vec(),
        ),
        (
            "reference",
            ["reference-before.json", "reference.json"]
                .map(|n| serde_json::from_slice(&golden(n)).unwrap())
                .to_vec(),
        ),
        (
            "copy",
            ["copy-snapshot.json", "copy-dump.json", "copy-files.json"]
                .map(|n| serde_json::from_slice(&golden(n)).unwrap())
                .to_vec(),
        ),
        (
            "dump",
            ["dump.json", "roles.json", "database.json"]
                .map(|n| serde_json::from_slice(&golden(n)).unwrap())
                .to_vec(),
        ),
        (
            "proof",
            vec![serde_json::from_slice(&golden("proof.json")).unwrap()],
        ),
    ];
    for (page, values) in pages {
        let text = source::read(&format!("docs/formats/{page}.md"));
        let maps = [
            "collations",
            "excluded",
            "databases",
            "tables",
            "sequences",
            "statements",
            "lost",
        ];
        // Roles and databases are described with a dump of them.
        let beside = match page {
            "reference" => source::read("docs/formats/dump.md"),
            _ => String::new(),
        };
        fields_are_on(&(text + &beside), page, &values, &maps);
    }
    let rows = |name| {
        String::from_utf8(unzstd(name))
            .unwrap()
            .lines()
            .map(|l| serde_json::from_str(l).unwrap())
            .collect::<Vec<Value>>()
    };
    for (page, name) in [("list", "list.jsonl.zst"), ("objects", "objects.jsonl.zst")] {
        let text = source::read(&format!("docs/formats/{page}.md"));
        fields_are_on(&text, page, &rows(name), &["metadata", "tags"]);
    }
    // What other pages describe may be named there.
    let text: String = ["journal", "plan", "proof", "copy", "point", "digest"]
        .map(|p| source::read(&format!("docs/formats/{p}.md")))
        .concat();
    fields_are_on(
        &text,
        "journal",
        &all_entries(),
        &["tags", "tables", "digests"],
    );
}

/// Keys under `maps` are data, not fields.
fn fields_are_on(text: &str, page: &str, values: &[Value], maps: &[&str]) {
    let mut data = BTreeSet::new();
    for value in values {
        walk(value, &mut |key, value| {
            if let (true, Some(map)) = (maps.contains(&key), value.as_object()) {
                data.extend(map.keys().cloned());
            }
        });
    }
    for value in values {
        walk(value, &mut |key, _| {
            let named = text.contains(&format!("`{key}`")) || text.contains(&format!(".{key}`"));
            assert!(
                named || data.contains(key),
                "{page}.md does not name the field {key}"
            );
        });
    }
}
