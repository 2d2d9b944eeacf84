//! Buckets as `dr` reaches them, for tests that look at a store from outside of the command line.

use dr::aws::s3::Bucket;
use dr::aws::{Clients, Credential, Keys, Place, Tuning};
use dr::model::{BucketName, Provider, Region, Role, Seconds};
use std::collections::BTreeMap;

/// Work on a runtime of its own.
pub fn block_on<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime")
        .block_on(work)
}

pub fn clients(file: &str, profile: &str) -> Clients {
    let only = Some(Credential::Profile {
        name: profile.into(),
        file: Some(file.into()),
    });
    let keys = Keys {
        file: None,
        profiles: BTreeMap::new(),
        by_target: BTreeMap::new(),
        by_source: BTreeMap::new(),
        only,
    };
    Clients::new(
        keys,
        Tuning {
            connect: Seconds(3),
            call: Seconds(30),
            attempts: 2,
        },
        BTreeMap::new(),
        None,
    )
}

pub async fn bucket(
    clients: &Clients,
    endpoint: &str,
    region: &str,
    name: &str,
    provider: Provider,
) -> Bucket {
    let (region, name) = (Region::new(region), BucketName::new(name));
    let place = Place {
        region: &region,
        endpoint: Some(endpoint),
        bucket: &name,
        provider,
        kms_key: None,
        target: None,
        source: None,
    };
    clients.bucket(Role::Copier, &place).await
}

/// The SDK itself, for what `dr` never does.
pub fn raw(endpoint: &str, region: &str, id: &str, secret: &str) -> aws_sdk_s3::Client {
    let config = aws_sdk_s3::Config::builder()
        .behavior_version(aws_sdk_s3::config::BehaviorVersion::v2026_01_12())
        .region(aws_sdk_s3::config::Region::new(region.to_owned()))
        .endpoint_url(endpoint)
        .force_path_style(true)
        .credentials_provider(aws_credential_types::Credentials::new(
            id, secret, None, None, "test",
        ));
    aws_sdk_s3::Client::from_conf(config.build())
}
