//! Statements that hold, and those that are refused.

use super::*;

const KEEP: &str = r#"{"Statement":[
    {"Effect":"Deny","Principal":"*","Action":["s3:DeleteObject","s3:DeleteObjectVersion"],
     "Resource":["arn:aws:s3:::b/runs/*"]},
    {"Effect":"Deny","Principal":"*","Action":"s3:PutObject","Resource":"arn:aws:s3:::b/runs/*",
     "Condition":{"Null":{"s3:if-none-match":"true"},
                  "Bool":{"s3:ObjectCreationOperation":"true"}}}]}"#;

#[test]
fn a_deny_holds_where_all_its_conditions_do() {
    check(KEEP).expect("known");
    let (none, mut conditional) = (HeaderMap::new(), HeaderMap::new());
    conditional.insert("if-none-match", "*".parse().expect("a header"));
    let now = Timestamp::UNIX_EPOCH;
    let ask = |operation, key, headers, query| {
        enforce(
            KEEP,
            &Asked {
                operation,
                bucket: "b",
                key,
                headers,
                query,
                retain_until: None,
                now,
            },
        )
    };
    let put = |key, headers| ask("PutObject", Some(key), headers, "");
    assert!(
        put("runs/1", &none).is_err()
            && put("runs/1", &conditional).is_ok()
            && put("objects/1", &none).is_ok()
    );
    assert!(ask("DeleteObject", Some("runs/1"), &none, "versionId=x").is_err());
    assert!(ask("DeleteObjects", None, &none, "delete=").is_err());
    assert!(ask("GetObject", Some("runs/1"), &none, "").is_ok());
}

#[test]
fn a_lock_is_measured_in_days_from_now() {
    let long = r#"{"Statement":{"Effect":"Deny","Principal":"*",
        "Action":"s3:PutObjectRetention",
        "NotResource":"arn:aws:s3:::b/probe/*","Condition":{"NumericGreaterThan":{
            "s3:object-lock-remaining-retention-days":"40"}}}}"#;
    let (headers, now) = (HeaderMap::new(), Timestamp::UNIX_EPOCH);
    let ask = |key, days: i64| {
        let retain_until = Some(now + jiff::SignedDuration::from_hours(24 * days));
        enforce(
            long,
            &Asked {
                operation: "PutObjectRetention",
                bucket: "b",
                key: Some(key),
                headers: &headers,
                query: "",
                retain_until,
                now,
            },
        )
    };
    assert!(
        ask("objects/a", 41).is_err()
            && ask("objects/a", 40).is_ok()
            && ask("probe/a", 400).is_ok()
    );
}

#[test]
fn what_would_not_be_enforced_is_refused() {
    assert!(check("{").is_err() && check("{}").is_err());
    assert!(check(&KEEP.replace("\"Null\"", "\"IpAddress\"")).is_err());
}
