//! What a vault relies on, asked of every store: the lab's regions, its stingy provider, and a
//! server that we did not write.

use crate::cloud::Cloud;
use crate::independent::LocalStack;
use crate::stores::{block_on, bucket, clients};
use bytes::Bytes;
use dr::aws::Kind;
use dr::aws::s3::{Bucket, CopyFrom, LockState, PutOptions};
use dr::model::{Lock, LockMode, Provider, TargetName};
use dr::transfer::{CopyTask, TagsSeen, copy_object};
use dr::vault::{Vault, VaultError};
use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};

/// One store and what it is known to have.
struct Store {
    vault: Vault,
    source: Bucket,
    /// `If-None-Match` decides races.
    conditional: bool,
    /// A wrong secret is noticed.
    signatures: Option<Bucket>,
}

fn later(bucket: &Bucket, seconds: i64) -> Lock {
    let now = bucket.clock.last().expect("the store's clock");
    Lock {
        mode: LockMode::Compliance,
        retain_until: Timestamp::from_second(
            (now + SignedDuration::from_secs(seconds)).as_second(),
        )
        .expect("an instant"),
    }
}

async fn suite(store: &Store) {
    let vault = &store.vault;
    vault
        .bucket
        .create_with_lock()
        .await
        .expect("a new bucket with Object Lock");
    let state = vault.bucket.state().await.expect("its state");
    assert!(
        state.object_lock
            && state.versioning
            && state.default_retention.is_none()
            && state.expiring_rules.is_empty(),
        "{state:?}"
    );
    assert_eq!(
        vault
            .bucket
            .create_with_lock()
            .await
            .expect_err("there is one")
            .kind,
        Kind::Exists
    );
    assert!(
        vault.bucket.clock.last().is_some(),
        "every answer carries the store's clock"
    );
    documents(vault).await;
    races(store).await;
    locks(vault).await;
    listings(vault).await;
    large(vault).await;
    copies(store).await;
    refusals(store).await;
}

/// Create-only: ours is ours however often, another's is another's, the oldest version counts.
async fn documents(vault: &Vault) {
    let lock = Some(later(&vault.bucket, 60));
    let first = vault
        .create("documents/a b+c/ü.json", Bytes::from_static(b"1"), lock)
        .await
        .expect("created");
    let again = vault
        .create("documents/a b+c/ü.json", Bytes::from_static(b"1"), lock)
        .await
        .expect("the same bytes are no conflict");
    assert_eq!(first, again, "done twice it is done once");
    let taken = vault
        .create("documents/a b+c/ü.json", Bytes::from_static(b"2"), lock)
        .await;
    assert!(matches!(taken, Err(VaultError::Taken { .. })), "{taken:?}");
    let over = vault
        .bucket
        .put(
            "documents/a b+c/ü.json",
            Bytes::from_static(b"3"),
            &PutOptions {
                lock,
                ..PutOptions::default()
            },
        )
        .await
        .expect("a newer version");
    assert_ne!(over.version.as_deref(), Some(first.as_str()));
    let (bytes, version) = vault
        .oldest("documents/a b+c/ü.json")
        .await
        .expect("the oldest");
    assert_eq!(
        (&bytes[..], version),
        (&b"1"[..], first),
        "what was created is what is read, whatever was put over it"
    );
    assert!(
        vault
            .oldest("documents/none.json")
            .await
            .expect_err("nothing there")
            .not_found()
    );
}

/// Sixteen writers of one key: one wins where writes are conditional; elsewhere the store says that
/// it cannot tell.
async fn races(store: &Store) {
    let one = |i: u8| {
        let bucket = store.vault.bucket.clone();
        tokio::spawn(async move {
            bucket
                .put(
                    "races/one",
                    Bytes::from(vec![i]),
                    &PutOptions {
                        create_only: true,
                        ..PutOptions::default()
                    },
                )
                .await
                .map_err(|e| e.kind)
        })
    };
    let writers: Vec<_> = (0..16).map(one).collect();
    let mut results = Vec::new();
    for writer in writers {
        results.push(writer.await.expect("it ran"));
    }
    let won = results.iter().filter(|r| r.is_ok()).count();
    let lost = if store.conditional {
        [Kind::Exists, Kind::Conflict]
    } else {
        [Kind::Unsupported; 2]
    };
    assert_eq!(won, usize::from(store.conditional), "{results:?}");
    assert!(
        results
            .iter()
            .filter_map(|r| r.as_ref().err())
            .all(|k| lost.contains(k)),
        "{results:?}"
    );
}

