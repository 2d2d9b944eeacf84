use super::*;
use crate::journal::tests::opened_run;
use crate::plan::{Evidence, PointPublished, ProofsWritten, SnapshotShared};

const OPENED: &str = "2026-11-24T02:00:07Z";

fn start() -> RunState {
    opened_run(crate::plan::tests::backup_of(|_| {}))
}

fn named(id: &str) -> StepId {
    serde_json::from_value(id.into()).unwrap()
}

fn done(state: &mut RunState, id: &str) {
    let evidence = match id.split(':').next() {
        Some("publish-point") => Evidence::PublishPoint(PointPublished {
            point_at: Vec::new(),
            failed: Vec::new(),
            short: Vec::new(),
        }),
        _ => Evidence::ShareSnapshot(SnapshotShared { with: Vec::new() }),
    };
    state
        .steps
        .insert(named(id), StepState::Succeeded(evidence));
}

fn proven(state: &mut RunState, passed: bool) {
    let keys = Vec::new();
    let evidence = Evidence::WriteProofs(ProofsWritten {
        keys,
        failed: Vec::new(),
        passed,
    });
    state
        .steps
        .insert(named("write-proofs"), StepState::Succeeded(evidence));
}

fn failed(state: &mut RunState, id: &str, kind: Failure) {
    *state.failures.entry(named(id)).or_default() += 1;
    state.steps.insert(
        named(id),
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
    Decision::Run(named(id))
}

#[test]
fn a_fresh_backup_takes_the_snapshot_and_a_copier_waits_for_the_scheduler() {
    let state = start();
    let none = BTreeMap::new();
    assert_eq!(
        decide(&state, now(), None, &none),
        run("take-snapshot:shop-prod")
    );
    assert_eq!(
        decide(&state, now(), Some(Role::Scheduler), &none),
        run("take-snapshot:shop-prod")
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
        "take-snapshot:shop-prod",
        "share-snapshot:shop-prod",
        "list-objects:shop-files",
        "copy-snapshot:shop-prod:central",
        "publish-point:shop-prod:central",
    ] {
        done(&mut state, id);
    }
    failed(
        &mut state,
        "copy-objects:shop-files:central",
        Failure::Finding,
    );
    let mut tried = BTreeMap::from([(named("copy-objects:shop-files:central"), 1)]);
    assert_eq!(
        decide(&state, now(), None, &tried),
        run("copy-objects:shop-files:other")
    );
    for id in [
        "copy-objects:shop-files:other",
        "verify-copies:shop-files:other",
        "publish-point:shop-files:other",
    ] {
        done(&mut state, id);
    }
    assert_eq!(decide(&state, now(), None, &tried), Decision::Leave);
    tried.clear();
    assert_eq!(
        decide(&state, now(), None, &tried),
        run("copy-objects:shop-files:central"),
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
    failed(&mut state, "take-snapshot:shop-prod", Failure::Unavailable);
    let tried = |n| BTreeMap::from([(named("take-snapshot:shop-prod"), n)]);
    assert_eq!(
        decide(&state, now(), None, &tried(2)),
        run("take-snapshot:shop-prod")
    );
    assert_eq!(
        decide(&state, now(), None, &tried(3)),
        run("list-objects:shop-files"),
        "the files do not wait for it any longer"
    );
    let late = now() + jiff::SignedDuration::from_hours(13);
    assert_eq!(
        decide(&state, late, None, &BTreeMap::new()),
        Decision::Finish(Outcome::Abandoned)
    );
}

#[test]
fn a_snapshot_that_is_refused_or_still_at_work_keeps_no_file_from_being_copied() {
    for kind in [Failure::Stuck, Failure::Refused, Failure::Working] {
        let mut state = start();
        failed(&mut state, "take-snapshot:shop-prod", kind);
        let tried = BTreeMap::from([(named("take-snapshot:shop-prod"), 1)]);
        for id in [
            "list-objects:shop-files",
            "copy-objects:shop-files:central",
            "verify-copies:shop-files:central",
            "publish-point:shop-files:central",
        ] {
            let next = loop {
                match decide(&state, now(), None, &tried) {
                    Decision::Run(step) if step.as_str().ends_with(":other") => {
                        done(&mut state, step.as_str());
                    }
                    other => break other,
                }
            };
            assert_eq!(next, run(id), "{kind:?}");
            done(&mut state, id);
        }
    }
    // One that is at work is looked at again, and never given up before the deadline.
    let mut state = start();
    for step in state.plan.steps.clone() {
        if step.id.as_str().contains("shop-files") {
            done(&mut state, step.id.as_str());
        }
    }
    failed(&mut state, "take-snapshot:shop-prod", Failure::Working);
    let tried = BTreeMap::from([(named("take-snapshot:shop-prod"), 99)]);
    let again = decide(&state, now(), None, &tried);
    assert_eq!(again, run("take-snapshot:shop-prod"));
}

#[test]
fn a_role_does_not_wait_for_what_another_role_could_not_do() {
    let mut state = start();
    let none = BTreeMap::new();
    let copier = |state: &RunState| decide(state, now(), Some(Role::Copier), &none);
    assert_eq!(copier(&state), Decision::HandOver(Role::Scheduler));
    failed(&mut state, "take-snapshot:shop-prod", Failure::Refused);
    assert_eq!(copier(&state), run("list-objects:shop-files"));
    failed(&mut state, "take-snapshot:shop-prod", Failure::Working);
    let tried = BTreeMap::from([(named("take-snapshot:shop-prod"), 1)]);
    assert_eq!(
        decide(&state, now(), Some(Role::Scheduler), &tried),
        Decision::HandOver(Role::Copier),
        "whoever would only wait lets the others on"
    );
    // A new process looks before it says so, and a step that another role failed at is no reason
    // not to look.
    assert_eq!(
        decide(&state, now(), Some(Role::Scheduler), &none),
        run("take-snapshot:shop-prod")
    );
    assert_eq!(
        decide(&state, now(), None, &none),
        run("list-objects:shop-files")
    );
    assert_eq!(
        decide(&state, now(), None, &tried),
        run("list-objects:shop-files"),
        "nobody hands over to itself"
    );
    state
        .steps
        .insert(named("take-snapshot:shop-prod"), StepState::Running);
    let waits = Decision::HandOver(Role::Scheduler);
    assert_eq!(copier(&state), waits, "it is at work");
    let (step, patience) = (
        named("take-snapshot:shop-prod"),
        state.plan.patience.signed(),
    );
    state.left.insert(step.clone(), now());
    assert_eq!(
        copier(&state),
        waits,
        "it was stopped, and goes on at its next tick"
    );
    state.left.insert(step, now() - patience);
    assert_eq!(
        copier(&state),
        run("list-objects:shop-files"),
        "a scheduler that was killed in its step and never came back holds up no file"
    );
}

#[test]
fn all_done_is_complete() {
    let mut state = start();
    let ids: Vec<StepId> = state.plan.steps.iter().map(|s| s.id.clone()).collect();
    for id in &ids {
        done(&mut state, id.as_str());
    }
    assert_eq!(
        decide(&state, now(), None, &BTreeMap::new()),
        Decision::Finish(Outcome::Complete)
    );
}

/// A drill as it is when all but its proofs is done.
fn drilled() -> RunState {
    let mut state = opened_run(crate::plan::tests::drill_of(&crate::plan::tests::policy()));
    let ids: Vec<StepId> = state.plan.steps.iter().map(|s| s.id.clone()).collect();
    for id in &ids {
        done(&mut state, id.as_str());
    }
    state
}

#[test]
fn a_drill_is_judged_by_its_proofs() {
    let none = BTreeMap::new();
    for (passed, outcome) in [(true, Outcome::Complete), (false, Outcome::Failed)] {
        let mut state = drilled();
        proven(&mut state, passed);
        assert_eq!(
            decide(&state, now(), None, &none),
            Decision::Finish(outcome)
        );
    }
}

#[test]
fn a_drill_whose_step_was_given_up_writes_its_proofs_tears_down_and_has_failed() {
    let none = BTreeMap::new();
    let mut state = drilled();
    for id in ["write-proofs", "teardown"] {
        state.steps.insert(named(id), StepState::Waiting);
    }
    failed(&mut state, "restore-cluster:shop-prod", Failure::Stuck);
    assert_eq!(decide(&state, now(), None, &none), run("write-proofs"));
    proven(&mut state, false);
    assert_eq!(decide(&state, now(), None, &none), run("teardown"));
    done(&mut state, "teardown");
    assert_eq!(
        decide(&state, now(), None, &none),
        Decision::Finish(Outcome::Failed)
    );
}

#[test]
fn the_teardown_comes_even_when_proofs_cannot_be_written_and_after_the_deadline() {
    let mut state = drilled();
    for id in ["write-proofs", "teardown"] {
        state.steps.insert(named(id), StepState::Waiting);
    }
    failed(&mut state, "restore-cluster:shop-prod", Failure::Stuck);
    failed(&mut state, "write-proofs", Failure::Stuck);
    let tried = BTreeMap::from([(named("write-proofs"), 1)]);
    assert_eq!(decide(&state, now(), None, &tried), run("teardown"));
    let late = now() + jiff::SignedDuration::from_hours(37);
    let none = BTreeMap::new();
    let fresh = opened_run(crate::plan::tests::drill_of(&crate::plan::tests::policy()));
    assert_eq!(decide(&fresh, late, None, &none), run("write-proofs"));
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
