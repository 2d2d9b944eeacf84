//! One page of a listing: what comes in order, with common prefixes rolled up.

use super::convert::{checksum_type, etag, shown_key, whole};
use super::error::invalid;
use super::model::Version;
use s3s::S3Result;
use s3s::dto;

/// At most this many keys and prefixes a page.
const MAX_KEYS: i32 = 1_000;

pub(super) enum Entry<'a> {
    Prefix(String),
    Version { version: &'a Version, latest: bool },
}

pub(super) struct Page<'a> {
    pub entries: Vec<Entry<'a>>,
    pub truncated: bool,
}

pub(super) fn most(asked: Option<i32>) -> S3Result<usize> {
    let asked = asked.unwrap_or(MAX_KEYS);
    usize::try_from(asked.min(MAX_KEYS))
        .map_err(|_| invalid("InvalidArgument", "max-keys cannot be negative"))
}

/// One page of what comes in order; keys that share a prefix up to the delimiter count once.
pub(super) fn page<'a>(
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
    pub fn prefixes(&self, encoding: Option<&dto::EncodingType>) -> Option<Vec<dto::CommonPrefix>> {
        let all = self.entries.iter().filter_map(|e| match e {
            Entry::Prefix(p) => Some(dto::CommonPrefix {
                prefix: Some(shown_key(p, encoding)),
            }),
            Entry::Version { .. } => None,
        });
        Some(all.collect())
    }

    pub fn last_key(&self) -> Option<String> {
        self.entries.last().map(|e| match e {
            Entry::Prefix(p) => p.clone(),
            Entry::Version { version, .. } => version.key.clone(),
        })
    }

    pub fn objects(&self, encoding: Option<&dto::EncodingType>) -> Option<Vec<dto::Object>> {
        let all = self.entries.iter().filter_map(|e| match e {
            Entry::Version { version, .. } => Some(dto::Object {
                key: Some(shown_key(&version.key, encoding)),
                size: i64::try_from(version.size).ok(),
                e_tag: Some(etag(&version.etag)),
                last_modified: Some(whole(version.at)),
                storage_class: Some(version.attributes.shown_class().into()),
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
pub(super) fn past(key: &str, after: &str, prefix: &str, delimiter: &str) -> bool {
    let rolled_up =
        !delimiter.is_empty() && after.ends_with(delimiter) && after.len() > prefix.len();
    key > after && !(rolled_up && key.starts_with(after))
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