/// A lock refuses delete and shortening, can be extended, and ends.
async fn locks(vault: &Vault) {
    let bucket = &vault.bucket;
    let (short, long) = (later(bucket, 30), later(bucket, 90));
    let put = |key: &'static str, lock: Lock| async move {
        bucket
            .put(
                key,
                Bytes::from_static(b"x"),
                &PutOptions {
                    lock: Some(lock),
                    ..PutOptions::default()
                },
            )
            .await
            .expect("put")
            .version
            .expect("a version")
    };
    let version = put("probe/locked", short).await;
    assert_eq!(
        bucket
            .lock_of("probe/locked", &version)
            .await
            .expect("its lock"),
        LockState::Until(LockMode::Compliance, short.retain_until)
    );
    for bypass in [false, true] {
        assert_eq!(
            bucket
                .delete_version("probe/locked", &version, bypass)
                .await
                .expect_err("locked")
                .kind,
            Kind::Denied,
            "bypass {bypass}"
        );
    }
    bucket
        .extend_lock("probe/locked", &version, long)
        .await
        .expect("extended");
    assert_eq!(
        bucket
            .lock_of("probe/locked", &version)
            .await
            .expect("its lock"),
        LockState::Until(LockMode::Compliance, long.retain_until)
    );
    assert_eq!(
        bucket
            .set_retention("probe/locked", &version, short, true)
            .await
            .expect_err("shortening")
            .kind,
        Kind::Denied
    );
    assert_eq!(
        bucket
            .lock_of("probe/locked", &version)
            .await
            .expect("its lock"),
        LockState::Until(LockMode::Compliance, long.retain_until)
    );
    let free = bucket
        .put(
            "probe/free",
            Bytes::from_static(b"x"),
            &PutOptions::default(),
        )
        .await
        .expect("put")
        .version
        .expect("a version");
    assert_eq!(
        bucket.lock_of("probe/free", &free).await.expect("no lock"),
        LockState::None
    );
    bucket
        .delete_version("probe/free", &free, false)
        .await
        .expect("an unlocked version can go");
    assert_eq!(
        bucket
            .head("probe/free", Some(&free))
            .await
            .expect_err("it is gone")
            .kind,
        Kind::NotFound
    );
    let guard = bucket
        .delete_version("points/p/1/point.json", &free, false)
        .await
        .expect_err("never");
    assert_eq!(
        guard.code, "Guard",
        "what is no probe and no scratch file never reaches the store"
    );
}

/// Versions oldest last, keys in order, folders, and where a listing begins.
async fn listings(vault: &Vault) {
    let bucket = &vault.bucket;
    for key in ["list/a/1", "list/a/2", "list/b/1", "list/c"] {
        bucket
            .put(key, Bytes::from_static(b"x"), &PutOptions::default())
            .await
            .expect("put");
    }
    bucket
        .put("list/c", Bytes::from_static(b"y"), &PutOptions::default())
        .await
        .expect("put");
    assert_eq!(
        bucket.keys("list/", 100).await.expect("keys"),
        ["list/a/1", "list/a/2", "list/b/1", "list/c"]
    );
    let too_many = bucket.keys("list/", 3).await.expect_err("a cap is no cut");
    assert_eq!(too_many.kind, Kind::TooMany);
    let too_many = bucket
        .versions("list/", 3)
        .await
        .expect_err("a cap is no cut");
    assert_eq!(too_many.kind, Kind::TooMany);
    let too_many = bucket
        .folders("list/", None, 1)
        .await
        .expect_err("a cap is no cut");
    assert_eq!(too_many.kind, Kind::TooMany);
    assert_eq!(
        bucket.folders("list/", None, 100).await.expect("folders"),
        ["a", "b"]
    );
    assert_eq!(
        bucket
            .folders("list/", Some("list/"), 100)
            .await
            .expect("folders"),
        ["a", "b"],
        "a listing that starts after its own prefix"
    );
    let (rows, more) = bucket
        .versions_after("list/", None, 1_000)
        .await
        .expect("versions");
    assert!(!more);
    let found: Vec<(&str, bool)> = rows.iter().map(|r| (r.key.as_str(), r.latest)).collect();
    assert_eq!(
        found,
        [
            ("list/a/1", true),
            ("list/a/2", true),
            ("list/b/1", true),
            ("list/c", true),
            ("list/c", false)
        ]
    );
}

