//! Equal, exactly: what was restored against what the workload must have left, by judges that are
//! not `dr`.

use super::report::Equality;
use crate::shop::Shop;
use crate::up::LabError;
use crate::workload::Reading;
use crate::workload::history::{FileHistory, Files};
use sha2::{Digest, Sha256};
use std::ops::RangeInclusive;

/// A restored database against `expected(n)`, n being its own newest heartbeat; and that n.
///
/// # Errors
/// The database does not answer.
pub async fn database(shop: &Shop, url: &str) -> Result<(Equality, Option<i64>), LabError> {
    let found = shop.digest(url).await.map_err(LabError::told)?;
    let expected = match found.heartbeat {
        Some(n) => shop.expected(n).await.map_err(LabError::told)?,
        None => Reading::default(),
    };
    let equality = Equality {
        tables: found.tables.len() as u64,
        rows: found.tables.values().map(|t| t.rows).sum(),
        objects: 0,
        digest_expected: of_tables(&expected),
        digest_restored: of_tables(&found),
        equal: found.tables == expected.tables && !found.tables.is_empty(),
    };
    Ok((equality, found.heartbeat))
}

/// Restored files against the states that the bucket had while it was backed up.
pub fn files(history: &FileHistory, during: RangeInclusive<u64>, found: &Files) -> Equality {
    let state = history.state_of(found, during.clone());
    // Where it was none of them, the last one is what comes nearest.
    let expected = history.after(state.unwrap_or(*during.end()));
    Equality {
        tables: 0,
        rows: 0,
        objects: found.len() as u64,
        digest_expected: of_files(&expected),
        digest_restored: of_files(found),
        equal: state.is_some() && !found.is_empty(),
    }
}

/// One digest over all tables: lines of name, rows and digest, sorted by name.
fn of_tables(reading: &Reading) -> String {
    let mut hasher = Sha256::new();
    for (name, table) in &reading.tables {
        hasher.update(format!("{name} {} {:032x}\n", table.rows, table.sum));
    }
    hex::encode(hasher.finalize())
}

/// One digest over all files: lines of SHA-256 and key, as sha256sum prints them, sorted by key.
fn of_files(files: &Files) -> String {
    let mut hasher = Sha256::new();
    for (key, sha256) in files {
        hasher.update(format!("{sha256}  {key}\n"));
    }
    hex::encode(hasher.finalize())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_other_byte_in_one_file_or_one_file_too_few_is_not_equal() {
        let dir = std::env::temp_dir().join(format!("drl-compare-{}", std::process::id()));
        let lines = ["a", "b"].map(|k| {
            format!(
                "{{\"change\":{},\"key\":\"{k}\",\"version\":\"1\",\
                 \"sha256\":\"{k}{k}\",\"size\":1}}",
                if k == "a" { 1 } else { 2 }
            )
        });
        std::fs::write(&dir, lines.join("\n")).expect("written");
        let history = FileHistory::read(&dir).expect("read");
        std::fs::remove_file(&dir).expect("removed");
        let files = |pairs: &[(&str, &str)]| {
            pairs
                .iter()
                .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
                .collect::<Files>()
        };
        let same = super::files(&history, 2..=2, &files(&[("a", "aa"), ("b", "bb")]));
        assert!(
            same.equal && same.objects == 2 && same.digest_expected == same.digest_restored,
            "{same:?}"
        );
        for wrong in [
            files(&[("a", "aa"), ("b", "b!")]),
            files(&[("a", "aa")]),
            files(&[]),
        ] {
            let found = super::files(&history, 2..=2, &wrong);
            assert!(
                !found.equal
                    && found.digest_expected == same.digest_expected
                    && found.digest_restored != same.digest_restored,
                "{found:?}"
            );
        }
    }
}
