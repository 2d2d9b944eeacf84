//! The bucket policy that goes with a vault.

use super::VaultRequest;
use crate::model::{Provider, TargetName};
use crate::operations::Loaded;
use crate::policy::Target;
use crate::report::Fail;
use serde_json::{Value, json};

pub struct BucketPolicies(pub Vec<(TargetName, Value)>);

/// # Errors
/// Exit 2: no target on AWS.
pub fn bucket_policies(loaded: &Loaded, request: &VaultRequest) -> Result<BucketPolicies, Fail> {
    let targets = request.targets(loaded)?.into_iter();
    let on_aws = targets.filter(|t| t.provider == Provider::Aws);
    let all: Vec<(TargetName, Value)> = on_aws.map(|t| (t.name.clone(), policy_of(t))).collect();
    if all.is_empty() {
        return Err(Fail::usage(
            "bucket policies are for targets on AWS; this one is elsewhere, see your provider's \
             documentation for its own policies",
        ));
    }
    Ok(BucketPolicies(all))
}

/// Deletes under evidence prefixes denied, conditional writes required there, lock lengths bounded
/// outside `probe/` (Amazon S3 user guide: `s3:if-none-match`,
/// `s3:object-lock-remaining-retention-days`).
fn policy_of(target: &Target) -> Value {
    let arn = |path: &str| format!("arn:aws:s3:::{}/{path}", target.bucket);
    let kept = ["runs/*", "points/*", "proofs/*", "policies/*", "targets/*"].map(arn);
    let days = target.lock.retention.0.div_ceil(86_400).max(1);
    let least = days.saturating_sub(1).max(1).to_string();
    let most = target.lock.max_lock_days.to_string();
    let remaining = "s3:object-lock-remaining-retention-days";
    json!({
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "KeepEvidence", "Effect": "Deny", "Principal": "*",
                "Action": ["s3:DeleteObject", "s3:DeleteObjectVersion"], "Resource": kept
            },
            {
                "Sid": "CreateOnlyEvidence", "Effect": "Deny", "Principal": "*",
                "Action": "s3:PutObject", "Resource": kept,
                "Condition": {
                    "Null": {"s3:if-none-match": "true"},
                    "Bool": {"s3:ObjectCreationOperation": "true"}
                }
            },
            {
                "Sid": "LockNotTooLong", "Effect": "Deny", "Principal": "*",
                "Action": "s3:PutObjectRetention", "NotResource": arn("probe/*"),
                "Condition": {"NumericGreaterThan": {remaining: most}}
            },
            {
                "Sid": "LockNotTooShort", "Effect": "Deny", "Principal": "*",
                "Action": "s3:PutObjectRetention", "NotResource": arn("probe/*"),
                "Condition": {"NumericLessThan": {remaining: least}}
            },
            {
                "Sid": "TlsOnly", "Effect": "Deny", "Principal": "*", "Action": "s3:*",
                "Resource": [arn("*"), format!("arn:aws:s3:::{}", target.bucket)],
                "Condition": {"Bool": {"aws:SecureTransport": "false"}}
            }
        ]
    })
}
