//! Listings: versions, keys, folders, uploads. Paged; the caller gives a cap.

use super::{Bucket, timestamp};
use crate::aws::error::{Error, Kind, classify};
use aws_sdk_s3::operation::list_object_versions::ListObjectVersionsOutput;
use aws_sdk_s3::types::EncodingType;
use jiff::Timestamp;

/// One version or delete marker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    pub key: String,
    pub version: String,
    pub delete_marker: bool,
    pub latest: bool,
    pub size_bytes: u64,
    pub etag: Option<String>,
    pub last_modified: Timestamp,
}

/// A multipart upload that was begun.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upload {
    pub key: String,
    pub id: String,
}

/// Keys may hold what XML cannot (control characters), so they are asked for URL-encoded; one such
/// key would otherwise make
/// every listing of its bucket unreadable. A store that does not know the parameter says nothing of
/// an encoding, and is taken at its word.
fn decoded(key: &str, encoding: Option<&EncodingType>) -> String {
    if encoding.is_none() {
        return key.to_owned();
    }
    percent_encoding::percent_decode_str(&key.replace('+', " "))
        .decode_utf8_lossy()
        .into_owned()
}

/// Empty pages in a row after which a listing is given up.
const MOST_EMPTY_PAGES: usize = 100;

/// Where a paged listing is. A store whose pages never advance would be listed for ever.
struct Pages {
    operation: &'static str,
    thing: String,
    /// Of the next request: a key and a version, or a token.
    at: (Option<String>, Option<String>),
    empty: usize,
}

impl Pages {
    fn new(operation: &'static str, thing: String, after: Option<&str>) -> Self {
        Self {
            operation,
            thing,
            at: (after.map(str::to_owned), None),
            empty: 0,
        }
    }

    /// Goes on behind a page that brought something or not.
    fn go_on(
        &mut self,
        next: (Option<String>, Option<String>),
        brought: bool,
    ) -> Result<(), Error> {
        self.empty = if brought { 0 } else { self.empty + 1 };
        if next.0.is_none() || self.at == next || self.empty > MOST_EMPTY_PAGES {
            return Err(Error::new(
                Kind::Integrity,
                self.operation,
                self.thing.as_str(),
                "ListingStuck",
                "a page says that more follows, and not where",
            ));
        }
        self.at = next;
        Ok(())
    }

    /// Behind a page of versions, delete markers and folders.
    fn behind(&mut self, page: &ListObjectVersionsOutput) -> Result<(), Error> {
        let brought = !(page.versions().is_empty()
            && page.delete_markers().is_empty()
            && page.common_prefixes().is_empty());
        let key = page
            .next_key_marker()
            .map(|k| decoded(k, page.encoding_type()));
        self.go_on(
            (key, page.next_version_id_marker().map(str::to_owned)),
            brought,
        )
    }
}

impl Bucket {
    /// All versions under a prefix, keys after `after`, at most `cap` rows; the flag says whether
    /// more exist.
    ///
    /// # Errors
    /// As the service's.
    pub async fn versions(
        &self,
        prefix: &str,
        after: Option<&str>,
        cap: usize,
    ) -> Result<(Vec<Listed>, bool), Error> {
        let mut rows = Vec::new();
        let mut pages = Pages::new("ListObjectVersions", self.thing(prefix), after);
        loop {
            let answer = self
                .client
                .list_object_versions()
                .bucket(self.name.as_str())
                .prefix(prefix)
                .set_key_marker(pages.at.0.clone())
                .set_version_id_marker(pages.at.1.clone())
                .encoding_type(EncodingType::Url)
                .send()
                .await
                .map_err(|e| classify(e, "ListObjectVersions", self.thing(prefix)))?;
            let encoded = answer.encoding_type();
            rows.extend(answer.versions().iter().map(|v| Listed {
                key: decoded(v.key().unwrap_or_default(), encoded),
                version: v.version_id().unwrap_or("null").to_owned(),
                delete_marker: false,
                latest: v.is_latest().unwrap_or(false),
                size_bytes: v.size().and_then(|n| u64::try_from(n).ok()).unwrap_or(0),
                etag: v.e_tag().map(|e| e.trim_matches('"').to_owned()),
                last_modified: v.last_modified().map_or(Timestamp::UNIX_EPOCH, timestamp),
            }));
            rows.extend(answer.delete_markers().iter().map(|m| Listed {
                key: decoded(m.key().unwrap_or_default(), encoded),
                version: m.version_id().unwrap_or("null").to_owned(),
                delete_marker: true,
                latest: m.is_latest().unwrap_or(false),
                size_bytes: 0,
                etag: None,
                last_modified: m.last_modified().map_or(Timestamp::UNIX_EPOCH, timestamp),
            }));
            let more = answer.is_truncated().unwrap_or(false);
            if !more || rows.len() >= cap {
                rows.sort_by(|a, b| {
                    a.key
                        .cmp(&b.key)
                        .then(b.last_modified.cmp(&a.last_modified))
                        .then(b.latest.cmp(&a.latest))
                });
                return Ok((rows, more));
            }
            pages.behind(&answer)?;
        }
    }

