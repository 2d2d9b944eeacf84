//! Who a key is.

use super::error::{Error, classify};
use super::settings::Settings;
use crate::journal::{Actor, ActorBasis};
use aws_credential_types::provider::ProvideCredentials;
use aws_sdk_sts::config::{BehaviorVersion, Region};

/// The STS identity of a credential, or, where STS does not answer, the key's id. Never a reason to
/// stop.
pub async fn actor(settings: &Settings) -> Actor {
    match identity(settings).await {
        Ok(arn) => Actor {
            id: arn,
            basis: ActorBasis::Sts,
        },
        Err(_) => key_of(settings).await,
    }
}

/// The key's id alone, for providers without STS.
pub async fn key_of(settings: &Settings) -> Actor {
    let provider = settings.keys().await;
    let id = provider
        .provide_credentials()
        .await
        .map(|c| c.access_key_id().to_owned());
    Actor {
        id: id.unwrap_or_else(|_| "unknown".into()),
        basis: ActorBasis::Key,
    }
}

/// # Errors
/// STS did not answer, or refused the key.
pub async fn identity(settings: &Settings) -> Result<String, Error> {
    let mut config = aws_sdk_sts::Config::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::new(settings.region.clone()))
        .credentials_provider(settings.keys().await)
        .timeout_config(settings.timeouts())
        .retry_config(settings.retries().with_max_attempts(1));
    if let Some(url) = &settings.endpoint {
        config = config.endpoint_url(url);
    }
    let client = aws_sdk_sts::Client::from_conf(config.build());
    let answer = client
        .get_caller_identity()
        .send()
        .await
        .map_err(|e| classify(e, "GetCallerIdentity", &settings.region))?;
    Ok(answer.arn().unwrap_or("unknown").to_owned())
}
