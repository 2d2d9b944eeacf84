//! Stored formats: every golden file is read by the reader that the program uses, and written back
//! byte for byte.

use crate::source;
use dr::journal::{self, RunState};
use dr::manifest::{
    Captured, Copy, DatabaseFacts, Document, Dump, FormatError, ListRow, Point, Proof, Reference,
    ReferenceBefore, Roles, Row, StoredRow, TableDigest, Vault, read_rows, write_rows,
};
use dr::model::Sha256;
use dr::plan::CheckRestored;
use dr::vault::{JournalStore, ProbeRecord, VaultError};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

pub const FOLDER: &str = "docs/formats/golden";
pub const JOURNALS: [&str; 10] = [
    "journal-backup.jsonl",
    "journal-server.jsonl",
    "journal-reference.jsonl",
    "journal-drill.jsonl",
    "journal-restore.jsonl",
    "journal-restore-dump.jsonl",
    "journal-sweep.jsonl",
    "journal-init.jsonl",
    "journal-policy.jsonl",
    "journal-verify.jsonl",
];

pub fn golden(name: &str) -> Vec<u8> {
    std::fs::read(source::root().join(FOLDER).join(name)).unwrap_or_else(|e| panic!("{name}: {e}"))
}

fn document<D: Document>(name: &str) -> D {
    D::from_bytes(&golden(name)).unwrap_or_else(|e| panic!("{name}: {e}"))
}

pub fn unzstd(name: &str) -> Vec<u8> {
    zstd::decode_all(&golden(name)[..]).unwrap_or_else(|e| panic!("{name}: {e}"))
}

pub fn lines(name: &str) -> Vec<Vec<u8>> {
    let text = String::from_utf8(golden(name)).unwrap();
    text.lines().map(|l| l.as_bytes().to_vec()).collect()
}

fn run_of(name: &str) -> RunState {
    let entries: Vec<_> = lines(name)
        .iter()
        .map(|l| journal::read(l).unwrap_or_else(|e| panic!("{name}: {e}")))
        .collect();
    journal::fold(entries.iter().map(|(e, sha)| (e, sha.clone())))
        .unwrap_or_else(|e| panic!("{name}: {e}"))
}

#[test]
fn golden_files_are_never_edited() {
    let sums = String::from_utf8(golden("SHA256SUMS")).unwrap();
    let listed: BTreeMap<&str, &str> = sums
        .lines()
        .map(|l| l.split_once("  ").unwrap())
        .map(|(sum, name)| (name, sum))
        .collect();
    let there: BTreeSet<String> = source::files(FOLDER, "")
        .iter()
        .map(|f| f[FOLDER.len() + 1..].to_owned())
        .filter(|f| f != "SHA256SUMS")
        .collect();
    assert_eq!(
        there,
        listed.keys().map(|n| (*n).to_owned()).collect(),
        "SHA256SUMS and the folder differ"
    );
    for (name, sum) in listed {
        assert_eq!(
            Sha256::of(&golden(name)).0,
            sum,
            "{name} was edited; a changed format gets a new number and a new file"
        );
    }
}

/// Reads, writes back, and refuses the next version.
fn check<D: Document>(name: &str) {
    let document: D = document(name);
    assert_eq!(
        String::from_utf8(document.to_bytes()).unwrap(),
        String::from_utf8(golden(name)).unwrap(),
        "{name} is written otherwise now"
    );
    let mut newer: Value = serde_json::from_slice(&golden(name)).unwrap();
    newer["schema"] = D::SCHEMA.replace("/1", "/2").into();
    let error = D::from_bytes(newer.to_string().as_bytes())
        .err()
        .unwrap_or_else(|| panic!("{name}: version 2 was read"));
    assert_eq!(exit_code(error), 11, "{name}");
    newer["schema"] = Value::Null;
    assert!(
        D::from_bytes(newer.to_string().as_bytes()).is_err(),
        "{name}: a document without schema was read"
    );
}

fn exit_code(error: FormatError) -> u8 {
    let target = dr::model::TargetName::new("central");
    let error = VaultError::Format {
        target,
        key: "k".into(),
        source: error,
    };
    dr::report::Fail::from(error).exit.code()
}

#[test]
fn every_document_is_read_written_back_and_refused_in_another_version() {
    check::<Vault>("vault.json");
    check::<ProbeRecord>("probe.json");
    check::<Point>("point.json");
    check::<Captured>("captured-cluster.json");
    check::<Captured>("captured-bucket.json");
    check::<Captured>("captured-server.json");
    check::<ReferenceBefore>("reference-before.json");
    check::<Reference>("reference.json");
    check::<Copy>("copy-snapshot.json");
    check::<Copy>("copy-dump.json");
    check::<Copy>("copy-files.json");
    check::<Dump>("dump.json");
    check::<Roles>("roles.json");
    check::<DatabaseFacts>("database.json");
    check::<Proof>("proof.json");
    check::<Proof>("proof-failed.json");
    check::<journal::Entry>("entry.json");
}

#[test]
fn a_policy_is_read_from_its_stored_copy() {
    let text = String::from_utf8(golden("policy.yaml")).unwrap();
    let policy = dr::policy::parse("policy.yaml", &text).unwrap();
    assert_eq!((policy.version, policy.targets.len()), (1, 2));
    let point: Point = document("point.json");
    assert_eq!(
        point.policy_sha256,
        Sha256::of(text.as_bytes()),
        "the point names the stored policy"
    );
    let page = source::read("docs/formats/policy.md");
    let schema = dr::policy::schema();
    for field in schema["properties"].as_object().unwrap().keys() {
        assert!(
            page.contains(&format!("`{field}`")),
            "policy.md does not name {field}"
        );
    }
}

