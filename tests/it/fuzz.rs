//! The entry points for what others wrote, fed with anything: arbitrary bytes, valid documents changed at random, and
//! tests/corpus/. Nothing panics; what is taken is written again and read as the same; what is refused says why in one line or a few.
//! `PROPTEST_CASES=100000` makes it long.

use crate::source;
use crate::stores::{block_on, bucket};
use dr::aws::{Clients, Credential, Keys, Tuning};
use dr::journal::Entry;
use dr::manifest::{Copy, Document, Dump, ListRow, Point, Proof, Row, StoredRow, Vault, read_rows, write_rows};
use dr::policy::{Provider, Region, Role, Seconds, parse};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::fmt::Debug;
use std::io::{Read, Write};
use std::net::TcpListener;

/// Pieces that parsers stumble over.
const PIECES: [&[u8]; 24] = [
    b"\"", b"\\", b"{", b"[", b"}", b"]", b",", b":", b"\n", b"\t", b"\0", b"\xff\xfe", b"\xef\xbb\xbf", b"null", b"-1", b"1e999", b"18446744073709551616", b"\\ud800", b"\x1b[31m",
    b"../", b"&a [*a]", b"<!DOCTYPE x [<!ENTITY y SYSTEM \"file:///etc/passwd\">]>", b"&y;", b"<![CDATA[",
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
        let range = |at: usize, n: usize| (at % length).min(bytes.len())..(at % length + n).min(bytes.len());
        match *change {
            Change::Flip(at, by) => bytes.iter_mut().skip(at % length).take(1).for_each(|b| *b ^= by),
            Change::Cut(at, n) => drop(bytes.drain(range(at, n))),
            Change::Again(at, n) => {
                let piece = bytes[range(at, n)].to_vec();
                bytes.splice(at % length..at % length, piece);
            }
            Change::Put(at, n) => drop(bytes.splice((at % length).min(bytes.len())..(at % length).min(bytes.len()), PIECES[n].iter().copied())),
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
    golden(name).split(|b| *b == b'\n').filter(|l| !l.is_empty()).map(<[u8]>::to_vec).collect()
}

/// Every file below tests/corpus/ in a folder.
fn corpus(folder: &str) -> Vec<(String, Vec<u8>)> {
    let files = source::files(&format!("tests/corpus/{folder}"), "");
    assert!(!files.is_empty(), "tests/corpus/{folder} is empty");
    files.into_iter().map(|f| (f.clone(), std::fs::read(source::root().join(&f)).expect("readable"))).collect()
}

fn told_shortly(what: &str) {
    assert!(!what.is_empty() && what.len() < 3_000 && what.lines().count() < 12, "{what}");
}

fn document<D: Document + PartialEq + Debug>(bytes: &[u8]) -> bool {
    match D::from_bytes(bytes) {
        Ok(read) => {
            assert_eq!(D::from_bytes(&read.to_bytes()).expect("ours"), read);
            true
        }
        Err(e) => {
            told_shortly(&e.to_string());
            false
        }
    }
}

fn policy(bytes: &[u8]) -> bool {
    match parse("p.yaml", &String::from_utf8_lossy(bytes)) {
        Ok(_) => true,
        Err(e) => {
            told_shortly(&e.to_string());
            false
        }
    }
}

fn entry(bytes: &[u8]) -> bool {
    match dr::journal::read(bytes) {
        Ok((entry, sha256)) => {
            assert_eq!(sha256, dr::manifest::sha256_hex(bytes));
            let first = dr::journal::fold([(&entry, sha256)]);
            assert_eq!(first.is_ok(), entry.seq == 0 && entry.prev.is_none() && matches!(entry.event, dr::journal::Event::Opened { .. }));
            document::<Entry>(&entry.to_bytes())
        }
        Err(e) => {
            told_shortly(&e.to_string());
            false
        }
    }
}

fn any_document(bytes: &[u8]) -> bool {
    let taken = [document::<Point>(bytes), document::<Copy>(bytes), document::<Proof>(bytes), document::<Dump>(bytes), document::<Vault>(bytes)];
    let count = taken.iter().filter(|t| **t).count();
    assert!(count <= 1, "one schema, one kind of document");
    count == 1
}

fn rows<T: Row + PartialEq + Debug>(bytes: &[u8]) -> bool {
    match read_rows::<T>(bytes) {
        Ok(rows) => {
            assert_eq!(read_rows::<T>(&write_rows(&rows)).expect("ours"), rows);
            true
        }
        Err(e) => {
            told_shortly(&e.to_string());
            false
        }
    }
}

/// Lines, changed, then compressed: what is inside is reached.
fn list(bytes: &[u8]) -> bool {
    rows::<ListRow>(bytes) | rows::<StoredRow>(bytes) | rows::<ListRow>(&zstd::encode_all(bytes, 1).expect("memory"))
}

proptest! {
    #[test]
    fn any_policy_is_read_or_refused(bytes in input(vec![golden("policy.yaml"), source::read("policies/saas.yaml").into_bytes(), source::read("policies/files-only.yaml").into_bytes()])) {
        policy(&bytes);
    }

    #[test]
    fn any_entry_is_read_or_refused(bytes in input([lines("journal-backup.jsonl"), lines("journal-drill.jsonl"), lines("journal-restore.jsonl"), vec![golden("entry.json")]].concat())) {
        entry(&bytes);
    }

    #[test]
    fn any_document_is_read_or_refused(bytes in input(["point.json", "copy.json", "proof.json", "dump.json", "vault.json"].map(golden).to_vec())) {
        any_document(&bytes);
    }

    #[test]
    fn any_list_is_read_or_refused(bytes in input(vec![golden("list.jsonl.zst"), golden("objects.jsonl.zst"), zstd::decode_all(&golden("list.jsonl.zst")[..]).expect("zstd")])) {
        list(&bytes);
    }
}

/// A server that answers every request with the newest bytes it was given.
struct Answers {
    url: String,
    next: std::sync::Arc<std::sync::Mutex<(u16, Vec<u8>)>>,
}

impl Answers {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let next = std::sync::Arc::new(std::sync::Mutex::new((200, Vec::new())));
        let given = next.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(mut stream) = stream else { continue };
                let mut head = Vec::new();
                let mut byte = [0];
                while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|n| n == 1) {
                    head.push(byte[0]);
                }
                let text = String::from_utf8_lossy(&head).to_ascii_lowercase();
                let length = text.split("content-length: ").nth(1).and_then(|r| r.split('\r').next()?.parse().ok()).unwrap_or(0);
                let mut body = vec![0; length];
                let _cut = stream.read_exact(&mut body);
                let (status, bytes) = given.lock().expect("one thread").clone();
                let _gone = write!(stream, "HTTP/1.1 {status} X\r\ndate: Tue, 24 Nov 2026 00:00:00 GMT\r\ncontent-type: text/xml\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", bytes.len());
                let _gone = stream.write_all(&bytes);
            }
        });
        Self { url, next }
    }

    fn give(&self, status: u16, bytes: &[u8]) {
        *self.next.lock().expect("one thread") = (status, bytes.to_vec());
    }
}

