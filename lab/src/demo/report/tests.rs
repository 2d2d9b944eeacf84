//! A good story, and what spoils it.

use super::*;

fn good() -> Report {
    let target = |name: &str, home| Target {
        name: name.into(),
        region: name.into(),
        objects: 3,
        bytes: 9,
        locks_read_back: 3,
        lock_mode: "COMPLIANCE".into(),
        retain_until_min: "2026-11-25T00:00:00Z".into(),
        probe: "locked".into(),
        home,
    };
    let restore = |method: &str, target: &str| Restore {
        method: method.into(),
        target: target.into(),
        plan_hash: "1".into(),
        cluster: None,
        rto_s: 1.0,
        rpo_s: 1.0,
        phases: Vec::new(),
        restored_operation: None,
        lost_operations: None,
        equality: Equality {
            tables: 1,
            rows: 1,
            objects: 1,
            digest_expected: "a".into(),
            digest_restored: "a".into(),
            equal: true,
        },
    };
    let proof = Proof {
        method: "files".into(),
        target: "other".into(),
        passed: true,
        checked: 1,
        not_checked: 0,
        excluded: 0,
    };
    Report {
        backup: Some(Backup {
            run: "r".into(),
            point: "p".into(),
            wall_s: 1.0,
        }),
        targets: vec![target("central", true), target("other", false)],
        drill: Some(Drill {
            run: "d".into(),
            proofs: vec![proof],
        }),
        region1: Some(Region1 {
            killed_at: jiff::Timestamp::UNIX_EPOCH,
            reachable: false,
            last_commit_at: None,
            last_operation: 1,
        }),
        restores: vec![
            restore("snapshot", "central"),
            restore("dump", "other"),
            restore("files", "other"),
        ],
        leftovers: Some(Leftovers {
            clusters: 0,
            instances: 0,
            uploads: 0,
            processes: 0,
        }),
        ..Report::new(LatencyProfile::None)
    }
}

fn verdict(change: impl FnOnce(&mut Report)) -> Vec<String> {
    let mut report = good();
    change(&mut report);
    report.judge();
    assert_eq!(report.ok, report.trouble.is_empty());
    report.trouble
}

#[test]
fn a_good_story_is_ok() {
    assert_eq!(verdict(|_| {}), [""; 0]);
}

#[test]
fn what_is_missing_unequal_or_left_is_named() {
    let told = |change: fn(&mut Report), part: &str| {
        let trouble = verdict(change);
        assert!(
            trouble.len() == 1 && trouble[0].contains(part),
            "{part}: {trouble:?}"
        );
    };
    told(
        |r| r.restores[1].equality.equal = false,
        "method dump from other restored is not",
    );
    told(
        |r| r.restores[0].equality.rows = 0,
        "method snapshot from central",
    );
    told(
        |r| drop(r.restores.remove(2)),
        "nothing was restored by method files",
    );
    told(
        |r| r.restores[1].target = "central".into(),
        "by method dump from other",
    );
    told(|r| r.leftovers = None, "something is left");
    told(
        |r| r.leftovers.iter_mut().for_each(|l| l.processes = 1),
        "processes: 1",
    );
    told(
        |r| r.region1.iter_mut().for_each(|g| g.reachable = true),
        "not lost",
    );
    told(
        |r| r.targets[1].locks_read_back = 2,
        "of 3 objects at other the lock of 2",
    );
    told(
        |r| r.drill.iter_mut().for_each(|d| d.proofs.clear()),
        "proved nothing",
    );
    told(|r| r.targets[0].home = false, "0 targets hold the journal");
    assert_eq!(
        verdict(|r| *r = Report {
            trouble: vec!["cut".into()],
            leftovers: r.leftovers,
            ..Report::new(LatencyProfile::None)
        }),
        ["cut"]
    );
}
