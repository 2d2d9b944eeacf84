//! What a closed drill left goes once its time is over; nothing else ever does.

use crate::cloud::{Cloud, DR, Ran};
use crate::crash::stage::{Stage, Template};
use dr::aws::rds::{NewCluster, Rds};
use dr::model::{Region, Role};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// A tick with its clock, and the lab's, moved on.
fn later(cloud: &Cloud, seconds: u64) -> Ran {
    at(cloud, seconds, "tick")
}

pub fn at(cloud: &Cloud, seconds: u64, verb: &str) -> Ran {
    let mut command = std::process::Command::new("faketime");
    command
        .args([
            "-f",
            &format!("+{seconds}s"),
            DR,
            verb,
            "--json",
            "--policy",
            "lab/drill.yaml",
        ])
        .current_dir(&cloud.root)
        .env("HOME", cloud.root.join("home"));
    command
        .output()
        .expect("faketime runs; type: apt-get install faketime")
        .into()
}

/// The sweeps that an answer speaks of, and what became of them.
fn sweeps(ran: &Ran) -> Vec<(String, String)> {
    let json = ran.json();
    let runs = json["runs"].as_array().expect("runs").iter();
    let text = |v: &Value| v.as_str().unwrap_or_default().to_owned();
    let sweeps = runs.filter(|r| r["kind"] == "sweep");
    sweeps
        .map(|r| (text(&r["run"]), text(&r["result"])))
        .collect()
}

fn clusters(cloud: &Cloud) -> BTreeMap<String, Value> {
    let state: Value = serde_json::from_slice(
        &std::fs::read(cloud.root.join("lab/rds/state.json")).expect("the state"),
    )
    .expect("JSON");
    let found = state["regions"]["eu-central-1"]["clusters"]
        .as_object()
        .cloned()
        .unwrap_or_default();
    found
        .into_iter()
        .map(|(id, c)| (id, c["tags"].clone()))
        .collect()
}

fn tags_of(value: &Value) -> BTreeMap<String, String> {
    value
        .as_object()
        .into_iter()
        .flatten()
        .map(|(k, v)| (k.clone(), v.as_str().unwrap_or_default().to_owned()))
        .collect()
}

async fn make(rds: &Rds, id: &str, tags: &BTreeMap<String, String>) {
    let new = NewCluster {
        id,
        engine: "aurora-postgresql",
        engine_version: "",
        subnet_group: None,
        security_groups: Vec::new(),
        parameter_group: None,
        acu: None,
        deletion_protection: false,
        tags,
    };
    rds.create_cluster(&new, "shop", "master", "a-password-1")
        .await
        .expect("made");
}

