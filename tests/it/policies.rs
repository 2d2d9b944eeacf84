//! Every policy under policies/ is valid, and every invalid one is refused with exactly the message
//! beside it.

use crate::program::dr;
use crate::source;
use std::collections::BTreeSet;

#[test]
fn every_reference_policy_passes_its_check() {
    let valid: Vec<String> = source::files("policies", ".yaml")
        .into_iter()
        .filter(|f| !f.contains("/invalid/"))
        .collect();
    assert!(valid.len() >= 2, "{valid:?}");
    for file in valid {
        let out = dr(&["policy", "check", &file]);
        assert_eq!(
            (out.code, out.stdout.as_str(), out.stderr.as_str()),
            (0, format!("{file}: valid\n").as_str(), ""),
            "{file}"
        );
    }
}

#[test]
fn every_invalid_policy_is_refused_with_exactly_its_message() {
    let invalid = source::files("policies/invalid", ".yaml");
    assert!(invalid.len() >= 40, "{} invalid policies", invalid.len());
    for file in invalid {
        let out = dr(&["policy", "check", &file]);
        let message = file.replace(".yaml", ".txt");
        assert_eq!(out.stderr, source::read(&message), "{message}");
        assert_eq!((out.code, out.stdout.as_str()), (2, ""), "{file}");
        // What `check` finds, every other verb refuses as well, before it speaks to anyone.
        let tick = dr(&["tick", "--policy", &file]);
        assert_eq!(tick.code, 2, "{file}: {}", tick.stderr);
    }
}

#[test]
fn every_message_names_file_line_and_place() {
    for file in source::files("policies/invalid", ".txt") {
        let text = source::read(&file);
        let policy = file.replace(".txt", ".yaml");
        assert!(text.starts_with("finding["), "{file}");
        let drawn = text.contains(&format!("--> {policy}:"))
            && text.lines().any(|l| l.trim_end().ends_with('^'));
        assert!(
            drawn || source::read(&policy).is_empty(),
            "{file} has no caret"
        );
    }
}

#[test]
fn no_message_is_without_its_policy() {
    let stems = |ending: &str| {
        source::files("policies/invalid", ending)
            .iter()
            .map(|f| f.trim_end_matches(ending).to_owned())
            .collect::<BTreeSet<_>>()
    };
    assert_eq!(stems(".yaml"), stems(".txt"));
}

#[test]
fn every_code_that_the_check_knows_has_an_invalid_policy() {
    let told: String = source::files("policies/invalid", ".txt")
        .iter()
        .map(|f| source::read(f))
        .collect();
    let check: String = source::files("src/policy/check", ".rs")
        .iter()
        .map(|f| source::read(f))
        .collect();
    let found = check.split("found.error(").skip(1);
    let named: BTreeSet<&str> = found
        .filter_map(|t| {
            t.split("Code::")
                .nth(1)?
                .split(|c: char| !c.is_alphanumeric())
                .next()
        })
        .collect();
    let codes: Vec<&str> = dr::report::Code::ALL
        .iter()
        .filter(|c| named.contains(format!("{c:?}").as_str()))
        .map(|c| c.as_str())
        .collect();
    assert_eq!(codes.len(), named.len(), "{named:?}");
    assert!(codes.len() > 15, "{codes:?}");
    for code in codes {
        assert!(
            told.contains(&format!("finding[{code}]")),
            "no invalid policy shows {code}"
        );
    }
}

#[test]
fn warnings_leave_the_exit_code_alone() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("p.yaml");
    let text = source::read("policies/files-only.yaml");
    let (before, _) = text.split_once("drill:").unwrap();
    std::fs::write(
        &file,
        before.replace("region: eu-central-1", "region: eu-west-3"),
    )
    .unwrap();
    let out = dr(&["policy", "check", &file.display().to_string()]);
    assert_eq!(out.code, 0, "{}", out.stderr);
    assert!(
        out.stderr.contains("warning[no-drill]")
            && out.stderr.contains("warning[target-same-region]"),
        "{}",
        out.stderr
    );
    assert!(out.stdout.ends_with(": valid\n"));
}

#[test]
fn a_secret_that_was_pasted_into_a_policy_is_not_repeated() {
    for file in [
        "policies/invalid/secret-in-policy.yaml",
        "policies/invalid/endpoint-with-password.yaml",
        "policies/invalid/source-endpoint-with-password.yaml",
    ] {
        for arguments in [
            vec!["policy", "check", file],
            vec!["policy", "check", "--json", file],
            vec!["tick", "--policy", file],
        ] {
            let out = dr(&arguments);
            let all = out.stdout + &out.stderr;
            assert!(
                !all.contains("AKIA") && !all.contains("wJalr") && !all.contains("hunter2"),
                "{arguments:?}: {all}"
            );
        }
    }
}
