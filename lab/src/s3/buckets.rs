//! Making, finding and removing buckets; versioning and policies.

use super::convert::stamp;
use super::error::{error, invalid};
use super::model::{BucketMeta, Versioning};
use super::ops::Ops;
use super::policy;
use super::store::bucket;
use crate::accounts::{Provider, SECOND_REGION};
use s3s::dto;
use s3s::{S3Request, S3Response, S3Result};
use std::collections::BTreeMap;

/// The service's default quota.
const MAX_BUCKETS: usize = 10_000;

impl Ops {
    /// Buckets that an administrator makes belong to the account of that region, or of the other
    /// provider.
    fn owner(&self) -> &'static str {
        match (
            Provider::of_region(&self.store.region),
            self.store.region.as_str(),
        ) {
            (Provider::Other, _) => crate::accounts::OTHER,
            (_, SECOND_REGION) => crate::accounts::VAULT,
            _ => crate::accounts::PRODUCTION,
        }
    }

    pub(super) fn create_bucket(
        &self,
        req: &S3Request<dto::CreateBucketInput>,
    ) -> S3Result<S3Response<dto::CreateBucketOutput>> {
        let input = &req.input;
        let wanted = input
            .create_bucket_configuration
            .as_ref()
            .and_then(|c| c.location_constraint.as_ref())
            .map(|l| l.as_str());
        if wanted != Some(&self.store.region) {
            let shown = wanted.unwrap_or("unspecified");
            return Err(invalid(
                "IllegalLocationConstraintException",
                format!(
                    "The {shown} location constraint is incompatible for the region specific \
                     endpoint this request was sent to."
                ),
            ));
        }
        // Names are unique in the whole partition.
        if self.partition.holder(&input.bucket).is_some() {
            return Err(error(
                409,
                "BucketAlreadyOwnedByYou",
                "Your previous request to create the named bucket succeeded and you already own \
                 it.",
            ));
        }
        if self.store.lock().len() >= MAX_BUCKETS {
            return Err(invalid(
                "TooManyBuckets",
                "You have attempted to create more buckets than allowed",
            ));
        }
        let object_lock = input.object_lock_enabled_for_bucket.unwrap_or(false);
        self.store.create_bucket(BucketMeta {
            name: input.bucket.clone(),
            account: self.owner().into(),
            created: self.now(),
            versioning: if object_lock {
                Versioning::Enabled
            } else {
                Versioning::Never
            },
            object_lock,
            default_retention: None,
            policy: None,
            configurations: BTreeMap::new(),
        })?;
        Ok(S3Response::new(dto::CreateBucketOutput {
            location: Some(format!("/{}", input.bucket)),
        }))
    }

    pub(super) fn delete_bucket(
        &self,
        req: &S3Request<dto::DeleteBucketInput>,
    ) -> S3Result<S3Response<dto::DeleteBucketOutput>> {
        let name = &req.input.bucket;
        let mut buckets = self.store.lock();
        let found = bucket(&mut buckets, name)?;
        if !found.keys.is_empty() || !found.uploads.is_empty() {
            return Err(error(
                409,
                "BucketNotEmpty",
                "The bucket you tried to delete is not empty. You must delete all versions in \
                 the bucket.",
            ));
        }
        self.store.remove_bucket(&mut buckets, name)?;
        Ok(S3Response::with_status(
            dto::DeleteBucketOutput::default(),
            http::StatusCode::NO_CONTENT,
        ))
    }

    pub(super) fn head_bucket(
        &self,
        req: &S3Request<dto::HeadBucketInput>,
    ) -> S3Result<S3Response<dto::HeadBucketOutput>> {
        let mut buckets = self.store.lock();
        bucket(&mut buckets, &req.input.bucket)?;
        Ok(S3Response::new(dto::HeadBucketOutput {
            bucket_region: Some(self.store.region.clone()),
            ..Default::default()
        }))
    }

    pub(super) fn list_buckets(&self) -> S3Response<dto::ListBucketsOutput> {
        let buckets = self.store.lock();
        let shown = buckets.values().map(|b| dto::Bucket {
            name: Some(b.meta.name.clone()),
            creation_date: Some(stamp(b.meta.created)),
            bucket_region: Some(self.store.region.clone()),
        });
        S3Response::new(dto::ListBucketsOutput {
            buckets: Some(shown.collect()),
            ..Default::default()
        })
    }

    pub(super) fn location(
        &self,
        req: &S3Request<dto::GetBucketLocationInput>,
    ) -> S3Result<S3Response<dto::GetBucketLocationOutput>> {
        let mut buckets = self.store.lock();
        bucket(&mut buckets, &req.input.bucket)?;
        Ok(S3Response::new(dto::GetBucketLocationOutput {
            location_constraint: Some(self.store.region.clone().into()),
        }))
    }

    pub(super) fn put_versioning(
        &self,
        req: &S3Request<dto::PutBucketVersioningInput>,
    ) -> S3Result<S3Response<dto::PutBucketVersioningOutput>> {
        let wanted = match req
            .input
            .versioning_configuration
            .status
            .as_ref()
            .map(|s| s.as_str())
        {
            Some("Enabled") => Versioning::Enabled,
            Some("Suspended") => Versioning::Suspended,
            _ => {
                return Err(invalid(
                    "MalformedXML",
                    "The XML you provided was not well-formed or did not validate against our \
                     published schema",
                ));
            }
        };
        let mut buckets = self.store.lock();
        let found = bucket(&mut buckets, &req.input.bucket)?;
        if found.meta.object_lock && wanted == Versioning::Suspended {
            return Err(error(
                409,
                "InvalidBucketState",
                "An Object Lock configuration is present on this bucket, so the versioning state \
                 cannot be changed.",
            ));
        }
        found.meta.versioning = wanted;
        self.store.save_meta(found)?;
        Ok(S3Response::new(dto::PutBucketVersioningOutput::default()))
    }

    pub(super) fn get_versioning(
        &self,
        req: &S3Request<dto::GetBucketVersioningInput>,
    ) -> S3Result<S3Response<dto::GetBucketVersioningOutput>> {
        let mut buckets = self.store.lock();
        let status = match bucket(&mut buckets, &req.input.bucket)?.meta.versioning {
            Versioning::Never => None,
            Versioning::Enabled => Some("Enabled".to_owned().into()),
            Versioning::Suspended => Some("Suspended".to_owned().into()),
        };
        Ok(S3Response::new(dto::GetBucketVersioningOutput {
            status,
            ..Default::default()
        }))
    }

    pub(super) fn put_policy(
        &self,
        req: &S3Request<dto::PutBucketPolicyInput>,
    ) -> S3Result<S3Response<dto::PutBucketPolicyOutput>> {
        policy::check(&req.input.policy)?;
        let mut buckets = self.store.lock();
        let found = bucket(&mut buckets, &req.input.bucket)?;
        found.meta.policy = Some(req.input.policy.clone());
        self.store.save_meta(found)?;
        Ok(S3Response::with_status(
            dto::PutBucketPolicyOutput::default(),
            http::StatusCode::NO_CONTENT,
        ))
    }

    pub(super) fn get_policy(
        &self,
        req: &S3Request<dto::GetBucketPolicyInput>,
    ) -> S3Result<S3Response<dto::GetBucketPolicyOutput>> {
        let mut buckets = self.store.lock();
        let found = bucket(&mut buckets, &req.input.bucket)?.meta.policy.clone();
        let policy = found.ok_or_else(|| {
            error(
                404,
                "NoSuchBucketPolicy",
                "The bucket policy does not exist",
            )
        })?;
        Ok(S3Response::new(dto::GetBucketPolicyOutput {
            policy: Some(policy),
        }))
    }

    pub(super) fn delete_policy(
        &self,
        req: &S3Request<dto::DeleteBucketPolicyInput>,
    ) -> S3Result<S3Response<dto::DeleteBucketPolicyOutput>> {
        let mut buckets = self.store.lock();
        let found = bucket(&mut buckets, &req.input.bucket)?;
        found.meta.policy = None;
        self.store.save_meta(found)?;
        Ok(S3Response::with_status(
            dto::DeleteBucketPolicyOutput::default(),
            http::StatusCode::NO_CONTENT,
        ))
    }
}
