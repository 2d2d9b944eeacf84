//! How every client is configured: explicit endpoints, timeouts, retries; nothing from
//! `AWS_ENDPOINT_URL*`. Where its keys come from: `keys`.

use super::rds::Rds;
use super::s3::Bucket;
use super::settings::{Credential, Settings, Tuning};
use crate::journal::Actor;
use crate::model::{BucketName, KmsKey, Provider, Region, Role, Seconds, SourceId, TargetName};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Which key each role uses, at which target and of which source; made once by the command line.
#[derive(Clone, Debug)]
pub struct Keys {
    pub file: Option<String>,
    pub profiles: BTreeMap<Role, String>,
    pub by_target: BTreeMap<(TargetName, Role), String>,
    pub by_source: BTreeMap<(SourceId, Role), String>,
    /// `--profile`: one key for everything, whatever the role.
    pub only: Option<Credential>,
}

/// Makes clients on demand. Everything outside is reached through here.
#[derive(Clone)]
pub struct Clients {
    keys: Arc<Keys>,
    tuning: Tuning,
    sts: BTreeMap<Region, String>,
    /// Buckets of the user's that have a key of their own.
    by_bucket: BTreeMap<BucketName, Credential>,
    buckets: Arc<Mutex<BTreeMap<String, Bucket>>>,
    rds: Arc<Mutex<BTreeMap<String, Rds>>>,
    pub postgres_ca_file: Option<String>,
}

/// Where a bucket is.
#[derive(Clone, Debug)]
pub struct Place<'a> {
    pub region: &'a Region,
    pub endpoint: Option<&'a str>,
    pub bucket: &'a BucketName,
    pub provider: Provider,
    pub kms_key: Option<&'a KmsKey>,
    /// The target that it is, where it is one: keys can differ there.
    pub target: Option<&'a TargetName>,
    /// The source that it is, where it is one.
    pub source: Option<&'a SourceId>,
}

/// Whose profiles come before those that hold everywhere.
#[derive(Clone, Copy)]
enum Whose<'a> {
    Target(&'a TargetName),
    Source(&'a SourceId),
    Nobody,
}

impl<'a> Place<'a> {
    fn whose(&self) -> Whose<'a> {
        let target = self.target.map(Whose::Target);
        let of = target.or_else(|| self.source.map(Whose::Source));
        of.unwrap_or(Whose::Nobody)
    }
}

impl Clients {
    pub fn new(
        keys: Keys,
        tuning: Tuning,
        sts: BTreeMap<Region, String>,
        postgres_ca_file: Option<String>,
    ) -> Self {
        Self {
            keys: Arc::new(keys),
            tuning,
            sts,
            by_bucket: BTreeMap::new(),
            buckets: Arc::default(),
            rds: Arc::default(),
            postgres_ca_file,
        }
    }

    /// The same, with a profile of its own for one bucket that is no target.
    pub fn with_bucket_profile(mut self, bucket: &BucketName, profile: &str) -> Self {
        let credential = Credential::Profile {
            name: profile.into(),
            file: self.keys.file.clone(),
        };
        self.by_bucket.insert(bucket.clone(), credential);
        self
    }

    fn credential(&self, role: Role, whose: Whose<'_>) -> Credential {
        let keys = &self.keys;
        if let Some(only) = &keys.only {
            return only.clone();
        }
        let special = match whose {
            Whose::Target(name) => keys.by_target.get(&(name.clone(), role)),
            Whose::Source(id) => keys.by_source.get(&(id.clone(), role)),
            Whose::Nobody => None,
        };
        match special.or_else(|| keys.profiles.get(&role)) {
            Some(name) => Credential::Profile {
                name: name.clone(),
                file: keys.file.clone(),
            },
            None => Credential::Platform,
        }
    }

    fn settings(
        &self,
        role: Role,
        whose: Whose<'_>,
        region: &Region,
        endpoint: Option<&str>,
    ) -> Settings {
        Settings {
            region: region.to_string(),
            endpoint: endpoint.map(str::to_owned),
            sts: self.sts.get(region).cloned(),
            credential: self.credential(role, whose),
            tuning: self.tuning.clone(),
        }
    }

    pub fn call_timeout(&self) -> Seconds {
        self.tuning.call
    }

