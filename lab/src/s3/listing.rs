//! Listings: current objects and all versions, by pages, with prefix and delimiter.

use super::convert::{checksum_type, etag, shown_key, whole};
use super::error::invalid;
use super::model::Version;
use super::ops::Ops;
use super::store::bucket;
use s3s::dto;
use s3s::{S3Request, S3Response, S3Result};

/// At most this many keys and prefixes a page.
const MAX_KEYS: i32 = 1_000;

enum Entry<'a> {
    Prefix(String),
    Version { version: &'a Version, latest: bool },
}

struct Page<'a> {
    entries: Vec<Entry<'a>>,
    truncated: bool,
}

fn most(asked: Option<i32>) -> S3Result<usize> {
    let asked = asked.unwrap_or(MAX_KEYS);
    usize::try_from(asked.min(MAX_KEYS))
        .map_err(|_| invalid("InvalidArgument", "max-keys cannot be negative"))
}

/// One page of what comes in order; keys that share a prefix up to the delimiter count once.
fn page<'a>(
    versions: impl Iterator<Item = (&'a Version, bool)>,
    prefix: &str,
    delimiter: &str,
    most: usize,
) -> Page<'a> {
    let mut entries: Vec<Entry<'a>> = Vec::new();
    for (version, latest) in versions.filter(|(v, _)| v.key.starts_with(prefix)) {
        let cut = if delimiter.is_empty() {
            None
        } else {
            version.key[prefix.len()..].find(delimiter)
        };
        let entry = match cut {
            Some(at) => {
                Entry::Prefix(version.key[..prefix.len() + at + delimiter.len()].to_owned())
            }
            None => Entry::Version { version, latest },
        };
        if let (Entry::Prefix(new), Some(Entry::Prefix(last))) = (&entry, entries.last())
            && new == last
        {
            continue;
        }
        if entries.len() == most {
            return Page {
                entries,
                truncated: most > 0,
            };
        }
        entries.push(entry);
    }
    Page {
        entries,
        truncated: false,
    }
}

impl Page<'_> {
    fn prefixes(&self, encoding: Option<&dto::EncodingType>) -> Option<Vec<dto::CommonPrefix>> {
        let all = self.entries.iter().filter_map(|e| match e {
            Entry::Prefix(p) => Some(dto::CommonPrefix {
                prefix: Some(shown_key(p, encoding)),
            }),
            Entry::Version { .. } => None,
        });
        Some(all.collect())
    }

    fn last_key(&self) -> Option<String> {
        self.entries.last().map(|e| match e {
            Entry::Prefix(p) => p.clone(),
            Entry::Version { version, .. } => version.key.clone(),
        })
    }

    fn objects(&self, encoding: Option<&dto::EncodingType>) -> Option<Vec<dto::Object>> {
        let all = self.entries.iter().filter_map(|e| match e {
            Entry::Version { version, .. } => Some(dto::Object {
                key: Some(shown_key(&version.key, encoding)),
                size: i64::try_from(version.size).ok(),
                e_tag: Some(etag(&version.etag)),
                last_modified: Some(whole(version.at)),
                storage_class: Some(
                    version
                        .attributes
                        .storage_class
                        .clone()
                        .unwrap_or_else(|| "STANDARD".into())
                        .into(),
                ),
                checksum_algorithm: version
                    .sums
                    .first()
                    .map(|a| vec![a.as_str().to_owned().into()]),
                checksum_type: checksum_type(version),
                ..Default::default()
            }),
            Entry::Prefix(_) => None,
        });
        Some(all.collect())
    }
}

/// Past what the marker names; a marker that is a common prefix of this listing stands for
/// everything under it.
fn past(key: &str, after: &str, prefix: &str, delimiter: &str) -> bool {
    let rolled_up =
        !delimiter.is_empty() && after.ends_with(delimiter) && after.len() > prefix.len();
    key > after && !(rolled_up && key.starts_with(after))
}

