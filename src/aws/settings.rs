//! What one client is made from: where it speaks to, how long it waits, whose key it uses.

use crate::model::Seconds;
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use std::fmt;

/// Where a key comes from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Credential {
    /// The platform's chain: environment, ~/.aws, web identity, Pod Identity, instance metadata.
    Platform,
    /// A profile, in the given shared-credentials file or the usual ones.
    Profile { name: String, file: Option<String> },
}

/// As an error names it; where the keys come from, never the keys.
impl fmt::Display for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Credential::Platform => f.write_str("the platform's own key"),
            Credential::Profile { name, .. } => write!(f, "profile {name}"),
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
    /// Where roles are assumed; `None`: the public endpoint of the region.
    pub sts: Option<String>,
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
