//! The whole chain on real servers: back up, prove, lose the first region under load, recover by
//! every path, compare exactly. Nobody has a key of their own but the runner: every role is
//! assumed.

use crate::cloud::{Cloud, Ran, until};
use serde_json::{Value, json};

/// Tables, rows and digest of a database as the lab reads it, and what the workload says they must
/// be.
fn compare(cloud: &Cloud, url: &str) -> (i64, Value) {
    let encoded = percent_encoding::utf8_percent_encode(url, percent_encoding::NON_ALPHANUMERIC);
    let found = cloud.ask(&format!("/digest?url={encoded}"));
    let n = found["heartbeat"].as_i64().expect("a heartbeat");
    let expected = cloud.ask(&format!("/expected?n={n}"));
    assert_eq!(found["tables"], expected["tables"], "at operation {n}");
    let tables = found["tables"].as_object().expect("tables");
    assert!(tables.len() > 5, "{tables:?}");
    assert!(
        tables.values().all(|t| t["rows"].as_u64().is_some()),
        "{tables:?}"
    );
    (n, found)
}

fn rows(reading: &Value) -> u64 {
    reading["tables"]
        .as_object()
        .into_iter()
        .flatten()
        .filter_map(|(_, t)| t["rows"].as_u64())
        .sum()
}

/// With a role that is assumed, and no policy.
fn as_role(cloud: &Cloud, role: &str, arguments: &[&str]) -> Ran {
    let mut command = cloud.command(arguments);
    command
        .args(["--profile", role])
        .env_remove("DR_POLICY")
        .env(
            "AWS_SHARED_CREDENTIALS_FILE",
            cloud.root.join("lab/credentials-roles"),
        );
    command.output().expect("dr runs").into()
}

/// The two steps of a restore without a terminal: the plan's hash first, then the same command with
/// it.
fn restore(cloud: &Cloud, provider: &str, arguments: &[&str]) -> Value {
    let mut first = vec!["restore", "--json"];
    first.extend(arguments);
    let run = |arguments: &[&str]| match provider {
        "aws" => as_role(cloud, "restorer", arguments),
        other => cloud.dr_as(other, "restorer", arguments),
    };
    let shown = run(&first).exits(2);
    let hash = shown.plan_hash();
    assert_eq!(shown.json()["executed"], false, "{shown:?}");
    first.extend(["--yes", "--plan", &hash]);
    let done = run(&first).exits(0).json();
    assert_eq!(
        (&done["executed"], &done["measured_on"]),
        (&json!(true), &json!("lab")),
        "{done}"
    );
    assert_eq!(done["plan"]["hash"], json!(hash));
    assert!(
        done["rto_s"].as_f64().is_some_and(|s| s > 0.0 && s < 300.0),
        "{done}"
    );
    done
}

