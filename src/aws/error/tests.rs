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
    assert_eq!(kind_of("ConditionalRequestConflict", 409), Kind::Conflict);
    assert_eq!(kind_of("KMSKeyNotAccessibleFault", 400), Kind::KeyUnusable);
    assert_eq!(
        kind_of("QuotaExceeded", 403),
        Kind::Full,
        "not a matter of rights"
    );
    assert_eq!(kind_of("", 507), Kind::Full);
    assert_eq!(kind_of("", 404), Kind::NotFound);
    assert_eq!(kind_of("Whatever", 400), Kind::Invalid);
    assert_eq!(kind_of("Whatever", 500), Kind::Unavailable);
}

#[test]
fn no_code_stands_twice() {
    let mut codes: Vec<_> = TABLE.iter().map(|(c, _)| c).collect();
    codes.sort();
    assert!(codes.windows(2).all(|w| w[0] != w[1]));
}