    /// Keys under a prefix that sort after `after`, at most `cap`.
    ///
    /// # Errors
    /// As the service's.
    pub async fn keys(
        &self,
        prefix: &str,
        after: Option<&str>,
        cap: usize,
    ) -> Result<Vec<String>, Error> {
        let mut keys = Vec::new();
        let mut pages = Pages::new("ListObjectsV2", self.thing(prefix), None);
        loop {
            let request = self
                .client
                .list_objects_v2()
                .bucket(self.name.as_str())
                .prefix(prefix)
                .set_continuation_token(pages.at.0.clone());
            let request = request
                .set_start_after(after.map(str::to_owned))
                .encoding_type(EncodingType::Url);
            let answer = request
                .send()
                .await
                .map_err(|e| classify(e, "ListObjectsV2", self.thing(prefix)))?;
            let encoded = answer.encoding_type();
            keys.extend(
                answer
                    .contents()
                    .iter()
                    .filter_map(|o| o.key().map(|k| decoded(k, encoded))),
            );
            let next = answer.next_continuation_token().map(str::to_owned);
            if next.is_none() || keys.len() >= cap {
                return Ok(keys);
            }
            pages.go_on((next, None), !answer.contents().is_empty())?;
        }
    }

    /// Names between `prefix` and the next slash, after `after`, at most `cap`; also those in which
    /// delete markers hide everything.
    ///
    /// # Errors
    /// As the service's.
    pub async fn folders(
        &self,
        prefix: &str,
        after: Option<&str>,
        cap: usize,
    ) -> Result<Vec<String>, Error> {
        let mut folders = Vec::new();
        let mut pages = Pages::new("ListObjectVersions", self.thing(prefix), after);
        loop {
            let request = self
                .client
                .list_object_versions()
                .bucket(self.name.as_str())
                .prefix(prefix)
                .delimiter("/");
            let answer = request
                .set_key_marker(pages.at.0.clone())
                .set_version_id_marker(pages.at.1.clone())
                .encoding_type(EncodingType::Url)
                .send()
                .await
                .map_err(|e| classify(e, "ListObjectVersions", self.thing(prefix)))?;
            let encoded = answer.encoding_type();
            let names = answer
                .common_prefixes()
                .iter()
                .filter_map(|p| p.prefix().map(|k| decoded(k, encoded)));
            folders
                .extend(names.filter_map(|n| {
                    Some(n.strip_prefix(prefix)?.trim_end_matches('/').to_owned())
                }));
            if !answer.is_truncated().unwrap_or(false) || folders.len() >= cap {
                return Ok(folders);
            }
            pages.behind(&answer)?;
        }
    }

    /// Uploads under a prefix that were begun and neither completed nor aborted (first page).
    ///
    /// # Errors
    /// As the service's.
    pub async fn uploads(&self, prefix: &str) -> Result<Vec<Upload>, Error> {
        let answer = self
            .client
            .list_multipart_uploads()
            .bucket(self.name.as_str())
            .prefix(prefix)
            .encoding_type(EncodingType::Url)
            .send()
            .await;
        let answer = answer.map_err(|e| classify(e, "ListMultipartUploads", self.thing(prefix)))?;
        let one = |u: &aws_sdk_s3::types::MultipartUpload| {
            Some(Upload {
                key: decoded(u.key()?, answer.encoding_type()),
                id: u.upload_id()?.to_owned(),
            })
        };
        Ok(answer.uploads().iter().filter_map(one).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listing_that_does_not_advance_ends_with_an_error() {
        let mut pages = Pages::new("ListObjectVersions", String::new(), None);
        let markers = |n: usize| (Some(format!("k{n}")), None);
        pages.go_on(markers(1), true).unwrap();
        assert_eq!(pages.at, markers(1));
        assert_eq!(
            pages.go_on(markers(1), true).unwrap_err().code,
            "ListingStuck",
            "the same place again"
        );
        assert_eq!(
            pages.go_on((None, None), true).unwrap_err().code,
            "ListingStuck",
            "no place at all"
        );
        let stuck = (2..)
            .map(|n| pages.go_on(markers(n), false))
            .position(|r| r.is_err());
        assert_eq!(
            stuck,
            Some(MOST_EMPTY_PAGES),
            "new places, and nothing there"
        );
    }

    #[test]
    fn keys_are_decoded_only_where_the_store_encoded_them() {
        assert_eq!(
            decoded("a+b%2Bc%1B%25/%C3%9C", Some(&EncodingType::Url)),
            "a b+c\u{1b}%/Ü"
        );
        assert_eq!(decoded("a+b%2B", None), "a+b%2B");
    }
}
