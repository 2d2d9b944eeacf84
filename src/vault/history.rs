//! What a vault says happened: runs by name, points with their copies and proofs. Read with
//! `start-after`, never by listing everything.

use super::layout::{Key, PointDocument, SourceDocument, folder};
use super::store::{Vault, VaultError};
use super::versions::first_versions;
use crate::aws::s3::Listed;
use crate::manifest::{Captured, Copy, Dump, Point, Proof};
use crate::model::{PolicyName, RunId, RunKind, Slot, SourceId};
use std::collections::BTreeSet;

/// Folders of one kind that are listed: hourly slots of eleven years. More are an error, for the
/// newest ones come last.
const MOST_FOLDERS: usize = 100_000;
/// Documents of one point.
const MOST_DOCUMENTS: usize = 50_000;

/// A run, by its name alone.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RunRef {
    pub slot: Slot,
    pub run: RunId,
}

/// A point as one vault knows it.
#[derive(Clone, Debug)]
pub struct PointRef {
    pub point: Point,
    /// Sources that were captured.
    pub captured: Vec<Captured>,
    pub copies: Vec<Copy>,
    pub proofs: Vec<Proof>,
    /// Dumps with the keys of their documents.
    pub dumps: Vec<(String, Dump)>,
    /// Documents of the point that cannot be believed; the others count all the same.
    pub unread: Vec<Unread>,
}

impl PointRef {
    pub fn captured(&self, source: &SourceId) -> Option<&Captured> {
        self.captured.iter().find(|c| &c.source == source)
    }
}

/// A document that is there and cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unread {
    pub key: String,
    pub version: String,
    pub why: String,
    /// A newer program wrote it; nothing is damaged.
    pub unknown_version: bool,
}

/// A slot that has a folder under `points/`, and whether something was tried of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PointIndex {
    pub slot: Slot,
    pub tried: bool,
}

impl Vault {
    /// Runs of a kind whose name sorts after `since`, oldest first. Folders that are no run's are
    /// no history.
    ///
    /// # Errors
    /// The store's.
    pub async fn runs(
        &self,
        policy: &PolicyName,
        kind: RunKind,
        since: Slot,
    ) -> Result<Vec<RunRef>, VaultError> {
        let prefix = format!("{}{kind}-", folder::runs(policy));
        let after = format!("{prefix}{since}");
        let names = self
            .bucket
            .folders(&prefix, Some(&after), MOST_FOLDERS)
            .await?;
        let mut runs: Vec<RunRef> = names
            .iter()
            .filter_map(|n| RunId::parse(&format!("{kind}-{n}")).ok())
            .map(|run| RunRef {
                slot: run.slot(),
                run,
            })
            .collect();
        runs.sort();
        Ok(runs)
    }

    /// Names of all policies that have points here.
    ///
    /// # Errors
    /// The store's.
    pub async fn policies(&self) -> Result<Vec<PolicyName>, VaultError> {
        let names = self
            .bucket
            .folders(folder::POINTS, None, MOST_FOLDERS)
            .await?;
        Ok(names.into_iter().map(PolicyName::new).collect())
    }

    /// Slots with a folder under `points/`, newest first.
    ///
    /// # Errors
    /// The store's.
    pub async fn slots(&self, policy: &PolicyName) -> Result<Vec<Slot>, VaultError> {
        self.slots_under(&folder::points(policy)).await
    }

    async fn slots_under(&self, prefix: &str) -> Result<Vec<Slot>, VaultError> {
        let names = self.bucket.folders(prefix, None, MOST_FOLDERS).await?;
        let mut slots: Vec<Slot> = names.iter().filter_map(|n| Slot::parse(n).ok()).collect();
        slots.sort();
        slots.reverse();
        Ok(slots)
    }

    /// Slots of points that a drill tried: one listing.
    ///
    /// # Errors
    /// The store's.
    pub async fn tried_slots(&self, policy: &PolicyName) -> Result<BTreeSet<Slot>, VaultError> {
        let slots = self.slots_under(&folder::proofs(policy)).await?;
        Ok(slots.into_iter().collect())
    }

    /// Keys of proofs of points from `since` on: one listing.
    ///
    /// # Errors
    /// The store's.
    pub async fn proof_keys(
        &self,
        policy: &PolicyName,
        since: Slot,
    ) -> Result<BTreeSet<String>, VaultError> {
        let (prefix, from) = (folder::proofs(policy), folder::proofs_of(policy, since));
        let rows = self
            .bucket
            .versions_since(&prefix, Some(&from), MOST_DOCUMENTS);
        let rows = rows.await?;
        let keys = rows.into_iter().filter(|r| !r.delete_marker).map(|r| r.key);
        Ok(keys.collect())
    }

    /// All slots under `points/`, newest first: two listings, no reads.
    ///
    /// # Errors
    /// The store's.
    pub async fn point_index(&self, policy: &PolicyName) -> Result<Vec<PointIndex>, VaultError> {
        let tried = self.tried_slots(policy).await?;
        let slots = self.slots(policy).await?;
        let index = slots.into_iter().map(|slot| PointIndex {
            slot,
            tried: tried.contains(&slot),
        });
        Ok(index.collect())
    }

    /// A point with all that is known of it here; `None` where it has no `point.json` (yet). A
    /// document that cannot be read is named and hides no other; delete markers hide nothing.
    ///
    /// # Errors
    /// The store's; `point.json` itself cannot be read.
    pub async fn point(
        &self,
        policy: &PolicyName,
        slot: Slot,
    ) -> Result<Option<PointRef>, VaultError> {
        let documents = self.documents(&folder::point(policy, slot)).await?;
        let key = Key::point(policy, slot, PointDocument::Point).to_string();
        let Some(first) = documents.iter().find(|r| r.key == key) else {
            return Ok(None);
        };
        let mut found = PointRef {
            point: self.read_version(first).await?,
            captured: Vec::new(),
            copies: Vec::new(),
            proofs: Vec::new(),
            dumps: Vec::new(),
            unread: Vec::new(),
        };
        let proofs = self.documents(&folder::proofs_of(policy, slot)).await?;
        for row in documents.iter().chain(&proofs) {
            match self.add(&mut found, row).await {
                Ok(()) => {}
                Err(e) if e.transient() => return Err(e),
                Err(e) => found.unread.push(Unread {
                    key: row.key.clone(),
                    version: row.version.clone(),
                    unknown_version: e.unknown_version(),
                    why: e.to_string(),
                }),
            }
        }
        Ok(Some(found))
    }

    async fn documents(&self, prefix: &str) -> Result<Vec<Listed>, VaultError> {
        let rows = self.bucket.versions(prefix, MOST_DOCUMENTS).await?;
        Ok(first_versions(rows))
    }

    async fn add(&self, found: &mut PointRef, row: &Listed) -> Result<(), VaultError> {
        match Key::parse(&row.key) {
            Some(Key::Proof { .. }) => found.proofs.push(self.read_version(row).await?),
            Some(Key::Point { document, .. }) => match document {
                PointDocument::Copy { .. } => found.copies.push(self.read_version(row).await?),
                PointDocument::Dump { .. } => {
                    let dump = self.read_version(row).await?;
                    found.dumps.push((row.key.clone(), dump));
                }
                PointDocument::Source {
                    what: SourceDocument::Captured,
                    ..
                } => found.captured.push(self.read_version(row).await?),
                PointDocument::Point
                | PointDocument::Source { .. }
                | PointDocument::Expired { .. } => {}
            },
            // `verify` names what nobody of us wrote.
            _ => {}
        }
        Ok(())
    }
}
