//! A run that is asked to stop: exit 12 within 20 s, whatever it waits for; the run is free, and
//! the next one goes on at once.

use crate::cloud::{Cloud, Ran, until};
use crate::crash::stage::{Stage, Template};
use crate::stores::block_on;
use dr::world::World;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};
use std::process::{Child, Command, Stdio};

/// DESIGN: SIGTERM, then gone.
const GONE_AFTER_S: f64 = 20.0;

fn start(mut command: Command) -> Child {
    command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("dr starts")
}

fn signal(child: &Child, signal: Signal) {
    kill(
        Pid::from_raw(i32::try_from(child.id()).expect("a pid")),
        signal,
    )
    .expect("a living child");
}

fn held(cloud: &Cloud, fault: u64) {
    until("the call is held", || {
        cloud.fault_state(fault)["held"]
            .as_array()
            .filter(|h| !h.is_empty())
            .map(|_| ())
    });
}

/// Waits for the end; seconds from now to it.
fn end(child: Child) -> (Ran, f64) {
    let world = World::default();
    let began = world.monotonic();
    let ran = child.wait_with_output().expect("it ended").into();
    (ran, began.elapsed().as_secs_f64())
}

/// The newest entry of the newest journal whose key holds a part.
fn head(cloud: &Cloud, part: &str) -> Value {
    block_on(async {
        let bucket = cloud
            .bucket("admin", "eu-central-1", "dr-vault-central")
            .await;
        let keys = bucket.keys("runs/", 10_000).await.expect("listed");
        let newest = keys
            .iter()
            .filter(|k| k.contains(part))
            .max()
            .unwrap_or_else(|| panic!("no journal {part} in {keys:?}"));
        serde_json::from_slice(&bucket.get(newest, None, 1 << 20).await.expect("read").bytes)
            .expect("JSON")
    })
}

/// Stops a run of a stage while a call waits, and lets the next one finish it.
fn stopped_at(template: &Template, stage: Stage, journal: &str, call: &Value, how: Signal) {
    let cloud = template.copy();
    let fault = cloud.fault(call, 1, &json!({"kind": "hold_before"}));
    let child = start(stage.command(&cloud));
    held(&cloud, fault);
    signal(&child, how);
    let (ran, took_s) = end(child);
    let ran = ran.exits(12);
    assert!(
        took_s < GONE_AFTER_S,
        "{stage:?} at {call}: gone after {took_s} s"
    );
    assert_eq!(
        ran.findings().last().map(String::as_str),
        Some("stopped"),
        "{stage:?} at {call}: {ran:?}"
    );
    assert_eq!(
        head(&cloud, journal)["event"],
        "released",
        "{stage:?} at {call}"
    );
    cloud.clear_faults();
    let next = stage.run(&cloud);
    assert!(
        stage.finished(&next) && !stage.red(&next),
        "{stage:?} at {call}, the next one: {next:?}"
    );
    assert_eq!(
        head(&cloud, journal)["event"],
        "finished",
        "{stage:?} at {call}"
    );
    assert_eq!(cloud.ask("/leftovers")["uploads"], 0);
    crate::cloud::say(&format!(
        "stopped: {stage:?} at {} by {how}: gone after {took_s:.1} s, then finished",
        call["operation"]
    ));
}

#[test]
fn a_backup_that_is_asked_to_stop_releases_its_run_and_the_next_tick_goes_on() {
    let template = Template::make(Stage::Backup);
    stopped_at(
        &template,
        Stage::Backup,
        "/backup-",
        &json!({"operation": "CopyDBClusterSnapshot"}),
        Signal::SIGTERM,
    );
    stopped_at(
        &template,
        Stage::Backup,
        "/backup-",
        &json!({"operation": "CopyObject"}),
        Signal::SIGINT,
    );
    stopped_at(
        &template,
        Stage::Backup,
        "/backup-",
        &json!({"operation": "PutObject", "thing": "dr-vault-other/objects/*"}),
        Signal::SIGTERM,
    );
}

#[test]
fn a_drill_that_is_asked_to_stop_releases_its_run_and_the_next_tick_goes_on() {
    let template = Template::make(Stage::Drill);
    stopped_at(
        &template,
        Stage::Drill,
        "/drill-",
        &json!({"operation": "CreateDBCluster"}),
        Signal::SIGTERM,
    );
    stopped_at(
        &template,
        Stage::Drill,
        "/drill-",
        &json!({"operation": "PutObject", "thing": "dr-vault-other/dump/*"}),
        Signal::SIGTERM,
    );
    stopped_at(
        &template,
        Stage::Drill,
        "/drill-",
        &json!({"operation": "DeleteDBCluster"}),
        Signal::SIGINT,
    );
}

