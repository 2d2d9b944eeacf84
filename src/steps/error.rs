//! How a step fails: a kind to act on, a stable code, the thing, the cause.

use crate::aws;
use crate::database::PgError;
use crate::dump::DumpError;
use crate::journal::Failure;
use crate::manifest::FormatError;
use crate::vault::VaultError;
use std::error::Error as StdError;

#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct StepError {
    pub kind: Failure,
    /// Stable; each has a page in runbooks/.
    pub code: &'static str,
    pub message: String,
    #[source]
    pub source: Option<Box<dyn StdError + Send + Sync>>,
}

impl StepError {
    pub fn new(kind: Failure, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            kind,
            code,
            message: message.into(),
            source: None,
        }
    }
    pub fn finding(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(Failure::Finding, code, message)
    }
    pub fn refused(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(Failure::Refused, code, message)
    }
    pub fn stuck(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(Failure::Stuck, code, message)
    }
    /// A plan that contradicts itself.
    pub fn bug(message: impl Into<String>) -> Self {
        Self::new(Failure::Stuck, "plan-broken", message)
    }
    pub fn stopped() -> Self {
        Self::new(Failure::Unavailable, "stopped", "asked to stop")
    }

    /// The message with all of its causes.
    pub fn full(&self) -> String {
        let mut text = self.message.clone();
        let mut cause = self.source.as_deref().map(|e| e as &dyn StdError);
        while let Some(e) = cause {
            let next = e.to_string();
            if !text.contains(&next) {
                text.push_str(": ");
                text.push_str(&next);
            }
            cause = e.source();
        }
        text
    }
}

impl From<aws::Error> for StepError {
    fn from(e: aws::Error) -> Self {
        use aws::Kind;
        let (kind, code) = match e.kind {
            Kind::Conflict | Kind::Throttled | Kind::Unavailable => {
                (Failure::Unavailable, "target-unavailable")
            }
            Kind::State => (Failure::Unavailable, "state-busy"),
            Kind::Quota => (Failure::Unavailable, "quota"),
            // Somebody must make room; a later tick then goes on.
            Kind::Full => (Failure::Stuck, "target-full"),
            Kind::Denied | Kind::Credentials => (Failure::Stuck, "access-denied"),
            Kind::KeyUnusable => (Failure::Stuck, "kms-key-unusable"),
            Kind::NotFound => (Failure::Finding, "missing"),
            Kind::Integrity => (Failure::Finding, "checksum-mismatch"),
            Kind::Exists => (Failure::Finding, "name-taken"),
            Kind::Unsupported => (Failure::Refused, "unsupported"),
            Kind::Invalid => (Failure::Stuck, "request-invalid"),
        };
        Self {
            kind,
            code,
            message: e.to_string(),
            source: Some(Box::new(e)),
        }
    }
}

impl From<VaultError> for StepError {
    fn from(e: VaultError) -> Self {
        match e {
            VaultError::Store(e) => e.into(),
            VaultError::Format {
                source: FormatError::Version { .. },
                ..
            } => Self {
                kind: Failure::Stuck,
                code: "format-unknown",
                message: e.to_string(),
                source: Some(Box::new(e)),
            },
            VaultError::Taken { .. } => Self {
                kind: Failure::Finding,
                code: "name-taken",
                message: e.to_string(),
                source: Some(Box::new(e)),
            },
            _ => Self {
                kind: Failure::Finding,
                code: "damaged",
                message: e.to_string(),
                source: Some(Box::new(e)),
            },
        }
    }
}

impl From<PgError> for StepError {
    fn from(e: PgError) -> Self {
        let kind = if e.transient() {
            Failure::Unavailable
        } else {
            Failure::Finding
        };
        let code = if e.transient() {
            "database-unavailable"
        } else {
            "database-refused"
        };
        Self {
            kind,
            code,
            message: e.to_string(),
            source: Some(Box::new(e)),
        }
    }
}

impl From<DumpError> for StepError {
    fn from(e: DumpError) -> Self {
        match e {
            DumpError::Database(e) => e.into(),
            DumpError::Vault(e) => e.into(),
            DumpError::Format(e) => e.into(),
            DumpError::Refused(why) => Self::refused("database-not-empty", why),
            DumpError::Client(why) => Self::refused("client-too-old", why),
            DumpError::Incomplete(_) => Self::finding("dump-damaged", e.to_string()),
            DumpError::Damaged { .. } => Self {
                kind: Failure::Finding,
                code: "dump-damaged",
                message: e.to_string(),
                source: Some(Box::new(e)),
            },
            DumpError::Compression(..) => Self {
                kind: Failure::Finding,
                code: "dump-damaged",
                message: e.to_string(),
                source: Some(Box::new(e)),
            },
        }
    }
}

impl From<FormatError> for StepError {
    fn from(e: FormatError) -> Self {
        let (kind, code) = match e {
            FormatError::Version { .. } => (Failure::Stuck, "format-unknown"),
            _ => (Failure::Finding, "damaged"),
        };
        Self {
            kind,
            code,
            message: e.to_string(),
            source: Some(Box::new(e)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_version_is_stuck_and_damage_is_a_finding() {
        let version = || FormatError::Version {
            found: "dr/point/2".into(),
            wanted: "dr/point/1",
        };
        let at = |source| VaultError::Format {
            target: crate::policy::TargetName::new("central"),
            key: "k".into(),
            source,
        };
        for error in [StepError::from(version()), StepError::from(at(version()))] {
            assert_eq!((error.kind, error.code), (Failure::Stuck, "format-unknown"));
            assert!(error.full().contains("dr/point/2"), "{}", error.full());
        }
        assert_eq!(
            StepError::from(at(FormatError::Damaged("x".into()))).kind,
            Failure::Finding
        );
    }
}
