//! Two policies with one vault: equal sources, equal targets, drills of one slot.

use crate::cloud::{Cloud, Ran};
use crate::crash::stage::{Stage, Template};
use serde_json::Value;
use std::collections::BTreeSet;

const FIRST: &str = "../lab/drill.yaml";
const SECOND: &str = "../lab/second.yaml";

fn dr(cloud: &Cloud, verb: &str, policy: &str) -> Ran {
    cloud.dr(&[verb, "--json", "--policy", policy])
}

/// Runs of a tick by kind and result.
fn runs(tick: &Ran) -> BTreeSet<(String, String)> {
    let word = |v: &Value| v.as_str().unwrap_or_default().to_owned();
    let runs = tick.json()["runs"].as_array().cloned().unwrap_or_default();
    runs.iter()
        .map(|r| (word(&r["kind"]), word(&r["result"])))
        .collect()
}

#[test]
fn two_policies_in_one_vault_touch_nothing_of_each_other() {
    let template = Template::make(Stage::Whole);
    let cloud = template.copy();
    let text = std::fs::read_to_string(cloud.root.join("lab/drill.yaml")).expect("a policy");
    let second = text.replacen("\nname: shop\n", "\nname: second\n", 1);
    assert_ne!(text, second, "the lab's policy has another name");
    std::fs::write(cloud.root.join("lab/second.yaml"), second).expect("written");

    let both = [("backup", "complete"), ("drill", "complete")];
    let both = BTreeSet::from(both.map(|(k, r)| (k.to_owned(), r.to_owned())));
    for policy in [FIRST, SECOND] {
        let tick = dr(&cloud, "tick", policy).exits(0);
        assert_eq!(runs(&tick), both, "{tick:?}");
    }
    for (policy, name) in [(FIRST, "shop"), (SECOND, "second")] {
        let verified = dr(&cloud, "verify", policy).exits(0);
        assert_eq!(verified.findings(), Vec::<String>::new(), "{verified:?}");
        let status = dr(&cloud, "status", policy).exits(0).json();
        let told = &status["policies"][0];
        assert_eq!(told["name"], name);
        assert_eq!(told["drills"]["last"]["result"], "passed", "{status}");
        let log = dr(&cloud, "log", policy).exits(0).json();
        let listed = log["runs"].as_array().into_iter().flatten();
        let mut kinds: Vec<&str> = listed.filter_map(|r| r["kind"].as_str()).collect();
        kinds.sort_unstable();
        // The vault was made under the first one's name, by a file of its own.
        let made: &[&str] = match name {
            "shop" => &["init", "policy", "policy"],
            _ => &["policy"],
        };
        let mut all = [&["backup", "drill", "verify"], made].concat();
        all.sort_unstable();
        assert_eq!(kinds, all, "{log}");
    }
    let left = cloud.ask("/leftovers");
    assert_eq!(
        (&left["clusters"], &left["instances"]),
        (&0.into(), &0.into())
    );
    // From the vault alone it must be said whose points are meant.
    let endpoint = cloud.endpoint("eu-central-1", "s3");
    let vault = ["status", "--from", "s3://dr-vault-central", "--region"];
    let vault = [&vault[..], &["eu-central-1", "--endpoint", &endpoint]].concat();
    let which = cloud.dr_as("aws", "auditor", &vault).exits(2);
    assert!(
        which.stderr.contains("several policies: second, shop"),
        "{which:?}"
    );
    let hint = which
        .stderr
        .lines()
        .find_map(|l| l.strip_prefix("hint: dr "));
    let words: Vec<&str> = hint.expect("a hint").split(' ').collect();
    cloud.dr_as("aws", "auditor", &words).exits(0);
}
