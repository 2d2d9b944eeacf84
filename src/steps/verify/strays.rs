//! Every version under a prefix against what may be there: delete markers, later versions, what
//! nobody of ours wrote.

use super::Wrong;
use crate::aws::s3::Listed;
use crate::policy::Provider;
use crate::steps::StepError;
use crate::vault::Vault;

/// Rows of one look; keys are never torn apart.
const PAGE: usize = 5_000;
/// More findings than this under one prefix are not told, and not more other objects looked up.
const MAX_WRONG: usize = 200;
const MAX_OTHERS: usize = 200_000;

/// What may be at a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expected {
    /// No run writes this key.
    Foreign,
    /// A document: the oldest version counts, and there is no second one.
    Oldest,
    /// Data: this version is referenced, further ones with equal bytes are an interrupted copy's.
    Version(String),
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

#[derive(Debug, Default)]
pub struct Strays {
    pub wrong: Vec<Wrong>,
    pub others: Vec<Other>,
}

impl Strays {
    pub(super) fn extend(&mut self, more: Strays) {
        self.wrong.extend(more.wrong);
        self.others.extend(more.others);
    }
}

/// # Errors
/// The store's.
pub async fn strays(
    vault: &Vault,
    prefix: &str,
    expected: &(dyn Fn(&str) -> Expected + Sync),
) -> Result<Strays, StepError> {
    let (mut found, mut after) = (Strays::default(), None::<String>);
    loop {
        let (mut rows, more) = vault
            .bucket
            .versions(prefix, after.as_deref(), PAGE)
            .await?;
        // The last key of a page may have further versions on the next one.
        let last = rows.last().map(|r| r.key.clone());
        if more && rows.first().map(|r| &r.key) != last.as_ref() {
            rows.retain(|r| Some(&r.key) != last.as_ref());
        }
        for key_rows in rows.chunk_by(|a, b| a.key == b.key) {
            of_key(vault, key_rows, &expected(&key_rows[0].key), &mut found).await?;
        }
        if !more || found.wrong.len() >= MAX_WRONG {
            found.wrong.truncate(MAX_WRONG);
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
    found: &mut Strays,
) -> Result<(), StepError> {
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
            "delete-marker",
            marker,
            "a delete marker hides it; what it hides is still there",
        ));
    }
    if *expected == Expected::Other {
        let newest = rows
            .iter()
            .find(|r| !r.delete_marker && found.others.len() < MAX_OTHERS);
        found.others.extend(newest.map(|r| Other {
            key: r.key.clone(),
            version: r.version.clone(),
        }));
        return Ok(());
    }
    let mut versions = rows.iter().filter(|r| !r.delete_marker);
    let kept = match expected {
        Expected::Foreign => None,
        Expected::Version(id) => versions.clone().find(|r| r.version == *id),
        _ => versions.next_back(),
    };
    for row in rows.iter().filter(|r| !r.delete_marker && Some(*r) != kept) {
        match kept {
            _ if *expected == Expected::Foreign => found.wrong.push(wrong(
                "foreign-object",
                row,
                "no run wrote it and nothing refers to it",
            )),
            Some(kept) if tolerated(vault, expected) && same_bytes(vault, kept, row).await? => {}
            _ => found.wrong.push(wrong(
                "second-version",
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

async fn same_bytes(vault: &Vault, a: &Listed, b: &Listed) -> Result<bool, StepError> {
    if a.size_bytes != b.size_bytes {
        return Ok(false);
    }
    if a.etag.is_some() && a.etag == b.etag {
        return Ok(true);
    }
    let place =
        |row: &Listed| super::stored(&row.key, &row.version, &crate::manifest::sha256_hex(b""));
    let of_a = super::digest_of(vault, &place(a), a.size_bytes).await?;
    Ok(of_a == super::digest_of(vault, &place(b), b.size_bytes).await?)
}
