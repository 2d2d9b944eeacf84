//! Deleting versions, setting delete markers, many keys at once.

use super::conditions;
use super::error::invalid;
use super::locking;
use super::model::{Version, Versioning};
use super::objects::shown_id;
use super::ops::Ops;
use super::store::bucket;
use http::HeaderMap;
use s3s::dto::{
    self, DeleteObjectInput, DeleteObjectOutput, DeleteObjectsInput, DeleteObjectsOutput,
};
use s3s::{S3Request, S3Response, S3Result};

/// What a delete did: the version that is gone or the marker that came.
struct Deleted {
    marker: bool,
    id: Option<String>,
}

impl Ops {
    fn remove(
        &self,
        name: &str,
        key: &str,
        id: Option<&str>,
        bypass: bool,
        headers: &HeaderMap,
    ) -> S3Result<Deleted> {
        let now = self.now();
        let mut buckets = self.store.lock();
        let found = bucket(&mut buckets, name)?;
        if headers.contains_key("if-match") {
            conditions::of_write(headers, found.latest(key), key)?;
        }
        if let Some(id) = id {
            // A version that is not there is as good as deleted, as the service sees it.
            let Some(version) = found.version(key, Some(id)).cloned() else {
                return Ok(Deleted {
                    marker: false,
                    id: Some(id.to_owned()),
                });
            };
            locking::may_delete(&version, bypass, now)?;
            found.take_version(key, id);
            self.store.forget(name, &version);
            return Ok(Deleted {
                marker: version.marker,
                id: shown_id(&version),
            });
        }
        if found.meta.versioning == Versioning::Never {
            if let Some(version) = found.take_version(key, "null") {
                self.store.forget(name, &version);
            }
            return Ok(Deleted {
                marker: false,
                id: None,
            });
        }
        let marker = self.store.push(
            found,
            Version {
                marker: true,
                ..Version::new(key, now)
            },
        )?;
        Ok(Deleted {
            marker: true,
            id: Some(marker.id),
        })
    }

    pub(super) fn delete(
        &self,
        req: &S3Request<DeleteObjectInput>,
    ) -> S3Result<S3Response<DeleteObjectOutput>> {
        let input = &req.input;
        let bypass = input.bypass_governance_retention.unwrap_or(false);
        let deleted = self.remove(
            &input.bucket,
            &input.key,
            input.version_id.as_deref(),
            bypass,
            &req.headers,
        )?;
        let output = DeleteObjectOutput {
            delete_marker: deleted.marker.then_some(true),
            version_id: deleted.id,
            ..Default::default()
        };
        Ok(S3Response::with_status(
            output,
            http::StatusCode::NO_CONTENT,
        ))
    }

    pub(super) fn delete_many(
        &self,
        req: &S3Request<DeleteObjectsInput>,
    ) -> S3Result<S3Response<DeleteObjectsOutput>> {
        let input = &req.input;
        if input.delete.objects.len() > 1_000 || input.delete.objects.is_empty() {
            return Err(invalid(
                "MalformedXML",
                "The XML you provided was not well-formed or did not validate against our \
                 published schema",
            ));
        }
        let bypass = input.bypass_governance_retention.unwrap_or(false);
        let quiet = input.delete.quiet.unwrap_or(false);
        let (mut done, mut errors) = (Vec::new(), Vec::new());
        for object in &input.delete.objects {
            let (key, id) = (object.key.as_str(), object.version_id.as_deref());
            match self.remove(&input.bucket, key, id, bypass, &HeaderMap::new()) {
                Ok(_) if quiet => {}
                Ok(deleted) => done.push(dto::DeletedObject {
                    key: Some(key.to_owned()),
                    version_id: object.version_id.clone(),
                    delete_marker: deleted.marker.then_some(true),
                    delete_marker_version_id: deleted.id.filter(|_| deleted.marker),
                }),
                Err(e) => errors.push(dto::Error {
                    key: Some(key.to_owned()),
                    version_id: object.version_id.clone(),
                    code: Some(e.code().as_str().to_owned()),
                    message: e.message().map(str::to_owned),
                }),
            }
        }
        let output = DeleteObjectsOutput {
            deleted: Some(done),
            errors: Some(errors),
            ..Default::default()
        };
        Ok(S3Response::new(output))
    }
}
