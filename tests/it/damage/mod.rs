//! Damage at every place of a vault, behind the API's back and through it: what `verify` says, and
//! whether the next backup and the next restore work.
//!
//! Cells that do not exist: the journal lies at the journal target alone; a snapshot copy has no
//! versions, bytes or keys, so it can only be missing or another one's, and only where snapshots
//! are. `DR_FULL=1` tries every other cell; without it each kind of damage and each place is tried
//! at least once.

mod aftermath;
mod inflict;

use crate::crash::stage::{Stage, Template};
use aftermath::{Outcome, backed_up, named, restored};
use dr::world::World;
use inflict::{Damage, Harmed, Place, Target, harm_run, inflict, versions};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::io::Write;

type Case = (Damage, Place, Target);

fn exists((damage, place, target): &Case) -> bool {
    match place {
        Place::JournalEntry => *target == Target::Central,
        Place::Snapshot => {
            *target == Target::Central && matches!(damage, Damage::Missing | Damage::ForeignObject)
        }
        _ => true,
    }
}

fn all() -> Vec<Case> {
    let pairs = Place::ALL
        .into_iter()
        .flat_map(|p| Target::ALL.map(|t| (p, t)));
    pairs
        .flat_map(|(p, t)| Damage::ALL.map(|d| (d, p, t)))
        .filter(exists)
        .collect()
}

/// Each place of each target once, with another kind of damage each time; both kinds of a snapshot.
fn sample() -> Vec<Case> {
    let places: BTreeSet<(Place, Target)> = all().into_iter().map(|(_, p, t)| (p, t)).collect();
    let mut cases: Vec<Case> = places
        .into_iter()
        .enumerate()
        .map(|(i, (p, t))| (Damage::ALL[(i * 5 + i / 6) % 6], p, t))
        .filter(exists)
        .collect();
    cases.extend(
        [Damage::Missing, Damage::ForeignObject].map(|d| (d, Place::Snapshot, Target::Central)),
    );
    cases.sort();
    cases.dedup();
    cases
}

fn one(template: &Template, (damage, place, target): Case) -> (Harmed, Outcome) {
    let cloud = template.copy();
    let harmed = inflict(&cloud, damage, place, target);
    let mut outcome = Outcome::default();
    named(&cloud, &harmed, target, &mut outcome);
    restored(&cloud, damage, place, target, &mut outcome);
    backed_up(&cloud, place, &mut outcome);
    (harmed, outcome)
}

/// DR_REPORTS/damage.json where that is set, and a line.
fn report(matrix: &[Value], unnamed: usize, failed: usize) {
    let whole =
        json!({"matrix": matrix, "cases": matrix.len(), "unnamed": unnamed, "failed": failed});
    if let Some(folder) = World::default().env("DR_REPORTS") {
        std::fs::create_dir_all(&folder).expect("a folder");
        std::fs::write(
            std::path::Path::new(&folder).join("damage.json"),
            serde_json::to_vec_pretty(&whole).expect("JSON"),
        )
        .expect("written");
    }
    writeln!(
        std::io::stdout(),
        "damage: {} cases, {unnamed} unnamed, {failed} failed",
        matrix.len()
    )
    .expect("stdout");
}

