//! Every version under a prefix against what may be there: delete markers, later versions, what
//! nobody of ours wrote.

use super::wrong::{Wrong, Wrongs};
use crate::aws::s3::Listed;
use crate::model::Provider;
use crate::report::{Code, Fail};
use crate::transfer::digest;
use crate::vault::Vault;

/// Rows of one look; keys are never torn apart.
const PAGE: usize = 5_000;

/// What may be at a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expected {
    /// No run writes this key.
    Foreign,
    /// A document: the oldest version counts, and there is no second one.
    Oldest,
    /// Data: this version is referenced, further ones with equal bytes are an interrupted copy's.
    Version(String),
    /// Data of what was read from a running source: this version is referenced, further ones are
    /// an interrupted attempt's.
    Attempted(String),
    /// An object that another point may refer to: told apart later.
    Other,
    /// Not looked at.
    Ignored,
}

/// An object under a prefix that this point does not refer to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Other {
    pub key: String,
    pub version: String,
}

/// What is under a prefix besides what must be there.
#[derive(Debug, Default)]
pub struct Beside {
    pub wrong: Wrongs,
    pub others: Vec<Other>,
}

impl Beside {
    pub(super) fn extend(&mut self, more: Beside) {
        self.wrong.extend(more.wrong);
        self.others.extend(more.others);
    }
}

/// # Errors
/// The store's.
pub async fn beside(
    vault: &Vault,
    prefix: &str,
    expected: &(dyn Fn(&str) -> Expected + Sync),
) -> Result<Beside, Fail> {
    let (mut found, mut after) = (Beside::default(), None::<String>);
    loop {
        let (mut rows, more) = vault
            .bucket
            .versions_after(prefix, after.as_deref(), PAGE)
            .await?;
        // The last key of a page may have further versions on the next one.
        let last = rows.last().map(|r| r.key.clone());
        if more && rows.first().map(|r| &r.key) != last.as_ref() {
            rows.retain(|r| Some(&r.key) != last.as_ref());
        }
        for key_rows in rows.chunk_by(|a, b| a.key == b.key) {
            of_key(vault, key_rows, &expected(&key_rows[0].key), &mut found).await?;
        }
        if !more {
            return Ok(found);
        }
        after = rows.last().map(|r| r.key.clone());
    }
}

/// Rows of one key, newest first.
async fn of_key(
    vault: &Vault,
    rows: &[Listed],
    expected: &Expected,
    found: &mut Beside,
) -> Result<(), Fail> {
    if *expected == Expected::Ignored {
        return Ok(());
    }
    let wrong = |code, row: &Listed, why: &str| Wrong {
        code,
        key: row.key.clone(),
        version: row.version.clone(),
        why: why.into(),
    };
    for marker in rows.iter().filter(|r| r.delete_marker) {
        found.wrong.push(wrong(
            Code::DeleteMarker,
            marker,
            "a delete marker hides it; what it hides is still there",
        ));
    }
    if *expected == Expected::Other {
        let newest = rows.iter().find(|r| !r.delete_marker);
        found.others.extend(newest.map(|r| Other {
            key: r.key.clone(),
            version: r.version.clone(),
        }));
        return Ok(());
    }
    let mut versions = rows.iter().filter(|r| !r.delete_marker);
    let kept = match expected {
        Expected::Foreign => None,
        Expected::Version(id) | Expected::Attempted(id) => {
            versions.clone().find(|r| r.version == *id)
        }
        _ => versions.next_back(),
    };
    for row in rows.iter().filter(|r| !r.delete_marker && Some(*r) != kept) {
        match kept {
            _ if *expected == Expected::Foreign => found.wrong.push(wrong(
                Code::ForeignObject,
                row,
                "no run wrote it and nothing refers to it",
            )),
            Some(_) if matches!(expected, Expected::Attempted(_)) => {}
            Some(kept) if tolerated(vault, expected) && same_bytes(vault, kept, row).await? => {}
            _ => found.wrong.push(wrong(
                Code::SecondVersion,
                row,
                "a version that nothing refers to, with other bytes than the one that counts",
            )),
        }
    }
    Ok(())
}

/// Whether a second version with equal bytes is what an interrupted write may leave.
fn tolerated(vault: &Vault, expected: &Expected) -> bool {
    matches!(expected, Expected::Version(_)) || vault.bucket.provider == Provider::Compatible
}

async fn same_bytes(vault: &Vault, a: &Listed, b: &Listed) -> Result<bool, Fail> {
    if a.size_bytes != b.size_bytes {
        return Ok(false);
    }
    if a.etag.is_some() && a.etag == b.etag {
        return Ok(true);
    }
    let read = |row: &Listed| {
        let (bucket, row) = (&vault.bucket, row.clone());
        async move { digest(bucket, &row.key, Some(&row.version), row.size_bytes).await }
    };
    Ok(read(a).await? == read(b).await?)
}
