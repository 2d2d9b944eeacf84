use super::table::TABLE;
use super::*;
use aws_smithy_runtime_api::client::result::ConnectorError;

#[test]
fn a_missing_profile_is_no_outage_and_a_closed_port_is_one() {
    let kind = |e: ConnectorError| {
        classify(
            SdkError::<
                aws_sdk_sts::operation::get_caller_identity::GetCallerIdentityError,
                Response,
            >::dispatch_failure(e),
            "Get",
            "x",
        )
        .kind
    };
    let missing = CredentialsError::not_loaded("profile `operator` was not defined");
    assert_eq!(
        kind(ConnectorError::other(missing.into(), None)),
        Kind::Credentials
    );
    assert_eq!(
        kind(ConnectorError::other(
            CredentialsError::provider_timed_out(std::time::Duration::from_secs(1)).into(),
            None
        )),
        Kind::Unavailable
    );
    assert_eq!(
        kind(ConnectorError::io("connection refused".into())),
        Kind::Unavailable
    );
}

#[test]
fn the_table_decides_before_the_status() {
    assert_eq!(
        kind_of("Get", "ConditionalRequestConflict", 409),
        Kind::Conflict
    );
    assert_eq!(
        kind_of("Get", "KMSKeyNotAccessibleFault", 400),
        Kind::KeyUnusable
    );
    assert_eq!(
        kind_of("Get", "QuotaExceeded", 403),
        Kind::Full,
        "not a matter of rights"
    );
    assert_eq!(kind_of("Get", "", 507), Kind::Full);
    assert_eq!(kind_of("Get", "", 404), Kind::NotFound);
    assert_eq!(kind_of("Get", "Whatever", 400), Kind::Invalid);
    assert_eq!(kind_of("Get", "Whatever", 500), Kind::Unavailable);
}

#[test]
fn no_code_stands_twice() {
    let mut codes: Vec<_> = TABLE.iter().map(|(c, _)| c).collect();
    codes.sort();
    assert!(codes.windows(2).all(|w| w[0] != w[1]));
}

#[test]
fn every_error_that_the_model_names_for_a_call_of_ours_has_a_row() {
    let lines = include_str!("modelled.txt").lines();
    let mut looked = 0;
    for line in lines {
        let [operation, code, status] = line.split(' ').collect::<Vec<_>>()[..] else {
            panic!("{line}");
        };
        assert!(
            TABLE.iter().any(|(c, _)| *c == code),
            "{operation} {code} {status}"
        );
        looked += 1;
    }
    assert!(looked > 100, "{looked}");
}

#[test]
fn what_is_said_of_capacity_groups_and_snapshots_is_no_matter_of_rights_or_of_lost_backups() {
    let kind = |code, status| kind_of("RestoreDBClusterFromSnapshot", code, status);
    assert_eq!(
        kind("InsufficientDBClusterCapacityFault", 403),
        Kind::Capacity
    );
    assert!(Kind::Capacity.transient() && !Kind::Setup.transient());
    assert_eq!(kind("DBSubnetGroupNotFoundFault", 404), Kind::Setup);
    assert_eq!(kind("DBClusterSnapshotNotFoundFault", 404), Kind::NotFound);
    assert_eq!(kind("InvalidObjectState", 403), Kind::Archived);
    assert_eq!(kind("RequestTimeTooSkewed", 403), Kind::ClockSkew);
    // A hundred snapshots stay a hundred, copies under way do not.
    let full = |operation| kind_of(operation, "SnapshotQuotaExceeded", 400);
    assert_eq!(full("CreateDBClusterSnapshot"), Kind::SnapshotQuota);
    assert_eq!(full("CopyDBClusterSnapshot"), Kind::Quota);
}
