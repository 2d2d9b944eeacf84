//! `policies/mixed.yaml`, whole: two clusters, a server, three buckets of AWS's and one at another
//! provider, backed up, drilled, verified and restored; and what one of them does to the others.

use crate::cloud::{Cloud, Ran, confirmed};
use crate::servers::Bare;
use crate::source;
use aws_sdk_s3::types::{
    BucketLocationConstraint, BucketVersioningStatus, CreateBucketConfiguration,
    VersioningConfiguration,
};
use dr::aws::s3::{Bucket, PutOptions};
use dr::database::{Address, Database, Postgres, Secret};
use dr::model::Seconds;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use tokio::runtime::Runtime;

const PASSWORD: &str = "worthless-anywhere-else";
const PATIENCE: Seconds = Seconds(30);

/// The estate of the policy, in the lab.
struct Estate {
    cloud: Cloud,
    ledger: Bare,
    scratch: Bare,
    runtime: Runtime,
    policy: String,
}

async fn put_all(bucket: &Bucket, keys: &[(&str, &str)]) {
    for (key, body) in keys {
        let (body, options) = (body.as_bytes().to_vec(), PutOptions::default());
        bucket.put(key, body.into(), &options).await.expect("put");
    }
}

async fn make_bucket(cloud: &Cloud, region: &str, name: &str) -> Bucket {
    let client = cloud.s3("admin", region);
    let place = CreateBucketConfiguration::builder();
    let place = place.location_constraint(BucketLocationConstraint::from(region));
    let request = client.create_bucket().bucket(name);
    let made = request.create_bucket_configuration(place.build());
    made.send().await.expect("made");
    let on = VersioningConfiguration::builder().status(BucketVersioningStatus::Enabled);
    let request = client.put_bucket_versioning().bucket(name);
    let versioned = request.versioning_configuration(on.build()).send().await;
    versioned.expect("versioned");
    let profile = if region == "other" {
        "other-admin"
    } else {
        "admin"
    };
    cloud.bucket(profile, region, name).await
}

async fn status(rds: &aws_sdk_rds::Client) -> Option<String> {
    let found = rds.describe_db_clusters().db_cluster_identifier("billing");
    let found = found.send().await.expect("described");
    found.db_clusters().first()?.status().map(str::to_owned)
}

/// A second production cluster, with two databases that hold something, and one that nobody may
/// enter.
async fn billing(cloud: &Cloud) {
    let rds = cloud.rds("admin", "eu-west-3");
    let made = rds
        .create_db_cluster()
        .db_cluster_identifier("billing")
        .engine("aurora-postgresql")
        .master_username("master")
        .master_user_password(PASSWORD)
        .database_name("billing")
        .serverless_v2_scaling_configuration(
            aws_sdk_rds::types::ServerlessV2ScalingConfiguration::builder()
                .min_capacity(0.5)
                .max_capacity(2.0)
                .build(),
        );
    made.send().await.expect("made");
    while status(&rds).await.as_deref() != Some("available") {
        tokio::task::yield_now().await;
    }
    let instance = rds
        .create_db_instance()
        .db_instance_identifier("billing-1")
        .db_cluster_identifier("billing")
        .db_instance_class("db.serverless")
        .engine("aurora-postgresql");
    instance.send().await.expect("an instance");
    let address = loop {
        let found = rds.describe_db_clusters().db_cluster_identifier("billing");
        let found = found.send().await.expect("described");
        let cluster = found.db_clusters().first().expect("billing").clone();
        let instance = rds
            .describe_db_instances()
            .db_instance_identifier("billing-1");
        let instance = instance.send().await.expect("described");
        let ready = instance.db_instances()[0].db_instance_status() == Some("available");
        if cluster.status() == Some("available") && ready {
            break Address {
                host: cluster.endpoint().expect("an endpoint").into(),
                port: u16::try_from(cluster.port().expect("a port")).expect("a port"),
                database: "billing".into(),
                user: "master".into(),
                password: Secret(PASSWORD.into()),
                ca_file: None,
            };
        }
        tokio::task::yield_now().await;
    };
    let billing = Postgres::connect(&address, PATIENCE)
        .await
        .expect("connected");
    for sql in [
        "CREATE TABLE public.invoices (id int PRIMARY KEY, cents bigint NOT NULL)",
        "INSERT INTO public.invoices SELECT n, n * 100 FROM generate_series(1, 500) n",
        "CREATE ROLE dr_reader LOGIN PASSWORD 'pw'",
        "GRANT SELECT ON public.invoices TO dr_reader",
        "CREATE DATABASE tax",
        "CREATE DATABASE shut CONNECTION LIMIT 0",
    ] {
        billing.execute(sql).await.expect(sql);
    }
    let tax = Postgres::connect(&address.with_database("tax"), PATIENCE).await;
    let tax = tax.expect("connected");
    for sql in [
        "CREATE TABLE public.rates (country text PRIMARY KEY, percent int NOT NULL)",
        "INSERT INTO public.rates VALUES ('FR', 20), ('DE', 19)",
        "GRANT SELECT ON public.rates TO dr_reader",
    ] {
        tax.execute(sql).await.expect(sql);
    }
}

