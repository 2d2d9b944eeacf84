//! The journal of one run, entry by entry: which one is wrong, not only that one is.

use super::documents::whole;
use super::unreferenced::{Expected, beside};
use super::wrong::{Wrong, Wrongs};
use crate::aws::s3::Listed;
use crate::journal::{Entry, RunState, fold, read};
use crate::manifest::FormatError;
use crate::model::{PolicyName, RunId, Sha256};
use crate::report::{Code, Fail, full};
use crate::vault::{Key, Vault, first_versions, folder};

/// Entries of one run.
const MOST_ENTRIES: usize = 100_000;

/// What a run's journal says, as far as it can be believed.
pub struct Journal {
    pub state: Option<RunState>,
    pub wrong: Wrongs,
}

/// # Errors
/// The store's.
pub async fn verify_journal(
    vault: &Vault,
    policy: &PolicyName,
    run: &RunId,
) -> Result<Journal, Fail> {
    let prefix = folder::run(policy, run);
    let is_entry = |key: &str| matches!(Key::parse(key), Some(Key::Entry { .. }));
    let expected = |key: &str| {
        if is_entry(key) {
            Expected::Oldest
        } else {
            Expected::Foreign
        }
    };
    let mut wrong = beside(vault, &prefix, &expected).await?.wrong;
    let rows = vault.bucket.versions(&prefix, MOST_ENTRIES).await?;
    let rows: Vec<Listed> = first_versions(rows)
        .into_iter()
        .filter(|r| is_entry(&r.key))
        .collect();
    if rows.is_empty() {
        wrong.push(Wrong {
            code: Code::RunMissing,
            key: prefix,
            version: String::new(),
            why: "the run that made this is not in the journal".into(),
        });
        return Ok(Journal { state: None, wrong });
    }
    let mut entries = Vec::new();
    for (seq, row) in (0u64..).zip(&rows) {
        let key = Key::entry(policy, run, seq).to_string();
        if row.key != key {
            wrong.push(Wrong {
                code: Code::ObjectMissing,
                key,
                version: String::new(),
                why: format!("the journal goes on with {}", row.key),
            });
            return Ok(Journal { state: None, wrong });
        }
        match entry(vault, row).await? {
            Ok(read) => entries.push(read),
            Err(found) => {
                wrong.push(found);
                return Ok(Journal { state: None, wrong });
            }
        }
    }
    wrong.extend(chain(&rows, &entries).into_iter().collect());
    let state = match fold(entries.iter().map(|(e, s)| (e, s.clone()))) {
        Ok(state) => Some(state),
        Err(illegal) if wrong.is_empty() => {
            let row = &rows[taken(&entries).min(rows.len() - 1)];
            wrong.push(Wrong {
                code: Code::RunDamaged,
                key: row.key.clone(),
                version: row.version.clone(),
                why: illegal.to_string(),
            });
            None
        }
        Err(_) => None,
    };
    Ok(Journal {
        state: if wrong.is_empty() { state } else { None },
        wrong,
    })
}

/// So many entries the fold takes, by taking ever more of them.
fn taken(entries: &[(Entry, Sha256)]) -> usize {
    let takes = |n: &usize| fold(entries[..*n].iter().map(|(e, s)| (e, s.clone()))).is_ok();
    (1..=entries.len()).take_while(takes).count()
}

async fn entry(vault: &Vault, row: &Listed) -> Result<Result<(Entry, Sha256), Wrong>, Fail> {
    let bytes = match whole(vault, row).await? {
        Ok(bytes) => bytes,
        Err(wrong) => return Ok(Err(wrong)),
    };
    Ok(read(&bytes).map_err(|e| {
        let code = match e {
            FormatError::Version { .. } => Code::FormatUnknown,
            FormatError::Json { .. } | FormatError::Damaged(_) => Code::RunDamaged,
        };
        Wrong {
            code,
            key: row.key.clone(),
            version: row.version.clone(),
            why: full(&e),
        }
    }))
}

/// Each entry carries the digest of the one before: the next one is the witness against it.
fn chain(rows: &[Listed], entries: &[(Entry, Sha256)]) -> Vec<Wrong> {
    let pairs = rows.iter().zip(entries.windows(2));
    let broken = pairs.filter(|(_, pair)| pair[1].0.prev.as_ref() != Some(&pair[0].1));
    broken
        .map(|(row, pair)| Wrong {
            code: Code::RunDamaged,
            key: row.key.clone(),
            version: row.version.clone(),
            why: format!(
                "its SHA-256 is {}, the next entry says {}",
                pair[0].1,
                pair[1].0.prev.as_ref().map_or("nothing", |p| p.0.as_str())
            ),
        })
        .collect()
}
