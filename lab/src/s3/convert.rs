//! Between the store's types and the protocol's.

use super::error::invalid;
use super::model::{Attributes, Sums, Version};
use jiff::Timestamp;
use s3s::S3Result;
use s3s::dto::{self, ETag, TimestampFormat};
use std::collections::BTreeMap;
use std::time::SystemTime;

pub fn stamp(at: Timestamp) -> dto::Timestamp {
    SystemTime::from(at).into()
}

/// S3 shows whole seconds everywhere but in locks.
pub fn whole(at: Timestamp) -> dto::Timestamp {
    stamp(Timestamp::from_second(at.as_second()).unwrap_or(at))
}

pub fn instant(stamp: &dto::Timestamp) -> Option<Timestamp> {
    let mut text = Vec::new();
    stamp.format(TimestampFormat::DateTime, &mut text).ok()?;
    String::from_utf8(text).ok()?.parse().ok()
}

pub fn etag(text: &str) -> ETag {
    ETag::Strong(text.to_owned())
}

pub fn checksum(sums: &Sums) -> dto::Checksum {
    dto::Checksum {
        checksum_crc32: sums.crc32.clone(),
        checksum_crc32c: sums.crc32c.clone(),
        checksum_crc64nvme: sums.crc64nvme.clone(),
        checksum_sha1: sums.sha1.clone(),
        checksum_sha256: sums.sha256.clone(),
        ..Default::default()
    }
}

pub fn checksum_type(version: &Version) -> Option<dto::ChecksumType> {
    version.sums.first().map(|_| kind(version.composite))
}

pub fn kind(composite: bool) -> dto::ChecksumType {
    dto::ChecksumType::from(
        if composite {
            "COMPOSITE"
        } else {
            "FULL_OBJECT"
        }
        .to_owned(),
    )
}

/// `a=b&c=d`, as the tagging header has it.
///
/// # Errors
/// `InvalidTag` for more than ten.
pub fn tags(header: Option<&str>) -> S3Result<BTreeMap<String, String>> {
    let decode = |t: &str| {
        percent_encoding::percent_decode_str(&t.replace('+', " "))
            .decode_utf8_lossy()
            .into_owned()
    };
    let pairs = header
        .unwrap_or_default()
        .split('&')
        .filter(|p| !p.is_empty());
    let tags: BTreeMap<String, String> = pairs
        .map(|p| p.split_once('=').unwrap_or((p, "")))
        .map(|(k, v)| (decode(k), decode(v)))
        .collect();
    if tags.len() > 10 {
        return Err(invalid(
            "InvalidTag",
            "Object tags cannot be greater than 10",
        ));
    }
    Ok(tags)
}

pub fn tag_set(tags: &BTreeMap<String, String>) -> Vec<dto::Tag> {
    tags.iter()
        .map(|(k, v)| dto::Tag {
            key: Some(k.clone()),
            value: Some(v.clone()),
        })
        .collect()
}

/// The stored encoding: `aws-chunked` is how the body travelled, not what it is.
pub fn encoding(header: Option<String>) -> Option<String> {
    let kept: Vec<&str> = header
        .as_deref()?
        .split(',')
        .map(str::trim)
        .filter(|t| !t.is_empty() && *t != "aws-chunked")
        .collect();
    (!kept.is_empty()).then(|| kept.join(","))
}

pub fn metadata(map: Option<dto::Metadata>) -> BTreeMap<String, String> {
    map.map(|m| m.into_iter().collect()).unwrap_or_default()
}

pub fn shown_metadata(attributes: &Attributes) -> Option<dto::Metadata> {
    (!attributes.metadata.is_empty()).then(|| attributes.metadata.clone().into_iter().collect())
}

/// Keys in listings, where the caller asked for URL encoding.
pub fn shown_key(key: &str, encoding: Option<&dto::EncodingType>) -> String {
    const KEPT: &percent_encoding::AsciiSet = &percent_encoding::NON_ALPHANUMERIC
        .remove(b'-')
        .remove(b'_')
        .remove(b'.')
        .remove(b'~')
        .remove(b'/')
        .remove(b'*');
    if encoding.is_some_and(|e| e.as_str() == "url") {
        percent_encoding::utf8_percent_encode(key, KEPT)
            .to_string()
            .replace("%20", "+")
    } else {
        key.to_owned()
    }
}
