//! Source buckets at another provider: each with an endpoint and keys of its own, beside one of
//! AWS's.

use crate::cloud::{Cloud, Ran, confirmed};
use crate::stores::block_on;
use aws_sdk_s3::types::{
    BucketLocationConstraint, BucketVersioningStatus, CreateBucketConfiguration,
    VersioningConfiguration,
};
use dr::aws::s3::{Bucket, PutOptions};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The whole of a bucket as its users see it: bytes, type and metadata by key.
type Contents = BTreeMap<String, (Vec<u8>, Option<String>, BTreeMap<String, String>)>;

/// Larger than one part.
const LARGE: usize = 6 << 20;

fn source(cloud: &Cloud, bucket: &str, profile: &str) -> String {
    let endpoint = cloud.endpoint("other", "s3");
    format!(
        "  - {{id: media, kind: bucket, bucket: {bucket}, region: other, \
         endpoint: \"{endpoint}/\", profiles: {{copier: {profile}}}}}\n"
    )
}

/// Some of the lab's files and what `more` says, in three vaults.
fn policy(cloud: &Cloud, more: &str) -> String {
    let (central, rds, west, other) = (
        cloud.endpoint("eu-central-1", "s3"),
        cloud.endpoint("eu-central-1", "rds"),
        cloud.endpoint("eu-west-3", "s3"),
        cloud.endpoint("other", "s3"),
    );
    let lock = "lock: {mode: COMPLIANCE, retention: 1d, grace: 1h, max_lock_days: 3}";
    let roles = [
        "scheduler",
        "copier",
        "driller",
        "prober",
        "auditor",
        "restorer",
    ];
    let keys = |prefix: &str| roles.map(|r| format!("{r}: {prefix}{r}")).join(", ");
    let (own, others) = (keys(""), keys("other-"));
    let text = format!(
        "version: 1
name: shop
sources:
  - {{id: app-files, kind: bucket, bucket: app-files, region: eu-west-3, prefix: kept/}}
{more}targets:
  - {{name: central, region: eu-central-1, bucket: dr-vault-central, {lock}}}
  - {{name: other, region: other, bucket: dr-vault-other, provider: compatible, {lock},
     profiles: {{{others}}}}}
  - {{name: west, region: eu-west-3, bucket: dr-vault-west, {lock}}}
endpoints:
  eu-west-3: {{s3: \"{west}\"}}
  eu-central-1: {{s3: \"{central}\", rds: \"{rds}\"}}
  other: {{s3: \"{other}\"}}
credentials: {{file: credentials, profiles: {{{own}}}}}
schedule: {{cron: \"0 0 1 1 *\", deadline: 1h}}
concurrency: {{objects: 4, part_size_bytes: 5242880}}
runner: {{alive_every: 5s, takeover_after: 40s, margin: 5s}}
timeouts: {{connect: 1s, call: 20s, poll_every: 0s}}
retry: {{requests: 2, steps: 2, backoff: 0s}}
probe: {{control: 1s, lock: 30s}}
"
    );
    let path = cloud.policy_with("elsewhere.yaml", |_| text);
    path.to_str().expect("a path").to_owned()
}

const DRILL: &str = "drill:
  schedule: {cron: \"0 0 1 1 *\", deadline: 1h}
  cluster: {instance_class: db.serverless, min_acu: 0.5, max_acu: 2}
  scratch_bucket: dr-scratch
  scratch_region: eu-central-1
  account: \"333333333333\"
";

fn bytes(size: usize, seed: usize) -> Vec<u8> {
    (0..size)
        .map(|i| u8::try_from((i * 7 + seed) % 251).unwrap_or(0))
        .collect()
}

async fn put(bucket: &Bucket, key: &str, body: Vec<u8>) {
    let options = PutOptions {
        content_type: Some("image/x-test".into()),
        metadata: [("shot".to_owned(), "at noon".to_owned())].into(),
        tags: [("album".to_owned(), "a b".to_owned())].into(),
        ..PutOptions::default()
    };
    bucket.put(key, body.into(), &options).await.expect("put");
}

/// A bucket with versions at the other provider.
async fn make(cloud: &Cloud, name: &str) -> Bucket {
    let bucket = unversioned(cloud, name).await;
    let client = cloud.s3("admin", "other");
    let on = VersioningConfiguration::builder().status(BucketVersioningStatus::Enabled);
    let request = client.put_bucket_versioning().bucket(name);
    let versioned = request.versioning_configuration(on.build()).send().await;
    versioned.expect("versioned");
    bucket
}

async fn unversioned(cloud: &Cloud, name: &str) -> Bucket {
    let there = BucketLocationConstraint::from("other");
    let place = CreateBucketConfiguration::builder().location_constraint(there);
    let client = cloud.s3("admin", "other");
    let request = client.create_bucket().bucket(name);
    let made = request.create_bucket_configuration(place.build());
    made.send().await.expect("made");
    cloud.bucket("other-admin", "other", name).await
}

async fn contents(bucket: &Bucket, prefix: &str) -> Contents {
    let mut found = Contents::new();
    for key in bucket.keys(prefix, 10_000).await.expect("keys") {
        let got = bucket.get(&key, None, 1 << 30).await.expect("read");
        let meta = (got.bytes.to_vec(), got.meta.content_type, got.meta.metadata);
        found.insert(key, meta);
    }
    found
}

/// Old and new versions, a deleted key, one in parts, an empty one, one that must be escaped.
async fn album(bucket: &Bucket, client: &aws_sdk_s3::Client) {
    put(bucket, "2026/large.bin", bytes(LARGE, 1)).await;
    put(bucket, "2026/empty", Vec::new()).await;
    put(bucket, "2026/a b+%ü.txt", bytes(10, 2)).await;
    put(bucket, "2026/twice", bytes(100, 3)).await;
    put(bucket, "2026/twice", bytes(50, 4)).await;
    put(bucket, "2026/gone", bytes(5, 5)).await;
    let delete = client.delete_object().bucket(bucket.name.as_str());
    delete.key("2026/gone").send().await.expect("deleted");
}

fn dr(cloud: &Cloud, policy: &str, words: &[&str]) -> Ran {
    cloud.dr(&[words, &["--json", "--policy", policy]].concat())
}

fn init(cloud: &Cloud, policy: &str) {
    let keys = ["--profile", "admin", "--profile", "other=other-admin"];
    dr(cloud, policy, &[&["vault", "init"], &keys[..]].concat()).exits(0);
}

/// Every file of a source from a target, in a bucket of the same store.
fn restored(cloud: &Cloud, policy: &str, (target, id): (&str, &str)) -> Contents {
    let prefix = &format!("{target}/{id}/");
    let words = [
        "restore", "--method", "files", "--target", target, "--source", id,
    ];
    let to = ["--to-bucket", "recovered-files", "--to-prefix", prefix];
    let region = if target == "other" {
        "other"
    } else {
        "eu-central-1"
    };
    let at = ["--to-bucket-region", region];
    let endpoint = cloud.endpoint(region, "s3");
    let at = [&at[..], &["--to-bucket-endpoint", &endpoint]].concat();
    let words = [&words[..], &to, &at].concat();
    confirmed(&words, |words| dr(cloud, policy, words)).exits(0);
    let admin = if target == "other" {
        "other-admin"
    } else {
        "admin"
    };
    block_on(async {
        let bucket = cloud.bucket(admin, region, "recovered-files").await;
        let all = contents(&bucket, prefix).await;
        let own = all.into_iter();
        own.map(|(key, what)| (key[prefix.len()..].to_owned(), what))
            .collect()
    })
}

fn messages(ran: &Ran, code: &str) -> Vec<String> {
    let answer = ran.json();
    let found = answer["findings"].as_array().into_iter().flatten();
    let of = found.filter(|f| f["code"] == code);
    of.filter_map(|f| f["message"].as_str().map(str::to_owned))
        .collect()
}

#[test]
fn a_bucket_at_another_provider_is_protected_proven_and_restored_like_one_of_aws() {
    let cloud = Cloud::start("elsewhere", &["--no-writers"]);
    let (media, files) = block_on(async {
        let bucket = make(&cloud, "app-media").await;
        album(&bucket, &cloud.s3("admin", "other")).await;
        let files = cloud.bucket("admin", "eu-west-3", "app-files").await;
        put(&files, "kept/note.txt", bytes(30, 9)).await;
        (contents(&bucket, "").await, contents(&files, "kept/").await)
    });
    assert_eq!(media.len(), 4, "{:?}", media.keys());
    let policy = policy(&cloud, &source(&cloud, "app-media", "other-copier"));
    let text = std::fs::read_to_string(&policy).expect("the policy") + DRILL;
    std::fs::write(&policy, text).expect("written");
    let policy = policy.as_str();
    init(&cloud, policy);
    let planned = dr(&cloud, policy, &["plan"]).exits(0).json();
    assert_eq!(planned["targets"][0]["put_objects"], 7, "{planned}");
    let since = cloud.now();
    let ticked = dr(&cloud, policy, &["tick"]).exits(0).json();
    let runs = ticked["runs"].as_array().into_iter().flatten();
    let runs: Vec<(&Value, &Value)> = runs.map(|r| (&r["kind"], &r["result"])).collect();
    let complete = json!("complete");
    let wanted = [(&json!("backup"), &complete), (&json!("drill"), &complete)];
    assert_eq!(runs, wanted, "{ticked}");
    // Streamed, into AWS and into its own provider; what AWS has is still copied by AWS.
    let copied: Vec<String> = cloud
        .calls(since)
        .iter()
        .filter(|c| c["operation"] == "CopyObject")
        .filter_map(|c| c["thing"].as_str().map(str::to_owned))
        .filter(|thing| thing.starts_with("dr-vault-"))
        .collect();
    assert!(!copied.is_empty(), "the lab's files are copied by AWS");
    assert!(
        copied.iter().all(|t| t.contains("/app-files/")),
        "{copied:?}"
    );
    let status = dr(&cloud, policy, &["status"]).exits(0).json();
    let proven = status["policies"][0]["newest_proven"].as_array();
    assert_eq!(proven.map(Vec::len), Some(6), "{status}");
    let verified = dr(&cloud, policy, &["verify"]).exits(0).json();
    assert_eq!(verified["tested"], verified["population"], "{verified}");
    // Nothing of a restore needs the source.
    let refuse = json!({"kind": "refuse", "code": "AccessDenied", "status": 403});
    cloud.fault(
        &json!({"region": "other", "thing": "app-media*"}),
        0,
        &refuse,
    );
    for target in ["central", "other", "west"] {
        for (id, wanted) in [("media", &media), ("app-files", &files)] {
            let found = restored(&cloud, policy, (target, id));
            assert!(found == *wanted, "{id} from {target}: {:?}", found.keys());
        }
    }
}

#[test]
fn one_name_at_two_endpoints_is_two_buckets() {
    let cloud = Cloud::start("names", &["--no-writers"]);
    let (here, there) = block_on(async {
        let there = make(&cloud, "app-files").await;
        let here = cloud.bucket("admin", "eu-west-3", "app-files").await;
        put(&here, "kept/key", bytes(40, 1)).await;
        put(&there, "kept/key", bytes(40, 2)).await;
        put(&there, "only/there", bytes(4, 3)).await;
        (contents(&here, "kept/").await, contents(&there, "").await)
    });
    assert_ne!(here["kept/key"], there["kept/key"]);
    let policy = &policy(&cloud, &source(&cloud, "app-files", "other-copier"));
    init(&cloud, policy);
    dr(&cloud, policy, &["tick"]).exits(0);
    dr(&cloud, policy, &["verify"]).exits(0);
    for target in ["central", "other"] {
        for (id, wanted) in [("app-files", &here), ("media", &there)] {
            let found = restored(&cloud, policy, (target, id));
            assert!(found == *wanted, "{id} from {target}: {:?}", found.keys());
        }
    }
}

#[test]
fn an_error_of_a_source_names_it_its_endpoint_and_its_key() {
    let cloud = Cloud::start("denied", &["--no-writers"]);
    block_on(async {
        let bucket = make(&cloud, "app-media").await;
        put(&bucket, "a", bytes(3, 1)).await;
    });
    let url = cloud.endpoint("other", "s3");
    let right = || policy(&cloud, &source(&cloud, "app-media", "other-copier"));
    init(&cloud, &right());
    // A key without the right, one of another provider, and one that nobody has.
    for profile in ["other-auditor", "copier", "nobody"] {
        let policy = policy(&cloud, &source(&cloud, "app-media", profile));
        for verb in ["plan", "tick"] {
            let ran = dr(&cloud, &policy, &[verb]).exits(11);
            let told = messages(&ran, "access-denied").join("\n") + &ran.stderr;
            let named = ["source media", "app-media", &url, profile];
            for word in named {
                assert!(told.contains(word), "{word} in {verb}: {ran:?}");
            }
        }
    }
    // Listed, and not to be read: the targets are not to blame.
    let refuse = json!({"kind": "refuse", "code": "AccessDenied", "status": 403});
    let reads = json!({"region": "other", "operation": "GetObject", "thing": "app-media*"});
    cloud.fault(&reads, 0, &refuse);
    let ran = dr(&cloud, &right(), &["tick"]).exits(11);
    let told = messages(&ran, "access-denied");
    let of_source = |t: &&String| t.contains("source media") && t.contains("other-copier");
    assert_eq!(told.iter().filter(of_source).count(), 3, "{ran:?}");
    cloud.clear_faults();
    let gone = policy(&cloud, &source(&cloud, "app-nothing", "other-copier"));
    let ran = dr(&cloud, &gone, &["plan"]).exits(3);
    assert!(ran.stdout.contains("source media"), "{ran:?}");
    let policy = right();
    let away = json!({"kind": "refuse", "code": "ServiceUnavailable", "status": 503});
    cloud.fault(&json!({"region": "other", "thing": "app-media*"}), 0, &away);
    let ran = dr(&cloud, &policy, &["plan"]).exits(12);
    assert_eq!(ran.findings(), ["source-unavailable"], "{ran:?}");
    cloud.clear_faults();
    dr(&cloud, &policy, &["plan"]).exits(0);
}

fn not_implemented(cloud: &Cloud, operation: &str) {
    let wanted = json!({"region": "other", "operation": operation, "thing": "app-media*"});
    let refuse = json!({"kind": "refuse", "code": "NotImplemented", "status": 501});
    cloud.fault(&wanted, 0, &refuse);
}

#[test]
fn what_a_provider_does_not_have_is_counted_or_told() {
    let cloud = Cloud::start("lacks", &["--no-writers"]);
    block_on(async {
        let bucket = make(&cloud, "app-media").await;
        put(&bucket, "a", bytes(3, 1)).await;
        put(&bucket, "b", bytes(3, 2)).await;
    });
    let policy = &policy(&cloud, &source(&cloud, "app-media", "other-copier"));
    init(&cloud, policy);
    not_implemented(&cloud, "ListObjectVersions");
    let ran = dr(&cloud, policy, &["tick"]).exits(13);
    let told = messages(&ran, "unsupported").join("\n");
    assert!(
        told.contains("source media") && told.contains("ListObjectVersions"),
        "{ran:?}"
    );
    cloud.clear_faults();
    // It does not say whether it keeps versions, but lists them; it knows no tags.
    for operation in [
        "GetBucketVersioning",
        "GetObjectTagging",
        "GetObjectLockConfiguration",
        "GetBucketLifecycleConfiguration",
    ] {
        not_implemented(&cloud, operation);
    }
    let ran = dr(&cloud, policy, &["tick"]).exits(0);
    let told = messages(&ran, "tags-not-kept");
    assert_eq!(told.len(), 3, "of each target: {ran:?}");
    assert!(
        told.iter().all(|t| t.contains("the store of 2 objects")),
        "{told:?}"
    );
    let log = dr(&cloud, policy, &["log"]).exits(0).json();
    let runs = log["runs"].as_array().into_iter().flatten();
    let backups = runs.filter(|r| r["kind"] == "backup");
    let counted: Vec<&Value> = backups.map(|r| &r["exceptions"]).collect();
    assert_eq!(counted, [&json!(6)], "{log}");
    dr(&cloud, policy, &["verify"]).exits(0);
}

#[test]
fn a_bucket_that_keeps_no_versions_is_refused_wherever_it_is() {
    let cloud = Cloud::start("unversioned", &["--no-writers"]);
    let bucket = block_on(async {
        let bucket = unversioned(&cloud, "app-media").await;
        put(&bucket, "a", bytes(3, 1)).await;
        bucket
    });
    let policy = &policy(&cloud, &source(&cloud, "app-media", "other-copier"));
    init(&cloud, policy);
    let refused = |cloud: &Cloud| {
        let ran = dr(cloud, policy, &["tick"]).exits(13);
        let told = messages(&ran, "source-not-versioned").join("\n");
        let url = cloud.endpoint("other", "s3");
        assert!(
            told.contains("source media") && told.contains(&format!("--endpoint-url {url}")),
            "{ran:?}"
        );
    };
    refused(&cloud);
    not_implemented(&cloud, "GetBucketVersioning");
    refused(&cloud);
    assert_eq!(bucket.name.as_str(), "app-media");
}
