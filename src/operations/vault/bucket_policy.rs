//! The bucket policy that goes with a vault.

use super::VaultRequest;
use crate::model::{Provider, Seconds, TargetName};
use crate::operations::Loaded;
use crate::policy::{EvidenceRule, Target};
use crate::report::Fail;
use serde_json::{Value, json};

pub struct BucketPolicies(pub Vec<(TargetName, Value)>);

/// # Errors
/// Exit 2: no target on AWS.
pub fn bucket_policies(loaded: &Loaded, request: &VaultRequest) -> Result<BucketPolicies, Fail> {
    let targets = request.targets(loaded)?.into_iter();
    let on_aws = targets.filter(|t| t.provider == Provider::Aws);
    let evidence = loaded.policy.evidence.as_ref();
    let all: Vec<(TargetName, Value)> = on_aws
        .map(|t| (t.name.clone(), policy_of(t, evidence)))
        .collect();
    if all.is_empty() {
        return Err(Fail::usage(
            "bucket policies are for targets on AWS; this one is elsewhere, see your provider's \
             documentation for its own policies",
        ));
    }
    Ok(BucketPolicies(all))
}

/// Deletes under evidence prefixes denied, conditional writes required there, lock lengths bounded
/// outside `probe/`, those of evidence and of data each by their own numbers (Amazon S3 user guide:
/// `s3:if-none-match`, `s3:object-lock-remaining-retention-days`).
fn policy_of(target: &Target, evidence: Option<&EvidenceRule>) -> Value {
    let arn = |path: &str| format!("arn:aws:s3:::{}/{path}", target.bucket);
    let kept = ["runs/*", "points/*", "proofs/*", "policies/*", "targets/*"].map(arn);
    let data = (target.lock.retention, target.lock.max_lock_days);
    let mut statements = vec![
        json!({
            "Sid": "KeepEvidence", "Effect": "Deny", "Principal": "*",
            "Action": ["s3:DeleteObject", "s3:DeleteObjectVersion"], "Resource": kept
        }),
        json!({
            "Sid": "CreateOnlyEvidence", "Effect": "Deny", "Principal": "*",
            "Action": "s3:PutObject", "Resource": kept,
            "Condition": {
                "Null": {"s3:if-none-match": "true"},
                "Bool": {"s3:ObjectCreationOperation": "true"}
            }
        }),
    ];
    match evidence {
        None => {
            let others = json!({"NotResource": arn("probe/*")});
            statements.extend(lock_lengths("Lock", data, &others));
        }
        Some(rule) => {
            let [runs, points, proofs, policies, targets] = kept;
            let own = [runs, points, proofs, policies, targets, arn("vault.json")];
            let mut others = own.to_vec();
            others.push(arn("probe/*"));
            let others = json!({"NotResource": others});
            statements.extend(lock_lengths("Lock", data, &others));
            let longer = (rule.retention, rule.max_lock_days);
            statements.extend(lock_lengths("Evidence", longer, &json!({"Resource": own})));
        }
    }
    statements.push(json!({
        "Sid": "TlsOnly", "Effect": "Deny", "Principal": "*", "Action": "s3:*",
        "Resource": [arn("*"), format!("arn:aws:s3:::{}", target.bucket)],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}}
    }));
    json!({"Version": "2012-10-17", "Statement": statements})
}

/// A lock of what is named may be neither longer nor shorter than its class allows.
fn lock_lengths(
    sid: &str,
    (retention, max_lock_days): (Seconds, u32),
    named: &Value,
) -> [Value; 2] {
    let days = retention.0.div_ceil(86_400).max(1);
    let least = days.saturating_sub(1).max(1).to_string();
    let most = max_lock_days.to_string();
    let remaining = "s3:object-lock-remaining-retention-days";
    [
        ("NotTooLong", "NumericGreaterThan", most),
        ("NotTooShort", "NumericLessThan", least),
    ]
    .map(|(which, test, days)| {
        let mut statement = json!({
            "Sid": format!("{sid}{which}"), "Effect": "Deny", "Principal": "*",
            "Action": "s3:PutObjectRetention",
            "Condition": {test: {remaining: days}}
        });
        if let (Some(all), Some(named)) = (statement.as_object_mut(), named.as_object()) {
            all.extend(named.clone());
        }
        statement
    })
}
