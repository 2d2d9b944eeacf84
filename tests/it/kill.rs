//! SIGKILL at random moments of a backup and its drill: at most five ticks later there is one
//! complete, proven point and
//! nothing else. `make check-kill N=20 SEED=…`.

use crate::cloud::until;
use crate::crash::stage::{Stage, Template};
use crate::crash::stored::Stored;
use dr::world::World;
use rand::{Rng, SeedableRng, rngs::StdRng};
use serde_json::json;

/// Ticks after the kill.
const MOST_TICKS: usize = 5;

#[test]
fn a_kill_at_any_moment_costs_at_most_five_ticks() {
    let world = World::default();
    let number = |name: &str, default: u64| {
        world.env(name).map_or(default, |n| {
            n.parse()
                .unwrap_or_else(|_| panic!("{name}={n} is no number"))
        })
    };
    let (n, seed) = (number("N", 3), number("SEED", 7));
    let template = Template::make(Stage::Whole);
    let cloud = template.copy();
    let since = cloud.now();
    Stage::Whole.run(&cloud).exits(0);
    let calls = cloud.now() - since;
    let clean = Stored::after(cloud);
    let mut rng = StdRng::seed_from_u64(seed);
    let mut told = Vec::new();
    for _ in 0..n {
        let cloud = template.copy();
        let at = since + rng.random_range(1..calls);
        let mut child = Stage::Whole.start(&cloud);
        until("the call comes, or the run ended", || {
            (cloud.now() >= at || child.try_wait().expect("a child").is_some()).then_some(())
        });
        child.kill().expect("killed");
        child.wait().expect("gone");
        let killed_at_call = cloud.now() - since;
        let mut ticks = 0;
        loop {
            let ran = Stage::Whole.run(&cloud);
            ticks += 1;
            if ran.code == 0 {
                break;
            }
            assert!(
                ticks < MOST_TICKS,
                "seed {seed}, killed at call {killed_at_call}: not finished after {ticks} ticks: \
                 {ran:?}"
            );
        }
        let found = Stored::after(cloud);
        assert_eq!(
            clean.differences(&found),
            Vec::<String>::new(),
            "seed {seed}, killed at call {killed_at_call}"
        );
        told.push(json!({
            "killed_at_call": killed_at_call, "ticks_to_finish": ticks,
            "points": found.count("/point.json") / 2,
            "snapshots": found.rds_count("eu-west-3 snapshots"),
            "copies": found.rds_count("eu-central-1 snapshots"),
            "duplicate_versions": found.duplicates("eu-central-1/dr-vault"),
            "leftovers": found.left,
        }));
    }
    crate::cloud::say(&format!(
        "kill: {n} runs of {calls} calls killed, seed {seed}: {}",
        told.iter()
            .map(|t| format!(
                "call {} in {} ticks",
                t["killed_at_call"], t["ticks_to_finish"]
            ))
            .collect::<Vec<_>>()
            .join(", ")
    ));
    for one in &told {
        let counted = ["points", "snapshots", "copies", "duplicate_versions"]
            .map(|field| one[field].as_u64());
        assert_eq!(counted, [Some(1), Some(1), Some(1), Some(0)], "{one}");
    }
    crate::crash::report(&format!("kill-{seed}.json"), &json!(told));
}
