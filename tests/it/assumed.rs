//! Roles that are assumed: their keys come from STS with a token, expire, and are fetched again.

use crate::cloud::Cloud;
use crate::stores::block_on;
use aws_credential_types::Credentials;
use aws_sdk_s3::error::ProvideErrorMetadata;
use aws_sdk_sts::config::{self, BehaviorVersion};
use dr::aws::{Clients, Credential, Keys, Kind, Place, Tuning};
use dr::journal::ActorBasis;
use dr::model::{BucketName, Provider, Region, Role, Seconds};
use serde_json::json;
use std::collections::BTreeMap;

const REGION: &str = "eu-central-1";

fn clients(cloud: &Cloud, profile: &str) -> Clients {
    let file = cloud.root.join("lab/credentials-roles");
    let keys = Keys {
        file: None,
        profiles: BTreeMap::new(),
        by_target: BTreeMap::new(),
        by_source: BTreeMap::new(),
        only: Some(Credential::Profile {
            name: profile.into(),
            file: Some(file.to_string_lossy().into_owned()),
        }),
    };
    let tuning = Tuning {
        connect: Seconds(3),
        call: Seconds(30),
        attempts: 1,
    };
    let sts = (Region::new(REGION), cloud.endpoint(REGION, "sts"));
    Clients::new(keys, tuning, [sts].into(), None)
}

fn assumed(cloud: &Cloud, since: u64) -> usize {
    let calls = cloud.calls(since);
    let of_sts = |c: &&serde_json::Value| {
        c["operation"]
            .as_str()
            .is_some_and(|o| o.starts_with("AssumeRole"))
            && c["status"] == 200
    };
    calls.iter().filter(of_sts).count()
}

#[test]
fn a_profile_that_names_a_role_gets_keys_and_new_ones_when_they_expire() {
    let cloud = Cloud::start("assumed", &["--empty", "--no-writers"]);
    cloud.tell("/sessions", &json!({"longest_s": 5}));
    block_on(async {
        let clients = clients(&cloud, "restorer");
        let (region, name) = (Region::new(REGION), BucketName::new("recovered-files"));
        let (s3, rds) = (cloud.endpoint(REGION, "s3"), cloud.endpoint(REGION, "rds"));
        let place = Place {
            region: &region,
            endpoint: Some(&s3),
            bucket: &name,
            provider: Provider::Aws,
            kms_key: None,
            target: None,
            source: None,
        };
        let bucket = clients.bucket(Role::Restorer, &place).await;
        let look = || async {
            bucket
                .head("nothing", None)
                .await
                .expect_err("no object")
                .kind
        };
        assert_eq!(look().await, Kind::NotFound);
        let rds = clients.rds(Role::Restorer, &region, Some(&rds)).await;
        assert!(rds.clusters().await.expect("an answer").is_empty());
        assert_eq!(assumed(&cloud, 0), 2, "one session for each client");
        let first = cloud.now();
        // The keys of the first calls are expired now.
        cloud.tell("/clock", &json!({"advance_s": 10}));
        assert_eq!(look().await, Kind::NotFound);
        assert!(rds.clusters().await.is_ok());
        assert_eq!(assumed(&cloud, first), 2, "new ones");
    });
}

#[test]
fn a_web_identity_is_a_role_too_and_the_actor_is_the_session() {
    let cloud = Cloud::start("identity", &["--empty", "--no-writers"]);
    block_on(async {
        let region = Region::new(REGION);
        for (profile, how) in [
            ("auditor", "AssumeRoleWithWebIdentity"),
            ("copier", "AssumeRole"),
        ] {
            let since = cloud.now();
            let clients = clients(&cloud, profile);
            let actor = clients
                .actor(Role::Auditor, &region, Provider::Aws, None)
                .await;
            let arn = format!("arn:aws:sts::222222222222:assumed-role/{profile}/lab");
            assert_eq!((actor.id, actor.basis), (arn, ActorBasis::Sts));
            let calls = cloud.calls(since);
            assert!(calls.iter().any(|c| c["operation"] == how), "{calls:?}");
        }
    });
}

