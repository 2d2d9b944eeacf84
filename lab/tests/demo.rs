//! `dr-lab demo` where `dr` does not do its part: the story says so, the exit code too, and nothing
//! is left.
//! The whole story is told by `make demo`.

use dr_lab::pg::{sockets, sweep};
use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;

#[test]
fn a_program_that_is_not_dr_ends_the_demo_with_1_and_leaves_nothing() {
    let dir = std::env::temp_dir().join(format!("drl-demo-{}", std::process::id()));
    let mut command = Command::new(env!("CARGO_BIN_EXE_dr-lab"));
    let output = command
        .args(["demo", "--json", "--dr", "/bin/true", "--dir"])
        .arg(&dir)
        .output()
        .expect("ran");
    assert_eq!(output.status.code(), Some(1));
    let story = String::from_utf8(output.stdout).expect("text");
    assert!(
        story.contains("$ dr policy check $DR_POLICY --json\n"),
        "{story}"
    );
    let report: Value = serde_json::from_str(story.lines().last().expect("a line")).expect("JSON");
    assert_eq!(
        (&report["schema"], &report["ok"]),
        (&json!("dr-lab/demo/1"), &json!(false))
    );
    assert!(
        report["trouble"][0]
            .as_str()
            .is_some_and(|t| t.contains("dr policy check") && t.contains("answers no JSON")),
        "{report}"
    );
    assert_eq!(report["restores"], json!([]));
    assert_eq!(
        report["leftovers"],
        json!({"clusters": 0, "instances": 0, "uploads": 0, "processes": 0})
    );
    assert_eq!(sweep::processes_under(&dir), []);
    assert!(!sockets::directory(&dir).exists());
    std::fs::remove_dir_all(&dir).expect("removed");
}

#[test]
fn a_demo_without_dr_names_what_to_type() {
    let output = Command::new(env!("CARGO_BIN_EXE_dr-lab"))
        .args(["demo", "--dr", "/nowhere/dr"])
        .output()
        .expect("ran");
    assert_eq!(output.status.code(), Some(1));
    let told = String::from_utf8(output.stderr).expect("text");
    assert!(
        told.contains("/nowhere/dr") && told.contains("dr-lab demo --dr PATH"),
        "{told}"
    );
    assert!(!Path::new("/nowhere").exists());
}
