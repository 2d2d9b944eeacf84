//! The tags that versions have.

use super::Bucket;
use crate::aws::error::{Error, classify};
use std::collections::BTreeMap;

impl Bucket {
    /// Tags of a version, or of the one that is there now.
    ///
    /// # Errors
    /// `NotFound`, `Denied`, `Unsupported`.
    pub async fn tags(
        &self,
        key: &str,
        version: Option<&str>,
    ) -> Result<BTreeMap<String, String>, Error> {
        let answer = self
            .client
            .get_object_tagging()
            .bucket(self.name.as_str())
            .key(key)
            .set_version_id(version.map(str::to_owned))
            .send()
            .await;
        let answer = answer.map_err(|e| classify(e, "GetObjectTagging", self.thing(key)));
        let answer = match answer {
            // How some providers say that there are none.
            Err(e) if e.code == "NoSuchTagSet" => return Ok(BTreeMap::new()),
            other => other?,
        };
        Ok(answer
            .tag_set()
            .iter()
            .map(|t| (t.key().to_owned(), t.value().to_owned()))
            .collect())
    }
}
