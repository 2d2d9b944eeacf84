//! What RDS refuses in an incident, in the service's own codes and statuses: each is called what it
//! is, and once it is over the same command goes on.

use crate::crash::stage::{Stage, Template};
use serde_json::json;

/// Refuses a call until it is cleared.
fn refused(stage: Stage, operation: &str, (code, status): (&str, u16), (told, exit): (&str, i32)) {
    let template = Template::make(stage);
    let cloud = template.copy();
    let refuse = json!({"kind": "refuse", "code": code, "status": status});
    cloud.fault(&json!({"operation": operation}), 0, &refuse);
    let ran = stage.run(&cloud).exits(exit);
    let findings = ran.findings();
    assert!(findings.contains(&told.to_owned()), "{told}: {ran:?}");
    assert!(!findings.contains(&"access-denied".to_owned()), "{ran:?}");
    assert!(!findings.contains(&"missing".to_owned()), "{ran:?}");
    cloud.clear_faults();
    stage.run(&cloud).exits(0);
}

#[test]
fn no_capacity_is_no_matter_of_rights_and_passes() {
    let full = ("InsufficientDBClusterCapacityFault", 403);
    let stage = Stage::RestoreSnapshot;
    refused(
        stage,
        "RestoreDBClusterFromSnapshot",
        full,
        ("capacity", 12),
    );
    let full = ("InsufficientDBInstanceCapacity", 400);
    refused(stage, "CreateDBInstance", full, ("capacity", 12));
}

#[test]
fn a_group_that_is_not_there_is_no_lost_backup() {
    let none = ("DBSubnetGroupNotFoundFault", 404);
    let stage = Stage::RestoreSnapshot;
    refused(stage, "RestoreDBClusterFromSnapshot", none, ("setup", 11));
}

#[test]
fn a_hundred_snapshots_are_stuck_until_somebody_makes_room() {
    let full = ("SnapshotQuotaExceeded", 400);
    let told = ("snapshot-quota", 11);
    refused(Stage::Backup, "CreateDBClusterSnapshot", full, told);
}
