//! Reads a running cluster beside its work, before and after its snapshot. Whatever goes wrong here
//! keeps no snapshot from being taken: it is told, and a drill says that it could not compare.

use super::{Context, Perform};
use crate::database::Database;
use crate::database::{Address, Postgres};
use crate::dump::{ReadingInput, read_database};
use crate::manifest::{Document, Exception, ReferenceBefore, ServerReading};
use crate::model::{Name, ObjectKey, Seconds, TargetName};
use crate::plan::{Moment, ReadReference, ReferenceRead};
use crate::proof::reference::between;
use crate::report::{Code, Exit, Fail, Finding, full};
use crate::vault::{Key, PointDocument, SourceDocument, VaultError};
use std::collections::BTreeMap;
use std::time::Instant;

/// Of what was not read, so many are told.
const TOLD: usize = 20;

impl Perform for ReadReference {
    async fn perform(&self, ctx: &Context<'_>) -> Result<ReferenceRead, Fail> {
        let start = ctx.world.monotonic();
        let first = match self.moment {
            Moment::Before => None,
            Moment::After => match self.stored_before(ctx).await? {
                Some(before) => Some(before),
                // What could not be read before has been told.
                None => {
                    return Ok(ReferenceRead::nothing(
                        Vec::new(),
                        start.elapsed().as_secs_f64(),
                    ));
                }
            },
        };
        let read = self.read(ctx, start, first.as_ref()).await;
        // The next runner reads it whole.
        if ctx.world.stopping() {
            return Err(Fail::stopped());
        }
        let read = match read {
            Ok(read) => read,
            Err(e) if e.exit == Exit::Unavailable && ctx.attempt() < ctx.plan.step_attempts => {
                return Err(e);
            }
            Err(e) => {
                let why = vec![self.exception(&full(&e))];
                self.tell(ctx, &why);
                return Ok(ReferenceRead::nothing(why, start.elapsed().as_secs_f64()));
            }
        };
        let (tables, rows) = size(&read);
        let mut unread = read.unread.clone();
        let (what, bytes) = match first {
            None => (
                SourceDocument::ReferenceBefore,
                self.before(ctx, read).to_bytes(),
            ),
            Some(first) => {
                let reference = between(first, &read);
                unread.clone_from(&reference.unread);
                (SourceDocument::Reference, reference.to_bytes())
            }
        };
        let key = self.key(ctx, what);
        let at = self.store(ctx, &key, bytes, &mut unread).await?;
        if self.moment == Moment::After || at.is_empty() {
            self.tell(ctx, &unread);
        }
        Ok(ReferenceRead {
            document: (!at.is_empty()).then_some(key),
            at,
            tables,
            rows,
            unread_count: unread.len() as u64,
            unread: shown(&unread),
            took_s: start.elapsed().as_secs_f64(),
        })
    }
}

fn size(read: &ServerReading) -> (u64, u64) {
    let tables = || read.databases.values().flat_map(|d| d.tables.values());
    (tables().count() as u64, tables().map(|t| t.rows).sum())
}

fn shown(unread: &[Exception]) -> Vec<String> {
    let told = unread.iter().take(TOLD);
    told.map(|u| format!("{}: {}", u.thing, u.why)).collect()
}

impl ReferenceRead {
    fn nothing(unread: Vec<Exception>, took_s: f64) -> Self {
        Self {
            document: None,
            at: Vec::new(),
            tables: 0,
            rows: 0,
            unread_count: unread.len() as u64,
            unread: shown(&unread),
            took_s,
        }
    }
}

impl ReadReference {
    fn key(&self, ctx: &Context<'_>, what: SourceDocument) -> ObjectKey {
        let document = PointDocument::Source {
            source: self.source.clone(),
            what,
        };
        let key = Key::point(&ctx.plan.policy, ctx.plan.slot, document);
        ObjectKey::new(key.to_string())
    }

    fn before(&self, ctx: &Context<'_>, read: ServerReading) -> ReferenceBefore {
        ReferenceBefore {
            policy: ctx.plan.policy.clone(),
            slot: ctx.plan.slot,
            run: ctx.plan.run.clone(),
            source: self.source.clone(),
            read,
        }
    }

    /// Whoever wrote it: another run of this slot takes the same snapshot.
    async fn stored_before(&self, ctx: &Context<'_>) -> Result<Option<ReferenceBefore>, Fail> {
        let key = self.key(ctx, SourceDocument::ReferenceBefore);
        let vault = ctx.vault(&ctx.plan.journal_target).await?;
        match vault.oldest(key.as_str()).await {
            Ok((bytes, _)) => Ok(Some(ReferenceBefore::from_bytes(&bytes)?)),
            Err(e) if e.not_found() => Ok(None),
            Err(e) => Err(e.into()),
        }
    }