impl Ops {
    fn current<T>(
        &self,
        name: &str,
        prefix: &str,
        after: &str,
        delimiter: &str,
        most: usize,
        show: impl FnOnce(Page<'_>) -> T,
    ) -> S3Result<T> {
        let mut buckets = self.store.lock();
        let found = bucket(&mut buckets, name)?;
        let start = if after > prefix { after } else { prefix };
        let live = found
            .keys
            .range(start.to_owned()..)
            .take_while(|(k, _)| k.starts_with(prefix) || k.as_str() <= prefix);
        let live = live
            .filter(|(k, _)| past(k, after, prefix, delimiter))
            .filter_map(|(_, v)| v.last())
            .filter(|v| !v.marker)
            .map(|v| (v, true));
        Ok(show(page(live, prefix, delimiter, most)))
    }

    pub(super) fn list_v2(
        &self,
        req: &S3Request<dto::ListObjectsV2Input>,
    ) -> S3Result<S3Response<dto::ListObjectsV2Output>> {
        let input = &req.input;
        let text = |t: &Option<String>| t.clone().unwrap_or_default();
        let most = most(input.max_keys)?;
        let token = input.continuation_token.as_ref().map(|t| {
            hex::decode(t)
                .ok()
                .and_then(|b| String::from_utf8(b).ok())
                .ok_or_else(|| {
                    invalid(
                        "InvalidArgument",
                        "The continuation token provided is incorrect",
                    )
                })
        });
        let after = token
            .transpose()?
            .unwrap_or_else(|| text(&input.start_after));
        let encoding = input.encoding_type.as_ref();
        let output = self.current(
            &input.bucket,
            &text(&input.prefix),
            &after,
            &text(&input.delimiter),
            most,
            |page| dto::ListObjectsV2Output {
                name: Some(input.bucket.clone()),
                prefix: input.prefix.as_deref().map(|p| shown_key(p, encoding)),
                delimiter: input.delimiter.as_deref().map(|p| shown_key(p, encoding)),
                max_keys: i32::try_from(most).ok(),
                key_count: i32::try_from(page.entries.len()).ok(),
                continuation_token: input.continuation_token.clone(),
                start_after: input.start_after.as_deref().map(|p| shown_key(p, encoding)),
                encoding_type: input.encoding_type.clone(),
                is_truncated: Some(page.truncated),
                next_continuation_token: page
                    .last_key()
                    .filter(|_| page.truncated)
                    .map(hex::encode),
                common_prefixes: page.prefixes(encoding),
                contents: page.objects(encoding),
                ..Default::default()
            },
        )?;
        Ok(S3Response::new(output))
    }

    pub(super) fn list_v1(
        &self,
        req: &S3Request<dto::ListObjectsInput>,
    ) -> S3Result<S3Response<dto::ListObjectsOutput>> {
        let input = &req.input;
        let text = |t: &Option<String>| t.clone().unwrap_or_default();
        let most = most(input.max_keys)?;
        let encoding = input.encoding_type.as_ref();
        let output = self.current(
            &input.bucket,
            &text(&input.prefix),
            &text(&input.marker),
            &text(&input.delimiter),
            most,
            |page| dto::ListObjectsOutput {
                name: Some(input.bucket.clone()),
                prefix: input.prefix.as_deref().map(|p| shown_key(p, encoding)),
                delimiter: input.delimiter.as_deref().map(|p| shown_key(p, encoding)),
                marker: input.marker.as_deref().map(|p| shown_key(p, encoding)),
                max_keys: i32::try_from(most).ok(),
                encoding_type: input.encoding_type.clone(),
                is_truncated: Some(page.truncated),
                next_marker: page
                    .last_key()
                    .filter(|_| page.truncated && input.delimiter.is_some())
                    .map(|k| shown_key(&k, encoding)),
                common_prefixes: page.prefixes(encoding),
                contents: page.objects(encoding),
                ..Default::default()
            },
        )?;
        Ok(S3Response::new(output))
    }

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
        let start = if key_marker > prefix {
            key_marker.clone()
        } else {
            prefix.clone()
        };
        let keys = found
            .keys
            .range(start..)
            .take_while(|(k, _)| k.starts_with(&prefix) || k.as_str() <= prefix.as_str());
        let all = keys.flat_map(|(key, versions)| {
            let newest = versions.last().map(|v| v.seq);
            let after_id = (*key == key_marker && !id_marker.is_empty()).then(|| {
                versions
                    .iter()
                    .find(|v| v.id == id_marker)
                    .map_or(0, |v| v.seq)
            });
            let whole_key = past(key, &key_marker, &prefix, &delimiter) || key_marker.is_empty();
            versions
                .iter()
                .rev()
                .filter(move |v| after_id.map_or(whole_key, |seq| v.seq < seq))
                .map(move |v| (v, Some(v.seq) == newest))
        });
        let page = page(all, &prefix, &delimiter, most);
        let encoding = input.encoding_type.as_ref();
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
        storage_class: Some(
            version
                .attributes
                .storage_class
                .clone()
                .unwrap_or_else(|| "STANDARD".into())
                .into(),
        ),
        checksum_algorithm: version
            .sums
            .first()
            .map(|a| vec![a.as_str().to_owned().into()]),
        checksum_type: checksum_type(version),
        ..Default::default()
    }
}

#[cfg(test)]
mod tests {
    use super::past;

    #[test]
    fn a_marker_skips_what_it_rolled_up_and_nothing_else() {
        assert!(!past("p/a/1", "p/a/", "p/", "/") && past("p/b/1", "p/a/", "p/", "/"));
        assert!(
            past("p/a/1", "p/", "p/", "/"),
            "the prefix itself rolls nothing up"
        );
        assert!(past("p/a/1", "p/a/", "p/", "") && !past("p/a", "p/a", "p/", ""));
    }
}