#[test]
fn a_missing_profile_is_told_by_name_where_the_policy_names_an_sts() {
    let cloud = Cloud::start("nobody", &["--empty", "--no-writers"]);
    let policy = cloud.policy_with("roles.yaml", |text| {
        text.replace("file: credentials", "file: credentials-roles")
            .replace("scheduler: scheduler", "scheduler: nobody")
    });
    let policy = policy.to_str().expect("a path");
    let ran = cloud.dr(&["vault", "probe", "--policy", policy, "--profile", "nobody"]);
    assert_ne!(ran.code, 0);
    let told = format!("{}{}", ran.stdout, ran.stderr);
    assert!(told.contains("profile `nobody` was not defined"), "{told}");
}

/// What each service says to the key of a session without its token, with another, and too late.
#[test]
fn a_session_without_its_token_is_refused_in_the_words_of_each_service() {
    let cloud = Cloud::start("token", &["--empty", "--no-writers"]);
    block_on(async {
        let session = session(&cloud).await;
        let (id, secret) = (session.access_key_id(), session.secret_access_key());
        let with = |token: Option<&str>| {
            Credentials::new(id, secret, token.map(str::to_owned), None, "test")
        };
        let good = with(Some(session.session_token()));
        assert_eq!(of_s3(&cloud, good.clone()).await, None);
        assert_eq!(of_rds(&cloud, good.clone()).await, None);
        assert_eq!(
            of_s3(&cloud, with(None)).await,
            Some((403, "InvalidAccessKeyId".into()))
        );
        assert_eq!(
            of_s3(&cloud, with(Some("another"))).await,
            Some((400, "InvalidToken".into()))
        );
        for token in [None, Some("another")] {
            assert_eq!(
                of_rds(&cloud, with(token)).await,
                Some((403, "InvalidClientTokenId".into()))
            );
        }
        cloud.tell("/clock", &json!({"advance_s": 3600}));
        assert_eq!(
            of_s3(&cloud, good.clone()).await,
            Some((400, "ExpiredToken".into()))
        );
        assert_eq!(
            of_rds(&cloud, good).await,
            Some((403, "ExpiredToken".into()))
        );
    });
}

async fn session(cloud: &Cloud) -> aws_sdk_sts::types::Credentials {
    let (id, secret) = cloud.key("aws", "runner");
    let config = aws_sdk_sts::Config::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(config::Region::new(REGION))
        .endpoint_url(cloud.endpoint(REGION, "sts"))
        .credentials_provider(Credentials::new(id, secret, None, None, "test"));
    let client = aws_sdk_sts::Client::from_conf(config.build());
    let answer = client
        .assume_role()
        .role_arn("arn:aws:iam::222222222222:role/restorer")
        .role_session_name("test")
        .send()
        .await;
    answer.expect("assumed").credentials.expect("credentials")
}

/// Status and code of a refusal.
type Refusal = Option<(u16, String)>;

async fn of_s3(cloud: &Cloud, keys: Credentials) -> Refusal {
    let config = aws_sdk_s3::Config::builder()
        .behavior_version(aws_sdk_s3::config::BehaviorVersion::v2026_01_12())
        .region(config::Region::new(REGION))
        .endpoint_url(cloud.endpoint(REGION, "s3"))
        .force_path_style(true)
        .credentials_provider(keys);
    let client = aws_sdk_s3::Client::from_conf(config.build());
    let listed = client
        .list_objects_v2()
        .bucket("recovered-files")
        .send()
        .await;
    let e = listed.err()?;
    let status = e.raw_response().expect("an answer").status().as_u16();
    Some((status, e.code().unwrap_or_default().to_owned()))
}

async fn of_rds(cloud: &Cloud, keys: Credentials) -> Refusal {
    let config = aws_sdk_rds::Config::builder()
        .behavior_version(aws_sdk_rds::config::BehaviorVersion::v2026_01_12())
        .region(config::Region::new(REGION))
        .endpoint_url(cloud.endpoint(REGION, "rds"))
        .credentials_provider(keys);
    let listed = aws_sdk_rds::Client::from_conf(config.build())
        .describe_db_clusters()
        .send()
        .await;
    let e = listed.err()?;
    let status = e.raw_response().expect("an answer").status().as_u16();
    Some((status, e.code().unwrap_or_default().to_owned()))
}
