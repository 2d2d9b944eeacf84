//! Stores without conditional writes: some refuse the header, some take it and answer 200. What is
//! uploaded there at once neither fails nor is stored twice, and no 200 is believed.

use crate::cloud::Cloud;
use crate::stores::block_on;
use bytes::Bytes;
use dr::aws::Kind;
use dr::aws::s3::{Bucket, PutOptions};
use dr::model::{Lock, LockMode, Slot, TargetName};
use dr::transfer::{CopyTask, copy_object};
use dr::vault::{Vault, VaultError};
use dr::world::World;
use serde_json::json;

const PART: u64 = 5 << 20;
/// Objects of each kind, all at once.
const LARGE: usize = 4;
const SMALL: usize = 12;

fn cloud(name: &str, region: &str, how: &str) -> Cloud {
    let cloud = Cloud::start(name, &["--empty", "--no-writers"]);
    cloud.tell("/conditions", &json!({"region": region, "do": how}));
    cloud
}

/// Where the first region decides no race, no journal target is left: reported, and the probe is
/// stored all the same.
fn init(cloud: &Cloud) {
    let profiles = ["--profile", "admin", "--profile", "other=other-admin"];
    cloud.dr(&[&["vault", "init"], &profiles[..]].concat());
}

async fn source(cloud: &Cloud) -> (Bucket, Vec<(String, u64)>) {
    let admin = cloud.bucket("admin", "eu-west-3", "app-files").await;
    let large = (0..LARGE).map(|i| (format!("large/{i}"), PART + 1000));
    let small = (0..SMALL).map(|i| (format!("small/{i}"), 1000));
    let objects: Vec<(String, u64)> = large.chain(small).collect();
    for (i, (key, size)) in objects.iter().enumerate() {
        let byte = u8::try_from(i).expect("few");
        let body = vec![byte; usize::try_from(*size).expect("small")];
        let put = admin.put(key, body.into(), &PutOptions::default()).await;
        put.expect("a source");
    }
    (admin, objects)
}

/// Copies everything at once.
async fn copy_all(from: &Bucket, objects: &[(String, u64)], to: &Bucket, server_side: bool) {
    let copies = objects.iter().map(|(key, size_bytes)| async move {
        let to_key = format!("objects/{key}");
        let task = CopyTask {
            source: from,
            key,
            version: None,
            etag: None,
            size_bytes: *size_bytes,
            to,
            to_key: &to_key,
            lock: None,
            part_size_bytes: PART,
            server_side,
        };
        copy_object(&task).await
    });
    for copied in futures_util::future::join_all(copies).await {
        copied.expect("copied");
    }
    let rows = to.versions("objects/", 1000).await.expect("listed");
    assert_eq!(rows.len(), objects.len(), "one version of each: {rows:?}");
    assert_eq!(to.uploads("objects/").await.expect("listed"), []);
}

/// Statuses of the calls that write data.
fn writes(cloud: &Cloud, since: u64, bucket: &str) -> Vec<(String, u64)> {
    let is_write = ["PutObject", "CompleteMultipartUpload", "CopyObject"];
    let calls = cloud.calls(since).into_iter().filter_map(|c| {
        let operation = c["operation"].as_str()?.to_owned();
        let ours = c["thing"].as_str()?.starts_with(bucket);
        let status = c["status"].as_u64()?;
        (ours && is_write.contains(&&*operation)).then_some((operation, status))
    });
    calls.collect()
}

#[test]
fn many_uploads_at_once_are_stored_once_and_none_fails() {
    for how in ["refuse", "ignore"] {
        let cloud = cloud(&format!("once-{how}"), "other", how);
        init(&cloud);
        block_on(async {
            let (from, objects) = source(&cloud).await;
            let places = [
                ("other-copier", "dr-vault-other"),
                ("other-restorer", "recovered-files"),
            ];
            for (profile, name) in places {
                let to = cloud.bucket(profile, "other", name).await;
                let since = cloud.now();
                copy_all(&from, &objects, &to, false).await;
                let done = writes(&cloud, since, name);
                let all_good = done.iter().all(|(_, status)| *status == 200);
                assert!(all_good && done.len() == objects.len(), "{how}: {done:?}");
                // By another process, which has to find out again.
                let again = cloud.bucket(profile, "other", name).await;
                copy_all(&from, &objects, &again, false).await;
            }
        });
    }
}

