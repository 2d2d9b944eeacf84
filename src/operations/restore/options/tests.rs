use super::*;
use crate::manifest::{Copy, Proof};
use crate::operations::restore::methods::options;
use crate::plan::tests::{captured, copy, point, proof};
use crate::vault::PointRef;

fn known(proofs: Vec<Proof>) -> PointRef {
    PointRef {
        point: point(),
        captured: captured(),
        copies: vec![copy("shop-prod", "central"), copy("shop-files", "central")],
        proofs,
        dumps: Vec::new(),
        unread: Vec::new(),
    }
}

fn of(proofs: Vec<Proof>) -> RestoreOption {
    let (points, target) = ([known(proofs)], TargetName::new("central"));
    let now = captured()[1].at + jiff::SignedDuration::from_hours(2);
    let all = options(&target, &points, now, None);
    let picked = pick(&all, &wanted(Method::Files));
    picked.unwrap().expect("files can be restored").clone()
}

fn wanted<'a>(method: Method) -> Wanted<'a> {
    Wanted {
        method,
        source: None,
        database: None,
        point: None,
        target: None,
    }
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
        source: SourceId::new("shop-files"),
        method: Method::Files,
        database: None,
        target: TargetName::new("central"),
        point: point().slot,
        at: captured()[1].at + jiff::SignedDuration::from_hours(hours),
        loses_s: 0,
        proven,
        failed: failed.map(str::to_owned),
        proof_age_s: None,
        eta_s: None,
        eta_from_n: 0,
        dump: None,
        equals: Vec::new(),
        exceptions: Vec::new(),
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
        .map(|o| o.at.duration_since(captured()[1].at).as_hours())
        .collect();
    assert_eq!(hours, [2, 1, 2, 3]);
}

#[test]
fn a_method_that_the_copy_does_not_hold_is_no_option() {
    let target = TargetName::new("central");
    let points = [known(Vec::new())];
    let at = captured()[1].at;
    let all = options(&target, &points, at, None);
    assert_eq!(
        pick(&all, &wanted(Method::Dump)),
        Ok(None),
        "no drill dumped it"
    );
    let elsewhere = TargetName::new("other");
    assert!(options(&elsewhere, &points, at, None).is_empty());
    let earlier = captured()[0].at - jiff::SignedDuration::from_secs(1);
    assert!(options(&target, &points, at, Some(earlier)).is_empty());
    let between = options(&target, &points, at, Some(captured()[0].at));
    assert_eq!(between.len(), 1, "each source has an instant of its own");
    assert_eq!(
        options(&target, &points, at, Some(at)).len(),
        all.len(),
        "not after T"
    );
}

#[test]
fn which_of_several_is_for_a_person_to_say() {
    let mut point = known(Vec::new());
    point.copies.push(Copy {
        source: SourceId::new("media"),
        ..copy("shop-files", "central")
    });
    let points = [point];
    let all = options(&TargetName::new("central"), &points, captured()[1].at, None);
    let several = pick(&all, &wanted(Method::Files)).unwrap_err();
    assert_eq!(several.0.len(), 2);
    let media = SourceId::new("media");
    let one = Wanted {
        source: Some(&media),
        ..wanted(Method::Files)
    };
    assert_eq!(pick(&all, &one).unwrap().unwrap().source, media);
    let picked = pick(&all, &wanted(Method::Snapshot)).unwrap().unwrap();
    assert_eq!(picked.source.as_str(), "shop-prod");
}
