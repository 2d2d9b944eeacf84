//! How every client is configured: explicit endpoints, timeouts, retries; nothing from `AWS_ENDPOINT_URL*`.

use crate::policy::Seconds;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;

/// Where a key comes from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Credential {
    /// The platform's chain: environment, ~/.aws, web identity, Pod Identity, instance metadata.
    Platform,
    /// A profile, in the given shared-credentials file or the usual ones.
    Profile { name: String, file: Option<String> },
}

impl Credential {
    pub(super) async fn provider(&self, region: &str) -> SharedCredentialsProvider {
        let region = aws_config::Region::new(region.to_owned());
        match self {
            Credential::Platform => {
                let chain = aws_config::default_provider::credentials::DefaultCredentialsChain::builder()
                    .region(region)
                    .build()
                    .await;
                SharedCredentialsProvider::new(chain)
            }
            Credential::Profile { name, file } => {
                let mut builder = aws_config::profile::ProfileFileCredentialsProvider::builder().profile_name(name);
                if let Some(path) = file {
                    let files = aws_runtime::env_config::file::EnvConfigFiles::builder()
                        .with_file(aws_runtime::env_config::file::EnvConfigFileKind::Credentials, path)
                        .build();
                    builder = builder.profile_files(files);
                }
                SharedCredentialsProvider::new(builder.build())
            }
        }
    }
}

#[derive(Clone, Debug)]
pub struct Tuning {
    pub connect: Seconds,
    pub call: Seconds,
    pub attempts: u32,
}

/// What one client is made from.
#[derive(Clone, Debug)]
pub struct Settings {
    pub region: String,
    pub endpoint: Option<String>,
    pub credential: Credential,
    pub tuning: Tuning,
}

impl Settings {
    pub(super) fn timeouts(&self) -> TimeoutConfig {
        TimeoutConfig::builder()
            .connect_timeout(self.tuning.connect.as_duration())
            .operation_timeout(self.tuning.call.as_duration())
            .operation_attempt_timeout(self.tuning.call.as_duration())
            .build()
    }

    pub(super) fn retries(&self) -> RetryConfig {
        RetryConfig::standard()
            .with_max_attempts(self.tuning.attempts)
            .with_max_backoff(std::time::Duration::from_secs(5))
    }
}
