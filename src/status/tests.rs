use super::*;
use crate::manifest::{Measured, PointTarget, Verified, sha256_hex};
use crate::policy::{LockMode, PolicyName};

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn point(slot: &str, instant: &str) -> Point {
    Point {
        policy: PolicyName::new("shop"),
        policy_sha256: sha256_hex(b""),
        slot: slot.into(),
        run: format!("backup-{slot}"),
        at: at(instant),
        cluster: None,
        files: Vec::new(),
        targets: Vec::<PointTarget>::new(),
    }
}

fn copy(slot: &str, target: &str, until: &str) -> Copy {
    Copy {
        policy: PolicyName::new("shop"),
        slot: slot.into(),
        run: format!("backup-{slot}"),
        target: TargetName::new(target),
        native: None,
        manifest_key: "m".into(),
        manifest_version: "v".into(),
        manifest_sha256: sha256_hex(b""),
        objects: 3,
        delete_markers: 0,
        bytes: 9,
        verified: Verified {
            retain_until_min: Some(at(until)),
            ..Verified::default()
        },
        lock_mode: LockMode::Compliance,
        retain_until: at(until),
    }
}

fn proof(slot: &str, path: Path, target: &str, instant: &str, passed: bool, rto_s: f64) -> Proof {
    Proof {
        policy: PolicyName::new("shop"),
        slot: slot.into(),
        run: "drill-1".into(),
        path,
        target: TargetName::new(target),
        actor: "a".into(),
        at: at(instant),
        passed,
        checks: Vec::new(),
        checked: 5,
        not_checked: 1,
        excluded: 0,
        measured: Measured {
            measured_on: "lab".into(),
            rto_s,
            rpo_s: Some(0.5),
            tables: 1,
            rows: 1,
            objects: 0,
            bytes: 0,
        },
        dump: None,
    }
}

fn status(points: &[Known], now: &str) -> Status {
    let mut policy = crate::plan::tests::policy();
    policy.objectives.insert(
        Path::Native,
        crate::policy::Objective {
            rto: crate::policy::Seconds(60),
            rpo: crate::policy::Seconds(7200),
        },
    );
    fold(Input {
        policy: &policy,
        now: at(now),
        points,
        open_runs: Vec::new(),
        last_slot: None,
        next_slot: None,
        missed_slots: 0,
        away: &[TargetName::new("other")],
    })
}

#[test]
fn the_newest_point_and_the_newest_proven_one_are_told_apart() {
    let old = "20261124T010000Z";
    let points = [
        Known {
            point: point("20261124T020000Z", "2026-11-24T02:00:00Z"),
            copies: vec![copy("20261124T020000Z", "central", "2027-01-01T00:00:00Z")],
            proofs: vec![],
        },
        Known {
            point: point(old, "2026-11-24T01:00:00Z"),
            copies: vec![copy(old, "central", "2027-01-01T00:00:00Z")],
            proofs: vec![
                proof(
                    old,
                    Path::Native,
                    "central",
                    "2026-11-24T01:30:00Z",
                    true,
                    50.0,
                ),
                proof(old, Path::S3, "central", "2026-11-24T01:30:00Z", false, 1.0),
            ],
        },
    ];
    let status = status(&points, "2026-11-24T02:10:00Z");
    let newest = status.newest.unwrap();
    assert_eq!(
        (newest.point.as_str(), newest.age_s),
        ("20261124T020000Z", 600)
    );
    assert_eq!(newest.targets[0].state, "complete");
    assert_eq!(newest.targets[1].state, "away");
    assert_eq!(
        status.newest_proven.len(),
        1,
        "a failed proof proves nothing"
    );
    let proven = &status.newest_proven[0];
    assert_eq!(
        (proven.point.as_str(), proven.age_s, proven.proof_age_s),
        (old, 4200, 2400)
    );
    assert!((proven.rpo_s - 4200.5).abs() < 1e-9);
    assert!(status.objectives[0].met);
    assert_eq!((status.checked, status.not_checked), (5, 1));
}

#[test]
fn an_objective_without_a_proof_is_not_met_and_a_short_lock_is_counted() {
    let slot = "20261124T020000Z";
    let points = [Known {
        point: point(slot, "2026-11-24T02:00:00Z"),
        copies: vec![copy(slot, "central", "2026-11-25T00:00:00Z")],
        proofs: vec![],
    }];
    let status = status(&points, "2026-11-24T02:10:00Z");
    assert!(!status.objectives[0].met);
    assert_eq!(status.objectives[0].measured_rto_s, None);
    assert_eq!(status.retention.below_policy, 1);
    assert_eq!(
        status.retention.earliest_unlock,
        Some(at("2026-11-25T00:00:00Z"))
    );
}

#[test]
fn an_empty_vault_has_no_newest_point() {
    let status = status(&[], "2026-11-24T02:10:00Z");
    assert_eq!(status.newest, None);
    assert!(status.newest_proven.is_empty());
}
