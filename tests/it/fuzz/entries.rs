//! What must hold of any bytes at an entry point. Shared with the fuzzer's targets (fuzz/), so
//! nothing of the tests is used here.

use dr::journal::{Entry, Event, fold};
use dr::manifest::{
    Captured, Copy, Document, Dump, ListRow, Point, Proof, Roles, Row, StoredRow, Vault, read_rows,
    write_rows,
};
use dr::model::Sha256;
use dr::policy::parse;
use std::fmt::Debug;

pub fn told_shortly(what: &str) {
    assert!(
        !what.is_empty() && what.len() < 3_000 && what.lines().count() < 12,
        "{what}"
    );
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

pub fn policy(bytes: &[u8]) -> bool {
    match parse("p.yaml", &String::from_utf8_lossy(bytes)) {
        Ok(_) => true,
        Err(e) => {
            told_shortly(&e.to_string());
            false
        }
    }
}

pub fn entry(bytes: &[u8]) -> bool {
    match dr::journal::read(bytes) {
        Ok((entry, sha256)) => {
            assert_eq!(sha256, Sha256::of(bytes));
            let first = fold([(&entry, sha256)]);
            assert_eq!(
                first.is_ok(),
                entry.seq == 0
                    && entry.prev.is_none()
                    && matches!(entry.event, Event::Opened { .. })
            );
            document::<Entry>(&entry.to_bytes())
        }
        Err(e) => {
            told_shortly(&e.to_string());
            false
        }
    }
}

pub fn any_document(bytes: &[u8]) -> bool {
    let taken = [
        document::<Point>(bytes),
        document::<Captured>(bytes),
        document::<Copy>(bytes),
        document::<Proof>(bytes),
        document::<Dump>(bytes),
        document::<Roles>(bytes),
        document::<Vault>(bytes),
    ];
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
pub fn list(bytes: &[u8]) -> bool {
    rows::<ListRow>(bytes)
        | rows::<StoredRow>(bytes)
        | rows::<ListRow>(&zstd::encode_all(bytes, 1).expect("memory"))
}