/// Three parts, locked as a whole; what an upload leaves can be found and ended.
async fn large(vault: &Vault) {
    let bucket = &vault.bucket;
    let lock = later(bucket, 60);
    let options = PutOptions {
        lock: Some(lock),
        content_type: Some("application/zstd".into()),
        ..PutOptions::default()
    };
    let abandoned = bucket
        .begin_upload("large/a", &options)
        .await
        .expect("begun");
    assert_eq!(
        bucket
            .uploads("large/")
            .await
            .expect("uploads")
            .iter()
            .map(|u| u.id.clone())
            .collect::<Vec<_>>(),
        [abandoned]
    );
    assert_eq!(
        bucket.abort_uploads_at("large/a").await.expect("aborted"),
        1
    );
    let upload = bucket
        .begin_upload("large/a", &options)
        .await
        .expect("begun");
    let body: Vec<u8> = (0..11 << 20).map(|i: u32| (i % 251) as u8).collect();
    let mut parts = Vec::new();
    for (number, part) in (1..).zip(body.chunks(5 << 20)) {
        parts.push(
            bucket
                .upload_part("large/a", &upload, number, Bytes::copy_from_slice(part))
                .await
                .expect("a part"),
        );
    }
    let put = bucket
        .complete_upload("large/a", &upload, &parts, bucket.provider.is_aws())
        .await
        .expect("completed");
    let version = put.version.expect("a version");
    let got = bucket
        .get("large/a", Some(&version), 20 << 20)
        .await
        .expect("read back");
    assert!(got.bytes == body, "bytes differ");
    let range = bucket
        .get_range(
            "large/a",
            Some(&version),
            Some((5 << 20, (5 << 20) + 9)),
            100,
        )
        .await
        .expect("a range");
    assert_eq!(&range.bytes[..], &body[5 << 20..(5 << 20) + 10]);
    assert_eq!(
        bucket.lock_of("large/a", &version).await.expect("its lock"),
        LockState::Until(LockMode::Compliance, lock.retain_until)
    );
    assert_eq!(bucket.uploads("large/").await.expect("uploads"), []);
}

/// Objects of the source arrive with bytes, type, metadata and tags, large ones in parts, empty
/// ones too.
async fn copies(store: &Store) {
    let to = &store.vault.bucket;
    for (key, size) in [("empty", 0usize), ("small+%ü", 1_000), ("large", 7 << 20)] {
        let body: Vec<u8> = (0..size).map(|i| (i % 249) as u8).collect();
        let options = PutOptions {
            content_type: Some("text/x".into()),
            metadata: [("who".to_owned(), "me".to_owned())].into(),
            tags: [("a b".to_owned(), "1+1".to_owned())].into(),
            ..PutOptions::default()
        };
        let put = store
            .source
            .put(key, body.clone().into(), &options)
            .await
            .expect("put");
        // Another version on top: the pinned one is copied.
        store
            .source
            .put(key, Bytes::from_static(b"newer"), &options)
            .await
            .expect("put");
        let lock = later(to, 60);
        let to_key = format!("objects/{key}");
        let task = CopyTask {
            source: &store.source,
            key,
            version: put.version.as_deref(),
            etag: None,
            size_bytes: size as u64,
            to,
            to_key: &to_key,
            lock: Some(lock),
            part_size_bytes: 5 << 20,
            server_side: to.provider == Provider::Aws && store.signatures.is_some(),
        };
        let copied = copy_object(&task).await.expect("copied");
        assert_eq!(copied.tags, TagsSeen::Kept, "{key}");
        let stored = copied.stored;
        assert_eq!(
            stored.sha256_stored.0,
            hex::encode(Sha256::digest(&body)),
            "{key}"
        );
        let got = to
            .get(&to_key, Some(stored.version.as_str()), 20 << 20)
            .await
            .expect("read back");
        assert!(got.bytes == body, "{key}: bytes differ");
        assert_eq!(
            (
                got.meta.content_type.as_deref(),
                got.meta.metadata.get("who").map(String::as_str)
            ),
            (Some("text/x"), Some("me")),
            "{key}"
        );
        assert_eq!(
            to.tags(&to_key, Some(stored.version.as_str()))
                .await
                .expect("tags")
                .get("a b")
                .map(String::as_str),
            Some("1+1"),
            "{key}"
        );
        assert_eq!(
            to.lock_of(&to_key, stored.version.as_str())
                .await
                .expect("its lock"),
            LockState::Until(LockMode::Compliance, lock.retain_until),
            "{key}"
        );
    }
    let gone = CopyFrom {
        bucket: store.source.name.as_str(),
        key: "empty",
        version: Some("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"),
        if_match: None,
    };
    if to.provider == Provider::Aws && store.signatures.is_some() {
        assert_eq!(
            to.copy_from("objects/gone", &gone, None, true)
                .await
                .expect_err("no such version")
                .kind,
            Kind::NotFound
        );
    }
    assert_eq!(
        store
            .source
            .get("empty", gone.version, 10)
            .await
            .expect_err("no such version")
            .kind,
        Kind::NotFound
    );
}