#[test]
fn a_lost_region_is_recovered_exactly_by_every_path() {
    let cloud = Cloud::start("chain", &[]);
    let policy = std::fs::read_to_string(cloud.policy()).expect("the lab's policy");
    let roles = policy.replace("file: credentials", "file: credentials-roles");
    std::fs::write(cloud.policy(), roles).expect("written");
    cloud.init();
    let backup = cloud.dr(&["tick", "--json"]).exits(0).json();
    let runs = backup["runs"].as_array().expect("runs");
    assert_eq!(
        runs.iter()
            .map(|r| (&r["kind"], &r["result"]))
            .collect::<Vec<_>>(),
        [
            (&json!("backup"), &json!("complete")),
            (&json!("drill"), &json!("complete"))
        ]
    );
    let verified = cloud.dr(&["verify", "--json"]).exits(0).json();
    assert_eq!(
        (&verified["tested"], &verified["unknown"]),
        (&verified["population"], &json!(0))
    );
    assert!(
        verified["tested"].as_u64() > Some(400) && verified["lock_ok"] == verified["tested"],
        "{verified}"
    );
    let status = cloud.dr(&["status", "--check", "--json"]).exits(0).json();
    let proven = status["policies"][0]["newest_proven"]
        .as_array()
        .expect("proofs");
    let paths: Vec<_> = proven
        .iter()
        .map(|p| {
            (
                p["method"].as_str().unwrap_or(""),
                p["target"].as_str().unwrap_or(""),
            )
        })
        .collect();
    assert_eq!(
        paths,
        [
            ("snapshot", "central"),
            ("dump", "central"),
            ("dump", "other"),
            ("files", "central"),
            ("files", "other")
        ]
    );

    cloud.region("eu-west-3", "down");
    let lost = cloud.ask("/workload");
    assert!(lost["last_operation"].as_i64() > Some(10), "{lost}");
    let (s3, rds) = (
        cloud.endpoint("eu-central-1", "s3"),
        cloud.endpoint("eu-central-1", "rds"),
    );
    let (s3_flag, rds_flag, sts_flag) = (
        format!("s3={s3}"),
        format!("rds={rds}"),
        format!("sts={rds}"),
    );
    let central = [
        "--from",
        "s3://dr-vault-central",
        "--region",
        "eu-central-1",
        "--endpoint",
        &s3_flag,
        "--endpoint",
        &rds_flag,
        "--endpoint",
        &sts_flag,
    ];

    let password = cloud.root.join("home/password");
    std::fs::write(&password, "a-new-password-1\n").expect("written");
    let password = password.to_str().expect("a path").to_owned();
    let mut snapshot = central.to_vec();
    snapshot.extend([
        "--method",
        "snapshot",
        "--cluster",
        "shop-recovered",
        "--master-password-file",
        &password,
    ]);
    let done = restore(&cloud, "aws", &snapshot);
    assert_eq!(
        (
            &done["rpo_basis"],
            &done["deletion_protection"],
            &done["journal"]
        ),
        (&json!("heartbeat"), &json!(true), &json!("vault"))
    );
    let restored = format!(
        "postgres://master:a-new-password-1@{}/shop",
        done["endpoint"].as_str().expect("an endpoint")
    );
    let (n, reading) = compare(&cloud, &restored);
    assert_eq!(done["rows"].as_u64(), Some(rows(&reading)));
    let equal = |done: &Value| {
        assert_eq!(
            (&done["compared"], &done["differs"]),
            (&done["tables"], &json!([])),
            "{done}"
        );
    };
    equal(&done);
    assert!(
        n > 0 && n <= lost["last_operation"].as_i64().unwrap_or(0) + 1,
        "{n}"
    );

    let other = format!("s3={}", cloud.endpoint("other", "s3"));
    let other = [
        "--from",
        "s3://dr-vault-other",
        "--region",
        "other",
        "--endpoint",
        &other,
    ];
    let empty = empty_database(&restored);
    let mut dump = other.to_vec();
    dump.extend(["--method", "dump", "--into", &empty]);
    let done = restore(&cloud, "other", &dump);
    equal(&done);
    let (m, again) = compare(&cloud, &empty);
    assert_eq!(
        (m, rows(&again)),
        (n, rows(&reading)),
        "both paths restore the same point"
    );
    assert_eq!(
        done["tables"].as_u64(),
        again["tables"].as_object().map(|t| t.len() as u64)
    );

    // What would be in the way of a load is told beside the plan.
    let beside_plan = |url: &str, code: &str| {
        let mut words = vec!["restore", "--json", "--method", "dump", "--into", url];
        words.extend(other);
        let shown = cloud.dr_as("other", "restorer", &words).exits(2);
        let codes = shown.findings();
        assert!(codes.iter().any(|c| c == code), "{code}: {codes:?}");
    };
    beside_plan(&empty, "database-not-empty");
    let nobody = dr_lab::listen::free_port().expect("a port");
    let dead = format!("postgres://dr:dr@127.0.0.1:{nobody}/shop");
    beside_plan(&dead, "database-unavailable");

    for (provider, from) in [("aws", central.as_slice()), ("other", other.as_slice())] {
        let mut files = from.to_vec();
        files.extend(["--method", "files", "--to-bucket", "recovered-files"]);
        let done = restore(&cloud, provider, &files);
        assert!(done["objects"].as_u64() > Some(100), "{done}");
    }
    let left = cloud.ask("/leftovers");
    assert_eq!(
        (&left["clusters"], &left["instances"], &left["uploads"]),
        (&json!(0), &json!(0), &json!(0)),
        "{left}"
    );
}

/// A database that holds nothing, on the server that a URL names.
fn empty_database(url: &str) -> String {
    let work = async {
        let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls)
            .await
            .expect("the restored server");
        let connection = tokio::spawn(connection);
        client
            .batch_execute("CREATE DATABASE rebuilt TEMPLATE template0")
            .await
            .expect("created");
        drop(client);
        drop(connection.await);
    };
    tokio::runtime::Runtime::new()
        .expect("a runtime")
        .block_on(work);
    let (server, _) = url.rsplit_once('/').expect("a path");
    format!("{server}/rebuilt")
}

#[test]
fn a_second_backup_without_changes_puts_no_data_again_and_extends_what_runs_low() {
    let cloud = Cloud::start("again", &["--no-writers"]);
    cloud.init();
    // An hour ahead no drill may be due, whatever the hour: the heartbeat stands still.
    let hour = dr::world::World::default().now().as_second() / 3_600 % 24;
    let policy = cloud.policy_with("later.yaml", |text| {
        text.replace("30 3 * * *", &format!("30 {} * * *", (hour + 12) % 24))
    });
    let path = policy.to_str().expect("a path");
    cloud.dr(&["tick", "--policy", path]).exits(0);
    cloud.tell("/clock", &json!({"advance_s": 3600}));
    let ahead = |arguments: &[&str]| {
        let mut command = std::process::Command::new("faketime");
        command
            .args(["-f", "+3600s", crate::cloud::DR])
            .args(arguments)
            .env("DR_POLICY", &policy)
            .env("HOME", cloud.root.join("home"));
        crate::cloud::Ran::from(
            command
                .output()
                .expect("faketime runs; type: apt-get install faketime"),
        )
    };
    let since = cloud.now();
    let second = ahead(&["tick", "--json"]).exits(0).json();
    assert_eq!(second["runs"][0]["kind"], "backup");
    assert_eq!(second["runs"][0]["result"], "complete");
    let calls = cloud.calls(since);
    let count = |operation: &str, part: &str| {
        calls
            .iter()
            .filter(|c| {
                c["operation"] == operation && c["thing"].as_str().is_some_and(|t| t.contains(part))
            })
            .count()
    };
    for operation in ["PutObject", "CopyObject", "CompleteMultipartUpload"] {
        assert_eq!(count(operation, "/objects/"), 0, "{operation}");
    }
    assert!(
        count("PutObjectRetention", "dr-vault-central/objects/") > 100,
        "locks of reused objects end an hour earlier than this run wants"
    );
    assert_eq!(
        count("PutObjectRetention", "dr-vault-central/objects/"),
        count("PutObjectRetention", "dr-vault-other/objects/")
    );
    until("the point", || {
        (count("PutObject", "/point.json") > 0).then_some(())
    });
}
