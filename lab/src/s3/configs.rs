//! Configurations of a bucket that are stored and read back, and object tags. Only encryption has
//! an effect here.

use super::error::{error, invalid};
use super::model::BucketMeta;
use super::ops::Ops;
use super::store::bucket;
use s3s::dto;
use s3s::xml::{DeserializeContent, Deserializer, SerializeContent, Serializer};
use s3s::{S3Error, S3Request, S3Response, S3Result};

const ELEMENT: &str = "Configuration";

fn to_xml<T: SerializeContent>(value: &T) -> S3Result<String> {
    let mut bytes = Vec::new();
    Serializer::new(&mut bytes)
        .content(ELEMENT, value)
        .map_err(|e| error(500, "InternalError", e.to_string()))?;
    String::from_utf8(bytes).map_err(|e| error(500, "InternalError", e.to_string()))
}

fn from_xml<T: for<'x> DeserializeContent<'x>>(text: &str) -> Option<T> {
    Deserializer::new(text.as_bytes())
        .named_element(ELEMENT, Deserializer::content)
        .ok()
}

/// Encryption and key that a bucket gives to objects which ask for none.
pub(super) fn default_encryption(meta: &BucketMeta) -> Option<(String, Option<String>)> {
    let configuration: dto::ServerSideEncryptionConfiguration =
        from_xml(meta.configurations.get("encryption")?)?;
    let default = configuration
        .rules
        .first()?
        .apply_server_side_encryption_by_default
        .clone()?;
    Some((
        default.sse_algorithm.as_str().to_owned(),
        default.kms_master_key_id,
    ))
}

impl Ops {
    pub(super) fn keep<T: SerializeContent>(
        &self,
        name: &str,
        which: &str,
        value: &T,
    ) -> S3Result<()> {
        let text = to_xml(value)?;
        let mut buckets = self.store.lock();
        let found = bucket(&mut buckets, name)?;
        found.meta.configurations.insert(which.to_owned(), text);
        self.store.save_meta(found)
    }

    pub(super) fn kept_as<T: for<'x> DeserializeContent<'x>>(
        &self,
        name: &str,
        which: &str,
        none: impl FnOnce() -> S3Error,
    ) -> S3Result<T> {
        let mut buckets = self.store.lock();
        bucket(&mut buckets, name)?
            .meta
            .configurations
            .get(which)
            .and_then(|t| from_xml(t))
            .ok_or_else(none)
    }

    fn forget_configuration(&self, name: &str, which: &str) -> S3Result<()> {
        let mut buckets = self.store.lock();
        let found = bucket(&mut buckets, name)?;
        found.meta.configurations.remove(which);
        self.store.save_meta(found)
    }

    pub(super) fn put_encryption(
        &self,
        req: &S3Request<dto::PutBucketEncryptionInput>,
    ) -> S3Result<S3Response<dto::PutBucketEncryptionOutput>> {
        self.keep(
            &req.input.bucket,
            "encryption",
            &req.input.server_side_encryption_configuration,
        )?;
        Ok(S3Response::new(dto::PutBucketEncryptionOutput::default()))
    }

    pub(super) fn get_encryption(
        &self,
        req: &S3Request<dto::GetBucketEncryptionInput>,
    ) -> S3Result<S3Response<dto::GetBucketEncryptionOutput>> {
        let none = || {
            error(
                404,
                "ServerSideEncryptionConfigurationNotFoundError",
                "The server side encryption configuration was not found",
            )
        };
        let found = self.kept_as(&req.input.bucket, "encryption", none)?;
        Ok(S3Response::new(dto::GetBucketEncryptionOutput {
            server_side_encryption_configuration: Some(found),
        }))
    }

    pub(super) fn put_lifecycle(
        &self,
        req: &S3Request<dto::PutBucketLifecycleConfigurationInput>,
    ) -> S3Result<S3Response<dto::PutBucketLifecycleConfigurationOutput>> {
        let malformed = || {
            invalid(
                "MalformedXML",
                "The XML you provided was not well-formed or did not validate against our \
                 published schema",
            )
        };
        self.keep(
            &req.input.bucket,
            "lifecycle",
            req.input
                .lifecycle_configuration
                .as_ref()
                .ok_or_else(malformed)?,
        )?;
        Ok(S3Response::new(
            dto::PutBucketLifecycleConfigurationOutput::default(),
        ))
    }

