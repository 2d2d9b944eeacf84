//! The command line as a user meets it: help, usage errors, answers in JSON, nothing from the
//! environment but what is documented.

use crate::program::{Out, command, dr, run};
use crate::source;
use serde_json::Value;
use std::net::TcpListener;

/// Every verb that `--help` leads to, as the words to type.
fn verbs() -> Vec<Vec<String>> {
    let mut found = vec![Vec::new()];
    let mut at = 0;
    while at < found.len() {
        let verb: Vec<String> = found[at].clone();
        let below = subcommands(&help(&verb).stdout);
        found.extend(
            below
                .into_iter()
                .map(|name| [verb.clone(), vec![name]].concat()),
        );
        at += 1;
    }
    found
}

fn help(verb: &[String]) -> Out {
    let mut words: Vec<&str> = verb.iter().map(String::as_str).collect();
    words.push("--help");
    dr(&words)
}

fn subcommands(help: &str) -> Vec<String> {
    let list = help
        .lines()
        .skip_while(|l| *l != "Commands:")
        .skip(1)
        .take_while(|l| !l.is_empty());
    list.filter_map(|l| l.split_whitespace().next())
        .filter(|w| *w != "help")
        .map(str::to_owned)
        .collect()
}

#[test]
fn help_of_every_verb_is_as_it_was() {
    let verbs = verbs();
    assert!(verbs.len() >= 15, "{verbs:?}");
    for verb in verbs {
        let out = help(&verb);
        assert_eq!((out.code, out.stderr.as_str()), (0, ""), "{verb:?}");
        let name = if verb.is_empty() {
            "help".to_owned()
        } else {
            format!("help-{}", verb.join("-"))
        };
        insta::assert_snapshot!(name, out.stdout);
    }
}

#[test]
fn the_schema_of_a_policy_is_as_it_was() {
    let out = dr(&["policy", "schema"]);
    let schema: Value = serde_json::from_str(&out.stdout).unwrap();
    assert_eq!(
        schema["additionalProperties"], false,
        "unknown fields are refused"
    );
    insta::assert_snapshot!("policy-schema", out.stdout);
}

#[test]
fn the_version_is_the_packages() {
    assert_eq!(
        dr(&["--version"]).stdout,
        concat!("dr ", env!("CARGO_PKG_VERSION"), "\n")
    );
}

#[test]
fn completions_are_scripts_that_their_shell_reads() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let out = dr(&["completions", shell]);
        assert!(out.code == 0 && out.stdout.contains("restore"), "{shell}");
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("dr.bash");
    std::fs::write(&file, dr(&["completions", "bash"]).stdout).unwrap();
    let checked = std::process::Command::new("bash")
        .arg("-n")
        .arg(&file)
        .output()
        .unwrap();
    assert!(
        checked.status.success(),
        "{}",
        String::from_utf8_lossy(&checked.stderr)
    );
}

/// Commands that are wrong as typed.
const WRONG: &[&[&str]] = &[
    &[],
    &["frobnicate"],
    &["tick"],
    &["tick", "--policy", "no-such-file.yaml"],
    &["tick", "--policy", "policies/saas.yaml", "--role", "king"],
    &[
        "tick",
        "--policy",
        "policies/saas.yaml",
        "--role",
        "auditor",
    ],
    &["tick", "--policy", "policies"],
    &["status"],
    &[
        "drill",
        "--policy",
        "policies/saas.yaml",
        "--role",
        "copier",
    ],
    &[
        "verify",
        "--policy",
        "policies/saas.yaml",
        "--target",
        "nowhere",
    ],
    &[
        "vault",
        "policy",
        "--policy",
        "policies/saas.yaml",
        "--target",
        "other",
    ],
    &["policy", "check"],
    &["restore"],
    &["restore", "--from", "s3://vault"],
    &["restore", "--from", "vault", "--region", "eu-central-1"],
    &[
        "restore",
        "--from",
        "s3://vault",
        "--region",
        "eu-central-1",
        "--endpoint",
        "http://s3.example.com",
    ],
    &[
        "restore",
        "--from",
        "s3://vault",
        "--region",
        "eu-central-1",
        "--endpoint",
        "ec2=https://example.com",
    ],
    &[
        "restore",
        "--from",
        "s3://vault",
        "--policy",
        "policies/saas.yaml",
    ],
    &[
        "restore",
        "--from",
        "s3://vault",
        "--region",
        "eu-central-1",
        "--method",
        "tape",
    ],
    &[
        "restore",
        "--from",
        "s3://vault",
        "--region",
        "eu-central-1",
        "--before",
        "yesterday",
    ],
    &["restore", "--yes"],
    &["completions", "cmd"],
];

#[test]
fn what_is_typed_wrong_is_exit_2_and_says_why() {
    let mut told = String::new();
    for words in WRONG {
        let out = dr(words);
        assert_eq!(
            (out.code, out.stdout.as_str()),
            (2, ""),
            "{words:?}: {}",
            out.stderr
        );
        told.push_str(&format!("$ dr {}\n{}\n", words.join(" "), out.stderr));
    }
    insta::assert_snapshot!("usage-errors", told);
}