fn explore(cases: &[Case]) {
    let template = Template::make(Stage::RestoreFiles);
    let (mut matrix, mut unnamed, mut failures) = (Vec::new(), 0, Vec::new());
    for case in cases {
        let (harmed, outcome) = one(&template, *case);
        let (damage, place, target) = case;
        unnamed += usize::from(outcome.finding.is_none());
        matrix.push(json!({
            "damage": format!("{damage:?}"), "place": format!("{place:?}"),
            "target": target.name(), "finding": outcome.finding,
            "key": harmed.key, "version": harmed.version, "next_backup_ok": outcome.next_backup_ok,
            "next_restore_ok": outcome.next_restore_ok,
        }));
        let ok = outcome.wrong.is_empty() && outcome.next_backup_ok && outcome.next_restore_ok;
        writeln!(
            std::io::stdout(),
            "{} {case:?}: {:?}",
            if ok { "ok" } else { "FAILED" },
            outcome.finding
        )
        .expect("stdout");
        if !ok {
            let why = format!("{case:?}: {}", outcome.wrong.join("\n  "));
            writeln!(std::io::stdout(), "{why}").expect("stdout");
            failures.push(why);
        }
    }
    report(&matrix, unnamed, failures.len());
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn damage_is_named_and_neither_the_next_backup_nor_the_next_restore_minds() {
    let full = World::default().env("DR_FULL").is_some_and(|v| v == "1");
    let cases = if full { all() } else { sample() };
    let damages: BTreeSet<Damage> = cases.iter().map(|c| c.0).collect();
    let places: BTreeSet<(Place, Target)> = cases.iter().map(|c| (c.1, c.2)).collect();
    assert_eq!((damages.len(), places.len()), (6, 14), "{cases:?}");
    let only = World::default().env("DR_CASE");
    let cases: Vec<Case> = cases
        .into_iter()
        .filter(|c| {
            only.as_ref()
                .is_none_or(|o| format!("{c:?}").contains(o.as_str()))
        })
        .collect();
    explore(&cases);
}

#[test]
fn an_open_run_that_was_damaged_is_never_appended_to_and_a_newer_slot_goes_on() {
    let template = Template::make(Stage::Files);
    for damage in Damage::ALL {
        let cloud = template.copy();
        cloud.fault(
            &json!({"operation": "PutObject", "thing": "dr-vault-other/objects/*"}),
            0,
            &json!({"kind": "refuse", "code": "AccessDenied", "status": 403}),
        );
        let tick = |policy: &str| {
            let mut command = cloud.command(&["tick", "--json", "--policy", policy]);
            command.current_dir(&cloud.root);
            crate::cloud::Ran::from(command.output().expect("dr runs"))
        };
        tick("lab/files.yaml").exits(11);
        cloud.clear_faults();
        inflict(&cloud, damage, Place::JournalEntry, Target::Central);
        let before = versions(&cloud, Target::Central, "runs/");
        let ran = tick("lab/files.yaml").exits(3);
        assert_eq!(
            ran.findings(),
            ["no-drill", "run-damaged"],
            "{damage:?}: {ran:?}"
        );
        assert_eq!(
            versions(&cloud, Target::Central, "runs/"),
            before,
            "{damage:?}: nothing is appended"
        );
        let policy =
            std::fs::read_to_string(cloud.root.join("lab/files.yaml")).expect("the policy");
        std::fs::write(
            cloud.root.join("lab/next.yaml"),
            policy.replace("0 0 1 1 *", "0 * * * *"),
        )
        .expect("written");
        // The damaged run is of a slot too old for an hourly schedule to look back to.
        let next = tick("lab/next.yaml").exits(0).json();
        assert_eq!(next["runs"][0]["result"], "complete", "{damage:?}: {next}");
    }
}

/// Runs that made no point are no part of one: the log reads them.
#[test]
fn damage_to_the_journals_of_verbs_is_named_by_the_log() {
    let template = Template::make(Stage::Verify);
    for kind in ["init", "policy", "verify"] {
        // What lies beside an entry is none of the log's.
        for damage in Damage::ALL
            .into_iter()
            .filter(|d| *d != Damage::ForeignObject)
        {
            let cloud = template.copy();
            Stage::Verify.run(&cloud).exits(0);
            let harmed = harm_run(&cloud, damage, kind);
            let words = ["log", "--whole", "--json", "--policy", "../lab/drill.yaml"];
            let ran = cloud.dr(&words).exits(3);
            let answer = ran.json();
            let found = answer["findings"].as_array().cloned().unwrap_or_default();
            let named = found.iter().any(|f| {
                f["code"] == "run-damaged"
                    && f["thing"].as_str().is_some_and(|t| harmed.contains(t))
            });
            assert!(named, "{damage:?} of {harmed}: {ran:?}");
            // What can be read of the point is read all the same, by a run of its own.
            let verified = Stage::Verify.run(&cloud).exits(0).json();
            assert_ne!(verified["run"], Value::Null, "{verified}");
        }
    }
}
