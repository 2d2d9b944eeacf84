//! Small documents of a vault: whole, readable, and what their names say.

use super::unreferenced::{Expected, beside};
use super::wrong::{Wrong, Wrongs};
use crate::aws::Kind;
use crate::aws::s3::Listed;
use crate::manifest::{
    Captured, Copy, Document, Dump, FormatError, MAX_DOCUMENT_BYTES, Point, Proof, Reference,
    ReferenceBefore,
};
use crate::model::{PolicyName, Sha256, Slot, SourceId};
use crate::report::{Code, Fail, full};
use crate::vault::{Key, PointDocument, ProofOf, SourceDocument, Vault, first_versions, folder};
use bytes::Bytes;
use std::collections::BTreeMap;

/// Documents under one prefix.
const MOST_DOCUMENTS: usize = 100_000;

/// Documents under one prefix of one target.
#[derive(Default)]
pub struct Documents {
    /// Digests of those that can be believed, by key, with their version.
    pub good: BTreeMap<String, (String, Sha256)>,
    /// Those that are there, believed or not.
    pub there: BTreeMap<String, String>,
    pub wrong: Wrongs,
}

/// The documents of one point.
///
/// # Errors
/// The store's.
pub async fn point_documents(
    vault: &Vault,
    policy: &PolicyName,
    slot: Slot,
    known: &(dyn Fn(&str) -> bool + Sync),
) -> Result<Documents, Fail> {
    let check = |key: &str, bytes: &[u8]| named(policy, slot, key, bytes);
    let mut found = Documents::default();
    for prefix in [folder::point(policy, slot), folder::proofs_of(policy, slot)] {
        let more = documents(vault, &prefix, known, &check).await?;
        found.good.extend(more.good);
        found.there.extend(more.there);
        found.wrong.extend(more.wrong);
    }
    Ok(found)
}

/// Every policy that was ever used: its name is its digest.
///
/// # Errors
/// The store's.
pub async fn policy_copies(vault: &Vault) -> Result<Documents, Fail> {
    let is = |key: &str| matches!(Key::parse(key), Some(Key::Policy(_)));
    let digest = |key: &str, bytes: &[u8]| {
        let found = Sha256::of(bytes);
        if key == Key::Policy(found.clone()).to_string() {
            Ok(())
        } else {
            Err((
                Code::ChecksumMismatch,
                format!("its SHA-256 is {found}, which is not its name"),
            ))
        }
    };
    documents(vault, "policies/", &is, &digest).await
}

type Check<'a> = &'a (dyn Fn(&str, &[u8]) -> Result<(), (Code, String)> + Sync);

async fn documents(
    vault: &Vault,
    prefix: &str,
    known: &(dyn Fn(&str) -> bool + Sync),
    check: Check<'_>,
) -> Result<Documents, Fail> {
    let expected = |key: &str| {
        if known(key) {
            Expected::Oldest
        } else {
            Expected::Foreign
        }
    };
    let mut found = Documents {
        wrong: beside(vault, prefix, &expected).await?.wrong,
        ..Documents::default()
    };
    let rows = vault.bucket.versions(prefix, MOST_DOCUMENTS).await?;
    for row in first_versions(rows).into_iter().filter(|r| known(&r.key)) {
        found.there.insert(row.key.clone(), row.version.clone());
        match whole(vault, &row).await? {
            Err(wrong) => found.wrong.push(wrong),
            Ok(bytes) => match check(&row.key, &bytes) {
                Ok(()) => drop(
                    found
                        .good
                        .insert(row.key, (row.version, Sha256::of(&bytes))),
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
pub(super) async fn whole(vault: &Vault, row: &Listed) -> Result<Result<Bytes, Wrong>, Fail> {
    match vault
        .bucket
        .get_checked(&row.key, &row.version, MAX_DOCUMENT_BYTES)
        .await
    {
        Ok(got) => Ok(Ok(got.bytes)),
        Err(e) if matches!(e.kind, Kind::Integrity | Kind::NotFound) => {
            let code = if e.kind == Kind::NotFound {
                Code::ObjectMissing
            } else {
                Code::ChecksumMismatch
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

fn of_source(policy: &PolicyName, slot: Slot, source: SourceId, what: SourceDocument) -> Key {
    Key::point(policy, slot, PointDocument::Source { source, what })
}

/// A document of a point says of itself what its key says of it.
fn named(policy: &PolicyName, slot: Slot, key: &str, bytes: &[u8]) -> Result<(), (Code, String)> {
    let says = match Key::parse(key) {
        Some(Key::Proof { .. }) => Proof::from_bytes(bytes).map(|p| Key::Proof {
            of: ProofOf::of(&p),
            policy: p.policy,
            slot: p.slot,
            run: p.run,
        }),
        Some(Key::Point { document, .. }) => match document {
            PointDocument::Copy { .. } => Copy::from_bytes(bytes).map(|c| {
                let (source, target) = (c.source, c.target);
                Key::point(&c.policy, c.slot, PointDocument::Copy { source, target })
            }),
            PointDocument::Source {
                what: what @ SourceDocument::Captured,
                ..
            } => Captured::from_bytes(bytes).map(|c| of_source(&c.policy, c.slot, c.source, what)),
            PointDocument::Source { what, .. } if what == SourceDocument::Reference => {
                Reference::from_bytes(bytes).map(|r| of_source(&r.policy, r.slot, r.source, what))
            }
            PointDocument::Source { what, .. } if what == SourceDocument::ReferenceBefore => {
                ReferenceBefore::from_bytes(bytes)
                    .map(|r| of_source(&r.policy, r.slot, r.source, what))
            }
            PointDocument::Dump { .. } => Dump::from_bytes(bytes).map(|d| {
                let document = PointDocument::Dump {
                    run: d.run,
                    source: d.source,
                    database: d.database,
                    target: d.target,
                };
                Key::point(&d.policy, d.slot, document)
            }),
            PointDocument::Point => Point::from_bytes(bytes)
                .map(|p| Key::point(&p.policy, p.slot, PointDocument::Point)),
            // Nothing is known of their content yet.
            PointDocument::Source { .. } | PointDocument::Expired { .. } => return Ok(()),
        },
        _ => return Err((Code::ForeignObject, "no document has this name".into())),
    };
    match says.map(|s| s.to_string()) {
        Ok(says) if says == key => Ok(()),
        Ok(says) => Err((
            Code::PointDamaged,
            format!("it calls itself {says}, in a folder of point {slot} of {policy}"),
        )),
        Err(e @ FormatError::Version { .. }) => Err((Code::FormatUnknown, e.to_string())),
        Err(e) => Err((Code::PointDamaged, full(&e))),
    }
}
