//! What the protocol crate does not look at before it lets a request in: unknown sub-resources,
//! what was signed, for where, and when.

use super::error::error;
use super::region::S3;
use http::HeaderMap;
use http::request::Parts;
use s3s::S3Result;
use std::collections::BTreeSet;

/// Requests may be this old or this early.
const MAX_SKEW_S: i64 = 15 * 60;

/// Query keys that the lab knows. `s3s` takes an unknown sub-resource for none, so `DELETE
/// /bucket?abac` would delete the bucket.
const KNOWN: [&str; 49] = [
    "acl",
    "attributes",
    "continuation-token",
    "delete",
    "delimiter",
    "encoding-type",
    "encryption",
    "fetch-owner",
    "id",
    "inventory",
    "key-marker",
    "legal-hold",
    "lifecycle",
    "list-type",
    "location",
    "marker",
    "max-keys",
    "max-parts",
    "max-uploads",
    "object-lock",
    "part-number-marker",
    "partNumber",
    "policy",
    "prefix",
    "publicAccessBlock",
    "replication",
    "response-cache-control",
    "response-content-disposition",
    "response-content-encoding",
    "response-content-language",
    "response-content-type",
    "response-expires",
    "restore",
    "retention",
    "start-after",
    "tagging",
    "upload-id-marker",
    "uploadId",
    "uploads",
    "version-id-marker",
    "versionId",
    "versioning",
    "versions",
    "x-id",
    "ownershipControls",
    "requestPayment",
    "cors",
    "logging",
    "notification",
];
impl S3 {
    /// What the protocol crate does not look at.
    pub(super) fn admissible(&self, parts: &Parts, query: &BTreeSet<String>) -> S3Result<()> {
        if let Some(unknown) = query
            .iter()
            .find(|k| !KNOWN.contains(&k.as_str()) && !k.to_ascii_lowercase().starts_with("x-amz-"))
        {
            return Err(error(
                501,
                "NotImplemented",
                format!(
                    "A parameter you provided implies functionality that is not implemented: \
                     {unknown}"
                ),
            ));
        }
        let presigned = query_value(parts, "X-Amz-Credential");
        let credential = match &presigned {
            Some(credential) => credential.clone(),
            None => match in_header(&parts.headers)? {
                Some(credential) => credential,
                None => return Ok(()),
            },
        };
        let scope: Vec<&str> = credential.split('/').collect();
        if scope.get(2).is_some_and(|r| *r != self.store.region)
            || scope.get(3).is_some_and(|s| *s != "s3")
        {
            return Err(error(
                400,
                "AuthorizationHeaderMalformed",
                format!(
                    "The authorization header is malformed; the region is wrong; expecting '{}'",
                    self.store.region
                ),
            ));
        }
        if let Some(expires) = query_value(parts, "X-Amz-Expires")
            && expires.parse::<u64>().map_or(true, |e| e > 604_800)
        {
            return Err(error(
                400,
                "AuthorizationQueryParametersError",
                "X-Amz-Expires must be less than a week (in seconds); that is, the given \
                 X-Amz-Expires must be less than 604800 seconds",
            ));
        }
        if presigned.is_none() {
            self.in_time(text(&parts.headers, "x-amz-date"))
        } else {
            Ok(())
        }
    }

    fn in_time(&self, date: &str) -> S3Result<()> {
        let parsed = jiff::civil::DateTime::strptime("%Y%m%dT%H%M%SZ", date)
            .ok()
            .and_then(|d| d.to_zoned(jiff::tz::TimeZone::UTC).ok());
        // A missing or odd date is the protocol crate's to refuse.
        let Some(at) = parsed else { return Ok(()) };
        if self
            .around
            .clock
            .now()
            .duration_since(at.timestamp())
            .as_secs()
            .abs()
            > MAX_SKEW_S
        {
            return Err(error(
                403,
                "RequestTimeTooSkewed",
                "The difference between the request time and the current time is too large.",
            ));
        }
        Ok(())
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    let value = headers.get(name).and_then(|v| v.to_str().ok());
    value.unwrap_or_default()
}

/// The credential of a request that is signed in its headers; `None`: it is not signed.
fn in_header(headers: &HeaderMap) -> S3Result<Option<String>> {
    let authorization = text(headers, "authorization");
    if authorization.is_empty() {
        return Ok(None);
    }
    let fields = authorization
        .strip_prefix("AWS4-HMAC-SHA256 ")
        .ok_or_else(|| {
            error(
                400,
                "InvalidRequest",
                "The authorization mechanism you have provided is not supported. Please use \
                 AWS4-HMAC-SHA256.",
            )
        })?;
    signed_enough(headers, field(fields, "SignedHeaders").unwrap_or_default())?;
    Ok(Some(
        field(fields, "Credential").unwrap_or_default().to_owned(),
    ))
}

fn field<'a>(fields: &'a str, name: &str) -> Option<&'a str> {
    fields
        .split(',')
        .find_map(|f| f.trim().strip_prefix(name)?.strip_prefix('='))
}

pub(super) fn query_keys(parts: &Parts) -> BTreeSet<String> {
    parts
        .uri
        .query()
        .unwrap_or_default()
        .split('&')
        .filter(|p| !p.is_empty())
        .map(|p| p.split('=').next().unwrap_or(p).to_owned())
        .collect()
}

fn query_value(parts: &Parts, name: &str) -> Option<String> {
    let pairs = parts
        .uri
        .query()?
        .split('&')
        .filter_map(|p| p.split_once('='));
    pairs
        .filter(|(k, _)| *k == name)
        .map(|(_, v)| {
            percent_encoding::percent_decode_str(v)
                .decode_utf8_lossy()
                .into_owned()
        })
        .next()
}

/// `x-amz-*` headers that nobody signed could have been added on the way.
fn signed_enough(headers: &HeaderMap, signed: &str) -> S3Result<()> {
    let signed: BTreeSet<&str> = signed.split(';').collect();
    match headers
        .keys()
        .find(|n| n.as_str().starts_with("x-amz-") && !signed.contains(n.as_str()))
    {
        Some(name) => Err(error(
            403,
            "AccessDenied",
            format!("There were headers present in the request which were not signed: {name}"),
        )),
        None => Ok(()),
    }
}
