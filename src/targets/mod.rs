//! Which targets answer, which of them holds the journal, and points merged over all of them.

mod journal_target;
mod points;
mod source;

pub use journal_target::{Away, MAX_SKEW, Reached, Seen, away_findings, find, reading, skew};
pub use points::{Merged, copy, point, slots};
pub use source::{open_source, source_failed};

use crate::aws::{Clients, Place};
use crate::model::{BucketName, Provider, Region, Role};
use crate::plan::PlanTarget;
use crate::vault::Vault;

/// A target's vault with a role's key.
pub async fn open(clients: &Clients, role: Role, target: &PlanTarget) -> Vault {
    let place = Place {
        region: &target.region,
        endpoint: target.endpoint.as_deref(),
        bucket: &target.bucket,
        provider: target.provider,
        kms_key: target.kms_key.as_ref(),
        target: Some(&target.name),
        source: None,
    };
    Vault {
        bucket: clients.bucket(role, &place).await,
        target: target.name.clone(),
    }
}

/// The place of a bucket that is no target.
pub fn place_of<'a>(
    bucket: &'a BucketName,
    region: &'a Region,
    endpoint: Option<&'a str>,
) -> Place<'a> {
    Place {
        region,
        endpoint,
        bucket,
        provider: Provider::Aws,
        kms_key: None,
        target: None,
        source: None,
    }
}
