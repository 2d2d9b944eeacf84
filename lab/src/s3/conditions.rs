//! Conditional headers on writes and reads, and stores that have no such writes.

use super::error::{error, precondition};
use super::model::Version;
use http::HeaderMap;
use s3s::{S3Error, S3Result};
use serde::{Deserialize, Serialize};

/// What a store makes of a write with a condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Conditional {
    /// Decides by it.
    Keep,
    /// 501, as providers that do not know the header.
    Refuse,
    /// 200, and what was there is covered, as older Ceph does.
    Ignore,
}

/// `"abc"`, `abc` or `*`, or a list of them.
fn fits(condition: &str, etag: &str) -> bool {
    condition
        .split(',')
        .map(|c| c.trim().trim_start_matches("W/").trim_matches('"'))
        .any(|c| c == "*" || c == etag)
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|v| v.to_str().ok())
}

/// `If-None-Match` and `If-Match` of a write, against the newest version; called under the lock
/// that the write takes.
///
/// # Errors
/// 412; 404 for `If-Match` on a key that is not there.
pub fn of_write(headers: &HeaderMap, latest: Option<&Version>, key: &str) -> S3Result<()> {
    let latest = latest.filter(|v| !v.marker);
    if let (Some(condition), Some(found)) = (header(headers, "if-none-match"), latest)
        && fits(condition, &found.etag)
    {
        return Err(precondition("If-None-Match"));
    }
    match (header(headers, "if-match"), latest) {
        (Some(_), None) => Err(super::error::no_such_key(key)),
        (Some(condition), Some(found)) if !fits(condition, &found.etag) => {
            Err(precondition("If-Match"))
        }
        _ => Ok(()),
    }
}

/// Conditions of a read.
///
/// # Errors
/// 304, 412.
pub fn of_read(headers: &HeaderMap, found: &Version) -> S3Result<()> {
    if header(headers, "if-match").is_some_and(|c| !fits(c, &found.etag)) {
        return Err(precondition("If-Match"));
    }
    if header(headers, "if-none-match").is_some_and(|c| fits(c, &found.etag)) {
        return Err(error(304, "NotModified", "Not Modified"));
    }
    Ok(())
}

/// `x-amz-copy-source-if-…`
///
/// # Errors
/// 412.
pub fn of_source(headers: &HeaderMap, found: &Version) -> Result<(), S3Error> {
    if header(headers, "x-amz-copy-source-if-match").is_some_and(|c| !fits(c, &found.etag)) {
        return Err(precondition("x-amz-copy-source-If-Match"));
    }
    if header(headers, "x-amz-copy-source-if-none-match").is_some_and(|c| fits(c, &found.etag)) {
        return Err(precondition("x-amz-copy-source-If-None-Match"));
    }
    Ok(())
}
