//! The entry points for what others wrote, fed with anything: arbitrary bytes, valid documents
//! changed at random, and
//! tests/corpus/. Nothing panics; what is taken is written again and read as the same; what is
//! refused says why in one line or a few.
//! `PROPTEST_CASES=100000` makes it long; `make fuzz` feeds the same entry points by coverage.

mod answers;
mod entries;

use crate::source;
use answers::Service;
use entries::{any_document, entry, list, policy};
use proptest::prelude::*;

/// Pieces that parsers stumble over.
const PIECES: [&[u8]; 24] = [
    b"\"",
    b"\\",
    b"{",
    b"[",
    b"}",
    b"]",
    b",",
    b":",
    b"\n",
    b"\t",
    b"\0",
    b"\xff\xfe",
    b"\xef\xbb\xbf",
    b"null",
    b"-1",
    b"1e999",
    b"18446744073709551616",
    b"\\ud800",
    b"\x1b[31m",
    b"../",
    b"&a [*a]",
    b"<!DOCTYPE x [<!ENTITY y SYSTEM \"file:///etc/passwd\">]>",
    b"&y;",
    b"<![CDATA[",
];

#[derive(Clone, Debug)]
enum Change {
    Flip(usize, u8),
    Cut(usize, usize),
    Again(usize, usize),
    Put(usize, usize),
    End(usize),
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        (any::<usize>(), 1..=255u8).prop_map(|(at, by)| Change::Flip(at, by)),
        (any::<usize>(), 1..64usize).prop_map(|(at, n)| Change::Cut(at, n)),
        (any::<usize>(), 1..256usize).prop_map(|(at, n)| Change::Again(at, n)),
        (any::<usize>(), 0..PIECES.len()).prop_map(|(at, n)| Change::Put(at, n)),
        any::<usize>().prop_map(Change::End),
    ]
}

fn changed(valid: &[u8], changes: &[Change]) -> Vec<u8> {
    let mut bytes = valid.to_vec();
    for change in changes {
        let length = bytes.len().max(1);
        let range = |at: usize, n: usize| {
            (at % length).min(bytes.len())..(at % length + n).min(bytes.len())
        };
        match *change {
            Change::Flip(at, by) => bytes
                .iter_mut()
                .skip(at % length)
                .take(1)
                .for_each(|b| *b ^= by),
            Change::Cut(at, n) => drop(bytes.drain(range(at, n))),
            Change::Again(at, n) => {
                let piece = bytes[range(at, n)].to_vec();
                bytes.splice(at % length..at % length, piece);
            }
            Change::Put(at, n) => drop(bytes.splice(
                (at % length).min(bytes.len())..(at % length).min(bytes.len()),
                PIECES[n].iter().copied(),
            )),
            Change::End(at) => bytes.truncate(at % length),
        }
    }
    bytes
}

/// Anything, or a valid document changed in a few places.
fn input(valid: Vec<Vec<u8>>) -> impl Strategy<Value = Vec<u8>> {
    let document = prop::sample::select(valid);
    prop_oneof![
        1 => prop::collection::vec(any::<u8>(), 0..400),
        5 => (document, prop::collection::vec(change(), 1..6)).prop_map(|(d, c)| changed(&d, &c)),
    ]
}

fn golden(name: &str) -> Vec<u8> {
    std::fs::read(source::root().join("docs/formats/golden").join(name)).expect("a golden file")
}

fn lines(name: &str) -> Vec<Vec<u8>> {
    golden(name)
        .split(|b| *b == b'\n')
        .filter(|l| !l.is_empty())
        .map(<[u8]>::to_vec)
        .collect()
}

/// Every file below tests/corpus/ in a folder.
fn corpus(folder: &str) -> Vec<(String, Vec<u8>)> {
    let files = source::files(&format!("tests/corpus/{folder}"), "");
    assert!(!files.is_empty(), "tests/corpus/{folder} is empty");
    files
        .into_iter()
        .map(|f| {
            (
                f.clone(),
                std::fs::read(source::root().join(&f)).expect("readable"),
            )
        })
        .collect()
}

