//! The lock probe: does this bucket really refuse what it must, and does it really decide a race?
//!
//! A control comes with it: a version whose lock lapsed must be deletable, else a refusal proves
//! nothing about the lock.

use super::layout::{Key, folder};
use super::probed::{ProbeOutcome, ProbeRecord, Verdict, newest_record};
use super::store::{Vault, VaultError};
use crate::aws::s3::{LockState, PutOptions};
use crate::aws::{Error, Kind};
use crate::manifest::Document;
use crate::model::{Lock, LockMode, Seconds, Slot, TargetName};
use crate::world::World;
use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};

/// What became of tries that a lock must refuse.
enum Tried {
    Refused,
    Allowed(String),
    /// Nothing is known.
    NotSeen(String),
}

/// What became of conditional writes at once.
enum Race {
    /// Exactly one won.
    Decided,
    /// The store takes them all, or does not know such writes.
    Undecided,
    /// Nothing is known.
    NotSeen(String),
}

/// What the store said, be it a refusal; an error only where waiting can cure it.
fn answered<T>(result: Result<T, Error>) -> Result<Result<T, Error>, VaultError> {
    match result {
        Err(e) if e.kind.transient() => Err(e.into()),
        said => Ok(said),
    }
}

impl Vault {
    /// Probes the bucket. Takes a little longer than `control`.
    ///
    /// # Errors
    /// Only where the store does not answer; a refusal is an outcome.
    pub async fn probe(
        &self,
        world: &World,
        mode: LockMode,
        control: Seconds,
        lock: Seconds,
    ) -> Result<ProbeOutcome, VaultError> {
        let nonce = world.random_hex(8);
        let key = |what: &str| Key::Probe(format!("{nonce}-{what}")).to_string();
        let race = self.race(&key("race")).await?;
        let conditional = matches!(race, Race::Decided);
        self.bucket.note_conditional(conditional).await;
        let now = self.now().await?;
        let of = |verdict: Verdict, why: String| ProbeOutcome {
            verdict,
            conditional,
            why,
        };
        let unknown = |why: String| of(Verdict::Unknown, why);
        let put = async |what: &str, length: SignedDuration| {
            self.put_locked(&key(what), mode, now, length).await
        };
        let (control_version, lapses) = match answered(put("control", control.signed()).await)? {
            Ok(put) => put,
            Err(e) => {
                return Ok(unknown(format!(
                    "an object with a lock could not be written: {e}"
                )));
            }
        };
        let (version, until) = match answered(put("locked", lock.signed()).await)? {
            Ok(put) => put,
            Err(e) => {
                return Ok(unknown(format!(
                    "a second object with a lock could not be written: {e}"
                )));
            }
        };
        match self
            .tried(&key("locked"), &version, mode, now, until)
            .await?
        {
            Tried::Refused => {}
            Tried::Allowed(why) => {
                return Ok(of(Verdict::Open, why));
            }
            Tried::NotSeen(why) => return Ok(unknown(why)),
        }
        if let Race::NotSeen(why) = race {
            return Ok(unknown(format!(
                "whether it decides a race could not be tested: {why}"
            )));
        }
        let control = (key("control"), control_version);
        Ok(
            match self.why_control_stays(world, control, lapses).await? {
                None => of(
                    Verdict::Locked,
                    format!(
                        "{} refused delete and shortening; the control was deleted after its lock \
                     lapsed",
                        mode.as_str()
                    ),
                ),
                Some(why) => unknown(why),
            },
        )
    }

    /// A small object with a lock: its version, and the instant that the lock ends.
    async fn put_locked(
        &self,
        key: &str,
        mode: LockMode,
        now: Timestamp,
        length: SignedDuration,
    ) -> Result<(String, Timestamp), Error> {
        let until = Timestamp::from_second((now + length).as_second() + 1).unwrap_or(now);
        let options = PutOptions {
            lock: Some(Lock {
                mode,
                retain_until: until,
            }),
            ..Default::default()
        };
        let body = Bytes::from_static(b"dr lock probe\n");
        let put = self.bucket.put(key, body, &options).await?;
        Ok((put.version.unwrap_or_else(|| "null".into()), until))
    }

