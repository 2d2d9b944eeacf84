//! The dump of one database at one target: its chunks, then the document that names them.

use super::Context;
use crate::database::{Address, AsFound, Postgres};
use crate::dump::{self, DumpInput};
use crate::manifest::{Document, Dump, DumpHeld};
use crate::model::{Name, ObjectKey, SourceId, TargetName, VersionId};
use crate::report::Fail;
use crate::vault::{Key, PointDocument, Vault, folder};
use jiff::Timestamp;

pub(super) struct OneDump<'a> {
    pub source: &'a SourceId,
    pub database: &'a Name,
    pub target: &'a TargetName,
    pub streams: u32,
    pub part_size_bytes: u64,
    pub chunk_pages: u32,
}

/// As it is stored.
pub(super) struct Stored {
    pub key: String,
    pub version: String,
    pub document: Dump,
}

impl OneDump<'_> {
    fn key(&self, ctx: &Context<'_>) -> String {
        let document = PointDocument::Dump {
            run: ctx.plan.run.clone(),
            source: self.source.clone(),
            database: self.database.to_string(),
            target: self.target.clone(),
        };
        Key::point(&ctx.plan.policy, ctx.plan.slot, document).to_string()
    }

    /// A runner before us may have finished it and died before it could say so.
    pub async fn found(&self, ctx: &Context<'_>, vault: &Vault) -> Result<Option<Stored>, Fail> {
        let key = self.key(ctx);
        match vault.oldest(&key).await {
            Ok((bytes, version)) => {
                let document = Dump::from_bytes(&bytes)?;
                if !self.is(ctx, &document) {
                    let why = "it is the document of another dump than its name says";
                    return Err(vault.damaged(&key, why).into());
                }
                Ok(Some(Stored {
                    document,
                    key,
                    version,
                }))
            }
            Err(e) if e.not_found() => Ok(None),
            Err(e) => Err(e.into()),
        }
    }

    fn is(&self, ctx: &Context<'_>, d: &Dump) -> bool {
        let plan = ctx.plan;
        (&d.policy, d.slot, &d.run) == (&plan.policy, plan.slot, &plan.run)
            && (&d.source, &d.target) == (self.source, self.target)
            && d.database == self.database.as_str()
    }

    /// `at`: the instant that its rows stand for.
    pub async fn write(
        &self,
        ctx: &Context<'_>,
        vault: &Vault,
        address: &Address,
        at: Timestamp,
        as_found: Option<AsFound>,
    ) -> Result<Stored, Fail> {
        let (plan, lock) = (ctx.plan, ctx.lock(self.target)?);
        let run = (plan.slot, &plan.run);
        let prefix = folder::dump_of(&plan.policy, self.source, run, self.database.as_str());
        let input = DumpInput {
            address,
            vault,
            lock,
            prefix: prefix.trim_end_matches('/'),
            streams: self.streams,
            part_size_bytes: self.part_size_bytes,
            chunk_pages: u64::from(self.chunk_pages),
            timeout: ctx.clients.call_timeout(),
            as_found,
        };
        let written = dump::dump::<Postgres>(&input).await?;
        let document = Dump {
            policy: plan.policy.clone(),
            slot: plan.slot,
            run: plan.run.clone(),
            source: self.source.clone(),
            target: self.target.clone(),
            at,
            database: address.database.clone(),
            server_version: written.server_version,
            sections: written.sections,
            tables: written.tables,
            unread: written.unread,
            collations: written.collations,
            excluded: written.excluded,
        };
        // A crash before this line leaves chunks that no document names; the next runner dumps
        // again.
        let (key, bytes) = (self.key(ctx), document.to_bytes().into());
        let lock = Some(ctx.plan_target(self.target)?.evidence_lock());
        let version = vault.create(&key, bytes, lock).await?;
        Ok(Stored {
            key,
            version,
            document,
        })
    }
}

impl Stored {
    pub fn bytes(&self) -> u64 {
        let chunks = self.document.tables.iter().flat_map(|t| &t.chunks);
        let sections = self.document.sections.iter().map(|s| &s.chunk);
        chunks.chain(sections).map(|c| c.size_bytes).sum()
    }

    pub fn rows(&self) -> u64 {
        self.document.tables.iter().map(|t| t.digest.rows).sum()
    }

    pub fn held(&self) -> DumpHeld {
        DumpHeld {
            database: Name::new(&*self.document.database),
            at: self.document.at,
            key: ObjectKey::new(&*self.key),
            version: VersionId::new(&*self.version),
            tables: self.document.tables.len() as u64,
            rows: self.rows(),
            bytes: self.bytes(),
            excluded: self.document.excluded.len() as u64,
        }
    }
}