/// Two databases that hold something, and one that the reader may not enter.
async fn fill_ledger(ledger: &Bare) {
    for sql in [
        "CREATE ROLE dr_reader LOGIN PASSWORD 'pw'",
        "GRANT pg_read_all_data TO dr_reader",
        "CREATE ROLE ledger_owner",
        "CREATE DATABASE ledger",
        "CREATE DATABASE archive",
        "CREATE DATABASE secret",
        "REVOKE CONNECT ON DATABASE secret FROM PUBLIC",
    ] {
        ledger.sql("postgres", sql).await;
    }
    for sql in [
        "CREATE TABLE entries (id int PRIMARY KEY, what text NOT NULL)",
        "INSERT INTO entries SELECT n, 'entry ' || n FROM generate_series(1, 2000) n",
        "ALTER TABLE entries OWNER TO ledger_owner",
        "CREATE TABLE heartbeat (id bigint PRIMARY KEY, at timestamptz NOT NULL)",
        "INSERT INTO heartbeat VALUES (7, now())",
    ] {
        ledger.sql("ledger", sql).await;
    }
    ledger
        .sql("archive", "CREATE TABLE old AS SELECT 1 AS n")
        .await;
}

impl Estate {
    fn start() -> Self {
        let cloud = Cloud::start("mixed", &["--no-writers"]);
        let runtime = Runtime::new().expect("a runtime");
        let (ledger, scratch) = runtime.block_on(async {
            let (ledger, scratch) = tokio::join!(Bare::start("ledger"), Bare::start("scratch"));
            fill_ledger(&ledger).await;
            let may = "CREATE ROLE dr_scratch LOGIN SUPERUSER PASSWORD 'pw'";
            scratch.sql("postgres", may).await;
            billing(&cloud).await;
            let files = cloud.bucket("admin", "eu-west-3", "app-files").await;
            let kept = [
                ("invoices/1", "one"),
                ("invoices/2", "two"),
                ("avatars/mia", "m"),
            ];
            put_all(&files, &kept).await;
            let exports = make_bucket(&cloud, "eu-west-3", "app-exports").await;
            put_all(&exports, &[("2026.csv", "a;b")]).await;
            let media = make_bucket(&cloud, "other", "app-media").await;
            put_all(&media, &[("clip", "frames"), ("poster", "pixels")]).await;
            (ledger, scratch)
        });
        let policy = policy(&cloud, &ledger, &scratch);
        Self {
            cloud,
            ledger,
            scratch,
            runtime,
            policy,
        }
    }

    fn dr(&self, words: &[&str]) -> Ran {
        self.cloud
            .dr(&[words, &["--json", "--policy", &self.policy]].concat())
    }

    fn init(&self) {
        let keys = ["--profile", "admin", "--profile", "other=other-admin"];
        self.dr(&[&["vault", "init"], &keys[..]].concat()).exits(0);
    }

    /// Restored without a question.
    fn restore(&self, words: &[&str]) -> Value {
        let words = [&["restore"], words].concat();
        confirmed(&words, |words| self.dr(words)).exits(0).json()
    }

    /// Databases on the scratch server that a drill made.
    fn scratch_databases(&self) -> String {
        let sql = "SELECT string_agg(datname, ' ') FROM pg_database WHERE datname LIKE 'dr\\_%'";
        self.runtime.block_on(self.scratch.text("postgres", sql))
    }
}

