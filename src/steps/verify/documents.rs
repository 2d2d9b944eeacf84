//! Small documents of a vault: whole, readable, and what their names say.

use super::{Expected, Wrong, strays};
use crate::aws::Kind;
use crate::aws::s3::Listed;
use crate::manifest::{
    Copy, Document, Dump, FormatError, MAX_DOCUMENT_BYTES, Point, Proof, Sha256Hex, sha256_hex,
};
use crate::policy::PolicyName;
use crate::steps::StepError;
use crate::vault::{Vault, first_versions, layout};
use bytes::Bytes;
use std::collections::BTreeMap;

/// Documents under one prefix of one target.
#[derive(Default)]
pub struct Documents {
    /// Digests of those that can be believed, by key, with their version.
    pub good: BTreeMap<String, (String, Sha256Hex)>,
    /// Those that are there, believed or not.
    pub there: BTreeMap<String, String>,
    pub wrong: Vec<Wrong>,
}

/// The documents of one point.
///
/// # Errors
/// The store's.
pub async fn point_documents(
    vault: &Vault,
    policy: &PolicyName,
    slot: &str,
    known: &(dyn Fn(&str) -> bool + Sync),
) -> Result<Documents, StepError> {
    let prefix = format!("{}{slot}/", layout::points(policy));
    documents(vault, &prefix, known, &|key, bytes| {
        named(policy, slot, key, bytes)
    })
    .await
}

/// Every policy that was ever used: its name is its digest.
///
/// # Errors
/// The store's.
pub async fn policy_copies(vault: &Vault) -> Result<Documents, StepError> {
    let is = |key: &str| {
        key.strip_prefix("policies/")
            .and_then(|k| k.strip_suffix(".yaml"))
            .is_some_and(|n| n.len() == 64 && n.chars().all(|c| c.is_ascii_hexdigit()))
    };
    let digest = |key: &str, bytes: &[u8]| {
        let found = sha256_hex(bytes);
        if key == layout::policy(&found.0) {
            Ok(())
        } else {
            Err((
                "checksum-mismatch",
                format!("its SHA-256 is {found}, which is not its name"),
            ))
        }
    };
    documents(vault, "policies/", &is, &digest).await
}

type Check<'a> = &'a (dyn Fn(&str, &[u8]) -> Result<(), (&'static str, String)> + Sync);

async fn documents(
    vault: &Vault,
    prefix: &str,
    known: &(dyn Fn(&str) -> bool + Sync),
    check: Check<'_>,
) -> Result<Documents, StepError> {
    let expected = |key: &str| {
        if known(key) {
            Expected::Oldest
        } else {
            Expected::Foreign
        }
    };
    let mut found = Documents {
        wrong: strays(vault, prefix, &expected).await?.wrong,
        ..Documents::default()
    };
    let (rows, _) = vault.bucket.versions(prefix, None, 100_000).await?;
    for row in first_versions(rows).into_iter().filter(|r| known(&r.key)) {
        found.there.insert(row.key.clone(), row.version.clone());
        match whole(vault, &row).await? {
            Err(wrong) => found.wrong.push(wrong),
            Ok(bytes) => match check(&row.key, &bytes) {
                Ok(()) => drop(
                    found
                        .good
                        .insert(row.key, (row.version, sha256_hex(&bytes))),
                ),
                Err((code, why)) => found.wrong.push(Wrong {
                    code,
                    key: row.key,
                    version: row.version,
                    why,
                }),
            },
        }
    }
    Ok(found)
}

/// A document's bytes, compared with the checksum that the store keeps of them.
pub(super) async fn whole(vault: &Vault, row: &Listed) -> Result<Result<Bytes, Wrong>, StepError> {
    match vault
        .bucket
        .get_checked(&row.key, &row.version, MAX_DOCUMENT_BYTES)
        .await
    {
        Ok(got) => Ok(Ok(got.bytes)),
        Err(e) if matches!(e.kind, Kind::Integrity | Kind::NotFound) => {
            let code = if e.kind == Kind::NotFound {
                "object-missing"
            } else {
                "checksum-mismatch"
            };
            Ok(Err(Wrong {
                code,
                key: row.key.clone(),
                version: row.version.clone(),
                why: e.message,
            }))
        }
        Err(e) => Err(e.into()),
    }
}

/// A document of a point says of itself what its key says of it.
fn named(
    policy: &PolicyName,
    slot: &str,
    key: &str,
    bytes: &[u8],
) -> Result<(), (&'static str, String)> {
    let says = if key.contains("/copies/") {
        Copy::from_bytes(bytes).map(|c| layout::copy(&c.policy, &c.slot, &c.target))
    } else if key.contains("/dumps/") {
        Dump::from_bytes(bytes).map(|d| {
            format!(
                "{}{}-{}.json",
                layout::dumps(&d.policy, &d.slot),
                d.run,
                d.target
            )
        })
    } else if key.contains("/proofs/") {
        Proof::from_bytes(bytes).map(|p| {
            layout::proof(
                &p.policy,
                &p.slot,
                &crate::plan::RunId(p.run.clone()),
                p.path,
                &p.target,
            )
        })
    } else {
        Point::from_bytes(bytes).map(|p| layout::point(&p.policy, &p.slot))
    };
    match says {
        Ok(says) if says == key => Ok(()),
        Ok(says) => Err((
            "point-damaged",
            format!("it calls itself {says}, in a folder of point {slot} of {policy}"),
        )),
        Err(e @ FormatError::Version { .. }) => Err(("format-unknown", e.to_string())),
        Err(e) => Err(("point-damaged", StepError::from(e).full())),
    }
}
