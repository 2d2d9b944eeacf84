//! Drills of a shop that never stands still: none cries wolf, each notices what it damages itself,
//! and nearly all rows are compared with the source. `make check-drills N=50`.

use crate::cloud::{Cloud, say};
use crate::negative::sql;
use dr::manifest::{Check, CheckResult, Document, Proof};
use dr::world::World;
use std::collections::BTreeMap;

/// Slots come faster than runs end.
const CRON: &str = "cron: \"*/15 * * * * *\"";

/// Proofs of the newest drill, of databases alone.
fn proofs(cloud: &Cloud, run: &str) -> Vec<Proof> {
    crate::stores::block_on(async {
        let bucket = cloud
            .bucket("auditor", "eu-central-1", "dr-vault-central")
            .await;
        let rows = bucket.versions("proofs/", 100_000).await.expect("listed");
        let mut proofs = Vec::new();
        let of_run = |key: &String| key.contains(&format!("/{run}/shop/"));
        for key in rows.into_iter().map(|r| r.key).filter(of_run) {
            let got = bucket.get(&key, None, 1 << 20).await.expect("read");
            proofs.push(Proof::from_bytes(&got.bytes).expect("a proof"));
        }
        proofs
    })
}

fn one<'a>(proof: &'a Proof, id: &str) -> &'a Check {
    let found = proof.checks.iter().find(|c| c.id == id);
    found.unwrap_or_else(|| panic!("no {id} in {proof:#?}"))
}

/// Commits of the writers so far, and how many tables they changed.
fn written(cloud: &Cloud) -> (u64, u64) {
    let beats = crate::stores::block_on(async {
        let port = crate::negative::port_of(cloud, "eu-west-3", "shop").expect("a port");
        let sockets = dr_lab::pg::sockets::directory(&cloud.root.join("lab"));
        let session = dr_lab::pg::session::Session::admin(&sockets, port, "shop")
            .await
            .expect("the socket");
        let asked = "SELECT max(id) || ' ' || (SELECT count(*) FROM pg_stat_user_tables WHERE \
                     n_tup_upd + n_tup_del > 0 OR n_tup_ins > n_live_tup / 2 AND n_tup_ins > 0) \
                     FROM app.heartbeat";
        session.text(asked).await.expect("asked").expect("a row")
    });
    let (commits, tables) = beats.split_once(' ').expect("two numbers");
    let number = |text: &str| text.parse().unwrap_or_else(|_| panic!("{beats}"));
    (number(commits), number(tables))
}

#[test]
fn drills_under_load_pass_and_notice_what_they_damage() {
    let world = World::default();
    let n = world.env("N").map_or(3, |n| n.parse().expect("a number"));
    let cloud = Cloud::start("drills", &[]);
    let text = std::fs::read_to_string(cloud.policy()).expect("the lab's policy");
    let fast = text.replacen("cron: \"0 * * * *\"", CRON, 1);
    assert_ne!(fast, text, "the lab's schedule");
    std::fs::write(cloud.policy(), fast).expect("written");
    cloud.init();
    // What was due since long ago.
    cloud.dr(&["tick", "--json"]).exits(0);
    sql(&cloud, "eu-west-3", "shop", "SELECT pg_stat_reset()");
    let (before, since) = (written(&cloud).0, world.monotonic());
    let (mut damaged, mut least, mut drills) = (BTreeMap::<String, u32>::new(), 1.0_f64, 0);
    while drills < n {
        cloud.dr(&["tick", "--json"]).exits(0);
        let drill = cloud.dr(&["drill", "--json"]);
        let run = drill.json()["run"].as_str().expect("a run").to_owned();
        let proofs = proofs(&cloud, &run);
        assert_eq!(
            proofs.len(),
            3,
            "{run}: a snapshot, and a dump at each target"
        );
        for proof in &proofs {
            let wrong: Vec<&Check> = proof
                .checks
                .iter()
                .filter(|c| c.result != CheckResult::Passed)
                .collect();
            assert!(wrong.is_empty() && proof.passed, "{run}: {wrong:#?}");
            let control = one(proof, "negative-control").why.clone();
            let control = control.expect("what was damaged");
            assert!(control.contains("failed as it must"), "{control}");
            let kind = control.split('`').nth(1).unwrap_or_default();
            *damaged.entry(kind.to_owned()).or_default() += 1;
            say(&format!(
                "{run} {} {}: {control}",
                proof.method, proof.target
            ));
        }
        drill.exits(0);
        let snapshot = proofs.iter().find(|p| p.dump.is_none()).expect("one");
        let rows = one(snapshot, "source-rows");
        #[expect(clippy::cast_precision_loss, reason = "a share of rows")]
        let share = rows.tested as f64 / rows.population as f64;
        assert!(share >= 0.9, "{run}: {rows:?}");
        least = least.min(share);
        drills += 1;
    }
    let (commits, tables) = written(&cloud);
    let per_second = (commits - before) / since.elapsed().as_secs().max(1);
    assert!(per_second >= 50, "{per_second} commits a second");
    assert!(tables * 2 >= 15, "{tables} tables were written to");
    say(&format!(
        "drills: {drills} under {per_second} commits/s to {tables} tables, 0 false alarms, every \
         damage noticed {damaged:?}, at least {:.1} % of all rows compared with the source",
        least * 100.0
    ));
}
