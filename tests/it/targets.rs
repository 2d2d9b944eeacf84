//! Targets that fail: away before, during and after a run, hanging, full, slow, lying, refusing
//! locks; both at once; and journal targets
//! that cannot see each other. What must hold: no target's failure is another one's, `status` tells
//! each state, a later tick catches up.

use crate::cloud::{Cloud, Ran, confirmed, until};
use crate::crash::stage::{Stage, Template};
use crate::stores::block_on;
use serde_json::{Value, json};
use std::process::{Command, Stdio};

const CENTRAL: &str = "dr-vault-central/*";
const OTHER_OBJECTS: &str = "dr-vault-other/objects/*";

fn command(cloud: &Cloud, words: &[&str], policy: &str) -> Command {
    let policy = format!("lab/{policy}");
    let mut command = cloud.command(&[words, &["--json", "--policy", &policy]].concat());
    command.current_dir(&cloud.root);
    command
}

fn dr(cloud: &Cloud, words: &[&str], policy: &str) -> Ran {
    command(cloud, words, policy)
        .output()
        .expect("dr runs")
        .into()
}

fn tick(cloud: &Cloud) -> Ran {
    dr(cloud, &["tick"], "files.yaml")
}

/// State of the newest point at each target, in the policy's order.
fn states(ran: &Ran) -> Vec<(String, String)> {
    let answer = ran.json();
    let targets = answer["policies"][0]["newest"]["targets"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    let text = |t: &Value, name: &str| t[name].as_str().unwrap_or_default().to_owned();
    targets
        .iter()
        .map(|t| (text(t, "name"), text(t, "state")))
        .collect()
}

fn are(wanted: &[(&str, &str)]) -> Vec<(String, String)> {
    wanted
        .iter()
        .map(|(n, s)| ((*n).to_owned(), (*s).to_owned()))
        .collect()
}

fn everything(cloud: &Cloud, thing: &str, what: &Value) {
    cloud.fault(&json!({"service": "s3", "thing": thing}), 0, what);
    cloud.fault(
        &json!({"service": "s3", "thing": thing.trim_end_matches("/*")}),
        0,
        what,
    );
}

fn result(ran: &Ran) -> String {
    ran.json()["runs"][0]["result"]
        .as_str()
        .unwrap_or("none")
        .to_owned()
}

/// The run that a failing `other` left open is finished by the next tick, and both copies are
/// whole.
fn caught_up(cloud: &Cloud) {
    cloud.clear_faults();
    let ran = tick(cloud).exits(0);
    assert_eq!(result(&ran), "complete", "{ran:?}");
    let status = dr(cloud, &["status"], "files.yaml").exits(0);
    assert_eq!(
        states(&status),
        are(&[("central", "complete"), ("other", "complete")])
    );
    dr(cloud, &["verify"], "files.yaml").exits(0);
}

/// A tick with `other` failing: its exit code and the finding, and what status says meanwhile.
fn partial(cloud: &Cloud, code: i32, finding: &str, other: &str) {
    let ran = tick(cloud).exits(code);
    assert_eq!(result(&ran), "open", "{ran:?}");
    assert!(
        ran.findings().contains(&finding.to_owned()),
        "{finding}: {ran:?}"
    );
    let status = dr(cloud, &["status"], "files.yaml");
    assert_eq!(
        states(&status),
        are(&[("central", "complete"), ("other", other)]),
        "no failure is a sibling's: {status:?}"
    );
    assert_eq!(
        status.json()["policies"][0]["open_runs"]
            .as_array()
            .map(Vec::len),
        Some(1),
        "{status:?}"
    );
}

#[test]
fn a_journal_target_that_is_away_before_a_run_is_waited_for() {
    let template = Template::make(Stage::Files);
    let cloud = template.copy();
    cloud.region("eu-central-1", "down");
    let ran = tick(&cloud).exits(12);
    assert_eq!(ran.findings(), ["target-unavailable"], "{ran:?}");
    let status = dr(&cloud, &["status"], "files.yaml").exits(12);
    assert_eq!(states(&status), are(&[]), "nothing was begun anywhere");
    cloud.region("eu-central-1", "up");
    caught_up(&cloud);
}

#[test]
fn a_journal_target_that_goes_away_during_a_run_finds_it_again() {
    let template = Template::make(Stage::Files);
    let cloud = template.copy();
    let held = cloud.fault(
        &json!({"operation": "PutObject", "thing": OTHER_OBJECTS}),
        1,
        &json!({"kind": "hold_before"}),
    );
    let child = command(&cloud, &["tick"], "files.yaml")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("dr starts");
    until("a copy to `other` is under way", || {
        cloud.fault_state(held)["held"]
            .as_array()
            .filter(|h| !h.is_empty())
            .map(|_| ())
    });
    cloud.region("eu-central-1", "down");
    cloud.clear_faults();
    let ran = Ran::from(child.wait_with_output().expect("it ended")).exits(12);
    assert!(
        ran.findings().contains(&"target-unavailable".to_owned()),
        "{ran:?}"
    );
    cloud.region("eu-central-1", "up");
    caught_up(&cloud);
}

#[test]
fn a_journal_target_that_is_away_after_a_run_leaves_a_point_that_can_be_seen_and_restored() {
    let template = Template::make(Stage::Files);
    let cloud = template.copy();
    tick(&cloud).exits(0);
    cloud.region("eu-central-1", "down");
    tick(&cloud).exits(12);
    let status = dr(&cloud, &["status"], "files.yaml").exits(12);
    assert_eq!(
        states(&status),
        are(&[("central", "complete"), ("other", "complete")]),
        "`other` knows of both: {status:?}"
    );
    let verified = dr(&cloud, &["verify"], "files.yaml").exits(12).json();
    assert_eq!(
        (&verified["tested"], &verified["population"]),
        (&json!(3), &json!(3)),
        "what answers is read: {verified}"
    );
    let way = [
        "restore",
        "--method",
        "files",
        "--to-bucket",
        "recovered-files",
        "--target",
        "other",
    ];
    let restored = confirmed(&way, |words| dr(&cloud, words, "files.yaml"));
    let restored = restored.exits(0).json();
    assert_eq!(restored["objects"], 3, "{restored}");
    cloud.region("eu-central-1", "up");
    caught_up_idle(&cloud);
}

/// Nothing was left to do.
fn caught_up_idle(cloud: &Cloud) {
    let ran = tick(cloud).exits(0);
    assert_eq!(ran.json()["runs"], json!([]), "{ran:?}");
}

#[test]
fn a_target_that_hangs_is_left_out_and_catches_up() {
    let template = Template::make(Stage::Files);
    let cloud = template.copy();
    everything(&cloud, "dr-vault-other/*", &json!({"kind": "hang"}));
    partial(&cloud, 12, "target-unavailable", "away");
    caught_up(&cloud);
}

#[test]
fn a_target_that_is_full_is_told_and_stops_nothing_else() {
    let template = Template::make(Stage::Files);
    let cloud = template.copy();
    for (code, status) in [("QuotaExceeded", 403), ("XMinioStorageFull", 507)] {
        cloud.clear_faults();
        let refuse = json!({"kind": "refuse", "code": code, "status": status});
        cloud.fault(
            &json!({"operation": "PutObject", "thing": "dr-vault-other/*"}),
            0,
            &refuse,
        );
        partial(&cloud, 11, "target-full", "missing");
    }
    caught_up(&cloud);
}

#[test]
fn a_target_that_trickles_does_not_hold_the_others() {
    let template = Template::make(Stage::Files);
    let cloud = template.copy();
    cloud.fault(
        &json!({"operation": "GetObject", "thing": OTHER_OBJECTS}),
        0,
        &json!({"kind": "slow", "bytes_per_s": 1024}),
    );
    partial(&cloud, 12, "target-unavailable", "missing");
    caught_up(&cloud);
}

#[test]
fn a_target_that_lies_is_found_out_by_reading_back() {
    let template = Template::make(Stage::Files);
    let cloud = template.copy();
    cloud.fault(
        &json!({"operation": "PutObject", "thing": OTHER_OBJECTS}),
        0,
        &json!({"kind": "lie"}),
    );
    partial(&cloud, 3, "object-missing", "missing");
    // What was not stored is put by the next run: this one's manifest names versions that never
    // were.
    cloud.clear_faults();
    let policy = std::fs::read_to_string(cloud.root.join("lab/files.yaml")).expect("the policy");
    std::fs::write(
        cloud.root.join("lab/next.yaml"),
        policy.replace("0 0 1 1 *", "0 * * * *"),
    )
    .expect("written");
    let next = dr(&cloud, &["tick"], "next.yaml").json();
    let results: Vec<&str> = next["runs"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|r| r["result"].as_str())
        .collect();
    assert!(results.contains(&"complete"), "{next}");
    let status = dr(&cloud, &["status"], "next.yaml").exits(0);
    assert_eq!(
        states(&status),
        are(&[("central", "complete"), ("other", "complete")])
    );
}

#[test]
fn a_point_that_a_target_only_said_it_stored_is_found_out_at_once() {
    let template = Template::make(Stage::Files);
    let cloud = template.copy();
    cloud.fault(
        &json!({"operation": "PutObject", "thing": "dr-vault-central/points/*/point.json"}),
        0,
        &json!({"kind": "lie"}),
    );
    let ran = tick(&cloud).exits(3);
    assert!(
        ran.stdout.contains("point.json at central")
            && ran.findings().contains(&"damaged".to_owned()),
        "{ran:?}"
    );
    caught_up(&cloud);
}

#[test]
fn a_target_that_refuses_locks_is_refused_and_stops_nothing_else() {
    let template = Template::make(Stage::Files);
    let cloud = template.copy();
    let refuse = json!({"kind": "refuse", "code": "NotImplemented", "status": 501});
    cloud.fault(
        &json!({"operation": "PutObject", "thing": OTHER_OBJECTS}),
        0,
        &refuse,
    );
    partial(&cloud, 13, "unsupported", "missing");
    caught_up(&cloud);
}

#[test]
fn with_both_targets_away_everything_says_so_and_nothing_is_lost() {
    let template = Template::make(Stage::Files);
    let cloud = template.copy();
    for region in ["eu-central-1", "other"] {
        cloud.region(region, "down");
    }
    for words in [
        vec!["tick"],
        vec!["status"],
        vec!["verify"],
        vec!["restore"],
    ] {
        let ran = dr(&cloud, &words, "files.yaml").exits(12);
        assert_eq!(ran.findings(), ["target-unavailable"], "{words:?}: {ran:?}");
    }
    for region in ["eu-central-1", "other"] {
        cloud.region(region, "up");
    }
    caught_up(&cloud);
}

/// A third target that can hold the journal as well: a locked bucket in the first region.
fn with_west(cloud: &Cloud, policy: &str) {
    let policy = std::fs::read_to_string(cloud.root.join("lab").join(policy)).expect("the policy");
    let west = "  - name: west\n    region: eu-west-3\n    bucket: dr-vault-west\n    account: \
     \"222222222222\"\n    lock: {mode: COMPLIANCE, retention: 1d, grace: 1h, max_lock_days: 3}\n";
    let (head, tail) = policy.split_once("\nendpoints:").expect("endpoints");
    std::fs::write(
        cloud.root.join("lab/west.yaml"),
        format!("{}\n{west}\nendpoints:{tail}", head.trim_end()),
    )
    .expect("written");
    dr(
        cloud,
        &[
            "vault",
            "init",
            "--profile",
            "admin",
            "--profile",
            "other=other-admin",
        ],
        "west.yaml",
    )
    .exits(0);
}

#[test]
fn the_next_journal_target_takes_the_slot_and_the_first_one_resumes_it() {
    let template = Template::make(Stage::Files);
    let cloud = template.copy();
    with_west(&cloud, "files.yaml");
    cloud.region("eu-central-1", "down");
    let ran = dr(&cloud, &["tick"], "west.yaml").exits(12);
    assert_eq!(
        (ran.json()["journal_target"].as_str(), result(&ran).as_str()),
        (Some("west"), "open"),
        "{ran:?}"
    );
    let status = dr(&cloud, &["status"], "west.yaml").exits(12);
    assert_eq!(
        states(&status),
        are(&[
            ("central", "away"),
            ("other", "complete"),
            ("west", "complete")
        ])
    );
    cloud.region("eu-central-1", "up");
    let ran = dr(&cloud, &["tick"], "west.yaml").exits(0);
    assert_eq!(
        (ran.json()["journal_target"].as_str(), result(&ran).as_str()),
        (Some("central"), "complete"),
        "the run of the other journal target is resumed: {ran:?}"
    );
    let status = dr(&cloud, &["status"], "west.yaml").exits(0);
    assert_eq!(
        states(&status),
        are(&[
            ("central", "complete"),
            ("other", "complete"),
            ("west", "complete")
        ])
    );
    dr(&cloud, &["verify"], "west.yaml").exits(0);
}

/// The slot opened by `west` while `central` is away, and by `central` while `west` is.
fn parted(cloud: &Cloud) {
    let away = json!({"kind": "refuse", "code": "ServiceUnavailable", "status": 503});
    everything(cloud, CENTRAL, &away);
    let ran = dr(cloud, &["tick"], "west.yaml").exits(12);
    assert_eq!(
        (ran.json()["journal_target"].as_str(), result(&ran).as_str()),
        (Some("west"), "open"),
        "{ran:?}"
    );
    cloud.clear_faults();
    everything(cloud, "dr-vault-west/*", &away);
    let ran = dr(cloud, &["tick"], "west.yaml").exits(12);
    let answer = ran.json();
    assert_eq!(answer["journal_target"], "central", "{ran:?}");
    assert_eq!(
        answer["runs"].as_array().map(Vec::len),
        Some(1),
        "it cannot know of the other: {ran:?}"
    );
    let failed: Vec<&Value> = answer["runs"][0]["steps_failed"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|s| &s["name"])
        .collect();
    assert_eq!(
        failed,
        ["copy-objects:app-files:west"],
        "what the other one made is taken as it is, its locks extended: {ran:?}"
    );
    cloud.clear_faults();
}

/// One tick that reaches all of them ends both runs.
fn joined(cloud: &Cloud) {
    let _told = dr(cloud, &["tick"], "west.yaml");
    let status = dr(cloud, &["status"], "west.yaml").exits(0);
    assert_eq!(
        states(&status),
        are(&[
            ("central", "complete"),
            ("other", "complete"),
            ("west", "complete")
        ]),
        "{status:?}"
    );
    assert_eq!(
        status.json()["policies"][0]["open_runs"],
        json!([]),
        "{status:?}"
    );
}

#[test]
fn two_journal_targets_that_each_opened_the_slot_use_one_snapshot() {
    let template = Template::make(Stage::Backup);
    let cloud = template.copy();
    with_west(&cloud, "backup.yaml");
    parted(&cloud);
    joined(&cloud);
    let snapshots = |region: &str| {
        let rds = cloud.rds("admin", region);
        let answer = block_on(
            rds.describe_db_cluster_snapshots()
                .snapshot_type("manual")
                .send(),
        )
        .expect("snapshots");
        answer.db_cluster_snapshots().len()
    };
    assert_eq!((snapshots("eu-west-3"), snapshots("eu-central-1")), (1, 1));
}

#[test]
fn two_journal_targets_that_each_opened_the_slot_are_a_finding_and_harmless() {
    let template = Template::make(Stage::Files);
    let cloud = template.copy();
    with_west(&cloud, "files.yaml");
    parted(&cloud);
    joined(&cloud);
    let verified = dr(&cloud, &["verify"], "west.yaml").exits(3).json();
    let codes: std::collections::BTreeSet<&str> = verified["findings"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|f| f["code"].as_str())
        .collect();
    assert_eq!(
        codes,
        ["document-differs"].into(),
        "all data is whole: {verified}"
    );
    for (target, bucket) in [("central", "a/"), ("other", "b/"), ("west", "c/")] {
        let way = [
            "restore",
            "--method",
            "files",
            "--to-bucket",
            "recovered-files",
            "--to-bucket-region",
            "eu-central-1",
            "--target",
            target,
            "--to-prefix",
            bucket,
        ];
        let endpoint = cloud.endpoint("eu-central-1", "s3");
        let way = [&way[..], &["--to-bucket-endpoint", &endpoint]].concat();
        let restored = confirmed(&way, |words| dr(&cloud, words, "west.yaml"));
        let restored = restored.exits(0).json();
        assert_eq!(restored["objects"], 3, "{target}: {restored}");
    }
}

#[test]
fn a_target_that_refuses_proofs_keeps_them_from_no_other_and_is_told() {
    let template = Template::make(Stage::Drill);
    let cloud = template.copy();
    let deny = json!({"kind": "refuse", "code": "AccessDenied", "status": 403});
    for (operation, thing) in [
        ("PutObject", "dr-vault-other/proofs/*"),
        ("ListMultipartUploads", "dr-vault-other*"),
    ] {
        cloud.fault(&json!({"operation": operation, "thing": thing}), 0, &deny);
    }
    let drilled = dr(&cloud, &["drill"], "drill.yaml").exits(0);
    let told = drilled.json();
    assert!(
        drilled.findings().contains(&"target-behind".into()),
        "{told}"
    );
    assert_eq!(told["result"], "complete", "{told}");
    let left = told["teardown"]["left"].as_array().cloned();
    assert_eq!(left.map(|l| l.len()), Some(1), "{told}");
    let gone = cloud.ask("/leftovers");
    assert_eq!(gone["clusters"], 0, "{gone}");
    // The other vault has them all the same, also those that speak of this one.
    let status = dr(&cloud, &["status"], "drill.yaml").exits(0).json();
    assert_eq!(status["policies"][0]["drills"]["last"]["result"], "passed");
    let proven = status["policies"][0]["newest_proven"].as_array().cloned();
    let targets: Vec<_> = proven
        .iter()
        .flatten()
        .map(|p| p["target"].clone())
        .collect();
    assert!(targets.contains(&json!("other")), "{status}");
    // It is named until a tick of the driller has brought them there. Refused again, that is told,
    // and they are not offered at every tick.
    let named = dr(&cloud, &["verify"], "drill.yaml").exits(3);
    assert!(
        named.findings().contains(&"object-missing".into()),
        "{named:?}"
    );
    let driller = ["tick", "--role", "driller"];
    let sweeps = |ran: &crate::cloud::Ran| {
        let runs = ran.json()["runs"].as_array().cloned().unwrap_or_default();
        let sweeps = runs.into_iter().filter(|r| r["kind"] == "sweep");
        sweeps.map(|r| r["result"].clone()).collect::<Vec<_>>()
    };
    let refused = dr(&cloud, &driller, "drill.yaml").exits(0);
    assert_eq!(sweeps(&refused), ["complete"], "{refused:?}");
    assert!(
        refused.findings().contains(&"target-behind".into()),
        "{refused:?}"
    );
    cloud.clear_faults();
    let soon = dr(&cloud, &driller, "drill.yaml").exits(0);
    assert!(sweeps(&soon).is_empty(), "{soon:?}");
    let seven_hours = 7 * 3_600;
    cloud.tell("/clock", &json!({"advance_s": seven_hours}));
    let later = |verb: &str| crate::sweep::at(&cloud, seven_hours, verb);
    let brought = later("tick").exits(0);
    assert_eq!(sweeps(&brought), ["complete"], "{brought:?}");
    later("verify").exits(0);
    let again = later("tick").exits(0);
    assert!(sweeps(&again).is_empty(), "nothing is missing: {again:?}");
}
