//! Few resources: full disks, nothing writable, no home, few file descriptors, clocks that jump.

use crate::cloud::{Cloud, Ran, say, until};
use crate::crash::stage::{Stage, Template};
use dr::world::World;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

/// A command in a mount namespace of its own, after a script that changes what is mounted there.
/// `None`: not on this machine.
fn in_namespace(script: &str, command: &Command) -> Option<Command> {
    let flags = [&["--mount"][..], &["--mount", "--map-root-user"][..]];
    let possible = |flags: &[&str]| {
        let tried = Command::new("unshare")
            .args(flags)
            .args(["sh", "-c", "mount -t tmpfs -o size=64k tmpfs /mnt"])
            .stderr(Stdio::null())
            .status();
        tried.is_ok_and(|s| s.success())
    };
    let flags = flags.into_iter().find(|f| possible(f))?;
    let mut inside = Command::new("unshare");
    inside
        .args(flags)
        .args(["sh", "-c", &format!("{script} && exec \"$@\""), "sh"])
        .arg(command.get_program())
        .args(command.get_args());
    inside
        .env_clear()
        .envs(command.get_envs().filter_map(|(k, v)| Some((k, v?))))
        .stdin(Stdio::null());
    if let Some(folder) = command.get_current_dir() {
        inside.current_dir(folder);
    }
    Some(inside)
}

/// The namespace, or a line that says what was not checked: it is counted by whoever reads the
/// output.
fn namespace_or_say(script: &str, command: &Command, what: &str) -> Option<Command> {
    let inside = in_namespace(script, command);
    if inside.is_none() {
        say(&format!(
            "skipped: {what}: this machine gives no mount namespace (unshare --mount)"
        ));
    }
    inside
}

fn ran(mut command: Command) -> Ran {
    command.output().expect("it runs").into()
}

/// The vault's journal cannot be written by the restorer.
fn deny_journal(cloud: &Cloud) {
    cloud.fault(
        &json!({"operation": "PutObject", "thing": "dr-vault-central/runs/*"}),
        0,
        &json!({"kind": "refuse", "code": "AccessDenied", "status": 403}),
    );
}

/// Where a restore says that it journalled.
fn journalled_in(ran: &Ran) -> String {
    let answer = ran.json();
    assert_eq!(answer["journal"], "local", "{answer}");
    let finding = answer["findings"]
        .as_array()
        .into_iter()
        .flatten()
        .find(|f| f["code"] == "journal-local")
        .cloned()
        .unwrap_or_else(|| panic!("not said: {answer}"));
    assert_eq!(finding["severity"], "warning");
    finding["thing"].as_str().unwrap_or_default().to_owned()
}

/// Mounts a file system of one page over a folder and fills it.
fn full(folder: &Path) -> String {
    let folder = folder.display();
    format!(
        "mount -t tmpfs -o size=4k tmpfs {folder} && head -c 4096 /dev/zero >{folder}/full && cd \
         {folder}"
    )
}

fn entries(text: &str) -> Vec<Value> {
    text.lines()
        .filter_map(|l| serde_json::from_str::<Value>(l).ok())
        .filter(|e| e["schema"] == "dr/entry/1")
        .collect()
}

#[test]
fn a_full_disk_does_not_keep_a_restore_from_restoring() {
    let template = Template::make(Stage::RestoreFiles);
    let cloud = template.copy();
    let (work, temporary, vault) = (
        cloud.root.join("work"),
        cloud.root.join("temporary"),
        cloud.root.join("lab/drill.yaml"),
    );
    for folder in [&work, &temporary] {
        std::fs::create_dir_all(folder).expect("a folder");
    }
    let mut command = Stage::RestoreFiles.command(&cloud);
    command.env("DR_POLICY", &vault).env("TMPDIR", &temporary);
    let mut arguments: Vec<std::ffi::OsString> = command.get_args().map(Into::into).collect();
    let at = arguments
        .iter()
        .position(|a| a == "lab/drill.yaml")
        .expect("the policy");
    arguments[at] = vault.into();
    let mut command = Command::new(crate::cloud::DR);
    command
        .args(&arguments)
        .env("HOME", cloud.root.join("home"))
        .env("TMPDIR", &temporary)
        .env("PATH", World::default().env("PATH").unwrap_or_default())
        .current_dir(&work);
    deny_journal(&cloud);
    // The working directory is full: the next place is the one for temporary files.
    let Some(inside) = namespace_or_say(&full(&work), &command, "a full disk") else {
        return;
    };
    let done = ran(inside).exits(0);
    let file = PathBuf::from(journalled_in(&done));
    assert!(file.starts_with(&temporary), "{}", file.display());
    let written = entries(&std::fs::read_to_string(&file).expect("the journal"));
    assert_eq!(
        written.last().map(|e| &e["event"]),
        Some(&json!("finished")),
        "{written:?}"
    );
    assert!(done.json()["objects"].as_u64() > Some(0), "{done:?}");
    // Both are full: the entries are told on stderr, whole and in order.
    std::fs::remove_file(&file).expect("removed");
    let both = format!("{} && {}", full(&temporary), full(&work));
    let done = ran(in_namespace(&both, &command).expect("as before")).exits(0);
    journalled_in(&done);
    let told = entries(&done.stderr);
    assert_eq!(
        (
            told.first().map(|e| &e["event"]),
            told.last().map(|e| &e["event"])
        ),
        (Some(&json!("opened")), Some(&json!("finished"))),
        "{done:?}"
    );
    assert_eq!(
        told.iter().map(|e| e["seq"].as_u64()).collect::<Vec<_>>(),
        (0..told.len() as u64).map(Some).collect::<Vec<_>>()
    );
}

