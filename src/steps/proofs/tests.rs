use super::*;
use crate::journal::tests::opened_run;
use crate::model::{Method, TargetName};
use crate::plan::Evidence;
use crate::plan::tests as planned;
use crate::report::Failure;

/// A drill of which nothing was done yet.
fn drill() -> RunState {
    opened_run(planned::drill_of(&planned::policy()))
}

fn set(state: &mut RunState, id: &str, step: StepState) {
    let id: StepId = serde_json::from_value(id.into()).unwrap();
    assert!(state.plan.step(&id).is_some(), "{id} is a step of the plan");
    state.steps.insert(id, step);
}

fn files(restored: u64, differing: u64) -> StepState {
    let named: Vec<String> = (0..differing.min(1)).map(|_| "a.pdf".into()).collect();
    StepState::Succeeded(Evidence::RestoreFiles(FilesRestored {
        population: 5,
        restored,
        skipped: 5 - restored - differing,
        bytes: 9,
        differing,
        mismatches: named,
        answered_at: Timestamp::UNIX_EPOCH,
        took_s: 2.0,
    }))
}

fn locked() -> StepState {
    StepState::Succeeded(Evidence::ProbeLock(crate::plan::LockProbed {
        conditional: true,
        why: "it refused".into(),
    }))
}

fn proof_of(state: &RunState, method: Method, target: &str) -> Proof {
    let target = TargetName::new(target);
    let mut all = proofs_of(state).into_iter();
    all.find(|p| p.method == method && p.target == target)
        .expect("a proof of each restore that is tried")
}

#[test]
fn every_restore_that_a_drill_tries_gets_a_proof_even_if_nothing_was_reached() {
    let proofs = proofs_of(&drill());
    let tried: Vec<_> = proofs
        .iter()
        .map(|p| (p.method.as_str(), p.target.as_str()))
        .collect();
    assert_eq!(
        tried,
        [
            ("snapshot", "central"),
            ("dump", "central"),
            ("dump", "other"),
            ("files", "central"),
            ("files", "other")
        ]
    );
    for proof in proofs {
        assert!(!proof.passed, "nothing checked is no success");
        let unknown = |c: &Check| c.result == CheckResult::Unknown;
        assert!(proof.checks.iter().all(unknown), "{:?}", proof.checks);
        assert_eq!(proof.checked, 0);
    }
}

#[test]
fn files_pass_only_where_each_is_equal_and_the_lock_holds() {
    let mut state = drill();
    set(&mut state, "restore-files:shop-files:central", files(5, 0));
    assert!(
        !proof_of(&state, Method::Files, "central").passed,
        "the lock was not tried"
    );
    set(&mut state, "probe-lock:central", locked());
    let passed = proof_of(&state, Method::Files, "central");
    assert!(passed.passed && passed.measured.rto_s == 2.0 && passed.measured.objects == 5);
    set(&mut state, "restore-files:shop-files:central", files(3, 2));
    let failed = proof_of(&state, Method::Files, "central");
    assert!(!failed.passed);
    assert_eq!(
        failed.checks[0].why.as_deref(),
        Some("2 files differ, first: a.pdf")
    );
    assert_eq!(
        (failed.checks[0].tested, failed.checks[0].population),
        (5, 5)
    );
    set(&mut state, "restore-files:shop-files:central", files(0, 0));
    let nothing = proof_of(&state, Method::Files, "central");
    assert_eq!(
        nothing.checks[0].why.as_deref(),
        Some("no file was restored")
    );
}

#[test]
fn a_step_that_failed_is_a_check_that_failed_with_its_message() {
    let mut state = drill();
    let failed = StepState::Failed {
        kind: Failure::Stuck,
        code: "cluster-failed".into(),
        message: "the cluster failed".into(),
    };
    set(&mut state, "restore-cluster:shop-prod", failed);
    let proof = proof_of(&state, Method::Snapshot, "central");
    assert_eq!(proof.checks[0].result, CheckResult::Failed);
    assert_eq!(proof.checks[0].why.as_deref(), Some("the cluster failed"));
    // A failure at one target says nothing of another.
    set(&mut state, "restore-files:shop-files:other", files(5, 0));
    set(&mut state, "probe-lock:other", locked());
    assert!(proof_of(&state, Method::Files, "other").passed);
}
