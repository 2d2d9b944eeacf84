//! A vault: a bucket with Object Lock. Layout, create-only writes, the all-versions reading rule,
//! history, the lock probe.

mod append;
mod create;
mod history;
pub mod layout;
mod local;
mod probe;
mod probed;
mod store;

pub use append::{Appended, JournalStore, LocalFile, RunRead};
pub use create::decides;
pub use history::{PointRef, RunRef, Unread, first_versions};
pub use local::LocalJournal;
pub use probed::{ProbeOutcome, ProbeRecord, Verdict};
pub use store::{Vault, VaultError};
