//! What runs in Kubernetes follows the table of exit codes and needs no rights.

use crate::program::{command, run};
use crate::source;
use dr::report::Exit;
use serde_json::Value;

fn manifests() -> Vec<Value> {
    let text = source::read("deploy/cronjob.yaml");
    text.split("\n---\n")
        .map(|d| serde_saphyr::from_str(d).unwrap_or_else(|e| panic!("{e}")))
        .collect()
}

fn cronjobs() -> Vec<Value> {
    let jobs: Vec<Value> = manifests()
        .into_iter()
        .filter(|m| m["kind"] == "CronJob")
        .collect();
    assert_eq!(
        jobs.iter()
            .map(|j| j["metadata"]["name"].as_str().unwrap())
            .collect::<Vec<_>>(),
        ["dr-tick", "dr-status"]
    );
    jobs
}

fn rules(job: &Value) -> Vec<(String, Vec<u64>)> {
    let rules = job["spec"]["jobTemplate"]["spec"]["podFailurePolicy"]["rules"]
        .as_array()
        .unwrap();
    let codes = |r: &Value| {
        r["onExitCodes"]["values"]
            .as_array()
            .map(|v| v.iter().filter_map(Value::as_u64).collect())
            .unwrap_or_default()
    };
    rules
        .iter()
        .map(|r| (r["action"].as_str().unwrap().to_owned(), codes(r)))
        .collect()
}

#[test]
fn every_exit_code_but_0_has_exactly_one_rule_and_every_rule_an_exit_code() {
    for job in cronjobs() {
        let mut ruled: Vec<u64> = rules(&job)
            .into_iter()
            .flat_map(|(_, codes)| codes)
            .collect();
        ruled.sort_unstable();
        let table: Vec<u64> = Exit::ALL
            .iter()
            .map(|e| u64::from(e.code()))
            .filter(|c| *c != 0)
            .collect();
        assert_eq!(ruled, table, "{}", job["metadata"]["name"]);
    }
}

#[test]
fn only_what_waiting_can_cure_is_tried_again() {
    let job = &cronjobs()[0];
    let action = |exit: Exit| {
        rules(job)
            .into_iter()
            .find(|(_, codes)| codes.contains(&u64::from(exit.code())))
            .map(|(action, _)| action)
    };
    assert_eq!(action(Exit::Unavailable).as_deref(), Some("Count"));
    assert_eq!(action(Exit::Superseded).as_deref(), Some("Ignore"));
    for exit in [
        Exit::Bug,
        Exit::Usage,
        Exit::Findings,
        Exit::Breach,
        Exit::Stuck,
        Exit::Refused,
    ] {
        assert_eq!(action(exit).as_deref(), Some("FailJob"), "{exit:?}");
    }
    let drained = &job["spec"]["jobTemplate"]["spec"]["podFailurePolicy"]["rules"][0];
    assert_eq!(
        (&drained["action"], &drained["onPodConditions"][0]["type"]),
        (&"Ignore".into(), &"DisruptionTarget".into())
    );
}

#[test]
fn the_page_of_an_exit_code_says_what_the_job_does() {
    for (action, codes) in rules(&cronjobs()[0]) {
        for code in codes {
            let page = source::read(&format!("runbooks/exit-{code:02}.md"));
            assert!(
                page.contains(&format!("({action}")),
                "runbooks/exit-{code:02}.md does not say {action}"
            );
        }
    }
}

#[test]
fn jobs_do_not_overlap_and_end() {
    for job in cronjobs() {
        let (spec, template) = (&job["spec"], &job["spec"]["jobTemplate"]["spec"]);
        assert_eq!(spec["concurrencyPolicy"], "Forbid");
        assert!(
            spec["startingDeadlineSeconds"].as_u64().is_some()
                && template["activeDeadlineSeconds"].as_u64().is_some()
        );
        // A pod failure policy needs pods that are not restarted in place.
        assert_eq!(template["template"]["spec"]["restartPolicy"], "Never");
        // `dr` leaves within 20 s of SIGTERM.
        assert!(
            template["template"]["spec"]["terminationGracePeriodSeconds"]
                .as_u64()
                .unwrap()
                > 20
        );
    }
}

#[test]
fn pods_need_no_rights() {
    for job in cronjobs() {
        let pod = &job["spec"]["jobTemplate"]["spec"]["template"]["spec"];
        assert_eq!(pod["automountServiceAccountToken"], false);
        assert_eq!(pod["securityContext"]["runAsNonRoot"], true);
        assert!(pod["securityContext"]["runAsUser"].as_u64().unwrap() > 0);
        let container = &pod["containers"][0];
        let security = &container["securityContext"];
        assert_eq!(
            (
                &security["readOnlyRootFilesystem"],
                &security["allowPrivilegeEscalation"]
            ),
            (&true.into(), &false.into())
        );
        assert_eq!(security["capabilities"]["drop"][0], "ALL");
        assert!(container["resources"]["limits"]["memory"].is_string());
        assert_eq!(container["name"], "dr", "the rules name this container");
    }
}

#[test]
fn the_image_runs_as_the_user_of_the_pods() {
    let dockerfile = source::read("Dockerfile");
    let user = dockerfile
        .lines()
        .find_map(|l| l.strip_prefix("USER "))
        .unwrap();
    let (uid, _) = user.split_once(':').unwrap();
    for job in cronjobs() {
        let pod = &job["spec"]["jobTemplate"]["spec"]["template"]["spec"];
        assert_eq!(pod["securityContext"]["runAsUser"].to_string(), uid);
        let version = pod["containers"][0]["image"].as_str().unwrap();
        assert_eq!(version, concat!("dr:", env!("CARGO_PKG_VERSION")));
    }
    let pinned = source::read("rust-toolchain.toml");
    let channel = pinned.split('"').nth(1).unwrap();
    assert!(
        dockerfile.contains(&format!("FROM rust:{channel}-")),
        "the image is built by the pinned toolchain"
    );
    assert!(
        dockerfile.contains("postgresql-client"),
        "pg_dump is needed at run time"
    );
}

#[test]
fn the_arguments_of_the_pods_are_ones_that_the_program_understands() {
    for job in cronjobs() {
        let container = &job["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"][0];
        let mut words: Vec<&str> = container["args"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(Value::as_str)
            .collect();
        let mut without = command(&words);
        without.env("DR_POLICY", "policies/invalid/version-2.yaml");
        assert!(
            run(without).stderr.contains("version 2 is unknown"),
            "{words:?} reads the policy that the environment names"
        );
        words.push("--help");
        assert_eq!(run(command(&words)).code, 0, "{words:?}");
    }
}
