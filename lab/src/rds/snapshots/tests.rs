//! Which snapshots are found, and how many fit.

use super::*;
use crate::accounts::Role;
use crate::rds::state::{COPY_QUOTA, Tags};

fn snapshot(id: &str, shared_with: &[&str], ready_at: i64, copied: bool) -> Snapshot {
    let at = |s| Timestamp::from_second(s).expect("a second");
    Snapshot {
        id: id.into(),
        account: "111111111111".into(),
        cluster: "shop".into(),
        cluster_created: at(0),
        created: at(0),
        engine: "aurora-postgresql".into(),
        engine_version: "15.18".into(),
        master_user: "master".into(),
        database: None,
        kms_key: String::new(),
        tags: Tags::new(),
        shared_with: shared_with.iter().map(|a| (*a).to_owned()).collect(),
        source: copied.then(|| arn("eu-central-1", "111111111111", "cluster-snapshot", "source")),
        from_other_region: copied,
        bytes: 0,
        making: Making {
            done: true,
            ready_at: at(ready_at),
            failed: None,
        },
    }
}

fn state(snapshots: Vec<Snapshot>) -> State {
    let mut state = State::default();
    state.region_mut("eu-west-3").snapshots =
        snapshots.into_iter().map(|s| (s.id.clone(), s)).collect();
    state
}

#[test]
fn a_shared_snapshot_is_found_by_arn_and_only_by_those_it_is_shared_with() {
    let state = state(vec![snapshot("one", &["222222222222"], 0, false)]);
    let find = |account: &str, name: &str| {
        restorable(
            &state,
            "eu-west-3",
            &Who {
                role: Role::Copier,
                account: account.into(),
            },
            name,
        )
        .map(|s| s.id.clone())
        .map_err(|f| f.code)
    };
    let name = arn("eu-west-3", "111111111111", "cluster-snapshot", "one");
    let none = Err("DBClusterSnapshotNotFoundFault");
    assert_eq!(find("111111111111", "one"), Ok("one".into()));
    assert_eq!(find("222222222222", &name), Ok("one".into()));
    assert_eq!(find("222222222222", "one"), none);
    assert_eq!(find("333333333333", &name), none);
    assert_eq!(
        find(
            "222222222222",
            &arn("eu-west-3", "333333333333", "cluster-snapshot", "one")
        ),
        none
    );
    assert_eq!(
        find(
            "111111111111",
            "arn:aws:rds:eu-west-3:111111111111:cluster:one"
        ),
        none
    );
}

#[test]
fn copies_count_while_they_are_under_way_and_snapshots_always() {
    let now = Timestamp::from_second(10).expect("a second");
    let all = (0..100)
        .map(|i| snapshot(&format!("s{i}"), &[], if i < 5 { 20 } else { 0 }, i < 7))
        .collect();
    let region = state(all).region("eu-west-3");
    assert_eq!(region.copies_under_way("111111111111", now), COPY_QUOTA);
    assert_eq!(region.copies_under_way("222222222222", now), 0);
    assert_eq!(
        room_for(&region, "111111111111", "new").map_err(|f| f.code),
        Err("SnapshotQuotaExceeded")
    );
    assert_eq!(room_for(&region, "222222222222", "new"), Ok(()));
    assert_eq!(
        room_for(&region, "222222222222", "s1").map_err(|f| f.code),
        Err("DBClusterSnapshotAlreadyExistsFault")
    );
}