proptest! {
    #[test]
    fn any_policy_is_read_or_refused(bytes in input(vec![golden("policy.yaml"),
    source::read("policies/saas.yaml").into_bytes(),
    source::read("policies/files-only.yaml").into_bytes()])) {
        policy(&bytes);
    }

    #[test]
    fn any_entry_is_read_or_refused(bytes in input([lines("journal-backup.jsonl"),
    lines("journal-drill.jsonl"), lines("journal-restore.jsonl"),
    vec![golden("entry.json")]].concat())) {
        entry(&bytes);
    }

    #[test]
    fn any_document_is_read_or_refused(bytes in input(["point.json", "captured-cluster.json",
    "captured-bucket.json", "captured-server.json",
    "copy-dump.json", "copy-snapshot.json", "copy-files.json", "proof.json",
    "dump.json", "roles.json", "vault.json"].map(golden).to_vec())) {
        any_document(&bytes);
    }

    #[test]
    fn any_list_is_read_or_refused(bytes in input(vec![golden("list.jsonl.zst"),
    golden("objects.jsonl.zst"), zstd::decode_all(&golden("list.jsonl.zst")[..]).expect("zstd")])) {
        list(&bytes);
    }
}

#[test]
fn any_answer_of_a_service_is_read_or_refused() {
    let service = Service::start();
    let valid: Vec<Vec<u8>> = corpus("answer")
        .into_iter()
        .filter(|(f, _)| f.contains("/valid-"))
        .map(|(_, b)| b)
        .collect();
    assert!(valid.len() >= 4);
    let status = prop::sample::select(vec![200u16, 404, 503]);
    let cases = ProptestConfig::default().cases.div_ceil(8);
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig {
        cases,
        failure_persistence: None,
        ..ProptestConfig::default()
    });
    let run = runner.run(&(input(valid), status), |(bytes, status)| {
        service.answers(status, &bytes);
        Ok(())
    });
    run.unwrap_or_else(|e| panic!("{e}"));
}

#[test]
fn the_corpus_is_read_or_refused_as_its_names_say() {
    let mut count = 0;
    let mut all = |folder: &str, taken: &dyn Fn(&[u8]) -> bool| {
        for (file, bytes) in corpus(folder) {
            assert_eq!(taken(&bytes), file.contains("/valid-"), "{file}");
            count += 1;
        }
    };
    all("policy", &policy);
    all("entry", &entry);
    all("point", &any_document);
    all("rows", &list);
    let service = Service::start();
    all("answer", &|bytes| service.answers(200, bytes));
    crate::cloud::say(&format!("corpus: {count} documents"));
    assert!(count >= 25, "{count}");
}

/// Names of the packages of a lock file, each with its versions.
fn locked(file: &str) -> std::collections::BTreeSet<(String, String)> {
    let text = source::read(file);
    let quoted = |line: &str| line.split('"').nth(1).map(str::to_owned);
    let packages = text
        .split("[[package]]")
        .skip(1)
        .map(|p| p.trim_start().lines());
    packages
        .filter_map(|mut lines| Some((quoted(lines.next()?)?, quoted(lines.next()?)?)))
        .collect()
}

#[test]
fn the_fuzzer_has_a_target_for_each_corpus_and_the_versions_that_are_shipped() {
    let name = |file: &String| {
        std::path::Path::new(file)
            .file_stem()
            .and_then(|n| n.to_str())
            .expect("a name")
            .to_owned()
    };
    let targets: Vec<String> = source::files("fuzz/targets", ".rs")
        .iter()
        .map(name)
        .collect();
    assert!(
        targets.len() >= 5 && targets.iter().all(|t| !corpus(t).is_empty()),
        "{targets:?}"
    );
    let (manifest, script) = (
        source::read("fuzz/Cargo.toml"),
        source::read("scripts/fuzz.sh"),
    );
    let listed = script
        .split_once("all=(")
        .and_then(|(_, rest)| rest.split_once(')'))
        .expect("the script's targets")
        .0;
    for target in &targets {
        assert!(
            manifest.contains(&format!("name = \"{target}\""))
                && listed.split(' ').any(|t| t == target),
            "{target}"
        );
    }
    let (shipped, fuzzed) = (locked("Cargo.lock"), locked("fuzz/Cargo.lock"));
    let other: Vec<_> = fuzzed
        .iter()
        .filter(|(n, v)| {
            shipped.iter().any(|(name, _)| name == n) && !shipped.contains(&(n.clone(), v.clone()))
        })
        .collect();
    assert!(
        shipped.len() > 100 && other.is_empty(),
        "type: cp Cargo.lock fuzz/Cargo.lock && cargo metadata --manifest-path fuzz/Cargo.toml; \
         differ: {other:?}"
    );
}
