//! What a vault says happened: runs by name, points with their copies and proofs. Read with
//! `start-after`, never by listing everything.

use super::layout;
use super::store::{Vault, VaultError};
use crate::aws::s3::Listed;
use crate::manifest::{Copy, Dump, Point, Proof};
use crate::plan::{Kind, RunId};
use crate::policy::PolicyName;

/// At most this many runs or points are looked at in one command.
const CAP: usize = 5_000;

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RunRef {
    pub run: RunId,
    pub kind: Kind,
    /// The compact instant in its name.
    pub slot: String,
}

/// A point as one vault knows it.
#[derive(Clone, Debug)]
pub struct PointRef {
    pub point: Point,
    pub copies: Vec<Copy>,
    pub proofs: Vec<Proof>,
    /// Portable dumps with the keys of their documents.
    pub dumps: Vec<(String, Dump)>,
    /// Documents of the point that cannot be believed; the others count all the same.
    pub unread: Vec<Unread>,
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

/// `backup-20261124T020000Z…` to its parts.
fn parse_run(name: &str) -> Option<RunRef> {
    let (kind, rest) = name.split_once('-')?;
    let kind = match kind {
        "backup" => Kind::Backup,
        "drill" => Kind::Drill,
        "restore" => Kind::Restore,
        _ => return None,
    };
    let slot = rest.get(..16)?.to_owned();
    Some(RunRef {
        run: RunId(name.to_owned()),
        kind,
        slot,
    })
}

impl Vault {
    /// Runs of a kind whose name sorts after `since` (a compact instant), oldest first.
    ///
    /// # Errors
    /// The store's.
    pub async fn runs(
        &self,
        policy: &PolicyName,
        kind: Kind,
        since: &str,
    ) -> Result<Vec<RunRef>, VaultError> {
        let folder = layout::runs(policy);
        let prefix = format!("{folder}{kind}-");
        let names = self
            .bucket
            .folders(&prefix, Some(&format!("{prefix}{since}")), CAP)
            .await?;
        let mut runs: Vec<RunRef> = names
            .iter()
            .filter_map(|n| parse_run(&format!("{kind}-{n}")))
            .collect();
        runs.sort();
        Ok(runs)
    }

    /// Names of all policies that have points here.
    ///
    /// # Errors
    /// The store's.
    pub async fn policies(&self) -> Result<Vec<PolicyName>, VaultError> {
        Ok(self
            .bucket
            .folders("points/", None, CAP)
            .await?
            .into_iter()
            .map(PolicyName::new)
            .collect())
    }

    /// Slots with a folder under `points/` after `since`, newest first.
    ///
    /// # Errors
    /// The store's.
    pub async fn slots(&self, policy: &PolicyName, since: &str) -> Result<Vec<String>, VaultError> {
        let prefix = layout::points(policy);
        let mut slots = self
            .bucket
            .folders(&prefix, Some(&format!("{prefix}{since}")), CAP)
            .await?;
        slots.sort();
        slots.reverse();
        Ok(slots)
    }

    /// All slots under `points/`, newest first, and whether anything was proven of each: one
    /// listing, no reads.
    ///
    /// # Errors
    /// The store's.
    pub async fn point_index(
        &self,
        policy: &PolicyName,
    ) -> Result<Vec<(String, bool)>, VaultError> {
        let prefix = layout::points(policy);
        let mut index: std::collections::BTreeMap<String, bool> = Default::default();
        for row in self.bucket.versions(&prefix, None, CAP * 20).await?.0 {
            if let Some((slot, rest)) = row
                .key
                .strip_prefix(&prefix)
                .and_then(|k| k.split_once('/'))
            {
                *index.entry(slot.to_owned()).or_default() |= rest.starts_with("proofs/");
            }
        }
        Ok(index.into_iter().rev().collect())
    }

    /// A point with all that is known of it here; `None` where it has no `point.json` (yet). A
    /// document that cannot be read
    /// is named and hides no other; delete markers hide nothing.
    ///
    /// # Errors
    /// The store's; `point.json` itself cannot be read.
    pub async fn point(
        &self,
        policy: &PolicyName,
        slot: &str,
    ) -> Result<Option<PointRef>, VaultError> {
        let (rows, _) = self
            .bucket
            .versions(&format!("{}{slot}/", layout::points(policy)), None, CAP)
            .await?;
        let firsts = first_versions(rows);
        let key = layout::point(policy, slot);
        let Some(first) = firsts.iter().find(|r| r.key == key) else {
            return Ok(None);
        };
        let mut found = PointRef {
            point: self.read_version(first).await?,
            copies: Vec::new(),
            proofs: Vec::new(),
            dumps: Vec::new(),
            unread: Vec::new(),
        };
        for row in &firsts {
            let read = if row.key.contains("/copies/") {
                self.read_version(row).await.map(|c| found.copies.push(c))
            } else if row.key.contains("/proofs/") {
                self.read_version(row).await.map(|p| found.proofs.push(p))
            } else if row.key.contains("/dumps/") {
                self.read_version(row)
                    .await
                    .map(|d| found.dumps.push((row.key.clone(), d)))
            } else {
                Ok(())
            };
            match read {
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
}

/// The oldest version of each key, in the order of the keys: what was created, whatever was put
/// over it since.
pub fn first_versions(rows: Vec<Listed>) -> Vec<Listed> {
    let mut firsts: Vec<Listed> = Vec::new();
    // Rows come with the newest version of a key first.
    for row in rows.into_iter().filter(|r| !r.delete_marker) {
        match firsts.last_mut() {
            Some(last) if last.key == row.key => *last = row,
            _ => firsts.push(row),
        }
    }
    firsts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_runs_are_read_and_strangers_are_not() {
        assert_eq!(
            parse_run("backup-20261124T020000Z").unwrap().slot,
            "20261124T020000Z"
        );
        assert_eq!(
            parse_run("drill-20261124T020311Z-1a2b3c4d").unwrap().kind,
            Kind::Drill
        );
        assert_eq!(parse_run("other-20261124T020000Z"), None);
        assert_eq!(parse_run("backup-1"), None);
    }
}
