//! Uploads that were begun and not ended.

use super::Bucket;
use super::pages::{Pages, decoded};
use crate::aws::error::{Error, classify};
use aws_sdk_s3::types::{EncodingType, MultipartUpload};

/// A multipart upload that was begun.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upload {
    pub key: String,
    pub id: String,
}

impl Bucket {
    /// Uploads under a prefix that were begun and neither completed nor aborted.
    ///
    /// # Errors
    /// The service's.
    pub async fn uploads(&self, prefix: &str) -> Result<Vec<Upload>, Error> {
        let mut uploads = Vec::new();
        let mut pages = Pages::new("ListMultipartUploads", self.thing(prefix), None);
        loop {
            let answer = self
                .client
                .list_multipart_uploads()
                .bucket(self.name.as_str())
                .prefix(prefix)
                .set_key_marker(pages.at.0.clone())
                .set_upload_id_marker(pages.at.1.clone())
                .encoding_type(EncodingType::Url)
                .send()
                .await
                .map_err(|e| classify(e, "ListMultipartUploads", self.thing(prefix)))?;
            let encoded = answer.encoding_type();
            let one = |u: &MultipartUpload| {
                let (key, id) = (decoded(u.key()?, encoded), u.upload_id()?.to_owned());
                Some(Upload { key, id })
            };
            uploads.extend(answer.uploads().iter().filter_map(one));
            if !answer.is_truncated().unwrap_or(false) {
                return Ok(uploads);
            }
            let key = answer.next_key_marker().map(|k| decoded(k, encoded));
            let id = answer.next_upload_id_marker().map(str::to_owned);
            pages.go_on((key, id), !answer.uploads().is_empty())?;
        }
    }

    /// Aborts uploads at exactly this key: what a killed runner of the same step left.
    ///
    /// # Errors
    /// As the service's.
    pub async fn abort_uploads_at(&self, key: &str) -> Result<u64, Error> {
        let mut aborted = 0;
        for upload in self
            .uploads(key)
            .await?
            .into_iter()
            .filter(|u| u.key == key)
        {
            let request = self
                .client
                .abort_multipart_upload()
                .bucket(self.name.as_str())
                .key(key)
                .upload_id(&upload.id);
            match request
                .send()
                .await
                .map_err(|e| classify(e, "AbortMultipartUpload", self.thing(key)))
            {
                Ok(_) => aborted += 1,
                Err(e) if e.kind == crate::aws::Kind::NotFound => {}
                Err(e) => return Err(e),
            }
        }
        Ok(aborted)
    }
}
