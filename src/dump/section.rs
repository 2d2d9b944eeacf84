//! A load and what it takes from the vault: fetched, checked, and run as the statements that they
//! are.

use super::DumpError;
use crate::database::{Address, Database, Takes, Watch, Which};
use crate::manifest::{ChunkRow, DatabaseFacts, Document, Dump, MAX_DOCUMENT_BYTES, Roles};
use crate::model::{ObjectKey, Seconds, Sha256, VersionId};
use crate::plan::Refusals;
use crate::vault::Vault;
use bytes::Bytes;

/// No chunk of ours is larger than this compressed.
const MAX_CHUNK_BYTES: u64 = 1 << 30;

pub struct LoadInput<'a> {
    pub address: &'a Address,
    pub vault: &'a Vault,
    pub dump: &'a Dump,
    /// Of the database that was dumped, see [`facts_of`].
    pub facts: Option<&'a DatabaseFacts>,
    /// Names this load; a database that another load began is not touched.
    pub mark: &'a str,
    pub streams: u32,
    pub timeout: Seconds,
    pub takes: Takes,
    pub refusals: Refusals,
    pub watch: &'a dyn Watch,
}

/// A dump's document at one version, and what it says of its database beside what is in it.
///
/// # Errors
/// The vault's; damage.
pub async fn stored(
    vault: &Vault,
    (key, version): (&ObjectKey, &VersionId),
) -> Result<(Dump, Option<DatabaseFacts>), DumpError> {
    let at = Some(version.as_str());
    let got = vault.bucket.get(key.as_str(), at, MAX_DOCUMENT_BYTES);
    let dump = Dump::from_bytes(&got.await?.bytes)?;
    let facts = facts_of(vault, &dump).await?;
    Ok((dump, facts))
}

/// What a dump says of its database beside what is in it; `None`: an older version wrote it.
///
/// # Errors
/// The vault's; damage.
pub async fn facts_of(vault: &Vault, dump: &Dump) -> Result<Option<DatabaseFacts>, DumpError> {
    let found = dump.sections.iter().find(|s| s.name == "database");
    let Some(section) = found else {
        return Ok(None);
    };
    let text = fetch_text(vault, &section.chunk).await?;
    Ok(Some(DatabaseFacts::from_bytes(text.as_bytes())?))
}

fn find<'a>(input: &'a LoadInput<'_>, name: &'static str) -> Result<&'a ChunkRow, DumpError> {
    let found = input.dump.sections.iter().find(|s| s.name == name);
    found.map(|s| &s.chunk).ok_or(DumpError::Incomplete(name))
}

pub(super) async fn roles(input: &LoadInput<'_>) -> Result<Roles, DumpError> {
    let text = fetch_text(input.vault, find(input, "roles")?).await?;
    Ok(Roles::from_bytes(text.as_bytes())?)
}

/// A stored object, checked against its digest before a byte of it is used.
pub(super) async fn fetch(vault: &Vault, chunk: &ChunkRow) -> Result<Bytes, DumpError> {
    let damaged = |why: String| DumpError::Damaged {
        key: chunk.key.to_string(),
        version: chunk.version.to_string(),
        why,
    };
    let (key, version) = (chunk.key.as_str(), Some(chunk.version.as_str()));
    let got = match vault.bucket.get(key, version, MAX_CHUNK_BYTES).await {
        Err(e) if e.kind == crate::aws::Kind::NotFound => {
            return Err(damaged(format!("missing at {}", vault.target)));
        }
        other => other?,
    };
    let found = Sha256::of(&got.bytes);
    if found != chunk.sha256 {
        return Err(damaged(format!(
            "SHA-256 is {found}, should be {}, at {}",
            chunk.sha256, vault.target
        )));
    }
    Ok(got.bytes)
}

async fn fetch_text(vault: &Vault, chunk: &ChunkRow) -> Result<String, DumpError> {
    let bytes = fetch(vault, chunk).await?;
    let plain = zstd::decode_all(&bytes[..])
        .map_err(|e| DumpError::Compression(chunk.key.to_string(), e))?;
    String::from_utf8(plain).map_err(|_| DumpError::Damaged {
        key: chunk.key.to_string(),
        version: chunk.version.to_string(),
        why: "not UTF-8".into(),
    })
}

/// A session that loads.
pub(super) async fn loader<D: Database>(input: &LoadInput<'_>) -> Result<D, DumpError> {
    let session = D::connect(input.address, input.timeout).await?;
    session.hurry().await?;
    Ok(session)
}

/// A section, found to hold statements and nothing else.
async fn script<D: Database>(
    input: &LoadInput<'_>,
    name: &'static str,
) -> Result<D::Script, DumpError> {
    let chunk = find(input, name)?;
    let stored = fetch_text(input.vault, chunk).await?;
    D::script(stored).map_err(|why| DumpError::Damaged {
        key: chunk.key.to_string(),
        version: chunk.version.to_string(),
        why: why.into(),
    })
}

/// The statements of a dump, by section, fetched once: several passes of a load run them, and its
/// end compares them.
pub struct Scripts<S>(Vec<(&'static str, S)>);

impl<S> Scripts<S> {
    /// # Errors
    /// The vault's; damage.
    pub async fn read<D: Database<Script = S>>(input: &LoadInput<'_>) -> Result<Self, DumpError> {
        let mut all = Vec::new();
        for name in ["pre-data", "large-objects", "sequences", "post-data"] {
            // Older versions wrote none.
            if name == "large-objects" && find(input, name).is_err() {
                continue;
            }
            all.push((name, script::<D>(input, name).await?));
        }
        Ok(Self(all))
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &S> {
        self.0.iter().map(|(_, script)| script)
    }

    pub(super) fn of(&self, name: &str) -> Option<&S> {
        let found = self.0.iter().find(|(n, _)| *n == name);
        found.map(|(_, script)| script)
    }

    /// Makes indexes and keys, and all that comes after the rows, with several sessions.
    pub(super) async fn build<D: Database<Script = S>>(
        &self,
        main: &D,
        input: &LoadInput<'_>,
    ) -> Result<(), DumpError> {
        let name = "post-data";
        let Some(script) = self.of(name) else {
            return Ok(());
        };
        let connecting = (0..input.streams.max(1)).map(|_| loader::<D>(input));
        let others = futures_util::future::try_join_all(connecting).await?;
        let what = (script, Which::Objects, name);
        Ok(main.run_beside(&others, what, input.watch).await?)
    }

    /// Runs statements of a section.
    pub(super) async fn apply<D: Database<Script = S>>(
        &self,
        main: &D,
        name: &str,
        which: Which,
    ) -> Result<(), DumpError> {
        let Some(script) = self.of(name) else {
            return Ok(());
        };
        let part = match which {
            Which::Objects => name.to_owned(),
            Which::Rights => format!("rights of {name}"),
            Which::EventTriggers => format!("event triggers of {name}"),
        };
        Ok(main.run(script, which, &part).await?)
    }
}
