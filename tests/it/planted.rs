//! Runs and policies that a stolen key planted: nothing of them is done.

use crate::cloud::Cloud;
use crate::crash::stage::{Stage, Template};
use crate::roles::{ROLES, VAULT};
use dr::model::Sha256;
use serde_json::Value;

/// Entry 0 of a real run, as a thief would copy it: for another slot, with data to be sent to a
/// bucket of the thief's.
fn planted(cloud: &Cloud, kind: &str, slot: &str) -> String {
    let entry = crate::stores::block_on(async {
        let bucket = cloud.bucket("scheduler", "eu-central-1", VAULT).await;
        let key = format!("runs/shop/{kind}-20260101T000000Z/00000000");
        let entry = bucket.get(&key, None, 1 << 20).await;
        entry.expect("readable").bytes
    });
    let text = String::from_utf8(entry.to_vec()).expect("text");
    let text = text.replace("20260101T000000Z", slot);
    let planted = text.replace("\"dr-vault-other\"", "\"dr-vault-thief\"");
    assert_ne!(planted, text, "the plan names its buckets");
    planted
}

/// Whether the store took it.
fn create(cloud: &Cloud, role: &str, key: &str, body: String) -> bool {
    crate::stores::block_on(async {
        let put = cloud.s3(role, "eu-central-1").put_object().bucket(VAULT);
        let put = put
            .key(key)
            .if_none_match("*")
            .body(body.into_bytes().into());
        put.send().await.is_ok()
    })
}

fn touched(cloud: &Cloud, since: u64) -> usize {
    let calls = cloud.calls(since);
    let thing = |c: &Value| c["thing"].as_str().is_some_and(|t| t.contains("thief"));
    calls.iter().filter(|c| thing(c)).count()
}

#[test]
fn a_plan_planted_with_a_stolen_journal_key_is_refused() {
    let template = Template::make(Stage::Backup);
    let cloud = template.copy();
    Stage::Backup.run(&cloud).exits(0);
    let key = "runs/shop/backup-20260601T000000Z/00000000";
    let entry = planted(&cloud, "backup", "20260601T000000Z");
    assert!(
        create(&cloud, "scheduler", key, entry),
        "it may create entries"
    );
    let since = cloud.now();
    let ran = Stage::Backup.run(&cloud);
    assert!(
        ran.code == 13 && ran.findings().contains(&"plan-not-ours".to_owned()),
        "{ran:?}"
    );
    assert_eq!(
        touched(&cloud, since),
        0,
        "nothing of the planted plan is done"
    );
}

/// A policy in a vault proves nothing by lying there: most roles may create one.
#[test]
fn a_policy_and_a_run_of_it_that_any_stolen_key_planted_send_nothing_anywhere() {
    let template = Template::make(Stage::Whole);
    let cloud = template.copy();
    Stage::Whole.run(&cloud).exits(0);
    let own = std::fs::read_to_string(cloud.root.join("lab/drill.yaml")).expect("a policy");
    let policy = own.replace("bucket: dr-vault-other", "bucket: dr-vault-thief");
    assert_ne!(policy, own);
    let (ours, theirs) = (Sha256::of(own.as_bytes()), Sha256::of(policy.as_bytes()));
    let (mut slots, mut taken) = (1.., Vec::new());
    for role in ROLES {
        create(
            &cloud,
            role,
            &format!("policies/{theirs}.yaml"),
            policy.clone(),
        );
        for kind in ["backup", "drill"] {
            let slot = format!("202606{:02}T000000Z", slots.next().expect("a day"));
            let entry = planted(&cloud, kind, &slot).replace(&ours.0, &theirs.0);
            assert!(entry.contains(&theirs.0), "the plan names its policy");
            let run = format!("runs/shop/{kind}-{slot}/00000000");
            if !create(&cloud, role, &run, entry) {
                continue;
            }
            taken.push((role, kind));
            let since = cloud.now();
            let ran = Stage::Whole.run(&cloud);
            let told = ran.findings();
            let refusals = ["policy-changed", "plan-not-ours"];
            let refused = refusals
                .iter()
                .any(|code| told.contains(&(*code).to_owned()));
            assert!(refused, "{kind} of the {role}: {ran:?}");
            assert_eq!(touched(&cloud, since), 0, "{kind} of the {role}: {ran:?}");
        }
    }
    // Each kind by the keys of the roles that write its journals.
    let wanted = [
        ("scheduler", "backup"),
        ("copier", "backup"),
        ("driller", "drill"),
        ("prober", "drill"),
        ("dumper", "backup"),
    ];
    assert_eq!(taken, wanted);
}

