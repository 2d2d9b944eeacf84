use super::*;
use crate::journal::{Actor, Entry, Event, Evidence, Host, Identity, Process, RunnerId, fold};
use crate::manifest::{Document, VaultId, sha256_hex};
use crate::plan::{BackupInput, RunId, backup};
use crate::policy::TargetName;

const OPENED: &str = "2026-11-24T02:00:07Z";

fn start() -> RunState {
    let plan = backup(&BackupInput {
        policy: &crate::plan::tests::policy(),
        policy_sha256: sha256_hex(b""),
        vault: VaultId("1a2b3c4d00000000".into()),
        home: TargetName::new("central"),
        slot: "20261124T020000Z".into(),
        slot_at: "2026-11-24T02:00:00Z".parse().unwrap(),
        run: RunId("backup-20261124T020000Z".into()),
        opened_at: OPENED.parse().unwrap(),
        bases: Default::default(),
    });
    let by = Identity {
        runner: RunnerId("a".into()),
        host: Host {
            boot_id: String::new(),
            pid_namespace: String::new(),
            machine_id: String::new(),
            hostname: String::new(),
        },
        process: Process { pid: 1, started: 2 },
        actor: Actor {
            id: "x".into(),
            basis: "key".into(),
        },
    };
    let entry = Entry {
        seq: 0,
        prev: None,
        at: plan.opened_at,
        by,
        event: Event::Opened {
            plan: Box::new(plan),
            after: None,
        },
    };
    fold([(&entry, sha256_hex(&entry.to_bytes()))]).unwrap()
}

fn done(state: &mut RunState, id: &str) {
    state.steps.insert(
        StepId(id.into()),
        StepState::Succeeded(Evidence::Shared { with: Vec::new() }),
    );
}

fn failed(state: &mut RunState, id: &str, kind: Failure) {
    *state.failures.entry(StepId(id.into())).or_default() += 1;
    state.steps.insert(
        StepId(id.into()),
        StepState::Failed {
            kind,
            code: "c".into(),
            message: "m".into(),
        },
    );
}

fn now() -> Timestamp {
    OPENED.parse().unwrap()
}

fn run(id: &str) -> Decision {
    Decision::Run(StepId(id.into()))
}

#[test]
fn a_fresh_backup_takes_the_snapshot_and_a_copier_waits_for_the_scheduler() {
    let state = start();
    let none = BTreeMap::new();
    assert_eq!(decide(&state, now(), None, &none), run("take-snapshot"));
    assert_eq!(
        decide(&state, now(), Some(Role::Scheduler), &none),
        run("take-snapshot")
    );
    assert_eq!(
        decide(&state, now(), Some(Role::Copier), &none),
        Decision::HandOver(Role::Scheduler)
    );
}

#[test]
fn a_failing_target_keeps_the_run_open_and_never_fails_its_siblings() {
    let mut state = start();
    for id in [
        "take-snapshot",
        "share-snapshot",
        "list-objects",
        "copy-snapshot:central",
    ] {
        done(&mut state, id);
    }
    failed(&mut state, "copy-objects:central", Failure::Finding);
    let mut tried = BTreeMap::from([(StepId("copy-objects:central".into()), 1)]);
    assert_eq!(
        decide(&state, now(), None, &tried),
        run("copy-objects:other")
    );
    for id in ["copy-objects:other", "verify:other", "publish:other"] {
        done(&mut state, id);
    }
    assert_eq!(decide(&state, now(), None, &tried), Decision::Leave);
    tried.clear();
    assert_eq!(
        decide(&state, now(), None, &tried),
        run("copy-objects:central"),
        "the next tick tries again"
    );
    let late = now() + jiff::SignedDuration::from_hours(13);
    assert_eq!(
        decide(&state, late, None, &tried),
        Decision::Finish(Outcome::Incomplete)
    );
}

#[test]
fn what_does_not_answer_is_tried_again_only_so_often() {
    let mut state = start();
    failed(&mut state, "take-snapshot", Failure::Unavailable);
    let tried = |n| BTreeMap::from([(StepId("take-snapshot".into()), n)]);
    assert_eq!(decide(&state, now(), None, &tried(2)), run("take-snapshot"));
    assert_eq!(decide(&state, now(), None, &tried(3)), Decision::Leave);
    let late = now() + jiff::SignedDuration::from_hours(13);
    assert_eq!(
        decide(&state, late, None, &BTreeMap::new()),
        Decision::Finish(Outcome::Abandoned)
    );
}

#[test]
fn all_done_is_complete() {
    let mut state = start();
    for step in state.plan.steps.clone() {
        done(&mut state, &step.id.0);
    }
    assert_eq!(
        decide(&state, now(), Some(Role::Copier), &BTreeMap::new()),
        Decision::Finish(Outcome::Complete)
    );
}

/// The same steps as a drill: one restores, one needs it, then proofs and teardown, always.
fn drill() -> RunState {
    let mut state = start();
    state.plan.kind = Kind::Drill;
    let keep = ["take-snapshot", "share-snapshot"];
    state.plan.steps.retain(|s| keep.contains(&s.id.0.as_str()));
    for id in ["write-proofs", "teardown"] {
        state.plan.steps.push(Step {
            id: StepId(id.into()),
            needs: Vec::new(),
            always: true,
            ..state.plan.steps[0].clone()
        });
    }
    state.steps = state
        .plan
        .steps
        .iter()
        .map(|s| (s.id.clone(), StepState::Waiting))
        .collect();
    state
}

#[test]
fn a_red_drill_writes_its_proofs_tears_down_and_is_complete() {
    let mut state = drill();
    let none = BTreeMap::new();
    failed(&mut state, "take-snapshot", Failure::Stuck);
    assert_eq!(decide(&state, now(), None, &none), run("write-proofs"));
    done(&mut state, "write-proofs");
    assert_eq!(decide(&state, now(), None, &none), run("teardown"));
    done(&mut state, "teardown");
    assert_eq!(
        decide(&state, now(), None, &none),
        Decision::Finish(Outcome::Complete)
    );
}

#[test]
fn the_teardown_comes_even_when_proofs_cannot_be_written_and_after_the_deadline() {
    let mut state = drill();
    failed(&mut state, "take-snapshot", Failure::Stuck);
    failed(&mut state, "write-proofs", Failure::Stuck);
    let tried = BTreeMap::from([(StepId("write-proofs".into()), 1)]);
    assert_eq!(decide(&state, now(), None, &tried), run("teardown"));
    let late = now() + jiff::SignedDuration::from_hours(13);
    let fresh = drill();
    assert_eq!(
        decide(&fresh, late, None, &BTreeMap::new()),
        run("write-proofs")
    );
    done(&mut state, "teardown");
    assert_eq!(
        decide(&state, now(), None, &tried),
        Decision::Leave,
        "the proofs are still owed"
    );
    assert_eq!(
        decide(&state, late, None, &tried),
        Decision::Finish(Outcome::Abandoned)
    );
}
