//! Where the keys of a client come from, and where the roles behind them are assumed.

use super::settings::{Credential, Settings};
use aws_config::Region;
use aws_config::default_provider::credentials::DefaultCredentialsChain;
use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider, future};
use aws_runtime::env_config::file::{EnvConfigFileKind, EnvConfigFiles};

impl Settings {
    pub(super) async fn keys(&self) -> SharedCredentialsProvider {
        let region = Region::new(self.region.clone());
        match &self.credential {
            Credential::Platform => SharedCredentialsProvider::new(
                DefaultCredentialsChain::builder()
                    .region(region)
                    .build()
                    .await,
            ),
            Credential::Profile { name, file } => {
                // A profile can stand for a role: then a client of STS is made in there, which
                // finds no endpoint without a region.
                let around = ProviderConfig::without_region()
                    .with_region(Some(region))
                    .with_timeout_config(self.timeouts());
                let provider = ProfileFileCredentialsProvider::builder()
                    .configure(&around)
                    .profile_files(files(name, file.as_deref(), self.sts.as_deref()))
                    .profile_name(name)
                    .build();
                SharedCredentialsProvider::new(Profile {
                    name: name.clone(),
                    provider,
                })
            }
        }
    }
}

/// The files of a profile, and behind them one of ours: the provider takes an endpoint of STS from
/// nowhere else.
fn files(name: &str, file: Option<&str>, sts: Option<&str>) -> EnvConfigFiles {
    let builder = match file {
        Some(path) => EnvConfigFiles::builder().with_file(EnvConfigFileKind::Credentials, path),
        None => EnvConfigFiles::builder()
            .include_default_config_file(true)
            .include_default_credentials_file(true),
    };
    match sts {
        Some(url) => builder.with_contents(
            EnvConfigFileKind::Config,
            format!(
                "[profile {name}]\nservices = of-the-policy\n\
                 [services of-the-policy]\nsts =\n  endpoint_url = {url}\n"
            ),
        ),
        None => builder,
    }
    .build()
}

/// One profile. Where an endpoint is given for it, it is there for the SDK even if no file has it:
/// what is told about a missing one is ours.
#[derive(Debug)]
struct Profile {
    name: String,
    provider: ProfileFileCredentialsProvider,
}

impl ProvideCredentials for Profile {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(async {
            match self.provider.provide_credentials().await {
                Err(CredentialsError::CredentialsNotLoaded(_)) => {
                    Err(CredentialsError::not_loaded(format!(
                        "profile `{}` was not defined, or names no key and no role",
                        self.name
                    )))
                }
                answer => answer,
            }
        })
    }
}
