//! One bucket, seen with one key.

mod clock;
mod configure;
mod list;
mod locks;
mod multipart;
mod pages;
mod read;
mod tags;
mod uploads;
mod write;

pub use clock::StoreClock;
pub use configure::BucketState;
pub use list::Listed;
pub use locks::LockState;
pub use multipart::Part;
pub use read::{Got, Head, Meta};
pub use uploads::Upload;
pub use write::{CopyFrom, Put, PutOptions, hex_of_base64};

use super::error::Error;
use super::settings::Settings;
use crate::model::{BucketName, KmsKey, Provider, Region};
use aws_sdk_s3::config::{
    BehaviorVersion, RequestChecksumCalculation, ResponseChecksumValidation,
    StalledStreamProtectionConfig,
};
use std::sync::Arc;
use tokio::sync::Mutex;

/// A bucket at an endpoint, with the key of one role. Cheap to clone. Durable when a write returns;
/// safe to call concurrently.
#[derive(Clone)]
pub struct Bucket {
    pub(super) client: aws_sdk_s3::Client,
    pub name: BucketName,
    pub region: Region,
    pub provider: Provider,
    pub kms_key: Option<KmsKey>,
    pub clock: StoreClock,
    settings: Settings,
    /// Whether a create may be left to this store, once that is known.
    conditional: Arc<Mutex<Option<bool>>>,
}

impl Bucket {
    pub async fn new(
        settings: &Settings,
        name: &BucketName,
        provider: Provider,
        kms_key: Option<KmsKey>,
    ) -> Self {
        let clock = StoreClock::default();
        let grace = StalledStreamProtectionConfig::enabled()
            .grace_period(std::time::Duration::from_secs(30))
            .build();
        let mut config = aws_sdk_s3::Config::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(aws_sdk_s3::config::Region::new(settings.region.clone()))
            .credentials_provider(settings.keys().await)
            .timeout_config(settings.timeouts())
            .retry_config(settings.retries())
            // Bulk copies have a retry budget of their own, so that they cannot starve a journal
            // append.
            .retry_partition(aws_sdk_s3::config::retry::RetryPartition::new(format!(
                "s3-{}-{name}-{:?}",
                settings.region, settings.endpoint
            )))
            .stalled_stream_protection(grace)
            // Checksums are computed here and sent as headers: trailers are refused by several
            // providers.
            .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
            .response_checksum_validation(ResponseChecksumValidation::WhenRequired)
            .interceptor(clock.clone());
        if let Some(url) = &settings.endpoint {
            config = config.endpoint_url(url).force_path_style(true);
        }
        Self {
            client: aws_sdk_s3::Client::from_conf(config.build()),
            name: name.clone(),
            region: Region::new(settings.region.clone()),
            provider,
            kms_key,
            clock,
            settings: settings.clone(),
            conditional: Arc::default(),
        }
    }

    /// `s3://bucket/key`, as errors name it.
    pub fn thing(&self, key: &str) -> String {
        format!("s3://{}/{key}", self.name)
    }

    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Whether conditional writes decide here, looked up once: whoever asks meanwhile waits for
    /// the answer, so that no body travels in vain.
    ///
    /// # Errors
    /// Those of the look.
    pub async fn conditional(
        &self,
        look: impl Future<Output = Result<bool, Error>>,
    ) -> Result<bool, Error> {
        let mut known = self.conditional.lock().await;
        match *known {
            Some(known) => Ok(known),
            None => Ok(*known.insert(look.await?)),
        }
    }

    /// What a probe saw, or an answer showed.
    pub async fn note_conditional(&self, decides: bool) {
        *self.conditional.lock().await = Some(decides);
    }
}

fn timestamp(time: &aws_smithy_types::DateTime) -> jiff::Timestamp {
    jiff::Timestamp::new(time.secs(), i32::try_from(time.subsec_nanos()).unwrap_or(0))
        .unwrap_or(jiff::Timestamp::UNIX_EPOCH)
}

fn smithy(time: jiff::Timestamp) -> aws_smithy_types::DateTime {
    aws_smithy_types::DateTime::from_secs(time.as_second())
}