#[test]
fn copies_by_a_store_that_ignores_conditions_are_compared() {
    let cloud = cloud("copies", "eu-central-1", "ignore");
    init(&cloud);
    block_on(async {
        let (admin, objects) = source(&cloud).await;
        let region = "eu-central-1";
        let foreign = cloud.bucket("admin", region, "dr-vault-central").await;
        let before = PutOptions::default();
        let other = Bytes::from_static(b"other bytes");
        let put = foreign.put("objects/strange", other, &before).await;
        put.expect("a foreign object");
        let to = cloud.bucket("copier", region, "dr-vault-central").await;
        let hour = jiff::SignedDuration::from_hours(1);
        let until = Slot::at(World::default().now() + hour).time();
        let task = CopyTask {
            source: &admin,
            key: "small/0",
            version: None,
            etag: None,
            size_bytes: 1000,
            to: &to,
            to_key: "objects/strange",
            lock: Some(Lock {
                mode: LockMode::Compliance,
                retain_until: until,
            }),
            part_size_bytes: PART,
            server_side: true,
        };
        for _ in 0..2 {
            copy_object(&task).await.expect("copied");
        }
        // Without a lock it is somebody's bucket, where nothing is covered.
        let unlocked = CopyTask {
            key: "small/1",
            lock: None,
            ..task
        };
        let covered = copy_object(&unlocked)
            .await
            .expect_err("it is left as it is");
        assert_eq!(covered.kind, Kind::Exists, "{covered}");
        let rows = to.versions("objects/", 10).await.expect("listed");
        assert_eq!(rows.len(), 2, "the foreign object, and ours on top once");
        let (_, objects) = objects.split_at(1);
        let to_scratch = cloud.bucket("admin", region, "recovered-files").await;
        copy_all(&admin, objects, &to_scratch, true).await;
    });
}

#[test]
fn a_create_over_other_bytes_is_taken_whatever_the_store_answers() {
    for how in ["refuse", "ignore"] {
        let cloud = cloud(&format!("create-{how}"), "other", how);
        block_on(async {
            let admin = cloud.bucket("other-admin", "other", "dr-vault-other").await;
            admin.create_with_lock().await.expect("a vault");
        });
        let create = |key: &'static str, body: &'static str| async {
            let bucket = cloud
                .bucket("other-scheduler", "other", "dr-vault-other")
                .await;
            let vault = Vault {
                bucket,
                target: TargetName::new("other"),
            };
            let made = vault
                .create(key, Bytes::from_static(body.as_bytes()), None)
                .await;
            (made, vault.versions_of(key).await.expect("listed").len())
        };
        for (key, probed) in [("policies/a.yaml", false), ("policies/b.yaml", true)] {
            if probed {
                init(&cloud);
            }
            block_on(async {
                let (first, _) = create(key, "1\n").await;
                let (again, _) = create(key, "1\n").await;
                assert_eq!(
                    first.expect("made"),
                    again.expect("the same"),
                    "{how} {key}"
                );
                let (taken, versions) = create(key, "2\n").await;
                assert!(matches!(taken, Err(VaultError::Taken { .. })), "{taken:?}");
                assert_eq!(versions, 1, "{how}: nothing was put over it");
            });
        }
    }
}

/// A provider that decides is one that a probe saw: then no second look is paid.
#[test]
fn a_provider_that_was_seen_to_decide_is_believed() {
    let cloud = cloud("believed", "other", "keep");
    init(&cloud);
    block_on(async {
        let (from, objects) = source(&cloud).await;
        let to = cloud
            .bucket("other-copier", "other", "dr-vault-other")
            .await;
        let since = cloud.now();
        copy_all(&from, &objects, &to, false).await;
        let calls = cloud.calls(since);
        let heads = calls.iter().filter(|c| {
            let at = c["thing"].as_str().unwrap_or_default();
            c["operation"] == "HeadObject" && at.starts_with("dr-vault-other/objects/")
        });
        assert_eq!(heads.count(), 0);
    });
}
