//! Tags of buckets and of versions, and thawing what is archived.

use super::error::{error, invalid, no_such_key, no_such_version};
use super::ops::Ops;
use super::store::bucket;
use s3s::dto;
use s3s::{S3Request, S3Response, S3Result};
use std::collections::BTreeMap;

impl Ops {
    pub(super) fn put_bucket_tags(
        &self,
        req: &S3Request<dto::PutBucketTaggingInput>,
    ) -> S3Result<S3Response<dto::PutBucketTaggingOutput>> {
        self.keep(&req.input.bucket, "tagging", &req.input.tagging)?;
        Ok(S3Response::with_status(
            dto::PutBucketTaggingOutput::default(),
            http::StatusCode::NO_CONTENT,
        ))
    }

    pub(super) fn get_bucket_tags(
        &self,
        req: &S3Request<dto::GetBucketTaggingInput>,
    ) -> S3Result<S3Response<dto::GetBucketTaggingOutput>> {
        let none = || error(404, "NoSuchTagSet", "The TagSet does not exist");
        let found: dto::Tagging = self.kept_as(&req.input.bucket, "tagging", none)?;
        Ok(S3Response::new(dto::GetBucketTaggingOutput {
            tag_set: found.tag_set,
        }))
    }

    fn set_tags(
        &self,
        name: &str,
        key: &str,
        id: Option<&str>,
        tags: BTreeMap<String, String>,
    ) -> S3Result<()> {
        if tags.len() > 10 {
            return Err(invalid(
                "InvalidTag",
                "Object tags cannot be greater than 10",
            ));
        }
        let mut buckets = self.store.lock();
        let found = bucket(&mut buckets, name)?;
        let missing = || id.map_or_else(|| no_such_key(key), no_such_version);
        let version = found
            .version_mut(key, id)
            .filter(|v| !v.marker)
            .ok_or_else(missing)?;
        version.attributes.tags = tags;
        let changed = version.clone();
        self.store.save_version(name, &changed)
    }

    pub(super) fn put_tags(
        &self,
        req: &S3Request<dto::PutObjectTaggingInput>,
    ) -> S3Result<S3Response<dto::PutObjectTaggingOutput>> {
        let input = &req.input;
        let tags = input
            .tagging
            .tag_set
            .iter()
            .filter_map(|t| Some((t.key.clone()?, t.value.clone().unwrap_or_default())))
            .collect();
        self.set_tags(&input.bucket, &input.key, input.version_id.as_deref(), tags)?;
        Ok(S3Response::new(dto::PutObjectTaggingOutput {
            version_id: input.version_id.clone(),
        }))
    }

    pub(super) fn delete_tags(
        &self,
        req: &S3Request<dto::DeleteObjectTaggingInput>,
    ) -> S3Result<S3Response<dto::DeleteObjectTaggingOutput>> {
        let input = &req.input;
        self.set_tags(
            &input.bucket,
            &input.key,
            input.version_id.as_deref(),
            BTreeMap::new(),
        )?;
        Ok(S3Response::with_status(
            dto::DeleteObjectTaggingOutput {
                version_id: input.version_id.clone(),
            },
            http::StatusCode::NO_CONTENT,
        ))
    }

    /// Thawing takes no time here.
    pub(super) fn thaw(
        &self,
        req: &S3Request<dto::RestoreObjectInput>,
    ) -> S3Result<S3Response<dto::RestoreObjectOutput>> {
        let input = &req.input;
        let mut buckets = self.store.lock();
        let found = bucket(&mut buckets, &input.bucket)?;
        let version = found
            .version_mut(&input.key, input.version_id.as_deref())
            .filter(|v| !v.marker)
            .ok_or_else(|| no_such_key(&input.key))?;
        if !matches!(
            version.attributes.storage_class.as_deref(),
            Some("GLACIER" | "DEEP_ARCHIVE")
        ) {
            return Err(error(
                403,
                "InvalidObjectState",
                "Restore is not allowed for the object's current storage class",
            ));
        }
        version.restored = true;
        let changed = version.clone();
        self.store.save_version(&input.bucket, &changed)?;
        Ok(S3Response::with_status(
            dto::RestoreObjectOutput::default(),
            http::StatusCode::ACCEPTED,
        ))
    }
}
