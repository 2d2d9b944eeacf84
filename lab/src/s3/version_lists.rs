//! Listings of all versions and delete markers.

use super::convert::{checksum_type, etag, shown_key, whole};
use super::error::invalid;
use super::held::Bucket;
use super::model::Version;
use super::ops::Ops;
use super::page::{Entry, Page, most, page, past};
use super::store::bucket;
use s3s::dto;
use s3s::{S3Request, S3Response, S3Result};

/// Where a page begins.
struct Start<'a> {
    prefix: &'a str,
    delimiter: &'a str,
    key_marker: &'a str,
    id_marker: &'a str,
}

impl<'a> Start<'a> {
    /// Keys in order, the newest version of a key first, each with whether it is the latest.
    fn rest(&'a self, found: &'a Bucket) -> impl Iterator<Item = (&'a Version, bool)> {
        let keys = found
            .keys
            .range(self.key_marker.max(self.prefix).to_owned()..)
            .take_while(|(k, _)| k.starts_with(self.prefix) || k.as_str() <= self.prefix);
        keys.flat_map(|(key, versions)| {
            let newest = versions.last().map(|v| v.seq);
            let in_key = *key == self.key_marker && !self.id_marker.is_empty();
            let after_id = in_key.then(|| {
                let marker = versions.iter().find(|v| v.id == self.id_marker);
                marker.map_or(0, |v| v.seq)
            });
            let whole_key = self.key_marker.is_empty()
                || past(key, self.key_marker, self.prefix, self.delimiter);
            versions
                .iter()
                .rev()
                .filter(move |v| after_id.map_or(whole_key, |seq| v.seq < seq))
                .map(move |v| (v, Some(v.seq) == newest))
        })
    }
}

impl Ops {
    /// All versions and delete markers: keys in order, the newest version of a key first.
    pub(super) fn list_versions(
        &self,
        req: &S3Request<dto::ListObjectVersionsInput>,
    ) -> S3Result<S3Response<dto::ListObjectVersionsOutput>> {
        let input = &req.input;
        let text = |t: &Option<String>| t.clone().unwrap_or_default();
        let (prefix, delimiter, most) = (
            text(&input.prefix),
            text(&input.delimiter),
            most(input.max_keys)?,
        );
        let (key_marker, id_marker) = (text(&input.key_marker), text(&input.version_id_marker));
        if key_marker.is_empty() && !id_marker.is_empty() {
            return Err(invalid(
                "InvalidArgument",
                "A version-id marker cannot be specified without a key marker.",
            ));
        }
        let mut buckets = self.store.lock();
        let found = bucket(&mut buckets, &input.bucket)?;
        let start = Start {
            prefix: &prefix,
            delimiter: &delimiter,
            key_marker: &key_marker,
            id_marker: &id_marker,
        };
        let page = page(start.rest(found), &prefix, &delimiter, most);
        let encoding = input.encoding_type.as_ref();
        let (versions, markers) = split(&page, encoding);
        let last = page.entries.last().filter(|_| page.truncated);
        let next_version_id_marker = last.and_then(|e| match e {
            Entry::Version { version, .. } => Some(version.id.clone()),
            Entry::Prefix(_) => None,
        });
        let output = dto::ListObjectVersionsOutput {
            name: Some(input.bucket.clone()),
            prefix: input.prefix.as_deref().map(|p| shown_key(p, encoding)),
            delimiter: input.delimiter.as_deref().map(|p| shown_key(p, encoding)),
            key_marker: input.key_marker.as_deref().map(|p| shown_key(p, encoding)),
            version_id_marker: input.version_id_marker.clone(),
            max_keys: i32::try_from(most).ok(),
            encoding_type: input.encoding_type.clone(),
            is_truncated: Some(page.truncated),
            next_key_marker: page
                .last_key()
                .filter(|_| page.truncated)
                .map(|k| shown_key(&k, encoding)),
            next_version_id_marker,
            common_prefixes: page.prefixes(encoding),
            versions: Some(versions),
            delete_markers: Some(markers),
            ..Default::default()
        };
        Ok(S3Response::new(output))
    }
}

type Shown = (Vec<dto::ObjectVersion>, Vec<dto::DeleteMarkerEntry>);

/// Versions and delete markers are told apart.
fn split(page: &Page<'_>, encoding: Option<&dto::EncodingType>) -> Shown {
    let (mut versions, mut markers) = (Vec::new(), Vec::new());
    for entry in &page.entries {
        let Entry::Version { version, latest } = entry else {
            continue;
        };
        if version.marker {
            markers.push(dto::DeleteMarkerEntry {
                key: Some(shown_key(&version.key, encoding)),
                version_id: Some(version.id.clone()),
                is_latest: Some(*latest),
                last_modified: Some(whole(version.at)),
                ..Default::default()
            });
        } else {
            versions.push(shown(version, *latest, encoding));
        }
    }
    (versions, markers)
}

fn shown(
    version: &Version,
    latest: bool,
    encoding: Option<&dto::EncodingType>,
) -> dto::ObjectVersion {
    dto::ObjectVersion {
        key: Some(shown_key(&version.key, encoding)),
        version_id: Some(version.id.clone()),
        is_latest: Some(latest),
        last_modified: Some(whole(version.at)),
        size: i64::try_from(version.size).ok(),
        e_tag: Some(etag(&version.etag)),
        storage_class: Some(version.attributes.shown_class().into()),
        checksum_algorithm: version
            .sums
            .first()
            .map(|a| vec![a.as_str().to_owned().into()]),
        checksum_type: checksum_type(version),
        ..Default::default()
    }
}