    pub(super) fn get_lifecycle(
        &self,
        req: &S3Request<dto::GetBucketLifecycleConfigurationInput>,
    ) -> S3Result<S3Response<dto::GetBucketLifecycleConfigurationOutput>> {
        let none = || {
            error(
                404,
                "NoSuchLifecycleConfiguration",
                "The lifecycle configuration does not exist",
            )
        };
        let found: dto::BucketLifecycleConfiguration =
            self.kept_as(&req.input.bucket, "lifecycle", none)?;
        Ok(S3Response::new(
            dto::GetBucketLifecycleConfigurationOutput {
                rules: Some(found.rules),
                ..Default::default()
            },
        ))
    }

    pub(super) fn delete_lifecycle(
        &self,
        req: &S3Request<dto::DeleteBucketLifecycleInput>,
    ) -> S3Result<S3Response<dto::DeleteBucketLifecycleOutput>> {
        self.forget_configuration(&req.input.bucket, "lifecycle")?;
        Ok(S3Response::with_status(
            dto::DeleteBucketLifecycleOutput::default(),
            http::StatusCode::NO_CONTENT,
        ))
    }

    pub(super) fn put_inventory(
        &self,
        req: &S3Request<dto::PutBucketInventoryConfigurationInput>,
    ) -> S3Result<S3Response<dto::PutBucketInventoryConfigurationOutput>> {
        self.keep(
            &req.input.bucket,
            &format!("inventory/{}", req.input.id),
            &req.input.inventory_configuration,
        )?;
        Ok(S3Response::with_status(
            dto::PutBucketInventoryConfigurationOutput::default(),
            http::StatusCode::NO_CONTENT,
        ))
    }

    pub(super) fn get_inventory(
        &self,
        req: &S3Request<dto::GetBucketInventoryConfigurationInput>,
    ) -> S3Result<S3Response<dto::GetBucketInventoryConfigurationOutput>> {
        let none = || {
            error(
                404,
                "NoSuchConfiguration",
                "The specified configuration does not exist.",
            )
        };
        let found = self.kept_as(
            &req.input.bucket,
            &format!("inventory/{}", req.input.id),
            none,
        )?;
        Ok(S3Response::new(
            dto::GetBucketInventoryConfigurationOutput {
                inventory_configuration: Some(found),
            },
        ))
    }

    pub(super) fn put_access_block(
        &self,
        req: &S3Request<dto::PutPublicAccessBlockInput>,
    ) -> S3Result<S3Response<dto::PutPublicAccessBlockOutput>> {
        self.keep(
            &req.input.bucket,
            "publicAccessBlock",
            &req.input.public_access_block_configuration,
        )?;
        Ok(S3Response::new(dto::PutPublicAccessBlockOutput::default()))
    }

    pub(super) fn get_access_block(
        &self,
        req: &S3Request<dto::GetPublicAccessBlockInput>,
    ) -> S3Result<S3Response<dto::GetPublicAccessBlockOutput>> {
        let none = || {
            error(
                404,
                "NoSuchPublicAccessBlockConfiguration",
                "The public access block configuration was not found",
            )
        };
        let found = self.kept_as(&req.input.bucket, "publicAccessBlock", none)?;
        Ok(S3Response::new(dto::GetPublicAccessBlockOutput {
            public_access_block_configuration: Some(found),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::super::convert::tag_set;
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn a_configuration_survives_being_kept() {
        let tagging = dto::Tagging {
            tag_set: tag_set(&BTreeMap::from([("a".to_owned(), "1 & 2".to_owned())])),
        };
        let text = to_xml(&tagging).expect("written");
        let back: dto::Tagging = from_xml(&text).expect("read");
        assert_eq!(back.tag_set[0].value.as_deref(), Some("1 & 2"));
        assert!(from_xml::<dto::Tagging>("<Other/>").is_none());
    }
}