#[test]
fn a_disk_that_fills_while_a_restore_runs_does_not_end_it() {
    let template = Template::make(Stage::RestoreFiles);
    let cloud = template.copy();
    deny_journal(&cloud);
    let command = Stage::RestoreFiles.command(&cloud);
    // Room for the first entries only. Without its signal a write beyond the limit is an error, as
    // on a full disk.
    let mut limited = Command::new("sh");
    limited
        .args([
            "-c",
            "trap '' XFSZ; exec prlimit --fsize=2800 -- \"$@\"",
            "sh",
        ])
        .arg(command.get_program())
        .args(command.get_args());
    limited
        .env_clear()
        .envs(command.get_envs().filter_map(|(k, v)| Some((k, v?))))
        .current_dir(&cloud.root);
    let done = ran(limited).exits(0);
    let file = cloud.root.join(journalled_in(&done));
    let kept = entries(&std::fs::read_to_string(&file).expect("the journal"));
    let told = entries(&done.stderr);
    let seen: Vec<Option<u64>> = kept
        .iter()
        .chain(&told)
        .map(|e| e["seq"].as_u64())
        .collect();
    assert!(
        !kept.is_empty() && !told.is_empty(),
        "{} entries in the file, {} on stderr",
        kept.len(),
        told.len()
    );
    assert_eq!(
        seen,
        (0..seen.len() as u64).map(Some).collect::<Vec<_>>(),
        "the chain goes on where the file ends"
    );
}

#[test]
fn nothing_writable_no_home_and_few_descriptors_are_enough() {
    let template = Template::make(Stage::Whole);
    let cloud = template.copy();
    // Many at once, so that descriptors count.
    let policy = cloud.policy_with("many.yaml", |_| {
        std::fs::read_to_string(cloud.root.join("lab/drill.yaml"))
            .expect("a policy")
            .replace("objects: 1, streams: 1", "objects: 64, streams: 8")
            .replace("prefix: small/", "prefix: tenants/")
    });
    let few = |arguments: &[&str]| {
        let inner = cloud.command(&[]);
        let mut command = Command::new("prlimit");
        command
            .args(["--nofile=1024:1024", "--", crate::cloud::DR])
            .args(arguments)
            .arg("--json");
        command
            .env_clear()
            .env("PATH", World::default().env("PATH").unwrap_or_default())
            .env("DR_POLICY", &policy);
        command.current_dir(inner.get_current_dir().expect("a folder"));
        command
    };
    let read_only = "mount -o remount,bind,ro / && for place in /dev/shm /tmp; do if mountpoint \
     -q $place; then mount -o remount,bind,ro $place || exit 1; fi; done; ! touch here \
     2>/dev/null && ! touch /tmp/here 2>/dev/null";
    if namespace_or_say(read_only, &few(&["--version"]), "a read-only file system").is_none() {
        return;
    }
    let go = |arguments: &[&str]| ran(in_namespace(read_only, &few(arguments)).expect("as before"));
    let ticked = go(&["tick"]).exits(0).json();
    let results: Vec<&Value> = ticked["runs"]
        .as_array()
        .expect("runs")
        .iter()
        .map(|r| &r["result"])
        .collect();
    assert_eq!(results, ["complete", "complete"], "{ticked}");
    assert!(
        go(&["verify"]).exits(0).json()["tested"].as_u64() > Some(100),
        "many objects"
    );
    go(&["status"]).exits(0);
    // The lab's own place to write is not the restore's.
    let policy = policy.to_str().expect("a path");
    let shown = go(&[
        "restore",
        "--policy",
        policy,
        "--target",
        "central",
        "--method",
        "files",
        "--to-bucket",
        "recovered-files",
    ])
    .exits(2);
    let hash = shown.plan_hash();
    deny_journal(&cloud);
    let restored = go(&[
        "restore",
        "--policy",
        policy,
        "--target",
        "central",
        "--method",
        "files",
        "--to-bucket",
        "recovered-files",
        "--yes",
        "--plan",
        &hash,
    ])
    .exits(0);
    journalled_in(&restored);
    assert_eq!(
        entries(&restored.stderr).last().map(|e| e["event"].clone()),
        Some(json!("finished")),
        "{restored:?}"
    );
}

