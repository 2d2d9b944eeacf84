use super::*;
use crate::manifest::{Captured, Check, Point};
use crate::model::Slot;
use crate::model::{Method, PolicyName, Seconds};
use crate::plan::tests as planned;
use crate::policy::{AuroraSource, Objective, Source};

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// A point of an hour of the day, with a copy at central and some verdicts.
fn known(hour: u8, proofs: Vec<Proof>) -> Known {
    let slot = Slot::parse(&format!("20261124T{hour:02}0000Z")).unwrap();
    let run = RunId::scheduled(crate::model::RunKind::Backup, slot);
    let until = at("2027-01-01T00:00:00Z");
    let point = Point {
        slot,
        run: run.clone(),
        ..planned::point()
    };
    let copy = |source: &str| Copy {
        slot,
        run: run.clone(),
        retain_until: until,
        ..planned::copy(source, "central")
    };
    let captured = |c: Captured| Captured {
        slot,
        at: slot.time(),
        ..c
    };
    let of = |p: Proof| Proof { slot, ..p };
    Known {
        point,
        captured: planned::captured().into_iter().map(captured).collect(),
        copies: vec![copy("shop-prod"), copy("shop-files")],
        proofs: proofs.into_iter().map(of).collect(),
    }
}

fn passed(method: Method, minute: u8) -> Proof {
    planned::proof(method, "central", minute, true)
}

fn failed(method: Method, minute: u8) -> Proof {
    planned::proof(method, "central", minute, false)
}

fn status_with(points: &[Known], drill: Option<DrillRun>, now: &str) -> Status {
    let mut policy = planned::policy();
    let objective = Objective {
        rto: Seconds(60),
        rpo: Seconds(7200),
        proof_age: Some(Seconds(600)),
        compared: None,
    };
    policy.objectives.insert(Method::Snapshot, objective);
    fold(Input {
        policy: &policy,
        now: at(now),
        points,
        open_runs: Vec::new(),
        slots: Slots::default(),
        drill,
        drill_slots: Slots {
            missed: 1,
            ..Slots::default()
        },
        away: &[TargetName::new("other")],
    })
}

fn status(points: &[Known], now: &str) -> Status {
    status_with(points, None, now)
}

#[test]
fn the_newest_point_and_the_newest_proven_one_are_told_apart() {
    let proofs = vec![passed(Method::Snapshot, 10), failed(Method::Files, 10)];
    let points = [known(2, vec![]), known(1, proofs)];
    let status = status(&points, "2026-11-24T03:20:00Z");
    assert_eq!(status.name, PolicyName::new("shop"));
    let newest = status.newest.unwrap();
    assert_eq!(
        (newest.point.to_string().as_str(), newest.age_s),
        ("20261124T020000Z", 4800)
    );
    assert_eq!(newest.targets[0].state, CopyState::Complete);
    assert_eq!(newest.targets[0].immutable, Immutable::FilesOnly);
    assert_eq!(newest.targets[1].state, CopyState::Away);
    assert_eq!(
        status.newest_proven.len(),
        1,
        "a failed proof proves nothing"
    );
    let proven = &status.newest_proven[0];
    assert_eq!(
        (
            proven.point.to_string().as_str(),
            proven.age_s,
            proven.proof_age_s
        ),
        ("20261124T010000Z", 8400, 600)
    );
    assert_eq!((status.checked, status.not_checked), (2, 0));
}

#[test]
fn a_failed_drill_un_proves_a_point_until_a_later_one_passes() {
    let now = "2026-11-24T04:00:00Z";
    let proven = |proofs: Vec<Proof>| {
        let older = known(1, vec![passed(Method::Files, 5)]);
        let status = status(&[known(2, proofs), older], now);
        status.newest_proven[0].point.to_string()
    };
    let (newest, older) = ("20261124T020000Z", "20261124T010000Z");
    assert_eq!(proven(vec![passed(Method::Files, 10)]), newest);
    let both = vec![passed(Method::Files, 10), failed(Method::Files, 20)];
    assert_eq!(proven(both.clone()), older);
    let again = [both, vec![passed(Method::Files, 30)]].concat();
    assert_eq!(proven(again), newest);
}

#[test]
fn the_newest_drill_is_told_with_what_failed_and_why() {
    let points = [known(
        2,
        vec![passed(Method::Snapshot, 10), failed(Method::Files, 10)],
    )];
    let now = "2026-11-24T04:00:00Z";
    let drills = status(&points, now).drills;
    let last = drills.last.unwrap();
    assert_eq!((last.result, drills.missed), (DrillResult::Failed, 1));
    let failed = &last.failed[0];
    assert_eq!(failed.method, Method::Files);
    assert_eq!(failed.why, "files-equal: one file differs");
    let all_passed = [known(2, vec![passed(Method::Snapshot, 10)])];
    let last = status(&all_passed, now).drills.last.unwrap();
    assert_eq!(last.result, DrillResult::Passed);
    // A drill that ended without a proof, and later than every proof that there is.
    let abandoned = DrillRun {
        run: RunId::parse("drill-20261124T033000Z").unwrap(),
        at: at("2026-11-24T03:30:00Z"),
        outcome: Outcome::Abandoned,
    };
    let last = status_with(&all_passed, Some(abandoned), now)
        .drills
        .last
        .unwrap();
    assert_eq!(last.result, DrillResult::Failed);
    assert!(status(&[known(2, vec![])], now).drills.last.is_none());
}

