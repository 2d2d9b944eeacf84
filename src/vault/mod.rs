//! A vault: a bucket with Object Lock. Layout, create-only writes, the all-versions reading rule,
//! history, the lock probe.

mod create;
mod history;
mod journal_store;
mod layout;
mod probe;
mod probed;
mod store;
mod versions;

pub use create::decides;
pub use history::{PointIndex, PointRef, RunRef, Unread};
pub use journal_store::{
    Appended, BestEffort, JournalStore, LocalFile, LocalJournal, RunEnds, RunRead, VaultJournal,
};
pub use layout::{Key, PointDocument, ProofOf, SourceDocument, folder};
pub use probed::{ProbeOutcome, ProbeRecord, Verdict};
pub use store::{Vault, VaultError};
pub use versions::first_versions;
