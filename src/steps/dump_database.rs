//! Dumps the scratch cluster's database into one target.

use super::{Context, Perform, cluster};
use crate::dump::{self, DumpInput};
use crate::manifest::{Document, Dump, TableDigest};
use crate::model::{Method, ObjectKey, VersionId};
use crate::plan::{DatabaseDumped, DumpDatabase};
use crate::proof::{self, Scope};
use crate::report::{Code, Fail};
use crate::vault::{Key, PointDocument, Vault, folder};
use std::collections::BTreeMap;

impl Perform for DumpDatabase {
    async fn perform(&self, ctx: &Context<'_>) -> Result<DatabaseDumped, Fail> {
        let start = ctx.world.monotonic();
        let vault = ctx.vault(&self.target).await?;
        let document = PointDocument::Dump {
            run: ctx.plan.run.clone(),
            source: self.source.clone(),
            database: self.database.to_string(),
            target: self.target.clone(),
        };
        let key = Key::point(&ctx.plan.policy, ctx.plan.slot, document).to_string();
        // A runner before us may have finished it and died before it could say so.
        let (document, version) = match vault.oldest(&key).await {
            Ok((bytes, version)) => (Dump::from_bytes(&bytes)?, version),
            Err(e) if e.not_found() => self.write(ctx, &vault, &key).await?,
            Err(e) => return Err(e.into()),
        };
        self.compare(ctx, &key, &document)?;
        let chunks = document
            .tables
            .iter()
            .flat_map(|t| &t.chunks)
            .chain(document.sections.iter().map(|s| &s.chunk));
        Ok(DatabaseDumped {
            bytes: chunks.map(|c| c.size_bytes).sum(),
            key: ObjectKey::new(key),
            version: VersionId::new(version),
            tables: document.tables.len() as u64,
            rows: document.tables.iter().map(|t| t.digest.rows).sum(),
            excluded: document.excluded.len() as u64,
            took_s: start.elapsed().as_secs_f64(),
        })
    }
}

impl DumpDatabase {
    async fn write(
        &self,
        ctx: &Context<'_>,
        vault: &Vault,
        key: &str,
    ) -> Result<(Dump, String), Fail> {
        let (plan, lock) = (ctx.plan, ctx.lock(&self.target)?);
        let server = cluster::enter(ctx, &self.cluster).await?;
        let address = server.with_database(self.database.as_str());
        let prefix = folder::dump(&plan.policy, &self.source, plan.slot, &plan.run);
        let input = DumpInput {
            address: &address,
            vault,
            lock,
            prefix: prefix.trim_end_matches('/'),
            streams: self.streams,
            part_size_bytes: self.part_size_bytes,
            chunk_pages: u64::from(self.chunk_pages),
            timeout: ctx.clients.call_timeout(),
        };
        let written = dump::dump(&input).await?;
        let document = Dump {
            policy: plan.policy.clone(),
            slot: plan.slot,
            run: plan.run.clone(),
            source: self.source.clone(),
            target: self.target.clone(),
            at: plan.opened_at,
            database: address.database.clone(),
            server_version: written.server_version,
            sections: written.sections,
            tables: written.tables,
            collations: written.collations,
            excluded: written.excluded,
        };
        // A crash before this line leaves chunks that no document names; the next runner dumps
        // again.
        let bytes = document.to_bytes().into();
        let lock = Some(ctx.plan_target(&self.target)?.evidence_lock());
        let version = vault.create(key, bytes, lock).await?;
        Ok((document, version))
    }

    /// The dump must hold what was read of the restored snapshot, table by table.
    fn compare(&self, ctx: &Context<'_>, key: &str, document: &Dump) -> Result<(), Fail> {
        let scope = Scope {
            source: &self.source,
            database: Some(&self.database),
            method: Method::Dump,
            target: &self.target,
        };
        let tables = document.tables.iter();
        let dumped: BTreeMap<String, TableDigest> =
            tables.map(|t| (t.name.clone(), t.digest)).collect();
        let inspected = &ctx.output(&self.inspected)?.tables;
        match proof::equal(&scope, "dump-equal", inspected, &dumped).why {
            None => Ok(()),
            Some(why) => Err(Fail::new(
                Code::DumpDiffers,
                format!(
                    "the dump {key} at {} differs from the restored snapshot: {why}",
                    self.target
                ),
            )),
        }
    }
}