#[test]
fn an_objective_is_met_by_proven_figures_alone() {
    let now = "2026-11-24T03:20:00Z";
    let met = |points: &[Known]| status(points, now).objectives[0].clone();
    let proven = met(&[known(2, vec![passed(Method::Snapshot, 10)])]);
    assert!(proven.met && proven.measured_rto_s == Some(4.0));
    assert!(!met(&[known(2, vec![])]).met);
    let too_old = met(&[known(1, vec![passed(Method::Snapshot, 10)])]);
    assert!(!too_old.met, "it would lose more than two hours");
    let stale = met(&[known(2, vec![passed(Method::Snapshot, 9)])]);
    assert_eq!(
        (stale.proof_age_s, stale.measured_proof_age_s, stale.met),
        (Some(600), Some(660), false)
    );
}

#[test]
fn a_lock_that_ends_early_is_counted() {
    let mut short = known(2, vec![]);
    short.copies[0].retain_until = at("2026-12-01T00:00:00Z");
    let status = status(&[short], "2026-11-24T03:20:00Z");
    assert_eq!(status.retention.below_policy, 1);
    assert_eq!(
        status.retention.earliest_unlock,
        Some(at("2026-12-01T00:00:00Z"))
    );
}

#[test]
fn what_a_point_lacks_is_named_by_source_and_target() {
    let mut lacking = known(2, vec![]);
    lacking.captured.remove(0);
    lacking.copies.remove(0);
    let newest = status(&[lacking], "2026-11-24T03:20:00Z").newest.unwrap();
    assert_eq!(newest.not_captured, [SourceId::new("shop-prod")]);
    assert_eq!(newest.targets[0].state, CopyState::Partial);
    assert_eq!(newest.targets[0].missing, [SourceId::new("shop-prod")]);
    assert_eq!(
        newest.targets[0].immutable,
        Immutable::Yes,
        "of what it has"
    );
}

fn objective(rto_s: u64) -> Objective {
    Objective {
        rto: Seconds(rto_s),
        rpo: Seconds(7200),
        proof_age: None,
        compared: None,
    }
}

/// What is said of these points where nothing else is known.
fn of_points(policy: &Policy, points: &[Known]) -> Status {
    fold(Input {
        policy,
        now: at("2026-11-24T03:20:00Z"),
        points,
        open_runs: Vec::new(),
        slots: Slots::default(),
        drill: None,
        drill_slots: Slots::default(),
        away: &[],
    })
}

#[test]
fn a_sources_own_objective_is_the_one_that_it_is_measured_by() {
    let mut policy = planned::policy();
    policy.objectives.insert(Method::Snapshot, objective(60));
    for source in &mut policy.sources {
        if let Source::Aurora(cluster) = source {
            cluster.objectives.insert(Method::Snapshot, objective(3));
        }
    }
    let points = [known(2, vec![passed(Method::Snapshot, 10)])];
    let of = |policy: &Policy| {
        let status = of_points(policy, &points);
        let met = status.objectives.iter();
        met.map(|m| (m.source.to_string(), m.rto_s, m.met))
            .collect::<Vec<_>>()
    };
    let own = vec![("shop-prod".to_owned(), 3, false)];
    assert_eq!(of(&policy), own, "4 s were measured");
    policy.objectives.clear();
    assert_eq!(of(&policy), own, "a source may promise alone");
}

#[test]
fn a_comparison_with_the_source_has_an_age_of_its_own() {
    let mut policy = planned::policy();
    let wanted = |compared_s: u64| Objective {
        compared: Some(Seconds(compared_s)),
        ..objective(60)
    };
    let with = |minute: u8, (tested, passes): (u64, bool)| {
        let mut proof = planned::proof(Method::Snapshot, "central", minute, passes);
        let check = Check {
            id: "source-rows".into(),
            tested,
            ..proof.checks[0].clone()
        };
        proof.checks.push(check);
        proof
    };
    let mut of = |wanted: Objective, points: &[Known]| {
        policy.objectives.insert(Method::Snapshot, wanted);
        let status = of_points(&policy, points);
        let met = &status.objectives[0];
        (met.measured_compared_age_s, met.met)
    };
    // The newest proof compared nothing, an older one did: at 03:05, fifteen minutes ago.
    let points = [
        known(2, vec![with(10, (0, true))]),
        known(1, vec![with(5, (9, true)), with(1, (9, true))]),
    ];
    assert_eq!(of(wanted(900), &points), (Some(900), true));
    assert_eq!(of(wanted(899), &points), (Some(900), false));
    assert_eq!(of(objective(60), &points), (Some(900), true));
    let failed = [
        known(2, vec![with(10, (0, true))]),
        known(1, vec![with(5, (9, false))]),
    ];
    assert_eq!(of(wanted(900), &failed), (None, false), "it failed");
    let never = [known(2, vec![passed(Method::Snapshot, 10)])];
    assert_eq!(of(wanted(900), &never), (None, false));
}

#[test]
fn an_objective_holds_for_each_source_that_the_method_restores() {
    let mut policy = planned::policy();
    let second = policy.clusters().next().unwrap().clone();
    policy.sources.push(Source::Aurora(AuroraSource {
        id: SourceId::new("billing"),
        ..second
    }));
    policy.objectives.insert(Method::Snapshot, objective(60));
    let points = [known(2, vec![passed(Method::Snapshot, 10)])];
    let status = of_points(&policy, &points);
    let met: Vec<(&str, bool)> = status
        .objectives
        .iter()
        .map(|m| (m.source.as_str(), m.met))
        .collect();
    assert_eq!(met, [("billing", false), ("shop-prod", true)]);
}
