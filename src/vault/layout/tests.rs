use super::*;
use crate::model::VersionId;
use proptest::prelude::*;

fn policy() -> PolicyName {
    PolicyName::new("shop")
}

fn slot() -> Slot {
    Slot::parse("20261124T020000Z").unwrap()
}

fn run() -> RunId {
    RunId::parse("drill-20261124T020311Z-1a2b3c4d").unwrap()
}

/// One of each kind, with ids that hold what separates them.
fn every_kind() -> Vec<Key> {
    let (target, source) = (
        TargetName::new("far-away"),
        SourceId::new("shop-files.1a2b3c4d"),
    );
    let documents = [
        PointDocument::Point,
        PointDocument::Copy {
            source: source.clone(),
            target: target.clone(),
        },
        PointDocument::Source {
            source: source.clone(),
            what: SourceDocument::Captured,
        },
        PointDocument::Source {
            source: source.clone(),
            what: SourceDocument::Shape,
        },
        PointDocument::Dump {
            run: run(),
            source: source.clone(),
            database: "a/b %2F-c".into(),
            target: target.clone(),
        },
        PointDocument::Expired {
            target: target.clone(),
            run: run(),
        },
    ];
    let mut keys: Vec<Key> = documents
        .into_iter()
        .map(|d| Key::point(&policy(), slot(), d))
        .collect();
    let version = SourceVersion::Id(VersionId::new("v/1"));
    keys.extend([
        Key::Vault,
        Key::Policy(Sha256::of(b"")),
        Key::ProbeRecord {
            target: target.clone(),
            at: slot(),
        },
        Key::entry(&policy(), &run(), 42),
        Key::Proof {
            policy: policy(),
            slot: slot(),
            run: run(),
            of: ProofOf {
                source: source.clone(),
                method: Method::Dump,
                database: Some(Name::new("a/b c")),
                target: target.clone(),
            },
        },
        Key::Proof {
            policy: policy(),
            slot: slot(),
            run: run(),
            of: ProofOf {
                source: source.clone(),
                method: Method::Files,
                database: None,
                target: target.clone(),
            },
        },
        Key::List {
            policy: policy(),
            slot: slot(),
            source: source.clone(),
        },
        Key::Manifest {
            policy: policy(),
            slot: slot(),
            source: source.clone(),
            target,
        },
        Key::object(&policy(), &source, &ObjectKey::new("a/b c.txt"), &version),
        Key::object(&policy(), &source, &ObjectKey::new("a//b"), &version),
        Key::DumpFile {
            policy: policy(),
            source,
            slot: slot(),
            run: run(),
            name: "central/rows/1".into(),
        },
        Key::Probe("20261124/control".into()),
        Key::Audit("tile/0".into()),
    ]);
    keys
}

#[test]
fn every_key_is_read_as_it_was_made() {
    for key in every_kind() {
        assert_eq!(Key::parse(&key.to_string()), Some(key));
    }
}

#[test]
fn what_this_program_never_writes_is_no_key() {
    for text in [
        "",
        "vault.json/",
        "policies/abc.yaml",
        "runs/shop/backup-20261124T020000Z/1",
        "runs/shop/other/00000001",
        "points/shop/20261124T020000Z/copies/files/.json",
        "points/shop/20261124T020000Z/copies/central.json",
        "manifests/shop/20261124T020000Z/central.jsonl.zst",
        "points/shop/20261124T020000Z/else.json",
        "points/shop/20261124T020000Z/sources/files/else.json",
        "objects/shop/files/v1",
        "other/x",
    ] {
        assert_eq!(Key::parse(text), None, "{text}");
    }
}

#[test]
fn keys_that_are_long_or_that_a_store_rewrites_go_by_their_hash() {
    let of = |key: &str| {
        let version = SourceVersion::Id(VersionId::new("v1"));
        Key::object(
            &policy(),
            &SourceId::new("files"),
            &ObjectKey::new(key),
            &version,
        )
        .to_string()
    };
    assert_eq!(of("a/b"), "objects/shop/files/a/b/v1");
    let long = "k".repeat(1020);
    for key in [
        long.as_str(),
        "/a",
        "a/",
        "a//b",
        "./a",
        "a/../b",
        "a\\b",
        "a\nb",
    ] {
        let long = of(key);
        assert!(
            long.starts_with("objects-long/shop/files/") && long.len() <= 1024,
            "{long}"
        );
    }
}

proptest! {
    #[test]
    fn objects_of_any_key_are_told_apart(a in ".{1,40}", b in ".{1,40}", v in "[!-~]{1,20}") {
        let version = SourceVersion::Id(VersionId::new(v));
        let key = |k: &str| {
            Key::object(&policy(), &SourceId::new("files"), &ObjectKey::new(k), &version)
        };
        prop_assert_eq!(key(&a).to_string() == key(&b).to_string(), a == b);
        prop_assert_eq!(Key::parse(&key(&a).to_string()), Some(key(&a)));
    }
}