#[test]
fn leftovers_of_closed_drills_go_and_whatever_looks_like_them_stays() {
    let template = Template::make(Stage::Whole);
    let cloud = template.copy();
    // The teardown fails until the deadline, so the run is closed with its clusters still there.
    cloud.fault(
        &json!({"operation": "DeleteDBCluster"}),
        0,
        &json!({"kind": "refuse", "code": "AccessDenied", "status": 403}),
    );
    let first = Stage::Whole.run(&cloud).exits(11);
    assert!(
        first.findings().contains(&"access-denied".to_owned()),
        "{first:?}"
    );
    let scratch = clusters(&cloud);
    assert!(
        scratch.len() >= 2 && scratch.keys().all(|id| id.starts_with("dr-drill-")),
        "{scratch:?}"
    );

    // Impostors: the same prefix with other tags, other names with the same tags, protected,
    // expired later, untagged.
    let (real, tags) = scratch
        .iter()
        .next()
        .map(|(id, t)| (id.clone(), tags_of(t)))
        .expect("a cluster");
    let with = |name: &str, value: &str| {
        let mut changed = tags.clone();
        changed.insert(name.to_owned(), value.to_owned());
        changed
    };
    let short = real
        .trim_end_matches("-snapshot")
        .trim_end_matches("-empty")
        .to_owned();
    let impostors = [
        (
            format!("{short}-restored"),
            with("dr:role", "restored"),
            false,
        ),
        (
            format!("{short}-foreign"),
            with("dr:vault", "00000000000000000000000000000000"),
            false,
        ),
        (
            format!("{short}-other-run"),
            with("dr:run", "drill-20250101T000000Z"),
            false,
        ),
        (format!("{short}-untagged"), BTreeMap::new(), false),
        (format!("{short}-protected"), tags.clone(), true),
        (
            "dr-drill-00000000-0000000000-snapshot".to_owned(),
            tags.clone(),
            false,
        ),
    ];
    crate::stores::block_on(async {
        let clients = crate::stores::clients(
            cloud.root.join("lab/credentials").to_str().expect("a path"),
            "driller",
        );
        let rds = clients
            .rds(
                Role::Driller,
                &Region::new("eu-central-1"),
                Some(&cloud.endpoint("eu-central-1", "rds")),
            )
            .await;
        for (id, _, _) in &impostors {
            make(&rds, id, &tags).await;
        }
    });
    // They are the driller's own; what they really are is written behind the service's back.
    let root = cloud.stop_and_keep();
    let file = root.join("lab/rds/state.json");
    let mut state: Value =
        serde_json::from_slice(&std::fs::read(&file).expect("the state")).expect("JSON");
    for (id, tags, protected) in &impostors {
        let cluster = &mut state["regions"]["eu-central-1"]["clusters"][id];
        cluster["tags"] = json!(tags);
        cluster["deletion_protection"] = json!(protected);
    }
    std::fs::write(&file, state.to_string()).expect("written");
    let cloud = Cloud::start_in(root, &["--empty"]);
    cloud.fault(
        &json!({"operation": "DeleteDBCluster"}),
        0,
        &json!({"kind": "refuse", "code": "AccessDenied", "status": 403}),
    );

    // Past the deadline (1 h): closed. Not past the end of its scratch things (2 h): nothing is
    // swept.
    cloud.tell("/clock", &json!({"advance_s": 4_000}));
    let closed = later(&cloud, 4_000);
    assert!(
        closed.json()["runs"].to_string().contains("abandoned"),
        "{closed:?}"
    );
    cloud.clear_faults();
    let early = later(&cloud, 4_000);
    assert!(
        !early.findings().contains(&"swept".to_owned()) && clusters(&cloud).contains_key(&real),
        "{early:?}"
    );
    cloud.tell("/clock", &json!({"advance_s": 4_000}));
    // A sweep is a run: what it could not do is in its journal, and the next tick resumes it.
    cloud.fault(
        &json!({"operation": "DeleteDBCluster"}),
        0,
        &json!({"kind": "refuse", "code": "AccessDenied", "status": 403}),
    );
    let denied = later(&cloud, 8_000).exits(11);
    let open = sweeps(&denied);
    assert!(
        open.len() == 1 && open[0].1 == "open" && clusters(&cloud).contains_key(&real),
        "{denied:?}"
    );
    cloud.clear_faults();
    let swept = later(&cloud, 8_000).exits(0);
    assert!(swept.findings().contains(&"swept".to_owned()), "{swept:?}");
    let done = vec![(open[0].0.clone(), "complete".to_owned())];
    assert_eq!(sweeps(&swept), done, "the same run goes on");
    let left: Vec<String> = clusters(&cloud).into_keys().collect();
    let mut wanted: Vec<String> = impostors.iter().map(|(id, _, _)| id.clone()).collect();
    wanted.sort();
    assert_eq!(left, wanted, "impostors stay, all else is gone");
    let again = later(&cloud, 8_000).exits(0);
    assert!(!again.findings().contains(&"swept".to_owned()), "{again:?}");
    assert!(sweeps(&again).is_empty(), "nothing to sweep, no run");
    let log = at(&cloud, 8_000, "log");
    assert_eq!(sweeps(&log), done, "{log:?}");
}
