//! What a caller can do about an error of a service.

use crate::report::Code;

/// What a caller can do about an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    NotFound,
    /// Someone wrote it first (412), or the name is taken: read it back.
    Exists,
    /// Another write is in flight (409): try again.
    Conflict,
    Denied,
    /// The key was not accepted at all.
    Credentials,
    /// Asked to slow down.
    Throttled,
    /// No answer, or a server error.
    Unavailable,
    /// Bytes differ from their checksum.
    Integrity,
    /// A KMS key is disabled, pending deletion, or not ours.
    KeyUnusable,
    Quota,
    /// No further manual snapshot may be made: somebody must delete some.
    SnapshotQuota,
    /// The service has no machines or storage of this class left, in these zones, for now.
    Capacity,
    /// A group, a network or an option that the request names does not fit, or is not there.
    Setup,
    /// The object lies in an archive.
    Archived,
    /// Our clock and the service's are too far apart.
    ClockSkew,
    /// No room is left in the bucket or at the provider.
    Full,
    /// The store does not know this call or header.
    Unsupported,
    /// Not in a state that allows this (a cluster being modified).
    State,
    /// More things than this program looks at: said, never cut.
    TooMany,
    /// The request itself is wrong: a bug, or a name that the policy got wrong.
    Invalid,
}

impl Kind {
    /// Whether waiting can cure it.
    pub fn transient(self) -> bool {
        matches!(
            self,
            Kind::Conflict | Kind::Throttled | Kind::Unavailable | Kind::State | Kind::Capacity
        )
    }
}

/// What an error of a service means for whoever asked for the whole.
impl From<Kind> for Code {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Conflict | Kind::Throttled | Kind::Unavailable => Code::TargetUnavailable,
            Kind::State => Code::StateBusy,
            Kind::Quota => Code::Quota,
            Kind::SnapshotQuota => Code::SnapshotQuota,
            Kind::Capacity => Code::Capacity,
            Kind::Setup => Code::Setup,
            Kind::Archived => Code::ObjectArchived,
            Kind::ClockSkew => Code::ClockSkew,
            // Somebody must make room; a later tick then goes on.
            Kind::Full => Code::TargetFull,
            Kind::Denied | Kind::Credentials => Code::AccessDenied,
            Kind::KeyUnusable => Code::KmsKeyUnusable,
            Kind::NotFound => Code::Missing,
            Kind::Integrity => Code::ChecksumMismatch,
            Kind::Exists => Code::NameTaken,
            Kind::Unsupported => Code::Unsupported,
            Kind::TooMany => Code::TooMany,
            Kind::Invalid => Code::RequestInvalid,
        }
    }
}
