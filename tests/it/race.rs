//! Two runners of one run: whatever order their calls arrive in, one of them wins each entry and
//! nothing is done wrongly.

use crate::cloud::{Cloud, Ran, until};
use crate::crash::call::Named;
use crate::crash::stage::{Stage, Template};
use crate::crash::stored::Stored;
use crate::surroundings::with_clock;
use dr::world::World;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::json;
use std::path::Path;
use std::process::{Child, Command, Stdio};

struct Clean {
    template: Template,
    stored: Stored,
    /// Of the run that stores the policy, and then of the backup.
    appends: Vec<Named>,
    /// Which of them opens the backup.
    opening: usize,
}

impl Clean {
    fn record(stage: Stage) -> Self {
        let template = Template::make(stage);
        let cloud = template.copy();
        let since = cloud.now();
        stage.run(&cloud).exits(0);
        let calls = crate::crash::call::named(&cloud.calls(since));
        let appends = calls
            .into_iter()
            .filter(|c| c.operation == "PutObject" && c.thing.contains("/runs/"));
        let appends: Vec<Named> = appends.collect();
        let opening = appends.iter().position(|c| c.thing.contains("/backup-"));
        Self {
            template,
            stored: Stored::after(cloud),
            appends,
            opening: opening.expect("a backup is opened"),
        }
    }
}

fn start(mut command: Command) -> Child {
    command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("dr starts")
}

fn tick(cloud: &Cloud) -> Child {
    start(Stage::Race.command(cloud))
}

fn end(child: Child) -> Ran {
    child.wait_with_output().expect("it ended").into()
}

fn signal(child: &Child, signal: Signal) {
    kill(
        Pid::from_raw(i32::try_from(child.id()).expect("a pid")),
        signal,
    )
    .expect("a living child");
}

fn held(cloud: &Cloud, fault: u64, n: usize) {
    until("the call is held", || {
        cloud.fault_state(fault)["held"]
            .as_array()
            .filter(|h| h.len() >= n)
            .map(|_| ())
    });
}

/// Runs until nothing is left to do; how many runs that took.
fn finish(cloud: &Cloud) -> usize {
    for n in 1.. {
        let ran = Stage::Race.run(cloud);
        let runs = ran.json()["runs"].clone();
        let busy = runs
            .as_array()
            .is_some_and(|r| r.iter().any(|r| r["result"] != "complete"));
        if ran.code == 0 && !busy {
            return n;
        }
        assert!(n < 400, "{ran:?}");
    }
    0
}

/// Nothing doubled, nothing missing, each entry of the journal once.
fn check(clean: &Clean, cloud: Cloud, what: &str) {
    let found = Stored::after(cloud);
    assert_eq!(found.doubled_entries(), Vec::<String>::new(), "{what}");
    assert_eq!(
        clean.stored.differences(&found),
        Vec::<String>::new(),
        "{what}"
    );
}

