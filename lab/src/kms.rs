//! KMS: keys as ids that can be disabled or absent. No cryptography; the lab's disk is not
//! encrypted.

use crate::accounts::{Caller, PRIMARY_REGION, PRODUCTION, SECOND_REGION, VAULT};
use crate::query::{QueryError, QueryService};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum KeyState {
    Enabled,
    Disabled,
    Absent,
}

/// The keys of all regions, by ARN; cheap to clone.
#[derive(Clone)]
pub struct Kms {
    keys: Arc<Mutex<BTreeMap<String, KeyState>>>,
}

/// The one key of a region that there is at the start.
pub fn default_key(region: &str) -> Option<String> {
    match region {
        PRIMARY_REGION => Some(format!(
            "arn:aws:kms:{PRIMARY_REGION}:{PRODUCTION}:key/prod-1"
        )),
        SECOND_REGION => Some(format!("arn:aws:kms:{SECOND_REGION}:{VAULT}:key/vault-1")),
        _ => None,
    }
}

impl Default for Kms {
    fn default() -> Self {
        let keys = [PRIMARY_REGION, SECOND_REGION]
            .into_iter()
            .filter_map(default_key)
            .map(|k| (k, KeyState::Enabled));
        Self {
            keys: Arc::new(Mutex::new(keys.collect())),
        }
    }
}

impl Kms {
    fn keys(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, KeyState>> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn state(&self, arn: &str) -> KeyState {
        self.keys().get(arn).copied().unwrap_or(KeyState::Absent)
    }

    pub fn usable(&self, arn: &str) -> bool {
        self.state(arn) == KeyState::Enabled
    }

    pub fn set(&self, arn: &str, state: KeyState) {
        self.keys().insert(arn.to_owned(), state);
    }

    pub fn of_region(&self, region: &str) -> Vec<String> {
        let prefix = format!("arn:aws:kms:{region}:");
        self.keys()
            .iter()
            .filter(|(k, s)| k.starts_with(&prefix) && **s != KeyState::Absent)
            .map(|(k, _)| k.clone())
            .collect()
    }
}

pub struct KmsRegion {
    pub kms: Kms,
    pub region: String,
}

#[async_trait::async_trait]
impl QueryService for KmsRegion {
    async fn call(
        &self,
        _: &Caller,
        operation: &str,
        params: &BTreeMap<String, String>,
    ) -> Result<String, QueryError> {
        if operation != "DescribeKey" {
            return Err(QueryError::new(
                400,
                "UnknownOperationException",
                format!("the lab has no {operation}"),
            ));
        }
        let id = params.get("KeyId").map(String::as_str).unwrap_or_default();
        let arn = self
            .kms
            .of_region(&self.region)
            .into_iter()
            .find(|k| k == id || k.rsplit('/').next() == Some(id));
        let arn = arn.ok_or_else(|| {
            QueryError::new(
                400,
                "NotFoundException",
                format!("Key '{id}' does not exist"),
            )
        })?;
        let enabled = self.kms.usable(&arn);
        let state = if enabled { "Enabled" } else { "Disabled" };
        let account = arn.split(':').nth(4).unwrap_or_default();
        let metadata = serde_json::json!({"KeyMetadata": {"AWSAccountId": account,
        "KeyId": arn.rsplit('/').next(), "Arn": arn, "Enabled": enabled, "KeyState": state,
        "KeyUsage": "ENCRYPT_DECRYPT"}});
        Ok(metadata.to_string())
    }
}
