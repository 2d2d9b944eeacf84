//! What must be noticed: each fault with its exit code and the thing named. `make check-negative`
//! runs these.

use crate::cloud::{Cloud, Ran, confirmed, until};
use serde_json::{Value, json};
use std::process::Stdio;

/// The finding of a code in a `--json` answer.
pub fn finding(ran: &Ran, code: &str) -> Value {
    let answer = ran.json();
    let all = answer["findings"].as_array().cloned().unwrap_or_default();
    all.iter()
        .find(|f| f["code"] == code)
        .cloned()
        .unwrap_or_else(|| panic!("no finding {code} in {all:#?}"))
}

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().unwrap_or_default()
}

/// Keys of a bucket that hold a part, as the API lists them.
fn keys(cloud: &Cloud, profile: &str, region: &str, bucket: &str, prefix: &str) -> Vec<String> {
    crate::stores::block_on(async {
        cloud
            .bucket(profile, region, bucket)
            .await
            .keys(prefix, 10_000)
            .await
            .expect("listed")
    })
}

/// The port of a cluster in the lab, by a part of its name.
pub fn port_of(cloud: &Cloud, region: &str, part: &str) -> Option<u16> {
    let state: Value =
        serde_json::from_slice(&std::fs::read(cloud.root.join("lab/rds/state.json")).ok()?).ok()?;
    let clusters = state["regions"][region]["clusters"].as_object()?;
    let (_, cluster) = clusters.iter().find(|(id, _)| id.contains(part))?;
    u16::try_from(cluster["port"].as_u64()?).ok()
}

/// SQL as the lab's superuser, behind the service's back.
pub fn sql(cloud: &Cloud, region: &str, part: &str, statement: &str) {
    let port =
        port_of(cloud, region, part).unwrap_or_else(|| panic!("no cluster {part} in {region}"));
    let sockets = dr_lab::pg::sockets::directory(&cloud.root.join("lab"));
    crate::stores::block_on(async {
        let session = dr_lab::pg::session::Session::admin(&sockets, port, "shop")
            .await
            .expect("the socket");
        session.batch(statement).await.expect("done");
    });
}

#[test]
fn damage_in_a_vault_is_named_with_key_and_version() {
    let cloud = Cloud::start("damage", &["--no-writers"]);
    cloud.init();
    cloud.dr(&["tick"]).exits(0);
    let chunk = keys(&cloud, "admin", "eu-central-1", "dr-vault-central", "dump/")
        .into_iter()
        .find(|k| k.contains("orders"))
        .expect("a chunk of app.orders");
    let flipped = cloud.tell(
        "/damage",
        &json!({"region": "eu-central-1",
    "bucket": "dr-vault-central", "key": chunk, "how": "flip"}),
    );
    let object = keys(&cloud, "other-admin", "other", "dr-vault-other", "objects/")
        .into_iter()
        .next()
        .expect("an object");
    let removed = cloud.tell(
        "/damage",
        &json!({"region": "other", "bucket": "dr-vault-other", "key": object, "how": "remove"}),
    );
    let ran = cloud.dr(&["verify", "--json"]).exits(3);
    let first = finding(&ran, "checksum-mismatch");
    assert_eq!(
        (text(&first, "thing"), text(&first, "place")),
        (
            format!("{chunk} version {}", text(&flipped, "version")).as_str(),
            "central"
        )
    );
    let second = finding(&ran, "object-missing");
    assert_eq!(
        (text(&second, "thing"), text(&second, "place")),
        (
            format!("{object} version {}", text(&removed, "version")).as_str(),
            "other"
        )
    );
    assert_eq!(
        ran.json()["tested"],
        ran.json()["population"],
        "all others were read all the same"
    );
    // A restore that meets the damage says so and does not pretend.
    let other = format!("s3={}", cloud.endpoint("other", "s3"));
    let files = [
        "restore",
        "--json",
        "--from",
        "s3://dr-vault-other",
        "--region",
        "other",
        "--endpoint",
        &other,
        "--method",
        "files",
        "--to-bucket",
        "recovered-files",
    ];
    let as_restorer = |words: &[&str]| cloud.dr_as("other", "restorer", words);
    let restored = confirmed(&files, as_restorer).exits(3);
    assert!(
        restored.stdout.contains(
            object
                .rsplit('/')
                .nth(1)
                .expect("a name")
                .split('.')
                .next()
                .expect("a stem")
        ),
        "{restored:?}"
    );
}