/// Holds one runner at an append, lets another one try, whose result `wanted` judges, and lets the
/// first one go on.
fn meet(
    clean: &Clean,
    append: &Named,
    cloud: Cloud,
    [first, mut second]: [Command; 2],
    wanted: impl Fn(&str) -> bool,
) {
    let fault = cloud.fault(&append.wanted(), 1, &json!({"kind": "hold_before"}));
    let first = start(first);
    held(&cloud, fault, 1);
    let second: Ran = second.output().expect("dr runs").into();
    let result = second.json()["runs"][0]["result"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    assert!(second.code == 0 && wanted(&result), "{append}: {second:?}");
    cloud.clear_faults();
    let first = end(first);
    // Held for as long as the other one took, its call may have been given up.
    let given_up = first.code == 12 && result == "complete";
    assert!(first.code == 0 || given_up, "{append}: {first:?}");
    finish(&cloud);
    check(clean, cloud, &format!("held at {append}"));
}

#[test]
fn a_live_runner_keeps_its_run() {
    let clean = Clean::record(Stage::Race);
    for (n, append) in clean.appends.iter().enumerate() {
        let cloud = clean.template.copy();
        let both = [Stage::Race.command(&cloud), Stage::Race.command(&cloud)];
        // Before the run is open the second one opens and finishes it; after that it leaves it
        // alone.
        meet(&clean, append, cloud, both, |result| {
            if n <= clean.opening {
                result == "complete"
            } else {
                result.starts_with("held by")
            }
        });
    }
    crate::cloud::say(&format!(
        "race: {} interleavings with a live runner, 0 doubled, 0 failed",
        clean.appends.len()
    ));
    crate::crash::report(
        "race-live.json",
        &json!({"interleavings": clean.appends.len(), "winners_per_append": 1, "doubled": 0,
        "failed": 0}),
    );
}

/// The journal's age is told by the store's clock: 50 s of difference to the runners' own, more
/// than ten times `takeover_after`, decide nothing.
#[test]
fn clocks_that_are_apart_take_over_no_run() {
    let clean = Clean::record(Stage::Race);
    let folder = tempfile::tempdir().expect("a folder");
    let clocks = [("ahead", "+50"), ("behind", "-50")].map(|(name, offset)| {
        let file = folder.path().join(name);
        std::fs::write(&file, offset).expect("written");
        file
    });
    let date = |clock: &Path| {
        let shown = with_clock(Command::new("date").arg("+%s").current_dir(&folder), clock)
            .output()
            .expect("date runs");
        String::from_utf8_lossy(&shown.stdout)
            .trim()
            .parse::<i64>()
            .expect("seconds")
    };
    let apart = date(&clocks[0]) - date(&clocks[1]);
    assert!(
        (99..=110).contains(&apart),
        "the clocks are {apart} s apart"
    );
    let mut told = 0;
    for append in clean.appends.iter().skip(clean.opening + 1).step_by(4) {
        let cloud = clean.template.copy();
        let mut both = [0, 1].map(|n| with_clock(&Stage::Race.command(&cloud), &clocks[n]));
        // The one that is held is ahead in turn.
        if told % 2 == 1 {
            both.reverse();
        }
        meet(&clean, append, cloud, both, |result| {
            result.starts_with("held by")
        });
        told += 1;
    }
    assert!(told >= 3, "{told} interleavings");
    crate::cloud::say(&format!(
        "race: {told} interleavings of runners whose clocks are 100 s apart, none taken over"
    ));
    crate::crash::report(
        "race-clocks.json",
        &json!({"interleavings": told, "winners_per_append": 1, "doubled": 0, "failed": 0}),
    );
}

#[test]
fn a_stalled_runner_that_wakes_after_a_takeover_does_no_harm() {
    let clean = Clean::record(Stage::Race);
    let full = World::default().env("DR_FULL").is_some();
    let mut taken_over = 0;
    let step = if full { 1 } else { 4 };
    for append in clean.appends.iter().skip(clean.opening + 1).step_by(step) {
        let cloud = clean.template.copy();
        let fault = cloud.fault(&append.wanted(), 1, &json!({"kind": "hold_after"}));
        let first = tick(&cloud);
        held(&cloud, fault, 1);
        // Stopped in the middle of an append that the store has done: it cannot know.
        signal(&first, Signal::SIGSTOP);
        cloud.clear_faults();
        taken_over += usize::from(finish(&cloud) > 1);
        signal(&first, Signal::SIGCONT);
        let first = end(first);
        assert!(matches!(first.code, 0 | 10 | 12), "{append}: {first:?}");
        check(&clean, cloud, &format!("stalled at {append}"));
    }
    assert!(taken_over > 0, "no stalled runner was waited for");
    crate::cloud::say(&format!(
        "race: {} stalled runners woke after a takeover, 0 doubled, 0 failed",
        clean.appends.len().div_ceil(step)
    ));
}

#[test]
fn two_ticks_at_once_are_one() {
    let clean = Clean::record(Stage::Race);
    let times = if World::default().env("DR_FULL").is_some() {
        50
    } else {
        10
    };
    for n in 0..times {
        let cloud = clean.template.copy();
        // Both are at the first entry before either writes it.
        let fault = cloud.fault(
            &clean.appends[clean.opening].wanted_each(),
            2,
            &json!({"kind": "hold_before"}),
        );
        let both = [tick(&cloud), tick(&cloud)];
        held(&cloud, fault, 2);
        cloud.clear_faults();
        let codes: Vec<i32> = both.map(end).iter().map(|r| r.code).collect();
        assert!(
            codes.iter().all(|c| matches!(c, 0 | 10 | 12)) && codes.contains(&0),
            "{n}: {codes:?}"
        );
        finish(&cloud);
        check(&clean, cloud, &format!("two ticks, time {n}"));
    }
    crate::cloud::say(&format!(
        "race: two ticks at once, {times} times: one run each time"
    ));
    crate::crash::report(
        "race-double.json",
        &json!({"interleavings": times, "winners_per_append": 1, "doubled": 0, "failed": 0}),
    );
}

#[test]
fn four_roles_hand_a_run_over_without_waiting() {
    let template = Template::make(Stage::Whole);
    let cloud = template.copy();
    let mut results = Vec::new();
    for role in ["scheduler", "copier", "driller", "prober", "driller"] {
        let mut command = cloud.command(&[
            "tick",
            "--json",
            "--policy",
            "../lab/drill.yaml",
            "--role",
            role,
        ]);
        let ran = Ran::from(command.output().expect("dr runs")).exits(0);
        let runs = ran.json()["runs"].as_array().cloned().unwrap_or_default();
        results.extend(runs.iter().map(|r| {
            format!(
                "{role}: {} {}",
                r["kind"].as_str().unwrap_or(""),
                r["result"].as_str().unwrap_or("")
            )
        }));
    }
    let wanted = [
        "scheduler: backup waiting for the copier",
        "copier: backup complete",
        "driller: drill waiting for the prober",
        "prober: drill waiting for the driller",
        "driller: drill complete",
    ];
    assert_eq!(results, wanted);
    let claimed = cloud
        .calls(0)
        .iter()
        .filter(|c| {
            c["operation"] == "PutObject"
                && c["status"] == 412
                && c["thing"].as_str().is_some_and(|t| t.contains("/runs/"))
        })
        .count();
    assert_eq!(claimed, 0, "nobody fought for an entry");
}
