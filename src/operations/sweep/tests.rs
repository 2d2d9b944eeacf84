//! What of a closed drill a sweep may name.

use super::*;
use crate::journal::StepState;
use crate::model::{ObjectKey, Sha256, TargetName};
use crate::plan::{Evidence, ScratchDatabase, ServerPlace, Teardown, WriteProofs, drill_databases};

const JOURNAL: &str = include_str!("../../../docs/formats/golden/journal-drill.jsonl");
const POLICY: &str = include_str!("../../../docs/formats/golden/policy.yaml");

fn policy() -> Policy {
    crate::policy::parse("policy.yaml", POLICY).unwrap()
}

/// The drill of the golden journal, as far as `entries`; its scratch things expire at 09:30.
fn drill(entries: usize) -> RunState {
    let lines = JOURNAL.lines().take(entries);
    let read: Vec<_> = lines
        .map(|l| crate::journal::read(l.as_bytes()).unwrap())
        .collect();
    crate::journal::fold(read.iter().map(|(e, s)| (e, s.clone()))).unwrap()
}

fn closed() -> RunState {
    drill(usize::MAX)
}

/// `left_by`, at an instant.
fn left_at(state: &RunState, policy: &Policy, now: &str) -> Option<SweepDrill> {
    let vault = state.plan.vault.clone();
    let of = Of {
        vault: &vault,
        policy: &policy.name,
        now: now.parse().unwrap(),
    };
    left_by(state, policy, of)
}

const LATER: &str = "2026-11-29T10:00:00Z";

#[test]
fn what_a_closed_drill_left_is_named_once_its_time_is_over() {
    let swept = left_at(&closed(), &policy(), LATER).expect("it is over");
    assert_eq!(swept.run, closed().plan.run);
    assert_eq!(swept.slot, closed().plan.slot);
    assert_eq!(left_at(&closed(), &policy(), "2026-11-29T09:30:00Z"), None);
    assert_eq!(left_at(&drill(20), &policy(), LATER), None, "it is open");
}

#[test]
fn a_teardown_that_names_what_this_policy_does_not_make_is_not_swept() {
    let changed = |change: &dyn Fn(&mut Teardown)| {
        let mut state = closed();
        let steps = &mut state.plan.steps;
        let torn = steps.iter_mut().find_map(|s| match &mut s.action {
            crate::plan::StoredAction::Teardown(torn) => Some(torn),
            _ => None,
        });
        change(torn.expect("a teardown"));
        left_at(&state, &policy(), LATER)
    };
    assert!(changed(&|_| {}).is_some());
    assert_eq!(changed(&|t| t.cluster_prefix = "shop".into()), None);
    assert_eq!(changed(&|t| t.prefix = "dr-drill/".into()), None);
    assert_eq!(
        changed(&|t| t.bucket = crate::model::BucketName::new("shop-files")),
        None
    );
    let thief = || Some("https://thief.example.com".to_owned());
    assert_eq!(changed(&|t| t.bucket_endpoint = thief()), None);
    let elsewhere = changed(&|t| t.clusters[0].endpoint = thief()).expect("the rest");
    assert!(
        elsewhere.teardown.clusters.is_empty(),
        "the policy is not there"
    );
    let tag =
        |name: &str, value: &str| changed(&|t| drop(t.tags.insert(name.into(), value.into())));
    assert_eq!(tag("dr:role", "restored"), None);
    assert_eq!(tag("dr:vault", "00000000000000000000000000000000"), None);
    assert_eq!(tag("dr:run", "drill-20260101T000000Z"), None);
}

#[test]
fn only_databases_that_are_called_as_the_run_calls_them_are_dropped() {
    let server = "drill:\n  scratch_server: {host: scratch.example.com, user: drill, \
                  password_file: /run/drill}\n";
    let text = POLICY.replace("drill:\n", server);
    let policy = crate::policy::parse("policy.yaml", &text).unwrap();
    let with = |host: &str, name: &str| {
        let name_of = |text: &str| crate::model::Name::new(text);
        let (host, port, user) = (name_of(host), 5432, name_of("drill"));
        let server = ServerPlace { host, port, user };
        let name = crate::model::Name::new(name);
        let mut state = closed();
        for step in &mut state.plan.steps {
            if let crate::plan::StoredAction::Teardown(torn) = &mut step.action {
                let (server, name) = (server.clone(), name.clone());
                torn.databases = vec![ScratchDatabase { server, name }];
            }
        }
        left_at(&state, &policy, LATER)
    };
    let plan = closed().plan;
    let own = drill_databases(&plan.vault, &policy.name, &plan.run) + "0123456789";
    let dropped = |host: &str, name: &str| {
        let swept = with(host, name).expect("files and clusters are swept all the same");
        swept.teardown.databases.len()
    };
    assert_eq!(dropped("scratch.example.com", &own), 1);
    assert_eq!(dropped("scratch.example.com", "staging"), 0);
    assert_eq!(dropped("shop.example.com", &own), 0);
}