/// Every question whose answer is XML; `true` where one of them found something in it.
async fn asked(answers: &Answers, clients: &Clients) -> bool {
    let bucket = bucket(clients, &answers.url, "eu-central-1", "vault", Provider::Aws).await;
    let rds = clients.rds(Role::Copier, &Region::new("eu-central-1"), Some(&answers.url)).await;
    let mut found = false;
    let mut note = |result: Result<bool, dr::aws::Error>| match result {
        Ok(something) => found |= something,
        Err(e) => told_shortly(&e.to_string()),
    };
    note(bucket.versions("", None, 100).await.map(|(rows, _)| !rows.is_empty()));
    note(bucket.folders("", None, 100).await.map(|v| !v.is_empty()));
    note(bucket.keys("", None, 100).await.map(|v| !v.is_empty()));
    note(bucket.uploads("").await.map(|v| !v.is_empty()));
    note(bucket.lock_of("k", "v").await.map(|v| matches!(v, dr::aws::s3::LockState::Until(..))));
    note(rds.snapshot("s").await.map(|v| v.is_some_and(|s| !s.arn.is_empty())));
    note(rds.clusters().await.map(|v| !v.is_empty()));
    note(rds.shared_with("s").await.map(|v| !v.is_empty()));
    found
}

fn clients() -> (Clients, tempfile::TempDir) {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("credentials");
    std::fs::write(&file, "[p]\naws_access_key_id=a\naws_secret_access_key=b\n").expect("written");
    let only = Some(Credential::Profile { name: "p".into(), file: Some(file.display().to_string()) });
    let keys = Keys { file: None, profiles: BTreeMap::new(), by_target: BTreeMap::new(), only };
    (Clients::new(keys, Tuning { connect: Seconds(2), call: Seconds(5), attempts: 1 }, BTreeMap::new(), None), folder)
}

#[test]
fn any_answer_of_a_service_is_read_or_refused() {
    let (answers, (clients, _folder)) = (Answers::start(), clients());
    let valid: Vec<Vec<u8>> = corpus("answer").into_iter().filter(|(f, _)| f.contains("/valid-")).map(|(_, b)| b).collect();
    assert!(valid.len() >= 4);
    let status = prop::sample::select(vec![200u16, 404, 503]);
    let cases = ProptestConfig::default().cases.div_ceil(8);
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() });
    let run = runner.run(&(input(valid), status), |(bytes, status)| {
        answers.give(status, &bytes);
        block_on(asked(&answers, &clients));
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
    let (answers, (clients, _folder)) = (Answers::start(), clients());
    all("answer", &|bytes| {
        answers.give(200, bytes);
        block_on(asked(&answers, &clients))
    });
    crate::cloud::say(&format!("corpus: {count} documents"));
    assert!(count >= 25, "{count}");
}
