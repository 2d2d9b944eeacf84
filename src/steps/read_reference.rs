//! Reads a running cluster beside its work, before and after its snapshot. Whatever goes wrong here
//! keeps no snapshot from being taken: it is told, and a drill says that it could not compare.

mod listing;
mod reading;

use super::{Context, Perform};
use crate::manifest::{Document, Exception, MAX_DOCUMENT_BYTES, ReferenceBefore, ServerReading};
use crate::model::{Name, ObjectKey, TargetName};
use crate::plan::{DatabasesListed, Moment, ReadReference, ReferenceRead, TakeSnapshot};
use crate::policy::Databases;
use crate::proof::reference::between;
use crate::report::{Code, Exit, Fail, Finding, full};
use crate::vault::{Key, PointDocument, SourceDocument, VaultError};
use jiff::SignedDuration;
use std::time::Duration;

/// Of what was not read, so many are told.
const TOLD: usize = 20;

impl Perform for ReadReference {
    async fn perform(&self, ctx: &Context<'_>) -> Result<ReferenceRead, Fail> {
        let start = ctx.world.monotonic();
        let listed = match self.databases {
            Databases::All => Some(self.listed(ctx).await?),
            Databases::These(_) => None,
        };
        let nothing = |why: &str| {
            let nothing = self.nothing(ctx, why, start.elapsed().as_secs_f64());
            ReferenceRead {
                listed: listed.clone(),
                ..nothing
            }
        };
        let databases = match self.wanted(listed.as_ref()) {
            Ok(names) => names,
            Err(why) => return Ok(nothing(why)),
        };
        let first = match self.moment {
            Moment::Before => None,
            Moment::After => match self.stored_before(ctx).await {
                Ok(before) => Some(before),
                Err(e) if again(ctx, &e) => return Err(e),
                Err(e) => return Ok(nothing(&full(&e))),
            },
        };
        let read = self.read(ctx, start, (databases, first.as_ref()));
        let late = || format!("it did not answer in {}", self.budget);
        let read = match self.in_time(ctx, read, late).await? {
            Ok(read) => read,
            Err(why) => return Ok(nothing(&why)),
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
            listed,
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

/// Beyond the budget, which statements have by themselves.
const GRACE: Duration = Duration::from_secs(30);

/// Whether it is worth another attempt of the engine's.
fn again(ctx: &Context<'_>, e: &Fail) -> bool {
    e.exit == Exit::Unavailable && ctx.attempt() < ctx.plan.step_attempts
}

fn size(read: &ServerReading) -> (u64, u64) {
    let tables = || read.databases.values().flat_map(|d| d.tables.values());
    (tables().count() as u64, tables().map(|t| t.rows).sum())
}

fn shown(unread: &[Exception]) -> Vec<String> {
    let told = unread.iter().take(TOLD);
    told.map(|u| format!("{}: {}", u.thing, u.why)).collect()
}

impl ReadReference {
    /// Whatever hangs, the snapshot does not wait for it. Why there is no answer, inside, is told.
    ///
    /// # Errors
    /// What is worth another attempt.
    async fn in_time<T>(
        &self,
        ctx: &Context<'_>,
        work: impl Future<Output = Result<T, Fail>>,
        late: impl FnOnce() -> String,
    ) -> Result<Result<T, String>, Fail> {
        let most = self.budget.as_duration() + GRACE;
        let done = tokio::time::timeout(most, work).await;
        // The next runner reads it whole.
        if ctx.world.stopping() {
            return Err(Fail::stopped());
        }
        match done {
            Ok(Ok(done)) => Ok(Ok(done)),
            Ok(Err(e)) if again(ctx, &e) => Err(e),
            Ok(Err(e)) => Ok(Err(full(&e))),
            Err(_) => Ok(Err(late())),
        }
    }

    /// Why they are not known, where all of them are wanted.
    fn wanted<'a>(&'a self, listed: Option<&'a DatabasesListed>) -> Result<&'a [Name], &'a str> {
        match (&self.databases, listed) {
            (Databases::These(names), _) => Ok(names),
            (Databases::All, Some(DatabasesListed::Read(read))) => Ok(&read.databases),
            (Databases::All, Some(DatabasesListed::Unread(why))) => Err(why),
            (Databases::All, None) => Err("nobody asked which databases there are"),
        }
    }

    /// Told, and no reason to keep the snapshot waiting.
    fn nothing(&self, ctx: &Context<'_>, why: &str, took_s: f64) -> ReferenceRead {
        let unread = vec![self.exception(why)];
        self.tell(ctx, &unread);
        ReferenceRead {
            listed: None,
            document: None,
            at: Vec::new(),
            tables: 0,
            rows: 0,
            unread_count: 1,
            unread: shown(&unread),
            took_s,
        }
    }

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

    /// Of this run: another run of this slot may have read it after the snapshot that both take.
    async fn stored_before(&self, ctx: &Context<'_>) -> Result<ReferenceBefore, Fail> {
        let key = self.key(ctx, SourceDocument::ReferenceBefore);
        let mut failed = Fail::new(Code::Missing, format!("{key} was not stored"));
        let targets = ctx.plan.targets.iter();
        let (first, others): (Vec<_>, Vec<_>) =
            targets.partition(|t| t.name == ctx.plan.journal_target);
        for target in first.into_iter().chain(others) {
            let vault = ctx.vault(&target.name).await?;
            let found = match vault.oldest(key.as_str()).await {
                Ok((bytes, _)) => ReferenceBefore::from_bytes(&bytes)?,
                Err(e) if e.not_found() => continue,
                Err(e) => {
                    failed = e.into();
                    continue;
                }
            };
            let named = (&found.policy, found.slot, &found.run, &found.source);
            let ours = (&ctx.plan.policy, ctx.plan.slot, &ctx.plan.run, &self.source);
            if named == ours {
                return self.before_snapshot(ctx, found);
            }
            let run = &found.run;
            let message = format!("{key} at {} is that of run {run}", target.name);
            failed = Fail::new(Code::NameTaken, message);
        }
        Err(failed)
    }

    /// A snapshot that another run of this slot took may be older than the reading.
    fn before_snapshot(
        &self,
        ctx: &Context<'_>,
        found: ReferenceBefore,
    ) -> Result<ReferenceBefore, Fail> {
        /// Of the server's clock and the service's.
        const APART: SignedDuration = SignedDuration::from_secs(2);
        let mut taken = ctx.state.done::<TakeSnapshot>();
        let taken = taken.find(|(_, action, _)| action.source == self.source);
        match taken {
            Some((_, _, taken)) if found.read.at > taken.at + APART => Err(Fail::new(
                Code::NameTaken,
                format!("{} is older than the reading before it", taken.arn),
            )),
            _ => Ok(found),
        }
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
        let (mut at, mut failed) = (Vec::new(), None);
        if bytes.len() as u64 > MAX_DOCUMENT_BYTES {
            unread.push(self.exception("it has more tables and statements than a document holds"));
            return Ok(at);
        }
        for target in &ctx.plan.targets {
            let vault = ctx.vault(&target.name).await?;
            let lock = Some(target.evidence_lock());
            // A crash between two of them leaves some that the next runner finds.
            match vault.create(key.as_str(), bytes.clone(), lock).await {
                // An attempt before this one read the same cluster before and after the same
                // snapshot; of another run nothing is believed.
                Ok(_) | Err(VaultError::Taken { .. }) => at.push(target.name.clone()),
                // It gets it with the point.
                Err(e) => {
                    unread.push(Exception {
                        thing: format!("{key} at {}", target.name),
                        code: Code::ReferenceUnread.to_string(),
                        why: full(&e),
                    });
                    failed = Some(e);
                }
            }
        }
        match failed {
            Some(e) if at.is_empty() && e.transient() && ctx.attempt() < ctx.plan.step_attempts => {
                Err(e.into())
            }
            _ => Ok(at),
        }
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