#[test]
fn what_is_not_swept_is_told() {
    let vault = closed().plan.vault;
    let told = |policy: &Policy, state: &RunState| {
        let of = Of {
            vault: &vault,
            policy: &policy.name,
            now: LATER.parse().unwrap(),
        };
        let swept = left_by(state, policy, of);
        not_swept(state, swept.as_ref(), of).map(|f| f.message)
    };
    assert_eq!(told(&policy(), &closed()), None);
    let text = POLICY.replace("scratch_bucket: shop-scratch", "scratch_bucket: shop-other");
    let moved = crate::policy::parse("policy.yaml", &text).unwrap();
    let message = told(&moved, &closed()).expect("told");
    assert!(message.contains("bucket shop-scratch"), "{message}");
    assert_eq!(told(&moved, &drill(20)), None, "it is open");
}

fn place<'a>(state: &'a RunState, journal_target: &'a TargetName) -> Place<'a> {
    Place {
        vault: &state.plan.vault,
        journal_target,
        now: LATER.parse().unwrap(),
    }
}

#[test]
fn a_sweep_is_planned_again_from_the_drills_journals_alone() {
    let (policy, state) = (policy(), closed());
    let central = TargetName::new("central");
    let place = place(&state, &central);
    let what = What {
        drills: vec![left_at(&state, &policy, LATER).unwrap()],
        ..What::default()
    };
    let sha256 = Sha256::of(b"");
    let stored = planned((&policy, &sha256), place, what).unwrap();
    let states = [state.clone()];
    assert_eq!(
        again(&policy, &stored, &states, place),
        Some(stored.clone())
    );
    assert_eq!(again(&policy, &stored, &[], place), None, "no such drill");
    assert_eq!(again(&policy, &stored, &[drill(20)], place), None, "open");
    let without = Policy {
        drill: None,
        ..policy.clone()
    };
    assert_eq!(again(&without, &stored, &states, place), None);
    let mut planted = stored.clone();
    for step in &mut planted.steps {
        if let crate::plan::StoredAction::SweepDrill(swept) = &mut step.action {
            swept.teardown.bucket = crate::model::BucketName::new("shop-files");
        }
    }
    assert_ne!(again(&policy, &planted, &states, place), Some(planted));
}

/// All of its proofs.
fn keys_of(state: &RunState) -> BTreeSet<ObjectKey> {
    let written = state.done::<WriteProofs>().next();
    written.map_or_else(BTreeSet::new, |(_, _, w)| w.keys.iter().cloned().collect())
}

#[test]
fn proofs_are_planned_again_from_the_drills_journal_alone() {
    let (policy, state) = (policy(), closed());
    let central = TargetName::new("central");
    let place = place(&state, &central);
    let one = keys_of(&state).into_iter().take(1).collect();
    let what = What {
        proofs: vec![proofs_of(&state, &policy, &TargetName::new("other"), &one).unwrap()],
        ..What::default()
    };
    let sha256 = Sha256::of(b"");
    let stored = planned((&policy, &sha256), place, what).unwrap();
    let states = [state.clone()];
    assert_eq!(
        again(&policy, &stored, &states, place),
        Some(stored.clone())
    );
    assert_eq!(again(&policy, &stored, &[drill(29)], place), None, "open");
    let mut planted = stored.clone();
    for step in &mut planted.steps {
        if let crate::plan::StoredAction::SpreadProofs(spread) = &mut step.action {
            spread.keys = vec![ObjectKey::new("proofs/shop/20260101T000000Z/other/a.json")];
        }
    }
    assert_ne!(again(&policy, &planted, &states, place), Some(planted));
}

#[test]
fn only_proofs_that_a_closed_drills_own_journal_names_are_brought_to_its_own_targets() {
    let (policy, state) = (policy(), closed());
    let other = TargetName::new("other");
    let of = |state: &RunState, target: &str| {
        let mut keys = keys_of(state);
        keys.insert(ObjectKey::new("vault.json"));
        proofs_of(state, &policy, &TargetName::new(target), &keys)
    };
    let spread = of(&state, "other").expect("proofs");
    assert_eq!((&spread.run, &spread.target), (&state.plan.run, &other));
    assert!(!spread.keys.is_empty());
    assert_eq!(of(&state, "thief"), None, "no target of the policy");
    assert!(!keys_of(&drill(29)).is_empty());
    assert_eq!(of(&drill(29), "other"), None, "it is open");
    let none = proofs_of(&state, &policy, &other, &BTreeSet::new());
    assert_eq!(none, None, "nothing is missing");
    let mut narrow = state.clone();
    narrow.plan.targets.retain(|t| t.name != other);
    assert_eq!(of(&narrow, "other"), None, "the drill did not write there");
    let mut planted = state;
    for step in planted.steps.values_mut() {
        let written = match step {
            StepState::Succeeded(Evidence::WriteProofs(written)) => written,
            _ => continue,
        };
        let foreign = [
            "vault.json",
            "proofs/shop/20260101T000000Z/drill-20250101T000000Z/a.json",
        ];
        written.keys.extend(foreign.map(ObjectKey::new));
    }
    assert_eq!(of(&planted, "other"), Some(spread));
}