#[test]
fn a_bucket_without_lock_is_refused_by_every_command_that_would_trust_it() {
    let cloud = Cloud::start("no-lock", &["--no-writers"]);
    let policy = cloud.policy_with("no-lock.yaml", |text| {
        text.replace("bucket: dr-vault-central", "bucket: recovered-files")
    });
    let policy = policy.to_str().expect("a path");
    let ran = cloud
        .dr(&[
            "vault",
            "init",
            "--policy",
            policy,
            "--profile",
            "admin",
            "--profile",
            "other=other-admin",
            "--json",
        ])
        .exits(13);
    let refused = finding(&ran, "target-without-lock");
    assert!(
        text(&refused, "message").contains("bucket recovered-files of target central"),
        "{refused}"
    );
}

#[test]
fn a_refusal_that_only_iam_gave_proves_nothing_about_a_lock() {
    let cloud = Cloud::start("iam", &["--no-writers"]);
    cloud.init();
    // Whoever may not delete the control either cannot tell why the locked version resists.
    cloud.fault(
        &json!({"region": "eu-central-1", "operation": "DeleteObject", "role": "prober"}),
        0,
        &json!({"kind": "refuse", "code": "AccessDenied", "status": 403}),
    );
    let ran = cloud
        .dr(&["vault", "probe", "--target", "central", "--json"])
        .exits(13);
    let unknown = finding(&ran, "lock-unknown");
    assert_eq!(text(&unknown, "place"), "central");
    assert_eq!(ran.json()["probes"][0]["verdict"], "unknown");
    let tick = cloud.dr(&["tick", "--json"]);
    assert_eq!(
        (tick.code, tick.findings()),
        (13, vec!["no-capable-target".to_owned()]),
        "the newest probe counts: {tick:?}"
    );
}

#[test]
fn a_restored_database_that_is_not_what_was_dumped_is_named() {
    let cloud = Cloud::start("differs", &["--no-writers"]);
    cloud.init();
    cloud.dr(&["tick"]).exits(0);
    let password = cloud.root.join("password");
    std::fs::write(&password, "a-new-password-1\n").expect("written");
    let password = password.to_str().expect("a path").to_owned();
    let policy = cloud.policy();
    let policy = policy.to_str().expect("a path");
    let mut command = vec!["restore", "--json", "--method", "snapshot"];
    command.extend([
        "--policy",
        policy,
        "--cluster",
        "shop-recovered",
        "--master-password-file",
        &password,
    ]);
    let hash = cloud
        .command(&command)
        .output()
        .map(Ran::from)
        .expect("dr runs");
    let hash = hash.exits(2).plan_hash();
    // The cluster is made meanwhile, and nobody has looked into it.
    let call = json!({"operation": "DescribeDBInstances"});
    let held = cloud.fault(&call, 1, &json!({"kind": "hold_before"}));
    command.extend(["--yes", "--plan", &hash]);
    let restore = cloud
        .command(&command)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("dr runs");
    until("the call is held", || {
        let state = cloud.fault_state(held);
        state["held"]
            .as_array()
            .filter(|h| !h.is_empty())
            .map(|_| ())
    });
    until("the restored server answers", || {
        let port = port_of(&cloud, "eu-central-1", "shop-recovered")?;
        let sockets = dr_lab::pg::sockets::directory(&cloud.root.join("lab"));
        let session = dr_lab::pg::session::Session::admin(&sockets, port, "shop");
        crate::stores::block_on(session).ok().map(|_| ())
    });
    let lost = "DELETE FROM app.heartbeat WHERE id = (SELECT min(id) FROM app.heartbeat)";
    sql(&cloud, "eu-central-1", "shop-recovered", lost);
    cloud.tell(&format!("/faults/{held}/release"), &json!({}));
    let ran = Ran::from(restore.wait_with_output().expect("it ended")).exits(3);
    let differs = finding(&ran, "restored-differs");
    let told = text(&differs, "message");
    assert!(told.contains("first app.heartbeat has"), "{told}");
    let answer = ran.json();
    assert!(answer["compared"].as_u64() > Some(10), "{answer}");
    assert_eq!(
        answer["differs"].as_array().map(Vec::len),
        Some(1),
        "{answer}"
    );
}

