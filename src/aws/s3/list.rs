//! Listings: versions, keys, folders, uploads. Paged; the caller gives a cap.

use super::{Bucket, timestamp};
use crate::aws::error::{Error, classify};
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

/// Keys may hold what XML cannot (control characters), so they are asked for URL-encoded; one such key would otherwise make
/// every listing of its bucket unreadable. A store that does not know the parameter says nothing of an encoding, and is taken at its word.
fn decoded(key: &str, encoding: Option<&EncodingType>) -> String {
    if encoding.is_none() {
        return key.to_owned();
    }
    percent_encoding::percent_decode_str(&key.replace('+', " ")).decode_utf8_lossy().into_owned()
}

impl Bucket {
    /// All versions under a prefix, keys after `after`, at most `cap` rows; the flag says whether more exist.
    ///
    /// # Errors
    /// As the service's.
    pub async fn versions(&self, prefix: &str, after: Option<&str>, cap: usize) -> Result<(Vec<Listed>, bool), Error> {
        let (mut rows, mut key_marker, mut version_marker) = (Vec::new(), after.map(str::to_owned), None);
        loop {
            let answer = self
                .client
                .list_object_versions()
                .bucket(self.name.as_str())
                .prefix(prefix)
                .set_key_marker(key_marker)
                .set_version_id_marker(version_marker)
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
            key_marker = answer.next_key_marker().map(|k| decoded(k, encoded));
            version_marker = answer.next_version_id_marker().map(str::to_owned);
        }
    }

    /// Keys under a prefix that sort after `after`, at most `cap`.
    ///
    /// # Errors
    /// As the service's.
    pub async fn keys(&self, prefix: &str, after: Option<&str>, cap: usize) -> Result<Vec<String>, Error> {
        let (mut keys, mut token) = (Vec::new(), None);
        loop {
            let request = self
                .client
                .list_objects_v2()
                .bucket(self.name.as_str())
                .prefix(prefix)
                .set_continuation_token(token);
            let request = request.set_start_after(after.map(str::to_owned)).encoding_type(EncodingType::Url);
            let answer = request.send().await.map_err(|e| classify(e, "ListObjectsV2", self.thing(prefix)))?;
            let encoded = answer.encoding_type();
            keys.extend(answer.contents().iter().filter_map(|o| o.key().map(|k| decoded(k, encoded))));
            token = answer.next_continuation_token().map(str::to_owned);
            if token.is_none() || keys.len() >= cap {
                return Ok(keys);
            }
        }
    }

    /// Names between `prefix` and the next slash, after `after`, at most `cap`; also those in which delete markers hide everything.
    ///
    /// # Errors
    /// As the service's.
    pub async fn folders(&self, prefix: &str, after: Option<&str>, cap: usize) -> Result<Vec<String>, Error> {
        let (mut folders, mut key_marker, mut version_marker) = (Vec::new(), after.map(str::to_owned), None);
        loop {
            let request = self.client.list_object_versions().bucket(self.name.as_str()).prefix(prefix).delimiter("/");
            let answer = request
                .set_key_marker(key_marker)
                .set_version_id_marker(version_marker)
                .encoding_type(EncodingType::Url)
                .send()
                .await
                .map_err(|e| classify(e, "ListObjectVersions", self.thing(prefix)))?;
            let encoded = answer.encoding_type();
            let names = answer.common_prefixes().iter().filter_map(|p| p.prefix().map(|k| decoded(k, encoded)));
            folders.extend(names.filter_map(|n| Some(n.strip_prefix(prefix)?.trim_end_matches('/').to_owned())));
            if !answer.is_truncated().unwrap_or(false) || folders.len() >= cap {
                return Ok(folders);
            }
            key_marker = answer.next_key_marker().map(|k| decoded(k, encoded));
            version_marker = answer.next_version_id_marker().map(str::to_owned);
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
    fn keys_are_decoded_only_where_the_store_encoded_them() {
        assert_eq!(decoded("a+b%2Bc%1B%25/%C3%9C", Some(&EncodingType::Url)), "a b+c\u{1b}%/Ü");
        assert_eq!(decoded("a+b%2B", None), "a+b%2B");
    }
}