    async fn read(
        &self,
        ctx: &Context<'_>,
        start: Instant,
        first: Option<&ReferenceBefore>,
    ) -> Result<ServerReading, Fail> {
        let server = self.server(ctx).await?;
        let main = ctx.connect(&server).await?;
        let at = main.now().await?.unwrap_or(ctx.plan.opened_at);
        let roles = Some(main.roles().await?);
        drop(main);
        let mut read = ServerReading {
            at,
            roles,
            databases: BTreeMap::new(),
            unread: Vec::new(),
        };
        let left = || {
            if ctx.world.stopping() {
                return None;
            }
            let spent = start.elapsed().as_secs();
            self.budget
                .0
                .checked_sub(spent)
                .filter(|s| *s > 0)
                .map(Seconds)
        };
        for database in &self.databases {
            let horizon = match first {
                None => None,
                Some(first) => match first.read.databases.get(database) {
                    Some(reading) => Some(reading.horizon),
                    None => continue,
                },
            };
            let address = server.with_database(database.as_str());
            let input = ReadingInput {
                address: &address,
                database,
                horizon,
                begin_at: begin_at(ctx.plan.slot.time().as_second()),
                heartbeat: self.heartbeat.as_ref().filter(|h| &h.database == database),
                streams: self.streams,
                timeout: ctx.clients.call_timeout(),
                left: &left,
            };
            match read_database::<Postgres>(&input).await {
                Ok((mut reading, unread)) => {
                    if first.is_none() {
                        reading.fold();
                    }
                    read.databases.insert(database.clone(), reading);
                    read.unread.extend(unread);
                }
                // One database that cannot be entered keeps no other from being read.
                Err(e) => read.unread.push(of(database, &full(&e))),
            }
        }
        Ok(read)
    }

    /// As the service describes it now; the first describes after it was made may lack it.
    async fn server(&self, ctx: &Context<'_>) -> Result<Address, Fail> {
        let endpoint = self.endpoint.as_deref();
        let rds = ctx.clients.rds(ctx.role, &self.region, endpoint).await;
        let info = rds.cluster(self.cluster.as_str()).await?;
        let place = info.and_then(|info| Some((info.endpoint?, info.port?)));
        let (host, port) = place.ok_or_else(|| {
            let message = format!(
                "cluster {} in {} has no endpoint",
                self.cluster, self.region
            );
            Fail::new(Code::NoEndpoint, message)
        })?;
        ctx.logins.cluster(&self.source, &self.user, (host, port))
    }

    /// At every target that takes it; others get it with the point.
    async fn store(
        &self,
        ctx: &Context<'_>,
        key: &ObjectKey,
        bytes: Vec<u8>,
        unread: &mut Vec<Exception>,
    ) -> Result<Vec<TargetName>, Fail> {
        let bytes = bytes::Bytes::from(bytes);
        let mut at = Vec::new();
        for target in &ctx.plan.targets {
            let vault = ctx.vault(&target.name).await?;
            let lock = Some(target.evidence_lock());
            // A crash between two of them leaves some that the next runner finds.
            match vault.create(key.as_str(), bytes.clone(), lock).await {
                // Another run of this slot, or an attempt before this one, read the same cluster
                // before and after the same snapshot.
                Ok(_) | Err(VaultError::Taken { .. }) => at.push(target.name.clone()),
                Err(e) if ctx.attempt() < ctx.plan.step_attempts && e.transient() => {
                    return Err(e.into());
                }
                Err(e) => unread.push(Exception {
                    thing: format!("{key} at {}", target.name),
                    code: Code::ReferenceUnread.to_string(),
                    why: full(&e),
                }),
            }
        }
        Ok(at)
    }

    fn exception(&self, why: &str) -> Exception {
        Exception {
            thing: format!("cluster {}", self.cluster),
            code: Code::ReferenceUnread.to_string(),
            why: why.to_owned(),
        }
    }

    fn tell(&self, ctx: &Context<'_>, unread: &[Exception]) {
        // What can never be compared is in the evidence, and no news.
        let news = |u: &&Exception| u.code != Code::NotCompared.as_str();
        let unread: Vec<&Exception> = unread.iter().filter(news).collect();
        let Some(first) = unread.first() else {
            return;
        };
        let (count, moment) = (unread.len(), self.moment);
        let code = match unread.iter().any(|u| u.code == Code::RowSecurity.as_str()) {
            true => Code::RowSecurity,
            false => Code::ReferenceUnread,
        };
        let (thing, why) = (&first.thing, &first.why);
        let message = format!(
            "{count} things of source {} were not read {moment} its snapshot, and its next drill \
             cannot compare them: first {thing}: {why}",
            self.source
        );
        ctx.said
            .say(vec![Finding::warning(code, message).thing(&self.source)]);
    }
}

fn of(database: &Name, why: &str) -> Exception {
    Exception {
        thing: format!("database {database}"),
        code: Code::ReferenceUnread.to_string(),
        why: why.to_owned(),
    }
}

/// Another one at every slot.
fn begin_at(slot_s: i64) -> f64 {
    /// The golden ratio's steps come near to every place soon.
    const STEP: f64 = 0.618_033_988_749_895;
    let minutes = u32::try_from(slot_s.div_euclid(60).rem_euclid(1 << 24)).unwrap_or(0);
    (f64::from(minutes) * STEP).fract()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_slot_begins_elsewhere() {
        let hours: Vec<f64> = (0..24).map(|h| begin_at(h * 3600)).collect();
        for (n, one) in hours.iter().enumerate() {
            assert!((0.0..1.0).contains(one));
            assert!(hours[..n].iter().all(|other| (other - one).abs() > 0.001));
        }
    }
}
