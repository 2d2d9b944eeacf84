//! Bucket policies: statements that deny, enforced for every caller. An effect, action, operator or
//! key that the lab
//! does not know is refused when the policy is put, so that nobody believes in a statement that is
//! not enforced.

use super::error::{denied, invalid};
use crate::hook::matches;
use http::HeaderMap;
use jiff::Timestamp;
use s3s::S3Result;
use serde_json::Value;

const OPERATORS: [&str; 5] = [
    "Null",
    "Bool",
    "NumericGreaterThan",
    "NumericLessThan",
    "StringEquals",
];
const KEYS: [&str; 5] = [
    "s3:if-none-match",
    "s3:ObjectCreationOperation",
    "s3:object-lock-remaining-retention-days",
    "s3:object-lock-mode",
    "aws:SecureTransport",
];

fn texts(value: &Value) -> Vec<&str> {
    match value {
        Value::String(one) => vec![one],
        Value::Array(many) => many.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

fn statements(policy: &Value) -> Vec<&Value> {
    match &policy["Statement"] {
        Value::Array(many) => many.iter().collect(),
        Value::Null => Vec::new(),
        one => vec![one],
    }
}

/// # Errors
/// `MalformedPolicy`: no JSON, or something that would not be enforced.
pub fn check(text: &str) -> S3Result<()> {
    let malformed = |why: &str| invalid("MalformedPolicy", why.to_owned());
    let policy: Value = serde_json::from_str(text)
        .map_err(|_| malformed("Policies must be valid JSON and the first byte must be '{'"))?;
    let all = statements(&policy);
    if all.is_empty() {
        return Err(malformed("Missing required field Statement"));
    }
    for statement in all {
        if !matches!(statement["Effect"].as_str(), Some("Deny" | "Allow"))
            || texts(&statement["Action"]).is_empty()
        {
            return Err(malformed(
                "Effect must be Allow or Deny and Action must not be empty",
            ));
        }
        let everyone = statement["Principal"] == "*" || statement["Principal"]["AWS"] == "*";
        if !everyone {
            return Err(malformed("the lab knows only the principal *"));
        }
        for (operator, keys) in statement["Condition"].as_object().into_iter().flatten() {
            let known = OPERATORS.contains(&operator.as_str())
                && keys
                    .as_object()
                    .is_some_and(|k| k.keys().all(|k| KEYS.contains(&k.as_str())));
            if !known {
                return Err(malformed(&format!(
                    "the lab does not know the condition {operator} {keys}"
                )));
            }
        }
    }
    Ok(())
}

/// The actions of the policy language behind an API call.
fn actions(operation: &str, query: &str) -> Vec<&'static str> {
    let versioned = query.split('&').any(|p| p.starts_with("versionId="));
    match operation {
        "DeleteObject" if versioned => vec!["s3:DeleteObjectVersion"],
        "DeleteObject" => vec!["s3:DeleteObject"],
        // Each key of the list may be either.
        "DeleteObjects" => vec!["s3:DeleteObject", "s3:DeleteObjectVersion"],
        "GetObject" | "HeadObject" if versioned => vec!["s3:GetObjectVersion"],
        "GetObject" | "HeadObject" => vec!["s3:GetObject"],
        "PutObject"
        | "CopyObject"
        | "CreateMultipartUpload"
        | "UploadPart"
        | "UploadPartCopy"
        | "CompleteMultipartUpload" => vec!["s3:PutObject"],
        "PutObjectRetention" => vec!["s3:PutObjectRetention"],
        "PutObjectLegalHold" => vec!["s3:PutObjectLegalHold"],
        "AbortMultipartUpload" => vec!["s3:AbortMultipartUpload"],
        "ListObjects" | "ListObjectsV2" => vec!["s3:ListBucket"],
        "ListObjectVersions" => vec!["s3:ListBucketVersions"],
        "DeleteBucket" => vec!["s3:DeleteBucket"],
        // The way out of a policy stays open, as it does for a bucket's owner.
        _ => Vec::new(),
    }
}

/// A call as the statements see it.
pub struct Asked<'a> {
    pub operation: &'a str,
    pub bucket: &'a str,
    pub key: Option<&'a str>,
    pub headers: &'a HeaderMap,
    pub query: &'a str,
    /// The lock's end that the call wants, from a header or a body.
    pub retain_until: Option<Timestamp>,
    pub now: Timestamp,
}

