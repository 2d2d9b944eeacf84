//! An auditor with a vault's URL and one key: no policy file, nothing else is asked of anyone.

use crate::cloud::{Cloud, Ran, confirmed};
use crate::crash::stage::{Stage, Template};
use crate::stores::block_on;
use serde_json::{Value, json};

/// As the auditor of AWS, of the vault in the second region.
fn look(cloud: &Cloud, verb: &str, more: &[&str]) -> Ran {
    let endpoint = cloud.endpoint("eu-central-1", "s3");
    let mut words = vec![verb, "--json", "--from", "s3://dr-vault-central"];
    words.extend(["--region", "eu-central-1", "--endpoint", &endpoint]);
    words.extend(more);
    cloud.dr_as("aws", "auditor", &words)
}

#[test]
fn a_vault_says_what_it_holds_without_a_policy() {
    let template = Template::make(Stage::Files);
    let cloud = template.copy();
    for verb in ["status", "verify", "log"] {
        let empty = look(&cloud, verb, &[]).exits(3);
        assert_eq!(empty.findings(), ["no-point"], "{verb}: {empty:?}");
    }
    let policy = ["--policy", "../lab/files.yaml"];
    let tick = cloud.dr(&[&["tick", "--json"][..], &policy].concat());
    let run = tick.exits(0).json()["runs"][0]["run"].clone();

    let since = cloud.now();
    let status = look(&cloud, "status", &[]).exits(0).json();
    let told = &status["policies"][0];
    assert_eq!(told["newest"]["targets"][0]["name"], "central", "{status}");
    assert_eq!(
        told["newest"]["targets"].as_array().map(Vec::len),
        Some(1),
        "of the vault that was named and no other: {status}"
    );
    let verified = look(&cloud, "verify", &[]).exits(0).json();
    assert!(
        verified["tested"].as_u64() > Some(0) && verified["lock_ok"] == verified["tested"],
        "{verified}"
    );
    let log = look(&cloud, "log", &[]).exits(0).json();
    let runs = log["runs"].as_array().cloned().unwrap_or_default();
    let mut kinds: Vec<&str> = runs.iter().filter_map(|r| r["kind"].as_str()).collect();
    kinds.sort_unstable();
    let all = ["backup", "init", "policy", "policy", "verify"];
    assert_eq!(
        kinds, all,
        "what was done, and by policies of which two: {log}"
    );
    assert_eq!(verified["run"], of_kind(&log, "verify")["run"], "{log}");
    let logged = &of_kind(&log, "backup");
    assert_eq!(
        (&logged["run"], &logged["kind"], &logged["result"]),
        (&run, &json!("backup"), &json!("complete"))
    );
    assert_eq!(
        (&logged["steps_done"], &logged["target"]),
        (&logged["steps"], &json!("central"))
    );
    assert!(logged["actor"].as_str().is_some_and(|a| !a.is_empty()));
    let whole = look(&cloud, "log", &["--whole"]).exits(0).json();
    let backup = of_kind(&whole, "backup");
    assert!(
        backup["entries"].as_u64() > Some(10) && backup["exceptions"] == 0,
        "{whole}"
    );
    assert_eq!(&backup, logged, "its ends say the same as all of it");
    // The policy that lies there names other endpoints; nobody was asked there.
    for call in cloud.calls(since) {
        assert_eq!(call["region"], "eu-central-1", "{call}");
    }
    // The copy that lies elsewhere is named and not looked at.
    let whole = look(&cloud, "verify", &[]);
    assert_eq!(whole.findings(), ["target-unavailable"], "{whole:?}");
    let other = [
        "--from",
        "s3://dr-vault-other",
        "--region",
        "other",
        "--endpoint",
    ];
    let endpoint = cloud.endpoint("other", "s3");
    for verb in ["status", "verify", "log"] {
        let words = [&[verb, "--json"][..], &other, &[&endpoint]].concat();
        let there = cloud.dr_as("other", "auditor", &words).exits(0);
        assert!(!there.stdout.contains("dr-vault-central"), "{there:?}");
    }
    // As with the policy and the auditor's key of it.
    let with_policy = cloud.dr(&[&["log", "--json"][..], &policy].concat());
    let all = with_policy.exits(0).json()["runs"].clone();
    let all = all.as_array().into_iter().flatten();
    // Verifications that came after it are shown as well.
    let known = |r: &&Value| runs.iter().any(|k| k["run"] == r["run"]);
    let before: Vec<&Value> = all.filter(known).collect();
    assert_eq!(before, runs.iter().collect::<Vec<_>>());
    let later = look(&cloud, "log", &["--since", "2999-01-01T00:00:00Z"]);
    assert_eq!(later.exits(0).json()["runs"], json!([]));
}

