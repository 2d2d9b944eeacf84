//! Listings: versions, keys, folders. Every page is followed, or the caller is told that
//! more exists.

use super::pages::{Pages, decoded};
use super::{Bucket, timestamp};
use crate::aws::error::{Error, Kind, classify};
use aws_sdk_s3::operation::list_object_versions::ListObjectVersionsOutput;
use aws_sdk_s3::types::EncodingType;
use aws_smithy_types::DateTime;
use jiff::Timestamp;
use std::cmp::Ordering;

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

impl Bucket {
    /// All versions under a prefix, sorted by key, the newest version of a key first.
    ///
    /// # Errors
    /// `TooMany` where there are more than `most`: nothing is left out in silence. The service's.
    pub async fn versions(&self, prefix: &str, most: usize) -> Result<Vec<Listed>, Error> {
        self.versions_since(prefix, None, most).await
    }

    /// As [`Bucket::versions`], of keys after `after`.
    ///
    /// # Errors
    /// As [`Bucket::versions`].
    pub async fn versions_since(
        &self,
        prefix: &str,
        after: Option<&str>,
        most: usize,
    ) -> Result<Vec<Listed>, Error> {
        let (rows, more) = self.versions_after(prefix, after, most).await?;
        if more || rows.len() > most {
            return Err(self.too_many("ListObjectVersions", prefix, most));
        }
        Ok(rows)
    }

    /// The next versions under a prefix, of keys after `after`: whole pages, until there are
    /// `enough`. The flag says whether more exist.
    ///
    /// # Errors
    /// The service's.
    pub async fn versions_after(
        &self,
        prefix: &str,
        after: Option<&str>,
        enough: usize,
    ) -> Result<(Vec<Listed>, bool), Error> {
        let mut rows = Vec::new();
        let mut pages = Pages::new("ListObjectVersions", self.thing(prefix), after);
        loop {
            let (page, answer) = self.page_of_versions(prefix, &pages).await?;
            rows.extend(page);
            let more = answer.is_truncated().unwrap_or(false);
            if !more || rows.len() >= enough {
                rows.sort_by(newest_first);
                return Ok((rows, more));
            }
            pages.behind(&answer)?;
        }
    }

    /// Versions of exactly this key, the newest first.
    ///
    /// # Errors
    /// The service's.
    pub async fn versions_of(&self, key: &str) -> Result<Vec<Listed>, Error> {
        let mut rows: Vec<Listed> = Vec::new();
        let mut pages = Pages::new("ListObjectVersions", self.thing(key), None);
        loop {
            let (page, answer) = self.page_of_versions(key, &pages).await?;
            // A key comes before all that only begin like it.
            let past = page.iter().any(|r| r.key != key);
            rows.extend(page.into_iter().filter(|r| r.key == key));
            if past || !answer.is_truncated().unwrap_or(false) {
                rows.sort_by(newest_first);
                return Ok(rows);
            }
            pages.behind(&answer)?;
        }
    }

    async fn page_of_versions(
        &self,
        prefix: &str,
        pages: &Pages,
    ) -> Result<(Vec<Listed>, ListObjectVersionsOutput), Error> {
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
        let key = |k: Option<&str>| self.told(prefix, "key", k.map(|k| decoded(k, encoded)));
        let at = |t: Option<&DateTime>| self.told(prefix, "time", t.map(timestamp));
        let mut rows = Vec::new();
        for v in answer.versions() {
            rows.push(Listed {
                key: key(v.key())?,
                version: v.version_id().unwrap_or("null").to_owned(),
                delete_marker: false,
                latest: v.is_latest().unwrap_or(false),
                size_bytes: v.size().and_then(|n| u64::try_from(n).ok()).unwrap_or(0),
                etag: v.e_tag().map(|e| e.trim_matches('"').to_owned()),
                last_modified: at(v.last_modified())?,
            });
        }
        for m in answer.delete_markers() {
            rows.push(Listed {
                key: key(m.key())?,
                version: m.version_id().unwrap_or("null").to_owned(),
                delete_marker: true,
                latest: m.is_latest().unwrap_or(false),
                size_bytes: 0,
                etag: None,
                last_modified: at(m.last_modified())?,
            });
        }
        Ok((rows, answer))
    }

    /// What a listing must say of each version. A default would lie: a version without a time would
    /// be 56 years old, and its run free to be taken over.
    fn told<T>(&self, prefix: &str, what: &str, value: Option<T>) -> Result<T, Error> {
        value.ok_or_else(|| {
            Error::new(
                Kind::Integrity,
                "ListObjectVersions",
                self.thing(prefix),
                "ListingIncomplete",
                format!("a version is listed without its {what}"),
            )
        })
    }

    fn too_many(&self, operation: &'static str, prefix: &str, most: usize) -> Error {
        let thing = self.thing(prefix);
        let why = format!("there are more than {most}, which is the most that is looked at");
        Error::new(Kind::TooMany, operation, thing, "TooMany", why)
    }

    /// Keys under a prefix.
    ///
    /// # Errors
    /// `TooMany` where there are more than `most`; the service's.
    pub async fn keys(&self, prefix: &str, most: usize) -> Result<Vec<String>, Error> {
        let mut keys = Vec::new();
        let mut pages = Pages::new("ListObjectsV2", self.thing(prefix), None);
        loop {
            let request = self
                .client
                .list_objects_v2()
                .bucket(self.name.as_str())
                .prefix(prefix)
                .set_continuation_token(pages.at.0.clone())
                .encoding_type(EncodingType::Url);
            let answer = request
                .send()
                .await
                .map_err(|e| classify(e, "ListObjectsV2", self.thing(prefix)))?;
            let encoded = answer.encoding_type();
            let page = answer.contents().iter();
            keys.extend(page.filter_map(|o| o.key().map(|k| decoded(k, encoded))));
            if keys.len() > most {
                return Err(self.too_many("ListObjectsV2", prefix, most));
            }
            let Some(next) = answer.next_continuation_token().map(str::to_owned) else {
                return Ok(keys);
            };
            pages.go_on((Some(next), None), !answer.contents().is_empty())?;
        }
    }

    /// Names between `prefix` and the next slash, after `after`; also those in which
    /// delete markers hide everything.
    ///
    /// # Errors
    /// `TooMany` where there are more than `most`; the service's.
    pub async fn folders(
        &self,
        prefix: &str,
        after: Option<&str>,
        most: usize,
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
            if folders.len() > most {
                return Err(self.too_many("ListObjectVersions", prefix, most));
            }
            if !answer.is_truncated().unwrap_or(false) {
                return Ok(folders);
            }
            pages.behind(&answer)?;
        }
    }
}

/// By key, the newest version first.
fn newest_first(a: &Listed, b: &Listed) -> Ordering {
    a.key
        .cmp(&b.key)
        .then(b.last_modified.cmp(&a.last_modified))
        .then(b.latest.cmp(&a.latest))
}
