//! Which keys the lab believes: the fixed ones, and those of sessions until they expire.

use crate::accounts::{Caller, Keys, Provider, Role, random_text};
use crate::clock::Clock;
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Why a key is not believed. Each service has codes of its own for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Distrust {
    /// No such key, or one of a session that came without its token.
    Unknown,
    /// The token is not the key's.
    Token,
    Expired,
}

/// An assumed role until it expires.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    pub role: Role,
    pub name: String,
    pub access_key_id: String,
    pub secret_access_key: String,
    pub token: String,
    pub expires: Timestamp,
}

impl Session {
    pub fn caller(&self) -> Caller {
        Caller {
            role: self.role,
            provider: Provider::Aws,
            account: self.role.account().into(),
            access_key_id: self.access_key_id.clone(),
            session: Some(self.name.clone()),
        }
    }
}

/// All keys of a running lab.
#[derive(Debug)]
pub struct Keyring {
    pub fixed: Keys,
    clock: Clock,
    sessions: Mutex<BTreeMap<String, Session>>,
    /// Sessions last no longer than this, whatever was asked for.
    longest: Mutex<Option<SignedDuration>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Keyring {
    pub fn new(fixed: Keys, clock: Clock) -> Self {
        Self {
            fixed,
            clock,
            sessions: Mutex::default(),
            longest: Mutex::default(),
        }
    }

    /// For those who want to see sessions expire; `None`: as long as was asked for.
    pub fn limit_sessions(&self, longest_s: Option<u32>) {
        *lock(&self.longest) = longest_s.map(|s| SignedDuration::from_secs(s.into()));
    }

    pub fn open(&self, role: Role, name: &str, lasting: SignedDuration) -> Session {
        let now = self.clock.now();
        let lasting = lock(&self.longest).map_or(lasting, |longest| lasting.min(longest));
        let session = Session {
            role,
            name: name.into(),
            access_key_id: format!("ASIA{}", random_text(16).to_uppercase()),
            secret_access_key: random_text(40),
            token: random_text(200),
            expires: now.saturating_add(lasting).unwrap_or(Timestamp::MAX),
        };
        let mut sessions = lock(&self.sessions);
        // An expired one is told from an unknown one for a day.
        sessions.retain(|_, s| now.duration_since(s.expires) < SignedDuration::from_hours(24));
        sessions.insert(session.access_key_id.clone(), session.clone());
        session
    }

    /// What a key signs with at a provider, whoever may use it.
    pub fn secret(&self, provider: Provider, access_key_id: &str) -> Option<String> {
        if let Some((_, secret)) = self.fixed.lookup(provider, access_key_id) {
            return Some(secret.to_owned());
        }
        let sessions = lock(&self.sessions);
        let session = sessions.get(access_key_id)?;
        (provider == Provider::Aws).then(|| session.secret_access_key.clone())
    }

    /// Who a key and its token stand for at a provider.
    ///
    /// # Errors
    /// Nobody, and why.
    pub fn caller(
        &self,
        provider: Provider,
        access_key_id: &str,
        token: Option<&str>,
    ) -> Result<Caller, Distrust> {
        if let Some((caller, _)) = self.fixed.lookup(provider, access_key_id) {
            return match token {
                None => Ok(caller),
                Some(_) => Err(Distrust::Token),
            };
        }
        let sessions = lock(&self.sessions);
        let session = sessions
            .get(access_key_id)
            .filter(|_| provider == Provider::Aws)
            .ok_or(Distrust::Unknown)?;
        match token {
            None => Err(Distrust::Unknown),
            Some(token) if token != session.token => Err(Distrust::Token),
            Some(_) if self.clock.now() >= session.expires => Err(Distrust::Expired),
            Some(_) => Ok(session.caller()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_believed_with_its_token_until_it_expires() {
        let clock = Clock::with_offset(0);
        let keys = Keyring::new(Keys::generate(), clock.clone());
        let session = keys.open(Role::Copier, "pod", SignedDuration::from_mins(15));
        let who = |token| keys.caller(Provider::Aws, &session.access_key_id, token);
        let caller = who(Some(&session.token)).expect("believed");
        assert_eq!(
            (caller.role, &*caller.account),
            (Role::Copier, "222222222222")
        );
        assert_eq!(who(None), Err(Distrust::Unknown));
        assert_eq!(who(Some("another")), Err(Distrust::Token));
        assert_eq!(
            keys.caller(
                Provider::Other,
                &session.access_key_id,
                Some(&session.token)
            ),
            Err(Distrust::Unknown),
            "the other provider has no sessions"
        );
        clock.advance(15 * 60);
        assert_eq!(who(Some(&session.token)), Err(Distrust::Expired));
    }

    #[test]
    fn sessions_are_as_short_as_the_lab_was_told() {
        let clock = Clock::with_offset(0);
        let keys = Keyring::new(Keys::generate(), clock.clone());
        keys.limit_sessions(Some(5));
        let session = keys.open(Role::Auditor, "pod", SignedDuration::from_hours(1));
        assert!(session.expires <= clock.now() + SignedDuration::from_secs(5));
        keys.limit_sessions(None);
        let session = keys.open(Role::Auditor, "pod", SignedDuration::from_hours(1));
        assert!(session.expires > clock.now() + SignedDuration::from_mins(59));
    }

    #[test]
    fn a_fixed_key_has_no_token() {
        let keys = Keyring::new(Keys::generate(), Clock::with_offset(0));
        let id = keys.fixed.0[0].access_key_id.clone();
        assert!(keys.caller(Provider::Aws, &id, None).is_ok());
        assert_eq!(
            keys.caller(Provider::Aws, &id, Some("x")),
            Err(Distrust::Token)
        );
    }
}