    /// Waits until the control's lock has lapsed and deletes it; `None`: it is gone.
    async fn why_control_stays(
        &self,
        world: &World,
        (key, version): (String, String),
        lapses: Timestamp,
    ) -> Result<Option<String>, VaultError> {
        while self.now().await? <= lapses {
            if world.stopping() {
                let why = "stopped before the control's lock lapsed";
                return Ok(Some(why.into()));
            }
            world.sleep(std::time::Duration::from_millis(300)).await;
        }
        let deleted = self.bucket.delete_version(&key, &version, false).await;
        Ok(answered(deleted)?.err().map(|e| {
            format!(
                "the control could not be deleted after its lock lapsed either, so the refusals \
                 prove nothing: {e}"
            )
        }))
    }

    /// Tries on a locked version what it must not allow.
    async fn tried(
        &self,
        key: &str,
        version: &str,
        mode: LockMode,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Tried, VaultError> {
        let refused = |result: Result<(), Error>| -> Result<bool, VaultError> {
            Ok(answered(result)?.is_err())
        };
        let middle = now + SignedDuration::from_secs(until.duration_since(now).as_secs() / 2);
        let shorter = Lock {
            mode,
            retain_until: middle,
        };
        if !refused(
            self.bucket
                .set_retention(key, version, shorter, false)
                .await,
        )? {
            return Ok(Tried::Allowed("the lock of a version was shortened".into()));
        }
        if !refused(self.bucket.delete_version(key, version, false).await)? {
            return Ok(Tried::Allowed("a locked version was deleted".into()));
        }
        if mode == LockMode::Compliance
            && !refused(self.bucket.delete_version(key, version, true).await)?
        {
            return Ok(Tried::Allowed(
                "a version under COMPLIANCE was deleted with the bypass header".into(),
            ));
        }
        match self.bucket.lock_of(key, version).await? {
            state
                if state.meets(Lock {
                    mode,
                    retain_until: until,
                }) =>
            {
                Ok(Tried::Refused)
            }
            LockState::Unknown(why) => Ok(Tried::NotSeen(format!(
                "the lock of a version could not be read back: {why}"
            ))),
            other => Ok(Tried::Allowed(format!("the lock reads back as {other:?}"))),
        }
    }

    /// Two conditional writes at once, then a third: exactly one may win.
    async fn race(&self, key: &str) -> Result<Race, VaultError> {
        let put = |body: &'static str| {
            let options = PutOptions {
                create_only: true,
                ..Default::default()
            };
            async move {
                self.bucket
                    .put(key, Bytes::from_static(body.as_bytes()), &options)
                    .await
            }
        };
        let (a, b) = tokio::join!(put("a\n"), put("b\n"));
        let c = put("c\n").await;
        let mut won = 0;
        for result in [a, b, c] {
            match result {
                Ok(_) => won += 1,
                Err(e) if matches!(e.kind, Kind::Exists | Kind::Conflict) => {}
                Err(e) if e.kind == Kind::Unsupported || e.kind == Kind::Invalid => {
                    return Ok(Race::Undecided);
                }
                Err(e) if e.kind.transient() => return Err(e.into()),
                // A refusal of the key's says nothing of the store.
                Err(e) => return Ok(Race::NotSeen(e.to_string())),
            }
        }
        Ok(if won == 1 {
            Race::Decided
        } else {
            Race::Undecided
        })
    }

    /// Stores what a probe of this target found.
    ///
    /// # Errors
    /// [`VaultError::Taken`] where another probe of this second is there; the store's.
    pub async fn store_probe(&self, outcome: &ProbeOutcome, lock: Lock) -> Result<(), VaultError> {
        let (target, at) = (self.target.clone(), self.now().await?);
        let key = Key::ProbeRecord {
            target: target.clone(),
            at: Slot::at(at),
        };
        let record = ProbeRecord {
            target,
            at,
            mode: lock.mode,
            outcome: outcome.clone(),
        };
        // A crash right here leaves tried versions under probe/, which the next probe does not
        // need.
        let bytes = record.to_bytes().into();
        self.create(&key.to_string(), bytes, Some(lock)).await?;
        Ok(())
    }

    /// The newest stored probe of a target.
    ///
    /// # Errors
    /// The store's; a record that cannot be read.
    pub async fn newest_probe(
        &self,
        target: &TargetName,
    ) -> Result<Option<ProbeRecord>, VaultError> {
        match newest_record(&self.bucket, &folder::probes(target)).await? {
            Some(row) => self.read_version(&row).await.map(Some),
            None => Ok(None),
        }
    }
}