#[test]
fn a_machine_without_room_for_the_process_is_told_with_an_exit_code() {
    let without = |arguments: &[&str]| {
        let mut command = Command::new("prlimit");
        command
            .args(["--nofile=4:4", "--", crate::cloud::DR])
            .args(arguments);
        ran(command)
    };
    let told = without(&["status", "--json", "--policy", "none.yaml"]).exits(12);
    assert_eq!(told.findings(), ["resources-exhausted"], "{told:?}");
    let told = without(&["status", "--policy", "none.yaml"]).exits(12);
    assert!(
        told.stderr.starts_with(
            "error[resources-exhausted]: this machine has no resources for the process"
        ),
        "{told:?}"
    );
}

/// What `faketime` preloads.
fn faketime() -> &'static str {
    static LIBRARY: OnceLock<String> = OnceLock::new();
    LIBRARY.get_or_init(|| {
        let found = Command::new("faketime")
            .args(["-f", "+0s", "sh", "-c", "printf %s \"$LD_PRELOAD\""])
            .output()
            .expect("faketime runs; type: apt-get install faketime");
        let library = String::from_utf8(found.stdout)
            .expect("a path")
            .trim()
            .to_owned();
        assert!(!library.is_empty(), "faketime names its library");
        library
    })
}

/// `dr` with a clock that reads a file: `+30`, `-30`.
pub fn with_clock(command: &Command, file: &Path) -> Command {
    let mut other = Command::new(command.get_program());
    other
        .args(command.get_args())
        .env_clear()
        .envs(command.get_envs().filter_map(|(k, v)| Some((k, v?))));
    other
        .env("LD_PRELOAD", faketime())
        .env("FAKETIME_TIMESTAMP_FILE", file)
        .env("FAKETIME_NO_CACHE", "1");
    other
        .env("DONT_FAKE_MONOTONIC", "1")
        .env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
    other.current_dir(command.get_current_dir().expect("a folder"));
    other
}

/// Holds a run of a stage at a call, lets `jump` happen, and lets it go on.
fn jumped(cloud: &Cloud, mut command: Command, call: &Value, jump: impl FnOnce()) -> Ran {
    let fault = cloud.fault(call, 1, &json!({"kind": "hold_before"}));
    let child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("dr starts");
    until("the call is held", || {
        cloud.fault_state(fault)["held"]
            .as_array()
            .filter(|h| !h.is_empty())
            .map(|_| ())
    });
    jump();
    cloud.clear_faults();
    child.wait_with_output().expect("it ended").into()
}

#[test]
fn a_clock_that_jumps_while_a_run_lasts_changes_no_name_and_no_lock() {
    let template = Template::make(Stage::Backup);
    for (offset, lab) in [("+30", 0), ("-30", 0), ("+0", 30), ("+0", -30)] {
        let cloud = template.copy();
        let clock = cloud.root.join("clock");
        std::fs::write(&clock, "+0").expect("written");
        let command = with_clock(&Stage::Backup.command(&cloud), &clock);
        let done = jumped(&cloud, command, &json!({"operation": "CopyObject"}), || {
            std::fs::write(&clock, offset).expect("written");
            cloud.tell("/clock", &json!({"advance_s": lab}));
        });
        let done = done.exits(0);
        assert_eq!(
            done.json()["runs"][0]["result"],
            "complete",
            "{offset} {lab}: {done:?}"
        );
        // A service's states do not go back with its clock; the lab's would.
        cloud.tell("/clock", &json!({"advance_s": -lab}));
        let verified = cloud
            .dr(&["verify", "--json", "--policy", "../lab/backup.yaml"])
            .exits(0)
            .json();
        assert_eq!(
            (&verified["tested"], &verified["lock_ok"]),
            (&verified["population"], &verified["population"]),
            "{offset} {lab}: {verified}"
        );
        let again = Stage::Backup.run(&cloud).exits(0).json();
        assert_eq!(
            again["runs"].as_array().map(Vec::len),
            Some(0),
            "the slot is done, whatever the clock: {again}"
        );
    }
}

#[test]
fn a_clock_that_jumps_while_a_restore_lasts_does_not_change_what_it_took() {
    let template = Template::make(Stage::RestoreFiles);
    for offset in ["+30", "-30"] {
        let cloud = template.copy();
        let clock = cloud.root.join("clock");
        std::fs::write(&clock, "+0").expect("written");
        let command = with_clock(&Stage::RestoreFiles.command(&cloud), &clock);
        let began = World::default().monotonic();
        let done = jumped(
            &cloud,
            command,
            &json!({"operation": "CopyObject", "thing": "recovered-files/*"}),
            || std::fs::write(&clock, offset).expect("written"),
        );
        let took_s = began.elapsed().as_secs_f64();
        let rto_s = done.exits(0).json()["rto_s"].as_f64().expect("an RTO");
        assert!(
            rto_s > 0.0 && rto_s <= took_s + 0.1,
            "a clock that jumped by {offset} s: RTO {rto_s} s, the command took {took_s:.1} s"
        );
    }
}