#[test]
fn a_restore_that_is_asked_to_stop_releases_its_run_and_the_same_command_goes_on() {
    let template = Template::make(Stage::RestoreSnapshot);
    stopped_at(
        &template,
        Stage::RestoreSnapshot,
        "/restore-",
        &json!({"operation": "RestoreDBClusterFromSnapshot"}),
        Signal::SIGTERM,
    );
    stopped_at(
        &template,
        Stage::RestoreSnapshot,
        "/restore-",
        &json!({"operation": "CreateDBInstance"}),
        Signal::SIGINT,
    );
}

#[test]
fn a_second_signal_leaves_at_once_and_nothing_is_lost() {
    let template = Template::make(Stage::Files);
    let cloud = template.copy();
    let first = cloud.fault(
        &json!({"operation": "CopyObject"}),
        1,
        &json!({"kind": "hang"}),
    );
    let child = start(Stage::Files.command(&cloud));
    until("the copy hangs", || {
        cloud.fault_state(first)["seen"].as_u64().filter(|n| *n > 0)
    });
    // The entry that would release the run is held: only the second signal can end this.
    let entry = cloud.fault(
        &json!({"operation": "PutObject", "thing": "dr-vault-central/runs/*"}),
        0,
        &json!({"kind": "hold_before"}),
    );
    signal(&child, Signal::SIGINT);
    held(&cloud, entry);
    signal(&child, Signal::SIGINT);
    let (ran, took_s) = end(child);
    assert_eq!(ran.code, 12, "{ran:?}");
    assert!(took_s < 1.0, "gone after {took_s} s");
    cloud.clear_faults();
    // Its process is gone from this host, which is enough to go on.
    Stage::Files.run(&cloud).exits(0);
    assert_eq!(head(&cloud, "/backup-")["event"], "finished");
}

/// Calls of the lab's own policy may last 30 s each: longer than a process that was asked to stop
/// may.
#[test]
fn a_store_that_never_answers_does_not_keep_a_process_that_was_asked_to_stop() {
    let cloud = Cloud::start("stuck", &["--no-writers"]);
    cloud.init();
    for (verb, wanted) in [
        (
            "tick",
            json!({"service": "s3", "operation": "ListObjectVersions"}),
        ),
        (
            "status",
            json!({"service": "s3", "operation": "ListObjectVersions"}),
        ),
        (
            "tick",
            json!({"service": "s3", "operation": "PutObject", "thing": "dr-vault-central/runs/*"}),
        ),
    ] {
        let fault = cloud.fault(&wanted, 0, &json!({"kind": "hang"}));
        let child = start(cloud.command(&[verb, "--json"]));
        until("the call hangs", || {
            cloud.fault_state(fault)["seen"].as_u64().filter(|n| *n > 0)
        });
        signal(&child, Signal::SIGTERM);
        let (ran, took_s) = end(child);
        assert_eq!(ran.code, 12, "{verb} at {wanted}: {ran:?}");
        assert!(
            took_s < GONE_AFTER_S,
            "{verb} at {wanted}: gone after {took_s} s"
        );
        assert_eq!(ran.findings(), ["stopped"], "{verb} at {wanted}: {ran:?}");
        cloud.clear_faults();
    }
    cloud.dr(&["tick", "--json"]).exits(0);
}

/// Nothing was begun: the question is answered with Ctrl-C.
#[test]
fn ctrl_c_at_the_question_of_a_restore_leaves_and_changes_nothing() {
    let template = Template::make(Stage::RestoreFiles);
    let cloud = template.copy();
    let since = cloud.now();
    let line = format!(
        "exec {} restore --policy lab/drill.yaml --target central --method files --to-bucket \
         recovered-files",
        crate::cloud::DR
    );
    let mut command = Command::new("script");
    command
        .args(["--quiet", "--flush", "--return", "--command", &line])
        .arg("typescript")
        .current_dir(&cloud.root);
    let shown = cloud.root.join("typescript");
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("script (util-linux) starts");
    until("the question", || {
        std::fs::read(&shown)
            .ok()
            .filter(|t| String::from_utf8_lossy(t).contains("to go on:"))
    });
    // Open until the end: a terminal whose other side is gone would be another answer.
    let mut keyboard = child.stdin.take().expect("a pipe");
    std::io::Write::write_all(&mut keyboard, b"\x03").expect("typed");
    let (ran, took_s) = end(child);
    drop(keyboard);
    assert_eq!(
        ran.code,
        12,
        "{}",
        std::fs::read_to_string(&shown).unwrap_or_default()
    );
    assert!(took_s < 5.0, "gone after {took_s} s");
    let written: Vec<Value> = cloud
        .calls(since)
        .into_iter()
        .filter(|c| {
            c["operation"].as_str().is_some_and(|o| {
                !o.starts_with("Get") && !o.starts_with("List") && !o.starts_with("Head")
            })
        })
        .collect();
    assert_eq!(written, Vec::<Value>::new());
}