#[test]
fn a_row_that_is_lost_while_a_drill_runs_turns_it_red() {
    let cloud = Cloud::start("row", &["--no-writers"]);
    cloud.init();
    let held = cloud.fault(
        &json!({"operation": "CreateDBCluster"}),
        1,
        &json!({"kind": "hold_before"}),
    );
    let drill = cloud
        .command(&["tick", "--json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("dr runs");
    // The scratch cluster was inspected; the empty one is asked for next, the dump is taken after
    // it.
    until("the call is held", || {
        cloud.fault_state(held)["held"]
            .as_array()
            .filter(|h| !h.is_empty())
            .map(|_| ())
    });
    sql(
        &cloud,
        "eu-central-1",
        "dr-drill",
        "DELETE FROM app.heartbeat WHERE id = (SELECT min(id) FROM app.heartbeat)",
    );
    cloud.tell(&format!("/faults/{held}/release"), &json!({}));
    let ran = Ran::from(drill.wait_with_output().expect("it ended")).exits(3);
    let differs = finding(&ran, "dump-differs");
    assert!(
        text(&differs, "message").contains("app.heartbeat has"),
        "{differs}"
    );
    let left = cloud.ask("/leftovers");
    assert_eq!(
        (&left["clusters"], &left["instances"], &left["uploads"]),
        (&json!(0), &json!(0), &json!(0)),
        "a red drill is torn down too: {left}"
    );
    let status = cloud.dr(&["status", "--check", "--json"]).exits(4);
    let proven = status.json()["policies"][0]["newest_proven"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    assert!(
        proven.iter().all(|p| p["method"] != "dump"),
        "what failed is not proven: {proven:?}"
    );
    assert!(
        proven.iter().any(|p| p["method"] == "files"),
        "what passed is: {proven:?}"
    );
}

#[test]
fn a_disabled_key_stops_the_copy_and_is_named() {
    let cloud = Cloud::start("kms", &["--no-writers"]);
    cloud.init();
    let key = "arn:aws:kms:eu-central-1:222222222222:key/vault-1";
    cloud.tell("/kms", &json!({"key": key, "state": "disabled"}));
    let ran = cloud.dr(&["tick", "--json"]).exits(11);
    let unusable = finding(&ran, "kms-key-unusable");
    assert!(
        text(&unusable, "message").contains(key)
            && text(&unusable, "thing") == "copy-snapshot:shop:central",
        "{unusable}"
    );
    // The other target is complete without it, and the next tick finishes the run once the key is
    // back.
    cloud.tell("/kms", &json!({"key": key, "state": "enabled"}));
    let status = cloud.dr(&["status", "--json"]).json();
    assert_eq!(
        status["policies"][0]["newest"]["targets"]
            .as_array()
            .map(|t| t.iter().filter(|t| t["state"] == "complete").count()),
        Some(1),
        "{status}"
    );
    cloud.dr(&["tick", "--json"]).exits(0);
}

#[test]
fn a_clock_that_is_off_by_an_hour_is_no_basis_for_locks() {
    let cloud = Cloud::start("clock", &["--no-writers"]);
    cloud.init();
    cloud.dr(&["tick"]).exits(0);
    let ahead = |arguments: &[&str], role: bool| {
        let mut command = std::process::Command::new("faketime");
        command
            .args(["-f", "-100s", crate::cloud::DR])
            .args(arguments)
            .env("HOME", cloud.root.join("home"));
        if role {
            let (id, secret) = cloud.key("aws", "restorer");
            command
                .env("AWS_ACCESS_KEY_ID", id)
                .env("AWS_SECRET_ACCESS_KEY", secret);
        } else {
            command.env("DR_POLICY", cloud.policy());
        }
        Ran::from(
            command
                .output()
                .expect("faketime runs; type: apt-get install faketime"),
        )
    };
    for verb in ["tick", "drill"] {
        let ran = ahead(&[verb, "--json"], false).exits(11);
        let skew = finding(&ran, "clock-skew");
        assert!(
            text(&skew, "message").contains("s behind the one of target central"),
            "{skew}"
        );
    }
    // Nobody waits for a clock in an incident: the store's counts, and a warning says so.
    let s3 = format!("s3={}", cloud.endpoint("eu-central-1", "s3"));
    let shown = ahead(
        &[
            "restore",
            "--json",
            "--from",
            "s3://dr-vault-central",
            "--region",
            "eu-central-1",
            "--endpoint",
            &s3,
        ],
        true,
    )
    .exits(0);
    assert_eq!(text(&finding(&shown, "clock-skew"), "severity"), "warning");
    assert!(
        shown.json()["ways"]
            .as_array()
            .is_some_and(|p| !p.is_empty()),
        "{shown:?}"
    );
    // An hour is more than the service itself accepts.
    cloud.tell("/clock", &json!({"advance_s": 3600}));
    let ran = cloud.dr(&["tick", "--json"]);
    assert!(matches!(ran.code, 11 | 12), "{ran:?}");
}

#[test]
fn an_empty_database_is_no_proof() {
    let cloud = Cloud::start("empty", &["--no-writers"]);
    sql(
        &cloud,
        "eu-west-3",
        "shop",
        "DROP SCHEMA app, billing CASCADE",
    );
    cloud.init();
    let ran = cloud.dr(&["tick", "--json"]);
    assert_eq!(ran.code, 3, "{ran:?}");
    let message = ran.json()["findings"].to_string();
    assert!(
        message.contains("no tables") || message.contains("app.heartbeat"),
        "{message}"
    );
    let status = cloud.dr(&["status", "--json"]).json();
    let proven = status["policies"][0]["newest_proven"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    assert!(proven.iter().all(|p| p["method"] == "files"), "{proven:?}");
}