fn check_rows<T: Row + PartialEq + std::fmt::Debug>(name: &str) -> Vec<T> {
    let rows: Vec<T> = read_rows(&golden(name)).unwrap_or_else(|e| panic!("{name}: {e}"));
    assert_eq!(
        zstd::decode_all(&write_rows(&rows)[..]).unwrap(),
        unzstd(name),
        "{name} is written otherwise now"
    );
    let newer = String::from_utf8(unzstd(name))
        .unwrap()
        .replacen("/1\"}", "/2\"}", 1);
    let error = read_rows::<T>(&zstd::encode_all(newer.as_bytes(), 3).unwrap()).unwrap_err();
    assert_eq!(exit_code(error), 11, "{name}");
    rows
}

#[test]
fn lists_and_manifests_of_objects_are_read() {
    let (list, stored) = (
        check_rows::<ListRow>("list.jsonl.zst"),
        check_rows::<StoredRow>("objects.jsonl.zst"),
    );
    assert_eq!(list.len(), 3);
    assert_eq!(
        stored.iter().map(|r| r.listed.clone()).collect::<Vec<_>>(),
        list
    );
    let captured: Captured = document("captured-bucket.json");
    assert_eq!(
        captured.bucket().unwrap().list_sha256,
        Sha256::of(&golden("list.jsonl.zst"))
    );
    let copy: Copy = document("copy-files.json");
    let files = copy.files().unwrap();
    assert_eq!(
        files.manifest_sha256,
        Sha256::of(&golden("objects.jsonl.zst"))
    );
    assert_eq!(
        files.objects,
        stored.iter().filter(|r| r.stored.is_some()).count() as u64
    );
}

#[test]
fn the_chunks_of_a_dump_have_the_digests_that_it_names() {
    let dump: Dump = document("dump.json");
    let chunk = &dump.tables[0].chunks[0];
    let bytes = golden("chunk.copy.zst");
    assert_eq!(
        (chunk.size_bytes, &chunk.sha256),
        (bytes.len() as u64, &Sha256::of(&bytes))
    );
    let mut digest = TableDigest::default();
    String::from_utf8(unzstd("chunk.copy.zst"))
        .unwrap()
        .lines()
        .for_each(|l| digest.add_line(l.as_bytes()));
    assert_eq!((dump.tables[0].digest, digest.rows), (digest, 3));
    let section = dump.sections.iter().find(|s| s.name == "pre-data").unwrap();
    assert_eq!(section.chunk.sha256, Sha256::of(&golden("section.sql.zst")));
    assert!(
        String::from_utf8(unzstd("section.sql.zst"))
            .unwrap()
            .starts_with("CREATE TABLE")
    );
}

#[test]
fn journals_fold_to_the_state_that_they_tell() {
    let backup = run_of("journal-backup.jsonl");
    assert_eq!(backup.finished, Some(journal::Outcome::Complete));
    assert!(backup.plan.steps.iter().all(|s| backup.succeeded(&s.id)));
    let failed = backup.failures.iter().map(|(id, n)| (id.as_str(), *n));
    assert_eq!(
        failed.collect::<Vec<_>>(),
        [("copy-objects:shop-files:other", 1)]
    );
    let drill = run_of("journal-drill.jsonl");
    let written = [
        document::<Proof>("proof.json"),
        document::<Proof>("proof-failed.json"),
    ];
    let proofs = dr::steps::proofs_of(&drill);
    assert!(
        written.iter().all(|p| proofs.contains(p)),
        "the proofs are those of the drill"
    );
    assert_eq!(written.map(|p| p.passed), [true, false]);
    let restore = run_of("journal-restore.jsonl");
    let checked: Vec<u64> = restore
        .done::<CheckRestored>()
        .map(|(_, _, c)| c.rows)
        .collect();
    assert_eq!(checked, [3]);
    assert_eq!(
        run_of("journal-restore-dump.jsonl").plan.kind,
        dr::model::RunKind::Restore
    );
}

#[test]
fn entries_are_written_back_as_they_were_stored() {
    for name in JOURNALS {
        for line in lines(name) {
            let (entry, _) = journal::read(&line).unwrap();
            assert_eq!(
                String::from_utf8(entry.to_line()).unwrap(),
                String::from_utf8(line).unwrap(),
                "{name}"
            );
        }
    }
}

#[tokio::test]
async fn a_local_journal_is_read_and_a_cut_last_line_is_ignored() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("dr-restore-9f86d081.jsonl");
    let whole = golden("journal-restore.jsonl");
    std::fs::write(&file, &whole[..whole.len() - 40]).unwrap();
    let store = JournalStore::File(dr::vault::LocalFile::new(file));
    let run = run_of("journal-restore.jsonl").plan.run;
    let read = store
        .read(&dr::model::PolicyName::new("shop"), &run)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        read.state.finished, None,
        "the cut entry is the one that said finished"
    );
    assert_eq!(read.state.done::<CheckRestored>().count(), 1);
}

#[test]
fn a_plan_of_another_version_is_refused() {
    let mut entry: Value = serde_json::from_slice(&golden("entry.json")).unwrap();
    entry["plan"]["version"] = 2.into();
    entry["plan"]["steps"][0]["action"]["do"] = "something-new".into();
    let error = journal::read(entry.to_string().as_bytes()).unwrap_err();
    assert_eq!(exit_code(error), 11);
}
