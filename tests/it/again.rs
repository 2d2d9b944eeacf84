//! Typed again, edited in between, proven once and failed later: what an earlier state must not
//! decide.

use crate::cloud::{Cloud, confirmed};
use serde_json::{Value, json};

/// A bucket of the user's.
const FILES: &str = "recovered-files";

/// A restore of files by the policy, confirmed by its own hash.
fn restore_files(cloud: &Cloud) -> Value {
    let policy = cloud.policy().display().to_string();
    let arguments = [
        "restore",
        "--json",
        "--method",
        "files",
        "--policy",
        &policy,
        "--target",
        "central",
        "--to-bucket",
        FILES,
        "--to-bucket-region",
        "eu-central-1",
    ];
    confirmed(&arguments, |words| cloud.dr(words))
        .exits(0)
        .json()
}

/// By another program than ours, which deletes no files of a user's.
async fn empty(cloud: &Cloud) {
    let client = cloud.s3("admin", "eu-central-1");
    let bucket = cloud.bucket("admin", "eu-central-1", FILES).await;
    for row in bucket.versions("", 100_000).await.expect("listed") {
        let delete = client.delete_object().bucket(FILES).key(row.key);
        delete
            .version_id(row.version)
            .send()
            .await
            .expect("deleted");
    }
}

#[test]
fn what_was_restored_and_is_gone_is_restored_again() {
    let cloud = Cloud::start("gone", &["--no-writers"]);
    cloud.init();
    cloud.dr(&["tick", "--json"]).exits(0);
    let first = restore_files(&cloud);
    let objects = first["objects"].as_u64().expect("a count");
    assert!(objects > 0 && first["executed"] == true, "{first}");
    let there = restore_files(&cloud);
    assert_eq!(there["run"], first["run"], "it is still there: {there}");
    assert_eq!(there["phases"], json!([]), "nothing was done again");
    crate::stores::block_on(empty(&cloud));
    let again = restore_files(&cloud);
    assert_ne!(again["run"], first["run"], "another run: {again}");
    assert_eq!(again["objects"].as_u64(), Some(objects), "{again}");
}

/// A comment mended, a lock made longer or a bucket added while a run is open.
#[test]
fn a_policy_that_is_edited_while_a_run_is_open_is_a_warning_and_the_run_goes_on() {
    let cloud = Cloud::start("edited", &["--no-writers"]);
    cloud.init();
    cloud
        .dr(&["tick", "--role", "scheduler", "--json"])
        .exits(0);
    let text = std::fs::read_to_string(cloud.policy()).expect("the lab's policy");
    let edited = format!("{text}\n# mended\n");
    let edited = edited.replacen("retention: 1d", "retention: 26h", 1);
    assert_ne!(edited, text);
    std::fs::write(cloud.policy(), edited).expect("written");
    let ran = cloud.dr(&["tick", "--json"]);
    assert!(
        !ran.findings().contains(&"plan-not-ours".to_owned()),
        "an edit is no attack: {ran:?}"
    );
    assert!(
        ran.findings().contains(&"policy-changed".to_owned()),
        "{ran:?}"
    );
    let status = cloud.dr(&["status", "--json"]).json();
    assert_eq!(status["policies"][0]["open_runs"], json!([]), "{status}");
}

/// A drill that failed is not outvoted by one that passed before, and is
/// told as failed.
#[test]
fn a_copy_whose_newest_drill_failed_is_not_proven_by_an_older_one() {
    let cloud = Cloud::start("newest", &["--no-writers"]);
    cloud.init();
    cloud.dr(&["tick", "--json"]).exits(0);
    cloud.dr(&["status", "--check", "--json"]).exits(0);
    let text = std::fs::read_to_string(cloud.policy()).expect("the lab's policy");
    let wrong = text.replacen("expect: \"0\"", "expect: \"1\"", 1);
    assert_ne!(wrong, text, "the lab's policy asserts");
    std::fs::write(cloud.policy(), &wrong).expect("written");
    let drill = cloud.dr(&["drill", "--json"]).exits(3).json();
    let ran = cloud.dr(&["status", "--check", "--json"]).exits(4);
    assert!(
        ran.findings().contains(&"drill-failed".to_owned()),
        "{ran:?}"
    );
    let policy = ran.json()["policies"][0].clone();
    let last = &policy["drills"]["last"];
    assert_eq!(
        (&last["run"], &last["result"]),
        (&drill["run"], &json!("failed"))
    );
    let failed = last["failed"].as_array().expect("what failed");
    assert!(
        failed
            .iter()
            .any(|f| f["method"] == "snapshot" && f["why"].is_string()),
        "{last}"
    );
    let proven = policy["newest_proven"].as_array().expect("proven");
    assert!(
        proven.iter().all(|p| p["method"] != "snapshot"),
        "{proven:?}"
    );
    std::fs::write(cloud.policy(), text).expect("written");
    cloud.dr(&["drill", "--json"]).exits(0);
    cloud.dr(&["status", "--check", "--json"]).exits(0);
}

/// Tags that may not be read are counted and told; a store that does not answer is asked
/// again.
#[test]
fn tags_that_may_not_be_read_are_told_and_a_store_that_is_away_is_asked_again() {
    let cloud = Cloud::start("tags", &["--no-writers"]);
    cloud.init();
    let tagging = json!({"region": "eu-west-3", "operation": "GetObjectTagging"});
    let away = json!({"kind": "refuse", "code": "SlowDown", "status": 503});
    let slow = cloud.fault(&tagging, 1, &away);
    let refuse = json!({"kind": "refuse", "code": "AccessDenied", "status": 403});
    cloud.fault(&tagging, 3, &refuse);
    let ran = cloud.dr(&["tick", "--json"]).exits(0);
    assert!(
        ran.findings().contains(&"tags-not-kept".to_owned()),
        "{ran:?}"
    );
    let seen = cloud.fault_state(slow)["seen"].as_u64();
    assert!(seen.is_some_and(|n| n >= 1), "the slow answer was given");
    let told = ran.json()["findings"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    let of_tags = told.iter().filter(|f| f["code"] == "tags-not-kept");
    let messages: Vec<&str> = of_tags.filter_map(|f| f["message"].as_str()).collect();
    assert!(
        messages.iter().all(|m| m.contains('3')),
        "denied thrice: {messages:?}"
    );
    // Of a run that is complete only the ends are read, and the count is there all the same.
    let counted = |words: &[&str]| {
        let log = cloud.dr(words).exits(0).json();
        let runs = log["runs"].as_array().cloned().unwrap_or_default();
        let backup = runs.into_iter().find(|r| r["kind"] == "backup");
        backup.expect("a backup")["exceptions"].as_u64()
    };
    let ends = counted(&["log", "--json"]);
    assert!(ends >= Some(3), "{ends:?}");
    assert_eq!(ends, counted(&["log", "--json", "--whole"]));
}