/// The very file, with the lab's places in it.
fn policy(cloud: &Cloud, ledger: &Bare, scratch: &Bare) -> String {
    let (at, to) = (
        ledger.address("x", "x").port,
        scratch.address("x", "x").port,
    );
    let endpoint = |region: &str, service: &str| cloud.endpoint(region, service);
    let endpoints = ["eu-west-3", "eu-central-1"].map(|r| {
        let (s3, rds) = (endpoint(r, "s3"), endpoint(r, "rds"));
        let (sts, kms) = (endpoint(r, "sts"), endpoint(r, "kms"));
        format!("  {r}: {{s3: \"{s3}\", rds: \"{rds}\", sts: \"{sts}\", kms: \"{kms}\"}}\n")
    });
    let lab = std::fs::read_to_string(cloud.policy()).expect("the lab's policy");
    let key = lab.lines().find_map(|l| l.trim().strip_prefix("kms_key: "));
    let lock = "{mode: COMPLIANCE, retention: 1d, grace: 1h, max_lock_days: 3}";
    let text = source::read("policies/mixed.yaml")
        .replace("region: eu1", "region: other")
        .replace("https://s3.media.example.com", &endpoint("other", "s3"))
        .replace("https://s3.provider.example.com", &endpoint("other", "s3"))
        .replace(
            "endpoints:\n",
            &format!("endpoints:\n{}", endpoints.concat()),
        )
        .replace(
            "arn:aws:kms:eu-central-1:222222222222:key/saas-vault-snapshots",
            key.expect("a key"),
        )
        .replace(
            "ledger.example.com\n    port: 5432",
            &format!("127.0.0.1\n    port: {at}"),
        )
        .replace(
            "scratch.example.com\n",
            &format!("127.0.0.1\n    port: {to}\n"),
        )
        .replace("      ca_file: ledger-ca.pem\n", "")
        .replace("    ca_file: scratch-ca.pem\n", "")
        .replace(
            "{mode: COMPLIANCE, retention: 35d, grace: 6h, max_lock_days: 40}",
            lock,
        )
        .replace(
            "retention: 400d, max_lock_days: 420",
            "retention: 2d, max_lock_days: 4",
        )
        .replace("max_acu: 8", "max_acu: 2")
        + "runner: {alive_every: 5s, takeover_after: 40s, margin: 5s}
timeouts: {connect: 1s, call: 30s, poll_every: 0s}
retry: {requests: 2, steps: 2, backoff: 0s}
probe: {control: 1s, lock: 30s}
";
    for name in ["billing.password", "ledger.password", "scratch.password"] {
        cloud.policy_with(name, |_| "pw\n".into());
    }
    let path = cloud.policy_with("mixed.yaml", |_| text);
    path.to_str().expect("a path").to_owned()
}

fn names<'a>(list: &'a Value, field: &str) -> BTreeSet<&'a str> {
    let all = list.as_array().into_iter().flatten();
    all.filter_map(|x| x[field].as_str()).collect()
}

/// The source's name, its method and database, and the target, of what is proven.
fn proven(status: &Value) -> BTreeSet<String> {
    let all = status["policies"][0]["newest_proven"].as_array();
    let told = all.into_iter().flatten().map(|p| {
        let text = |field: &str| p[field].as_str().unwrap_or("-").to_owned();
        [
            text("source"),
            text("method"),
            text("database"),
            text("target"),
        ]
        .join(" ")
    });
    told.collect()
}