#[test]
fn with_json_an_error_is_an_answer_as_well() {
    for words in WRONG {
        let out = dr(&[words, &["--json"][..]].concat());
        let json: Value = serde_json::from_str(&out.stdout)
            .unwrap_or_else(|e| panic!("{words:?}: {e}: {}", out.stdout));
        assert_eq!(
            (out.code, &json["exit_code"], &json["schema"]),
            (2, &2.into(), &"dr/error/1".into()),
            "{words:?}"
        );
        let finding = &json["findings"][0];
        assert!(
            finding["message"].as_str().is_some_and(|m| m.len() > 10),
            "{words:?}: {json}"
        );
        assert_eq!(out.stderr, "", "{words:?}");
    }
}

#[test]
fn without_a_terminal_there_is_no_colour() {
    for words in [
        &["--help"][..],
        &["tick", "--policy", "none.yaml"],
        &["policy", "check", "policies/invalid/tabs.yaml"],
    ] {
        let out = dr(words);
        assert!(!(out.stdout + &out.stderr).contains('\u{1b}'), "{words:?}");
    }
}

#[test]
fn bucket_policies_deny_what_no_role_may_do() {
    let out = dr(&["vault", "policy", "--policy", "policies/saas.yaml"]);
    assert_eq!(out.code, 0, "{}", out.stderr);
    insta::assert_snapshot!("bucket-policy", out.stdout);
}

/// A policy whose targets are on a port where nothing listens, and keys for it.
fn nobody(folder: &std::path::Path) -> String {
    let policy = "version: 1\nname: nobody\n\
        sources: [{id: b, kind: bucket, bucket: b, region: eu-west-3}]\n\
        targets: [{name: a, region: eu-central-1, bucket: v, lock: {mode: COMPLIANCE, retention: \
        1d, max_lock_days: 2}}]\n\
        endpoints: {eu-central-1: {s3: \"http://127.0.0.1:1\"}}\n\
        credentials: {file: keys, profiles: {scheduler: k, copier: k, driller: k, prober: k, \
        auditor: k, restorer: k}}\n\
        schedule: {cron: \"@daily\"}\nretry: {requests: 1}\ntimeouts: {connect: 1s}\n";
    std::fs::write(folder.join("policy.yaml"), policy).unwrap();
    std::fs::write(
        folder.join("keys"),
        "[k]\naws_access_key_id = AKIAEXAMPLE\naws_secret_access_key = sekret\n",
    )
    .unwrap();
    folder.join("policy.yaml").display().to_string()
}

#[test]
fn a_target_that_does_not_answer_is_exit_12_for_every_verb() {
    let folder = tempfile::tempdir().unwrap();
    let policy = nobody(folder.path());
    for verb in ["tick", "plan", "status", "verify", "log", "restore"] {
        let out = dr(&[verb, "--policy", &policy, "--json"]);
        let json: Value = serde_json::from_str(&out.stdout).unwrap();
        assert_eq!(
            (out.code, &json["findings"][0]["code"]),
            (12, &"target-unavailable".into()),
            "{verb}: {json}"
        );
        assert!(!out.stdout.contains("sekret"));
    }
}

#[test]
fn a_key_that_is_not_there_is_stuck_and_not_an_outage() {
    let folder = tempfile::tempdir().unwrap();
    let policy = nobody(folder.path());
    std::fs::write(
        folder.path().join("keys"),
        "[someone-else]\naws_access_key_id = A\naws_secret_access_key = B\n",
    )
    .unwrap();
    let out = dr(&["tick", "--policy", &policy]);
    assert_eq!(out.code, 11, "{}", out.stderr);
    assert!(
        out.stderr.contains("error[access-denied]")
            && out.stderr.contains("hint: aws sts get-caller-identity"),
        "{}",
        out.stderr
    );
}

#[test]
fn endpoints_in_the_environment_are_ignored() {
    let folder = tempfile::tempdir().unwrap();
    let policy = nobody(folder.path());
    let trap = TcpListener::bind("127.0.0.1:0").unwrap();
    trap.set_nonblocking(true).unwrap();
    let url = format!("http://{}", trap.local_addr().unwrap());
    let mut command = command(&["tick", "--policy", &policy]);
    for name in [
        "AWS_ENDPOINT_URL",
        "AWS_ENDPOINT_URL_S3",
        "AWS_ENDPOINT_URL_RDS",
        "AWS_ENDPOINT_URL_STS",
    ] {
        command.env(name, &url);
    }
    assert_eq!(run(command).code, 12);
    let reached = trap.accept().map(|_| ()).map_err(|e| e.kind());
    assert_eq!(
        reached,
        Err(std::io::ErrorKind::WouldBlock),
        "nobody may have connected"
    );
}

#[test]
fn the_policy_may_come_from_the_environment() {
    let mut command = command(&["status"]);
    command.env("DR_POLICY", "policies/invalid/version-2.yaml");
    let out = run(command);
    assert!(
        out.code == 2 && out.stderr.contains("version 2 is unknown"),
        "{}",
        out.stderr
    );
}

#[test]
fn a_reader_that_closed_its_end_is_no_error() {
    use std::process::Stdio;
    let mut child = command(&["policy", "schema"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(
        (output.status.code(), output.stderr.is_empty()),
        (Some(0), true)
    );
}

#[test]
fn every_verb_is_in_the_readme() {
    let readme = source::read("README.md");
    for verb in verbs().into_iter().filter(|v| v.len() == 1) {
        assert!(
            readme.contains(&format!("dr {}", verb[0])),
            "README.md does not name dr {}",
            verb[0]
        );
    }
}
