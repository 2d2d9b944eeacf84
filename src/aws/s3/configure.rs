//! A bucket's configuration: read by guards, written by `vault init` only.

use super::Bucket;
use super::locks::mode;
use crate::aws::error::{Error, Kind, classify};
use crate::model::{LockMode, Provider};
use aws_sdk_s3::types::{
    BucketLocationConstraint, BucketVersioningStatus, CreateBucketConfiguration, LifecycleRule,
};

/// What guards look at before a vault is used.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BucketState {
    pub versioning: bool,
    pub object_lock: bool,
    pub default_retention: Option<(LockMode, u32)>,
    /// Ids of lifecycle rules that expire objects or versions by age, with their prefix.
    pub expiring_rules: Vec<(String, String)>,
}

impl Bucket {
    /// # Errors
    /// `NotFound` when there is no such bucket.
    pub async fn state(&self) -> Result<BucketState, Error> {
        let name = self.name.as_str();
        let thing = || format!("bucket {name}");
        let mut state = BucketState {
            versioning: self.versioned().await?,
            ..Default::default()
        };
        let lock = self
            .client
            .get_object_lock_configuration()
            .bucket(name)
            .send()
            .await
            .map_err(|e| classify(e, "GetObjectLockConfiguration", thing()));
        match lock {
            Ok(answer) => {
                let configuration = answer.object_lock_configuration();
                state.object_lock = configuration
                    .and_then(|c| c.object_lock_enabled())
                    .is_some();
                let default = configuration
                    .and_then(|c| c.rule())
                    .and_then(|r| r.default_retention());
                state.default_retention = default.and_then(|d| {
                    Some((mode(d.mode()?.as_str())?, u32::try_from(d.days()?).ok()?))
                });
            }
            Err(e) if e.kind == Kind::NotFound => {}
            Err(e) => return Err(e),
        }
        let rules = self
            .client
            .get_bucket_lifecycle_configuration()
            .bucket(name)
            .send()
            .await
            .map_err(|e| classify(e, "GetBucketLifecycleConfiguration", thing()));
        match rules {
            Ok(answer) => {
                state.expiring_rules = answer.rules().iter().filter_map(expiring).collect();
            }
            Err(e) if matches!(e.kind, Kind::NotFound | Kind::Unsupported) => {}
            Err(e) => return Err(e),
        }
        Ok(state)
    }

    /// Whether the bucket keeps versions.
    ///
    /// # Errors
    /// `Unsupported` where the store does not say; `NotFound`, `Denied`.
    pub async fn versioned(&self) -> Result<bool, Error> {
        let request = self
            .client
            .get_bucket_versioning()
            .bucket(self.name.as_str());
        let answer = request.send().await;
        let thing = || format!("bucket {}", self.name);
        let answer = answer.map_err(|e| classify(e, "GetBucketVersioning", thing()))?;
        Ok(answer.status() == Some(&BucketVersioningStatus::Enabled))
    }

    /// Creates the bucket with Object Lock, which also enables versioning.
    ///
    /// # Errors
    /// `Exists` when there is one already.
    pub async fn create_with_lock(&self) -> Result<(), Error> {
        match self.create_at(self.location()).await {
            // Elsewhere a region can be a name that its users alone know.
            Err(e) if self.provider == Provider::Compatible && misplaced(&e) => {
                self.create_at(None).await
            }
            other => other,
        }
    }

    /// Without it S3 takes the first of its regions, and so do providers with one endpoint for
    /// several.
    fn location(&self) -> Option<&str> {
        let region = self.region.as_str();
        (!["us-east-1", "auto"].contains(&region)).then_some(region)
    }

    async fn create_at(&self, location: Option<&str>) -> Result<(), Error> {
        let mut request = self
            .client
            .create_bucket()
            .bucket(self.name.as_str())
            .object_lock_enabled_for_bucket(true);
        if let Some(location) = location {
            let place = CreateBucketConfiguration::builder()
                .location_constraint(BucketLocationConstraint::from(location))
                .build();
            request = request.create_bucket_configuration(place);
        }
        request
            .send()
            .await
            .map(|_| ())
            .map_err(|e| classify(e, "CreateBucket", format!("bucket {}", self.name)))
    }

    /// # Errors
    /// As the service's.
    pub async fn set_policy(&self, json: &str) -> Result<(), Error> {
        let request = self
            .client
            .put_bucket_policy()
            .bucket(self.name.as_str())
            .policy(json);
        request
            .send()
            .await
            .map(|_| ())
            .map_err(|e| classify(e, "PutBucketPolicy", format!("bucket {}", self.name)))
    }
}

/// The store knows no such location, or no locations at all.
fn misplaced(e: &Error) -> bool {
    e.code.contains("LocationConstraint") || e.kind == Kind::Unsupported
}

/// Id and prefix of a lifecycle rule that expires objects or versions by age.
fn expiring(rule: &LifecycleRule) -> Option<(String, String)> {
    let by_age = rule
        .expiration()
        .is_some_and(|e| e.days().is_some() || e.date().is_some());
    let expires = by_age || rule.noncurrent_version_expiration().is_some();
    if rule.status().as_str() != "Enabled" || !expires {
        return None;
    }
    #[expect(
        deprecated,
        reason = "old rules carry their prefix outside of a filter"
    )]
    let outside = rule.prefix();
    let prefix = rule.filter().and_then(|f| f.prefix()).or(outside);
    let id = rule.id().unwrap_or("without id").to_owned();
    Some((id, prefix.unwrap_or_default().to_owned()))
}
