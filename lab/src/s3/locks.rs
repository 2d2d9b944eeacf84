//! Retention and legal hold of a version, and the lock configuration of a bucket.

use super::convert::{instant, stamp};
use super::error::{error, invalid, no_such_key, no_such_version};
use super::locking;
use super::model::{DefaultRetention, Mode, Retention, Version, Versioning};
use super::objects::trip;
use super::ops::Ops;
use super::policy::{self, Asked};
use super::store::bucket;
use s3s::dto;
use s3s::{S3Request, S3Response, S3Result};

fn no_lock_configuration() -> s3s::S3Error {
    error(
        404,
        "ObjectLockConfigurationNotFoundError",
        "Object Lock configuration does not exist for this bucket",
    )
}

impl Ops {
    /// Changes a version in a bucket with Object Lock and keeps it.
    fn change(
        &self,
        name: &str,
        key: &str,
        id: Option<&str>,
        work: impl FnOnce(&mut Version) -> S3Result<()>,
    ) -> S3Result<()> {
        let mut buckets = self.store.lock();
        let found = bucket(&mut buckets, name)?;
        if !found.meta.object_lock {
            return Err(invalid(
                "InvalidRequest",
                "Bucket is missing Object Lock Configuration",
            ));
        }
        let missing = || id.map_or_else(|| no_such_key(key), no_such_version);
        let version = found.version_mut(key, id).ok_or_else(missing)?;
        if version.marker {
            return Err(error(
                405,
                "MethodNotAllowed",
                "The specified method is not allowed against this resource.",
            ));
        }
        let before = version.clone();
        work(version)?;
        let (changed, saved) = (version.clone(), self.store.save_version(name, version));
        if saved.is_err() && changed != before {
            *found.version_mut(key, id).ok_or_else(missing)? = before;
        }
        saved
    }

    pub(super) fn put_retention(
        &self,
        req: &S3Request<dto::PutObjectRetentionInput>,
    ) -> S3Result<S3Response<dto::PutObjectRetentionOutput>> {
        let input = &req.input;
        let wanted = input.retention.as_ref();
        let (mode, until) = (
            wanted.and_then(|r| r.mode.as_ref()),
            wanted.and_then(|r| r.retain_until_date.as_ref()),
        );
        if mode.is_some() != until.is_some() {
            return Err(invalid(
                "MalformedXML",
                "The XML you provided was not well-formed or did not validate against our \
                 published schema",
            ));
        }
        let retention = match (mode, until.and_then(instant)) {
            (Some(mode), Some(until)) => Some(Retention {
                mode: Mode::parse(mode.as_str())
                    .ok_or_else(|| invalid("MalformedXML", "unknown mode"))?,
                until,
            }),
            _ => None,
        };
        let now = self.now();
        if let Some(text) = self
            .store
            .lock()
            .get(&input.bucket)
            .and_then(|b| b.meta.policy.clone())
        {
            let retain_until = retention.map(|r| r.until);
            policy::enforce(
                &text,
                &Asked {
                    operation: "PutObjectRetention",
                    bucket: &input.bucket,
                    key: Some(&input.key),
                    headers: &req.headers,
                    query: "",
                    retain_until,
                    now,
                },
            )?;
        }
        let bypass = input.bypass_governance_retention.unwrap_or(false);
        let lies = trip(&req.extensions).is_some_and(|t| t.slot.lies());
        self.change(
            &input.bucket,
            &input.key,
            input.version_id.as_deref(),
            |version| {
                locking::may_set(version.attributes.retention, retention, bypass, now)?;
                if !lies {
                    version.attributes.retention = retention;
                }
                Ok(())
            },
        )?;
        Ok(S3Response::new(dto::PutObjectRetentionOutput::default()))
    }

    pub(super) fn get_retention(
        &self,
        req: &S3Request<dto::GetObjectRetentionInput>,
    ) -> S3Result<S3Response<dto::GetObjectRetentionOutput>> {
        let input = &req.input;
        let version = self.readable(&input.bucket, &input.key, input.version_id.as_deref())?;
        let retention = version.attributes.retention.ok_or_else(|| {
            error(
                404,
                "NoSuchObjectLockConfiguration",
                "The specified object does not have a ObjectLock configuration",
            )
        })?;
        let shown = dto::ObjectLockRetention {
            mode: Some(retention.mode.as_str().to_owned().into()),
            retain_until_date: Some(stamp(retention.until)),
        };
        Ok(S3Response::new(dto::GetObjectRetentionOutput {
            retention: Some(shown),
        }))
    }