    pub async fn bucket(&self, role: Role, place: &Place<'_>) -> Bucket {
        let whose = place.whose();
        let mut settings = self.settings(role, whose, place.region, place.endpoint);
        let own = self.by_bucket.get(place.bucket);
        if let (Whose::Nobody, Some(own)) = (whose, own) {
            settings.credential = own.clone();
        }
        // Everything that the bucket is made from: one opened as if it were at AWS must not be
        // taken for the same one elsewhere.
        let cache_key = format!(
            "{:?} {} {} {:?} {:?} {:?}",
            settings.credential,
            place.region,
            place.bucket,
            place.endpoint,
            place.provider,
            place.kms_key
        );
        // A map of clients is whole whatever panicked beside it.
        let kept = |buckets: &Mutex<BTreeMap<String, Bucket>>| {
            let buckets = buckets.lock().unwrap_or_else(PoisonError::into_inner);
            buckets.get(&cache_key).cloned()
        };
        if let Some(found) = kept(&self.buckets) {
            return found;
        }
        let bucket = Bucket::new(
            &settings,
            place.bucket,
            place.provider,
            place.kms_key.cloned(),
        )
        .await;
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        buckets.insert(cache_key, bucket.clone());
        bucket
    }

    pub async fn rds(&self, role: Role, region: &Region, endpoint: Option<&str>) -> Rds {
        let settings = self.settings(role, Whose::Nobody, region, endpoint);
        let cache_key = format!("{:?} {region} {endpoint:?}", settings.credential);
        let kept = |all: &Mutex<BTreeMap<String, Rds>>| {
            let all = all.lock().unwrap_or_else(PoisonError::into_inner);
            all.get(&cache_key).cloned()
        };
        if let Some(found) = kept(&self.rds) {
            return found;
        }
        let rds = Rds::new(&settings).await;
        let mut all = self.rds.lock().unwrap_or_else(PoisonError::into_inner);
        all.insert(cache_key, rds.clone());
        rds
    }

    /// Who we are at a target, as its region's STS says.
    pub async fn actor(
        &self,
        role: Role,
        region: &Region,
        provider: Provider,
        target: Option<&TargetName>,
    ) -> Actor {
        let settings = self.settings(
            role,
            target.map_or(Whose::Nobody, Whose::Target),
            region,
            self.sts.get(region).map(String::as_str),
        );
        match provider {
            Provider::Aws => super::sts::actor(&settings).await,
            Provider::Compatible => super::sts::key_of(&settings).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clients() -> Clients {
        let keys = Keys {
            file: None,
            profiles: [(Role::Copier, "copier".to_owned())].into(),
            by_target: [((TargetName::new("media"), Role::Copier), "vaults".into())].into(),
            by_source: [((SourceId::new("media"), Role::Copier), "sources".into())].into(),
            only: None,
        };
        let tuning = Tuning {
            connect: Seconds(1),
            call: Seconds(1),
            attempts: 1,
        };
        Clients::new(keys, tuning, BTreeMap::new(), None)
    }

    #[tokio::test]
    async fn a_bucket_is_kept_apart_from_the_same_name_at_another_provider() {
        let clients = clients();
        let (region, bucket) = (Region::new("other"), BucketName::new("vault"));
        let place = |provider| Place {
            region: &region,
            endpoint: Some("http://127.0.0.1:1"),
            bucket: &bucket,
            provider,
            kms_key: None,
            target: None,
            source: None,
        };
        for provider in [Provider::Aws, Provider::Compatible, Provider::Aws] {
            assert_eq!(
                clients
                    .bucket(Role::Restorer, &place(provider))
                    .await
                    .provider,
                provider
            );
        }
    }

    #[test]
    fn a_source_has_keys_of_its_own_and_falls_back_on_those_for_everything() {
        let clients = clients();
        let (target, source) = (TargetName::new("media"), SourceId::new("media"));
        let profile = |role, whose| match clients.credential(role, whose) {
            Credential::Profile { name, .. } => name,
            Credential::Platform => "the platform's".into(),
        };
        let other = SourceId::new("files");
        for (role, whose, wanted) in [
            (Role::Copier, Whose::Source(&source), "sources"),
            (Role::Copier, Whose::Target(&target), "vaults"),
            (Role::Copier, Whose::Source(&other), "copier"),
            (Role::Copier, Whose::Nobody, "copier"),
            (Role::Scheduler, Whose::Source(&source), "the platform's"),
        ] {
            assert_eq!(profile(role, whose), wanted);
        }
    }
}