/// Entry 0 of a run of a verb whose time is over, that says of its target what a thief likes.
fn of_a_verb(cloud: &Cloud, kind: &str) -> (String, String) {
    let entry = crate::stores::block_on(async {
        let bucket = cloud.bucket("scheduler", "eu-central-1", VAULT).await;
        let keys = bucket.keys("runs/shop/policy-", 100).await.expect("listed");
        let first = keys.iter().find(|k| k.ends_with("/00000000"));
        let entry = bucket.get(first.expect("a run"), None, 1 << 20).await;
        entry.expect("readable").bytes
    });
    let mut entry: Value = serde_json::from_slice(&entry).expect("an entry");
    let at = dr::world::World::default().now() - jiff::SignedDuration::from_hours(30);
    let slot = dr::model::Slot::at(at);
    let run = format!("{kind}-{slot}-0badc0de");
    let plan = &mut entry["plan"];
    plan["kind"] = kind.into();
    plan["run"] = run.clone().into();
    plan["slot"] = slot.to_string().into();
    for field in ["opened_at", "deadline_at"] {
        plan[field] = slot.time().to_string().into();
    }
    for target in plan["targets"].as_array_mut().expect("targets") {
        target["bucket"] = "dr-vault-thief".into();
        target["evidence_until"] = "2126-01-01T00:00:00Z".into();
    }
    entry["at"] = slot.time().to_string().into();
    (run, entry.to_string())
}

/// What is ended because nobody goes on with it is ended where it was found, for as long as our
/// policy says.
#[test]
fn a_planted_run_of_a_verb_is_ended_by_nothing_that_it_says() {
    let template = Template::make(Stage::Verify);
    let cloud = template.copy();
    let dr = |words: &[&str]| {
        let policy = ["--json", "--policy", "../lab/drill.yaml"];
        cloud.dr(&[words, &policy].concat())
    };
    for (role, kind, verb) in [
        ("driller", "policy", &["tick", "--role", "scheduler"][..]),
        (
            "prober",
            "probe",
            &["vault", "probe", "--target", "central"],
        ),
        ("auditor", "verify", &["verify"]),
    ] {
        let (run, entry) = of_a_verb(&cloud, kind);
        let folder = format!("runs/shop/{run}/");
        assert!(
            create(&cloud, role, &format!("{folder}00000000"), entry),
            "{role}"
        );
        let since = cloud.now();
        dr(verb).exits(0);
        assert_eq!(touched(&cloud, since), 0, "{kind}");
        let (entries, most) = crate::stores::block_on(async {
            let bucket = cloud.bucket("admin", "eu-central-1", VAULT).await;
            let rows = bucket.versions(&folder, 100).await.expect("listed");
            let mut most = jiff::Timestamp::UNIX_EPOCH;
            for row in rows.iter().filter(|r| !r.key.ends_with("/00000000")) {
                match bucket.lock_of(&row.key, &row.version).await.expect("told") {
                    dr::aws::s3::LockState::Until(_, at) => most = most.max(at),
                    other => panic!("{}: {other:?}", row.key),
                }
            }
            (rows.len(), most)
        });
        assert!(entries > 1, "{kind}: it is ended");
        let days =
            |n: i64| dr::world::World::default().now() + jiff::SignedDuration::from_hours(24 * n);
        assert!(
            most > days(0) && most < days(3),
            "{kind}: locked until {most}"
        );
        let log = dr(&["log"]).exits(0).json();
        let runs = log["runs"].as_array().cloned().unwrap_or_default();
        let told = runs.iter().find(|r| r["run"] == run.as_str());
        assert_eq!(told.expect("listed")["result"], "abandoned", "{log}");
    }
}