    pub(super) fn put_hold(
        &self,
        req: &S3Request<dto::PutObjectLegalHoldInput>,
    ) -> S3Result<S3Response<dto::PutObjectLegalHoldOutput>> {
        let input = &req.input;
        let status = input
            .legal_hold
            .as_ref()
            .and_then(|h| h.status.as_ref())
            .map(|s| s.as_str());
        let on = match status {
            Some("ON") => true,
            Some("OFF") => false,
            _ => {
                return Err(invalid(
                    "MalformedXML",
                    "The XML you provided was not well-formed or did not validate against our \
                     published schema",
                ));
            }
        };
        self.change(
            &input.bucket,
            &input.key,
            input.version_id.as_deref(),
            |version| {
                version.attributes.legal_hold = on;
                Ok(())
            },
        )?;
        Ok(S3Response::new(dto::PutObjectLegalHoldOutput::default()))
    }

    pub(super) fn get_hold(
        &self,
        req: &S3Request<dto::GetObjectLegalHoldInput>,
    ) -> S3Result<S3Response<dto::GetObjectLegalHoldOutput>> {
        let input = &req.input;
        let version = self.readable(&input.bucket, &input.key, input.version_id.as_deref())?;
        let status = if version.attributes.legal_hold {
            "ON"
        } else {
            "OFF"
        };
        let shown = dto::ObjectLockLegalHold {
            status: Some(status.to_owned().into()),
        };
        Ok(S3Response::new(dto::GetObjectLegalHoldOutput {
            legal_hold: Some(shown),
        }))
    }

    /// Also switches Object Lock on for a versioned bucket; there is no way to switch it off.
    pub(super) fn put_lock_configuration(
        &self,
        req: &S3Request<dto::PutObjectLockConfigurationInput>,
    ) -> S3Result<S3Response<dto::PutObjectLockConfigurationOutput>> {
        let input = &req.input;
        let malformed = || {
            invalid(
                "MalformedXML",
                "The XML you provided was not well-formed or did not validate against our \
                 published schema",
            )
        };
        let wanted = input
            .object_lock_configuration
            .as_ref()
            .ok_or_else(malformed)?;
        if wanted.object_lock_enabled.as_ref().map(|e| e.as_str()) != Some("Enabled") {
            return Err(malformed());
        }
        let default = wanted
            .rule
            .as_ref()
            .and_then(|r| r.default_retention.as_ref());
        let default = default
            .map(|d| {
                let mode = d
                    .mode
                    .as_ref()
                    .and_then(|m| Mode::parse(m.as_str()))
                    .ok_or_else(malformed)?;
                match (d.days, d.years) {
                    (Some(n), None) | (None, Some(n)) if n > 0 => Ok(DefaultRetention {
                        mode,
                        days: d.days,
                        years: d.years,
                    }),
                    _ => Err(malformed()),
                }
            })
            .transpose()?;
        let mut buckets = self.store.lock();
        let found = bucket(&mut buckets, &input.bucket)?;
        if found.meta.versioning != Versioning::Enabled {
            return Err(error(
                409,
                "InvalidBucketState",
                "Versioning must be 'Enabled' on the bucket to apply a Object Lock configuration",
            ));
        }
        found.meta.object_lock = true;
        found.meta.default_retention = default;
        self.store.save_meta(found)?;
        Ok(S3Response::new(
            dto::PutObjectLockConfigurationOutput::default(),
        ))
    }

    pub(super) fn get_lock_configuration(
        &self,
        req: &S3Request<dto::GetObjectLockConfigurationInput>,
    ) -> S3Result<S3Response<dto::GetObjectLockConfigurationOutput>> {
        let mut buckets = self.store.lock();
        let found = bucket(&mut buckets, &req.input.bucket)?;
        if !found.meta.object_lock {
            return Err(no_lock_configuration());
        }
        let rule = found.meta.default_retention.map(|d| dto::ObjectLockRule {
            default_retention: Some(dto::DefaultRetention {
                mode: Some(d.mode.as_str().to_owned().into()),
                days: d.days,
                years: d.years,
            }),
        });
        let configuration = dto::ObjectLockConfiguration {
            object_lock_enabled: Some("Enabled".to_owned().into()),
            rule,
        };
        Ok(S3Response::new(dto::GetObjectLockConfigurationOutput {
            object_lock_configuration: Some(configuration),
        }))
    }
}
