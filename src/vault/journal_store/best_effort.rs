//! Entries of a run that changes nothing: what it found is worth more than its record. What cannot
//! be written once is written no more, and why is kept.

use super::VaultJournal;
use crate::model::{PolicyName, RunId};
use crate::report::first_line;
use bytes::Bytes;
use std::sync::{Arc, Mutex, PoisonError};

#[derive(Clone)]
pub struct BestEffort {
    journal: VaultJournal,
    /// Why there is no whole record; shared by all that hold this journal.
    lost: Arc<Mutex<Option<String>>>,
}

impl BestEffort {
    /// `unusable`: why nothing is written from the beginning.
    pub fn new(journal: VaultJournal, unusable: Option<String>) -> Self {
        Self {
            journal,
            lost: Arc::new(Mutex::new(unusable)),
        }
    }

    pub fn lost(&self) -> Option<String> {
        let lost = self.lost.lock();
        lost.unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) async fn append(&self, policy: &PolicyName, run: &RunId, seq: u64, bytes: Bytes) {
        if self.lost().is_some() {
            return;
        }
        if let Err(e) = self.journal.create(policy, run, seq, bytes).await {
            let mut lost = self.lost.lock().unwrap_or_else(PoisonError::into_inner);
            *lost = Some(first_line(&e));
        }
    }
}
