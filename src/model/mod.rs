//! Names and small values that everything speaks. Pure, and the ground floor: nothing here imports
//! another module.

mod as_text;
mod endpoint;
mod excerpt;
mod ids;
mod lock;
mod method;
mod provider;
mod role;
mod run;
mod seconds;
mod sha256;
mod slot;
mod source_kind;
mod source_version;
mod vault_id;

pub use endpoint::{endpoint_allowed, is_loopback, on_loopback, same_endpoint};
pub use excerpt::short;
pub use ids::{
    AccountId, BucketName, ClusterId, KmsKey, Name, ObjectKey, PolicyName, Region, SourceId,
    TargetName, VersionId,
};
pub use lock::{Lock, LockMode};
pub use method::Method;
pub use provider::Provider;
pub use role::Role;
pub use run::{Mark, RunId, RunKind, StepId};
pub use seconds::Seconds;
pub use sha256::Sha256;
pub use slot::Slot;
pub use source_kind::SourceKind;
pub use source_version::SourceVersion;
pub use vault_id::VaultId;
