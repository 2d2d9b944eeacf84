//! The service's operations: each one line into the module that has it. What is not here answers
//! NotImplemented.

use super::partition::Partition;
use super::store::Store;
use crate::kms::Kms;
use jiff::Timestamp;
use s3s::{S3, S3Request, S3Response, S3Result, dto};
use std::sync::Arc;

/// One region's service.
pub(super) struct Ops {
    pub store: Arc<Store>,
    pub kms: Kms,
    pub partition: Partition,
}

impl Ops {
    pub(super) fn now(&self) -> Timestamp {
        self.store.clock.now()
    }
}

/// Each operation of the protocol, and what answers it.
macro_rules! service {
    ($($name:ident, $input:ident => $output:ident, |$ops:ident, $req:ident| $answer:expr;)*) => {
        #[async_trait::async_trait]
        impl S3 for Ops {
            $(async fn $name(
                &self,
                $req: S3Request<dto::$input>,
            ) -> S3Result<S3Response<dto::$output>> {
                let $ops = self;
                $answer
            })*
        }
    };
}

service! {
    list_buckets,
        ListBucketsInput => ListBucketsOutput,
        |ops, _req| Ok(ops.list_buckets());
    abort_multipart_upload,
        AbortMultipartUploadInput => AbortMultipartUploadOutput,
        |ops, req| ops.abort(&req);
    complete_multipart_upload,
        CompleteMultipartUploadInput => CompleteMultipartUploadOutput,
        |ops, req| ops.complete(req).await;
    copy_object,
        CopyObjectInput => CopyObjectOutput,
        |ops, req| ops.copy(req).await;
    create_bucket,
        CreateBucketInput => CreateBucketOutput,
        |ops, req| ops.create_bucket(&req);
    create_multipart_upload,
        CreateMultipartUploadInput => CreateMultipartUploadOutput,
        |ops, req| ops.create_upload(req);
    delete_bucket,
        DeleteBucketInput => DeleteBucketOutput,
        |ops, req| ops.delete_bucket(&req);
    delete_bucket_lifecycle,
        DeleteBucketLifecycleInput => DeleteBucketLifecycleOutput,
        |ops, req| ops.delete_lifecycle(&req);
    delete_bucket_policy,
        DeleteBucketPolicyInput => DeleteBucketPolicyOutput,
        |ops, req| ops.delete_policy(&req);
    delete_object,
        DeleteObjectInput => DeleteObjectOutput,
        |ops, req| ops.delete(&req);
    delete_object_tagging,
        DeleteObjectTaggingInput => DeleteObjectTaggingOutput,
        |ops, req| ops.delete_tags(&req);
    delete_objects,
        DeleteObjectsInput => DeleteObjectsOutput,
        |ops, req| ops.delete_many(&req);
    get_bucket_encryption,
        GetBucketEncryptionInput => GetBucketEncryptionOutput,
        |ops, req| ops.get_encryption(&req);
    get_bucket_inventory_configuration,
        GetBucketInventoryConfigurationInput => GetBucketInventoryConfigurationOutput,
        |ops, req| ops.get_inventory(&req);
    get_bucket_lifecycle_configuration,
        GetBucketLifecycleConfigurationInput => GetBucketLifecycleConfigurationOutput,
        |ops, req| ops.get_lifecycle(&req);
    get_bucket_location,
        GetBucketLocationInput => GetBucketLocationOutput,
        |ops, req| ops.location(&req);
    get_bucket_policy,
        GetBucketPolicyInput => GetBucketPolicyOutput,
        |ops, req| ops.get_policy(&req);
    get_bucket_tagging,
        GetBucketTaggingInput => GetBucketTaggingOutput,
        |ops, req| ops.get_bucket_tags(&req);
    get_bucket_versioning,
        GetBucketVersioningInput => GetBucketVersioningOutput,
        |ops, req| ops.get_versioning(&req);
    get_object,
        GetObjectInput => GetObjectOutput,
        |ops, req| ops.get(req).await;
    get_object_attributes,
        GetObjectAttributesInput => GetObjectAttributesOutput,
        |ops, req| ops.attributes(&req);
    get_object_legal_hold,
        GetObjectLegalHoldInput => GetObjectLegalHoldOutput,
        |ops, req| ops.get_hold(&req);
    get_object_lock_configuration,
        GetObjectLockConfigurationInput => GetObjectLockConfigurationOutput,
        |ops, req| ops.get_lock_configuration(&req);
    get_object_retention,
        GetObjectRetentionInput => GetObjectRetentionOutput,
        |ops, req| ops.get_retention(&req);
    get_object_tagging,
        GetObjectTaggingInput => GetObjectTaggingOutput,
        |ops, req| ops.tagging(&req);
    get_public_access_block,
        GetPublicAccessBlockInput => GetPublicAccessBlockOutput,
        |ops, req| ops.get_access_block(&req);
    head_bucket,
        HeadBucketInput => HeadBucketOutput,
        |ops, req| ops.head_bucket(&req);
    head_object,
        HeadObjectInput => HeadObjectOutput,
        |ops, req| ops.head(&req);
    list_multipart_uploads,
        ListMultipartUploadsInput => ListMultipartUploadsOutput,
        |ops, req| ops.list_uploads(&req);
    list_object_versions,
        ListObjectVersionsInput => ListObjectVersionsOutput,
        |ops, req| ops.list_versions(&req);
    list_objects,
        ListObjectsInput => ListObjectsOutput,
        |ops, req| ops.list_v1(&req);
    list_objects_v2,
        ListObjectsV2Input => ListObjectsV2Output,
        |ops, req| ops.list_v2(&req);
    list_parts,
        ListPartsInput => ListPartsOutput,
        |ops, req| ops.list_parts(&req);
    put_bucket_encryption,
        PutBucketEncryptionInput => PutBucketEncryptionOutput,
        |ops, req| ops.put_encryption(&req);
    put_bucket_inventory_configuration,
        PutBucketInventoryConfigurationInput => PutBucketInventoryConfigurationOutput,
        |ops, req| ops.put_inventory(&req);
    put_bucket_lifecycle_configuration,
        PutBucketLifecycleConfigurationInput => PutBucketLifecycleConfigurationOutput,
        |ops, req| ops.put_lifecycle(&req);
    put_bucket_policy,
        PutBucketPolicyInput => PutBucketPolicyOutput,
        |ops, req| ops.put_policy(&req);
    put_bucket_tagging,
        PutBucketTaggingInput => PutBucketTaggingOutput,
        |ops, req| ops.put_bucket_tags(&req);
    put_bucket_versioning,
        PutBucketVersioningInput => PutBucketVersioningOutput,
        |ops, req| ops.put_versioning(&req);
    put_object,
        PutObjectInput => PutObjectOutput,
        |ops, req| ops.put(req).await;
    put_object_legal_hold,
        PutObjectLegalHoldInput => PutObjectLegalHoldOutput,
        |ops, req| ops.put_hold(&req);
    put_object_lock_configuration,
        PutObjectLockConfigurationInput => PutObjectLockConfigurationOutput,
        |ops, req| ops.put_lock_configuration(&req);
    put_object_retention,
        PutObjectRetentionInput => PutObjectRetentionOutput,
        |ops, req| ops.put_retention(&req);
    put_object_tagging,
        PutObjectTaggingInput => PutObjectTaggingOutput,
        |ops, req| ops.put_tags(&req);
    put_public_access_block,
        PutPublicAccessBlockInput => PutPublicAccessBlockOutput,
        |ops, req| ops.put_access_block(&req);
    restore_object,
        RestoreObjectInput => RestoreObjectOutput,
        |ops, req| ops.thaw(&req);
    upload_part,
        UploadPartInput => UploadPartOutput,
        |ops, req| ops.part(req).await;
    upload_part_copy,
        UploadPartCopyInput => UploadPartCopyOutput,
        |ops, req| ops.copy_part(req).await;
}