async fn refusals(store: &Store) {
    let bucket = &store.vault.bucket;
    assert_eq!(
        bucket
            .head("none", None)
            .await
            .expect_err("nothing there")
            .kind,
        Kind::NotFound
    );
    assert_eq!(
        bucket
            .get("large/a", None, 10)
            .await
            .expect_err("larger than its cap")
            .kind,
        Kind::Integrity
    );
    if let Some(other) = &store.signatures {
        assert_eq!(
            other
                .head("none", None)
                .await
                .expect_err("a wrong key")
                .kind,
            Kind::Denied
        );
        assert_eq!(
            other.keys("", 1).await.expect_err("a wrong key").kind,
            Kind::Credentials
        );
    }
}

fn of_lab(cloud: &Cloud, region: &str, profile: &str) {
    let file = cloud.root.join("lab/credentials");
    let wrong = cloud.root.join("lab/wrong");
    let text = std::fs::read_to_string(&file).expect("credentials");
    let changed: String = text
        .lines()
        .map(|l| {
            if l.starts_with("aws_secret") {
                format!("{l}x\n")
            } else {
                format!("{l}\n")
            }
        })
        .collect();
    std::fs::write(&wrong, changed).expect("written");
    let provider = if region == "other" {
        Provider::Compatible
    } else {
        Provider::Aws
    };
    block_on(async {
        let endpoint = cloud.endpoint(region, "s3");
        let good = clients(file.to_str().expect("a path"), profile);
        let bad = clients(wrong.to_str().expect("a path"), profile);
        let source_region = if region == "other" {
            "other"
        } else {
            "eu-west-3"
        };
        let source = bucket(
            &good,
            &cloud.endpoint(source_region, "s3"),
            source_region,
            &format!("source-of-{region}"),
            provider,
        )
        .await;
        source.create_with_lock().await.expect("a source");
        let name = format!("vault-of-{region}");
        let store = Store {
            vault: Vault {
                bucket: bucket(&good, &endpoint, region, &name, provider).await,
                target: TargetName::new("under-test"),
            },
            source,
            conditional: region != "other",
            signatures: Some(bucket(&bad, &endpoint, region, &name, provider).await),
        };
        suite(&store).await;
    });
}

#[test]
fn both_regions_and_the_other_provider_keep_the_contract() {
    let cloud = Cloud::start("contract", &["--empty"]);
    of_lab(&cloud, "eu-central-1", "admin");
    of_lab(&cloud, "eu-west-3", "admin");
    of_lab(&cloud, "other", "other-admin");
}

#[test]
fn a_server_that_we_did_not_write_keeps_the_contract() {
    let stack = LocalStack::start();
    let file = stack.root.join("credentials");
    std::fs::write(
        &file,
        "[any]\naws_access_key_id = test\naws_secret_access_key = test\n",
    )
    .expect("written");
    block_on(async {
        let clients = clients(file.to_str().expect("a path"), "any");
        let source = bucket(
            &clients,
            &stack.url,
            "eu-central-1",
            "source",
            Provider::Aws,
        )
        .await;
        source.create_with_lock().await.expect("a source");
        // It does not check signatures, and its server-side copies keep no SHA-256 of locked
        // sources.
        let vault = Vault {
            bucket: bucket(&clients, &stack.url, "eu-central-1", "vault", Provider::Aws).await,
            target: TargetName::new("under-test"),
        };
        suite(&Store {
            vault,
            source,
            conditional: true,
            signatures: None,
        })
        .await;
    });
}