/// # Errors
/// `AccessDenied` where a statement denies the call.
pub fn enforce(text: &str, asked: &Asked<'_>) -> S3Result<()> {
    let policy: Value = serde_json::from_str(text).unwrap_or_default();
    let bucket = asked.bucket;
    let resource = asked.key.map_or_else(
        || format!("arn:aws:s3:::{bucket}"),
        |k| format!("arn:aws:s3:::{bucket}/{k}"),
    );
    let called = actions(asked.operation, asked.query);
    for statement in statements(&policy)
        .into_iter()
        .filter(|s| s["Effect"] == "Deny")
    {
        let acts = texts(&statement["Action"])
            .iter()
            .any(|a| called.iter().any(|c| matches(a, c)));
        // The keys of DeleteObjects are in its body: a statement about any of this bucket's keys
        // counts.
        let speaks_of = |r: &&str| {
            matches(r, &resource)
                || (asked.operation == "DeleteObjects"
                    && r.starts_with(&format!("arn:aws:s3:::{bucket}/")))
        };
        let here = if statement.get("NotResource").is_some() {
            !texts(&statement["NotResource"])
                .iter()
                .any(|r| matches(r, &resource))
        } else {
            texts(&statement["Resource"]).iter().any(speaks_of)
        };
        if acts && here && asked.all_hold(&statement["Condition"]) {
            return Err(denied(&format!(
                "with an explicit deny in a resource-based policy ({})",
                statement["Sid"].as_str().unwrap_or_default()
            )));
        }
    }
    Ok(())
}

impl Asked<'_> {
    fn value(&self, key: &str) -> Option<String> {
        let header = |name: &str| {
            self.headers
                .get(name)
                .and_then(|v| v.to_str().ok())
                .map(str::to_owned)
        };
        match key {
            "s3:if-none-match" => header("if-none-match"),
            "s3:object-lock-mode" => header("x-amz-object-lock-mode"),
            // The calls that make an object visible, not those that send its parts.
            "s3:ObjectCreationOperation" => Some(
                matches!(
                    self.operation,
                    "PutObject" | "CopyObject" | "CompleteMultipartUpload"
                )
                .to_string(),
            ),
            "s3:object-lock-remaining-retention-days" => self
                .retain_until
                .map(|u| (u.duration_since(self.now).as_hours() / 24).to_string()),
            // Loopback stands for TLS.
            "aws:SecureTransport" => Some("true".into()),
            _ => None,
        }
    }

    fn all_hold(&self, condition: &Value) -> bool {
        condition
            .as_object()
            .into_iter()
            .flatten()
            .all(|(operator, keys)| {
                keys.as_object()
                    .into_iter()
                    .flatten()
                    .all(|(key, wanted)| self.holds(operator, key, wanted))
            })
    }

    fn holds(&self, operator: &str, key: &str, wanted: &Value) -> bool {
        let found = self.value(key);
        let number = |t: &str| t.parse::<f64>().ok();
        match operator {
            "Null" => texts(wanted).contains(&if found.is_none() { "true" } else { "false" }),
            "Bool" | "StringEquals" => found.is_some_and(|f| texts(wanted).contains(&f.as_str())),
            "NumericGreaterThan" => found.as_deref().and_then(number).is_some_and(|f| {
                texts(wanted)
                    .iter()
                    .filter_map(|w| number(w))
                    .any(|w| f > w)
            }),
            "NumericLessThan" => found.as_deref().and_then(number).is_some_and(|f| {
                texts(wanted)
                    .iter()
                    .filter_map(|w| number(w))
                    .any(|w| f < w)
            }),
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests;
