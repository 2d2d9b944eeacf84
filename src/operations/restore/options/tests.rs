use super::*;
use crate::plan::tests::{copy, point, proof};
use crate::vault::PointRef;

fn known(proofs: Vec<Proof>) -> PointRef {
    PointRef {
        point: point(),
        copies: vec![copy("central")],
        proofs,
        dumps: Vec::new(),
        unread: Vec::new(),
    }
}

fn of(proofs: Vec<Proof>) -> RestoreOption {
    let (points, target) = ([known(proofs)], TargetName::new("central"));
    let now = points[0].point.at + jiff::SignedDuration::from_hours(2);
    let all = options(&target, &points, now, None);
    let picked = pick(&all, Method::Files, None, Some(&target));
    picked.expect("files can be restored").clone()
}

#[test]
fn the_newest_verdict_decides() {
    let passed = |minute| proof(Method::Files, "central", minute, true);
    let failed = |minute| proof(Method::Files, "central", minute, false);
    assert!(of(vec![passed(10)]).proven);
    let unproven = of(vec![passed(10), failed(20)]);
    assert!(!unproven.proven);
    assert_eq!(
        unproven.failed.as_deref(),
        Some("files-equal: one file differs")
    );
    assert!(of(vec![failed(20), passed(30), passed(10)]).proven);
    let never = of(Vec::new());
    assert!(!never.proven && never.failed.is_none() && never.proof_age_s.is_none());
}

#[test]
fn what_is_proven_comes_before_what_was_never_tried_and_that_before_what_failed() {
    let option = |proven, failed: Option<&str>, hours| RestoreOption {
        method: Method::Files,
        target: TargetName::new("central"),
        point: point().slot,
        at: point().at + jiff::SignedDuration::from_hours(hours),
        loses_s: 0,
        proven,
        failed: failed.map(str::to_owned),
        proof_age_s: None,
        eta_s: None,
        eta_from_n: 0,
        dump: None,
    };
    let mut all = vec![
        option(false, Some("x"), 3),
        option(false, None, 2),
        option(true, None, 1),
        option(true, None, 2),
    ];
    order(&mut all);
    let hours: Vec<i64> = all
        .iter()
        .map(|o| o.at.duration_since(point().at).as_hours())
        .collect();
    assert_eq!(hours, [2, 1, 2, 3]);
}

#[test]
fn a_method_that_the_copy_does_not_hold_is_no_option() {
    let target = TargetName::new("central");
    let points = [known(Vec::new())];
    let all = options(&target, &points, points[0].point.at, None);
    assert!(
        pick(&all, Method::Dump, None, None).is_none(),
        "no drill dumped it"
    );
    let elsewhere = TargetName::new("other");
    assert!(options(&elsewhere, &points, points[0].point.at, None).is_empty());
    let at = points[0].point.at;
    let earlier = at - jiff::SignedDuration::from_secs(1);
    assert!(options(&target, &points, at, Some(earlier)).is_empty());
    assert_eq!(
        options(&target, &points, at, Some(at)).len(),
        all.len(),
        "not after T"
    );
}