#[test]
fn what_is_wrong_as_typed_says_what_to_type() {
    let cloud = Cloud::start("alone", &["--empty", "--no-writers"]);
    cloud.init();
    let look = |words: &[&str]| cloud.dr_as("aws", "auditor", words);
    let vault = ["--from", "s3://dr-vault-central"];
    let endpoint = cloud.endpoint("eu-central-1", "s3");
    for verb in ["status", "verify", "log"] {
        let none = look(&[verb]).exits(2);
        assert!(none.stderr.contains("--from s3://BUCKET"), "{none:?}");
        let region = look(&[&[verb][..], &vault].concat()).exits(2);
        let hint = format!("hint: dr {verb} --from s3://dr-vault-central --region REGION");
        assert!(region.stderr.contains(&hint), "{region:?}");
        let url = look(&[verb, "--from", "dr-vault-central", "--region", "x"]).exits(2);
        assert!(url.stderr.contains("write it like s3://BUCKET"), "{url:?}");
        let nowhere = [
            "--region",
            "eu-central-1",
            "--endpoint",
            "http://127.0.0.1:1",
        ];
        look(&[&[verb][..], &vault, &nowhere].concat()).exits(12);
        let policy = ["--policy", "../lab/policy.yaml", "--region", "eu-central-1"];
        let both = look(&[&[verb][..], &policy].concat()).exits(2);
        assert!(both.stderr.contains("--from"), "{both:?}");
        let words = [&[verb][..], &vault, &["--region", "eu-central-1"]].concat();
        let words = [&words[..], &["--endpoint", &endpoint]].concat();
        let empty = cloud.dr_as("aws", "auditor", &words).exits(3);
        assert!(empty.stderr.contains("error[no-point]"), "{empty:?}");
    }
}

/// The first of a kind that a log shows.
fn of_kind(log: &Value, kind: &str) -> Value {
    let runs = log["runs"].as_array().cloned().unwrap_or_default();
    let mut found = runs.into_iter().filter(|r| r["kind"] == kind);
    found.next().unwrap_or_else(|| panic!("no {kind}: {log}"))
}

#[test]
fn a_run_that_vanished_is_named_by_the_ones_after_it() {
    let template = Template::make(Stage::Files);
    let cloud = template.copy();
    let policy = ["--json", "--policy", "../lab/files.yaml"];
    let dr = |verb: &[&str]| cloud.dr(&[verb, &policy].concat());
    dr(&["tick"]).exits(0);
    let to = ["restore", "--method", "files", "--target", "central"];
    let words = [&to[..], &["--to-bucket", "recovered-files"]].concat();
    let restored = confirmed(&words, dr).exits(0).json();
    let log = dr(&["log"]).exits(0).json();
    let names = |run: &Value| {
        let after = run["after"].as_array().cloned().unwrap_or_default();
        after.iter().map(|l| l["run"].clone()).collect::<Vec<_>>()
    };
    let runs = log["runs"].as_array().cloned().unwrap_or_default();
    let of = |run: &Value| runs.iter().find(|r| r["run"] == *run).expect("listed");
    let backup = &of_kind(&log, "backup")["run"];
    let named = names(of(&restored["run"]));
    assert!(named.contains(backup), "{log}");
    let init = &of_kind(&log, "init")["run"];
    assert!(
        names(of(backup)).contains(init),
        "every kind is linked: {log}"
    );
    // Its last entry first, then all of it: nobody may delete them, and they are gone.
    let prefix = format!("runs/shop/{}/", backup.as_str().expect("a name"));
    let mut entries = block_on(async {
        let bucket = cloud
            .bucket("admin", "eu-central-1", "dr-vault-central")
            .await;
        bucket.keys(&prefix, 1_000).await.expect("entries")
    });
    let remove = |key: &str| {
        cloud.tell(
            "/damage",
            &json!({"region": "eu-central-1", "bucket": "dr-vault-central", "key": key,
                "how": "remove"}),
        )
    };
    remove(&entries.pop().expect("an entry"));
    let told = |ran: Ran| {
        let answer = ran.exits(3).json();
        let found = answer["findings"].as_array().cloned().unwrap_or_default();
        let gap = found.iter().find(|f| f["code"] == "run-missing");
        gap.expect("a gap")["message"].to_string()
    };
    let shorter = told(dr(&["log"]));
    assert!(shorter.contains("it is shorter now"), "{shorter}");
    entries.iter().for_each(|key| drop(remove(key)));
    let gone = told(dr(&["log"]));
    assert!(gone.contains("it is not there"), "{gone}");
}

/// Three names of times to come, with nothing that can be read, would else be the newest for ever.
#[test]
fn planted_runs_do_not_push_real_ones_out_of_sight() {
    let template = Template::make(Stage::Files);
    let cloud = template.copy();
    let policy = ["--json", "--policy", "../lab/files.yaml"];
    let dr = |verb: &[&str]| cloud.dr(&[verb, &policy].concat());
    dr(&["tick"]).exits(0);
    for slot in ["20990101T000000Z", "20990101T000001Z", "20990101T000002Z"] {
        block_on(async {
            let put = cloud.s3("scheduler", "eu-central-1").put_object();
            let put = put.bucket("dr-vault-central").if_none_match("*");
            let put = put.key(format!("runs/shop/backup-{slot}/00000000"));
            let put = put.body(b"planted".to_vec().into()).send().await;
            put.expect("the scheduler may create entries");
        });
    }
    let to = ["restore", "--method", "files", "--target", "central"];
    let words = [&to[..], &["--to-bucket", "recovered-files"]].concat();
    let restored = confirmed(&words, dr).exits(0).json();
    let log = dr(&["log"]).exits(3).json();
    let runs = log["runs"].as_array().cloned().unwrap_or_default();
    let restore = runs.iter().find(|r| r["run"] == restored["run"]);
    let after = restore.expect("listed")["after"].to_string();
    let backup = runs.iter().find(|r| r["kind"] == "backup");
    let backup = backup.expect("listed")["run"].to_string();
    assert!(
        after.contains(&backup) && !after.contains("2099"),
        "{after}"
    );
}