#[test]
fn mixed() {
    let estate = Estate::start();
    estate.init();
    // One snapshot is refused: everything else is copied, published and in the point.
    let refuse = json!({"kind": "refuse", "code": "AccessDenied", "status": 403});
    let snapshot = json!({"service": "rds", "operation": "CreateDBClusterSnapshot",
        "thing": "dr-*-billing-*"});
    estate.cloud.fault(&snapshot, 0, &refuse);
    let ran = estate.dr(&["tick", "--role", "scheduler"]);
    assert!(
        ran.findings().contains(&"access-denied".to_owned()),
        "{ran:?}"
    );
    let ran = estate.dr(&["tick"]);
    assert!(
        ran.findings().contains(&"not-protected".to_owned()),
        "{ran:?}"
    );
    let status = estate.dr(&["status"]).exits(0).json();
    let newest = &status["policies"][0]["newest"];
    assert_eq!(newest["not_captured"], json!(["billing"]), "{status}");
    assert_eq!(
        newest["targets"][0]["missing"],
        json!(["billing"]),
        "{status}"
    );
    let unprotected = names(&newest["exceptions"], "thing");
    assert!(
        unprotected.contains("database secret") && unprotected.contains("database postgres"),
        "{status}"
    );
    let ways = estate.dr(&["restore"]).exits(0).json();
    let offered = names(&ways["ways"], "source");
    let others = ["avatars", "exports", "invoices", "ledger", "media", "shop"];
    assert_eq!(offered, others.into(), "{ways}");
    // What was late joins the same point; then all of it is drilled.
    estate.cloud.clear_faults();
    let ticked = estate.dr(&["tick"]);
    let runs = ticked.json()["runs"].clone();
    assert!(names(&runs, "result").contains("complete"), "{ticked:?}");
    let status = estate.dr(&["status"]).exits(0).json();
    let newest = &status["policies"][0]["newest"];
    assert_eq!(newest["not_captured"], json!([]), "{status}");
    let exceptions = newest["exceptions"].as_array().into_iter().flatten();
    let unseen: BTreeSet<&str> = exceptions
        .filter(|e| e["source"] == "billing")
        .filter_map(|e| e["thing"].as_str())
        .collect();
    let wanted = ["database postgres", "database shut"];
    assert_eq!(unseen, wanted.into(), "of all: {status}");
    for target in newest["targets"].as_array().into_iter().flatten() {
        assert_eq!(target["state"], "complete", "{status}");
    }
    let mut wanted: BTreeSet<String> = ["shop", "billing"]
        .map(|s| format!("{s} snapshot - central"))
        .into();
    for target in ["central", "other"] {
        let databases = [
            ("shop", "shop"),
            ("shop", "books"),
            ("billing", "billing"),
            ("billing", "tax"),
            ("ledger", "ledger"),
            ("ledger", "archive"),
        ];
        wanted.extend(databases.map(|(s, d)| format!("{s} dump {d} {target}")));
        let buckets = ["invoices", "avatars", "exports", "media"];
        wanted.extend(buckets.map(|b| format!("{b} files - {target}")));
    }
    if proven(&status) != wanted {
        estate.dr(&["drill"]).exits(0);
    }
    let status = estate.dr(&["status"]).exits(0).json();
    assert_eq!(proven(&status), wanted, "{status}");
    let objectives = status["policies"][0]["objectives"].as_array();
    for met in objectives.into_iter().flatten() {
        if met["method"] == "dump" {
            let own = met["source"] == "ledger";
            let rpo = if own { 2 * 3600 } else { 8 * 86_400 };
            assert_eq!(met["rpo_s"], rpo, "{met}");
        }
    }
    assert_eq!(
        estate.scratch_databases(),
        "",
        "the drill dropped what it made"
    );
    let verified = estate.dr(&["verify"]).exits(0).json();
    assert_eq!(verified["tested"], verified["population"], "{verified}");
    restored(&estate);
}

/// Each kind of source comes back, and the ones beside it do not.
fn restored(estate: &Estate) {
    let ran = estate.dr(&["restore", "--method", "files"]).exits(2);
    assert!(ran.stdout.contains("--source"), "which one: {ran:?}");
    for (source, prefix, keys) in [
        ("avatars", "a/", vec!["a/avatars/mia"]),
        ("media", "m/", vec!["m/clip", "m/poster"]),
    ] {
        let to = ["--to-bucket", "recovered-files", "--to-prefix", prefix];
        let words = [
            "--method", "files", "--source", source, "--target", "central",
        ];
        let done = estate.restore(&[&words[..], &to].concat());
        assert_eq!(done["objects"], keys.len(), "{done}");
        let bucket = estate
            .cloud
            .bucket("admin", "eu-central-1", "recovered-files");
        let found = estate.runtime.block_on(async {
            let bucket = bucket.await;
            bucket.keys(prefix, 100).await.expect("keys")
        });
        assert_eq!(found, keys);
    }
    let make = "CREATE DATABASE back";
    estate
        .runtime
        .block_on(estate.scratch.sql("postgres", make));
    let port = estate.scratch.address("x", "x").port;
    let url = format!("postgres://postgres:pw@127.0.0.1:{port}/back");
    let words = [
        "--method",
        "dump",
        "--source",
        "ledger",
        "--database",
        "ledger",
    ];
    let done = estate.restore(&[&words[..], &["--into", &url]].concat());
    assert_eq!(done["heartbeat_id"], 7, "{done}");
    let count = "SELECT count(*)::text || ' ' || max(what) FROM entries";
    let (there, back) = estate.runtime.block_on(async {
        let there = estate.ledger.text("ledger", count).await;
        (there, estate.scratch.text("back", count).await)
    });
    assert_eq!(there, back);
    let words = [
        "--method",
        "snapshot",
        "--source",
        "billing",
        "--cluster",
        "billing-back",
    ];
    let done = estate.restore(&words);
    let made = &done["plan"]["cluster"];
    assert_eq!(made["max_acu"], 64.0, "as `restore` says: {done}");
    assert_eq!(done["tables"], 2, "of both databases: {done}");
    assert_eq!(done["rows"], 502, "{done}");
}
