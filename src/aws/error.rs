//! Service codes to our kinds, in one table.

use crate::report::{Code, Fail};
use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_runtime_api::http::Response;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use std::error::Error as StdError;

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
            Kind::Conflict | Kind::Throttled | Kind::Unavailable | Kind::State
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

impl From<Error> for Fail {
    fn from(e: Error) -> Self {
        Fail::caused(e.kind.into(), e)
    }
}

/// One failed call.
#[derive(Debug, thiserror::Error)]
#[error("{operation} {thing}: {code}{}",
if message.is_empty() { String::new() } else { format!(": {message}") })]
pub struct Error {
    pub kind: Kind,
    pub operation: &'static str,
    pub thing: String,
    pub code: String,
    pub message: String,
    #[source]
    pub source: Option<Box<dyn StdError + Send + Sync>>,
}

impl Error {
    pub fn new(
        kind: Kind,
        operation: &'static str,
        thing: impl Into<String>,
        code: &str,
        message: impl Into<String>,
    ) -> Self {
        Self {
            kind,
            operation,
            thing: thing.into(),
            code: code.into(),
            message: message.into(),
            source: None,
        }
    }
}

impl Error {
    /// With its causes, in one line.
    pub fn full(&self) -> String {
        let mut text = self.to_string();
        let mut cause = StdError::source(self);
        while let Some(e) = cause {
            text.push_str(&format!(": {e}"));
            cause = e.source();
        }
        text
    }
}

const TABLE: &[(&str, Kind)] = &[
    ("NoSuchKey", Kind::NotFound),
    ("NoSuchVersion", Kind::NotFound),
    ("NoSuchBucket", Kind::NotFound),
    ("NotFound", Kind::NotFound),
    ("NoSuchUpload", Kind::NotFound),
    ("NoSuchObjectLockConfiguration", Kind::NotFound),
    ("ObjectLockConfigurationNotFoundError", Kind::NotFound),
    ("NoSuchLifecycleConfiguration", Kind::NotFound),
    ("NoSuchBucketPolicy", Kind::NotFound),
    ("NoSuchTagSet", Kind::NotFound),
    ("DBClusterNotFoundFault", Kind::NotFound),
    ("DBClusterSnapshotNotFoundFault", Kind::NotFound),
    ("DBSnapshotNotFound", Kind::NotFound),
    ("DBInstanceNotFound", Kind::NotFound),
    ("DBInstanceNotFoundFault", Kind::NotFound),
    ("PreconditionFailed", Kind::Exists),
    ("BucketAlreadyOwnedByYou", Kind::Exists),
    ("BucketAlreadyExists", Kind::Exists),
    ("DBClusterSnapshotAlreadyExistsFault", Kind::Exists),
    ("DBClusterAlreadyExistsFault", Kind::Exists),
    ("DBInstanceAlreadyExists", Kind::Exists),
    ("ConditionalRequestConflict", Kind::Conflict),
    ("OperationAborted", Kind::Conflict),
    ("AccessDenied", Kind::Denied),
    ("AccessDeniedException", Kind::Denied),
    ("UnauthorizedOperation", Kind::Denied),
    ("MethodNotAllowed", Kind::Denied),
    ("InvalidAccessKeyId", Kind::Credentials),
    ("InvalidClientTokenId", Kind::Credentials),
    ("SignatureDoesNotMatch", Kind::Credentials),
    ("ExpiredToken", Kind::Credentials),
    ("ExpiredTokenException", Kind::Credentials),
    ("InvalidToken", Kind::Credentials),
    ("UnrecognizedClientException", Kind::Credentials),
    ("SlowDown", Kind::Throttled),
    ("Throttling", Kind::Throttled),
    ("ThrottlingException", Kind::Throttled),
    ("RequestLimitExceeded", Kind::Throttled),
    ("InternalError", Kind::Unavailable),
    ("InternalFailure", Kind::Unavailable),
    ("ServiceUnavailable", Kind::Unavailable),
    ("RequestTimeout", Kind::Unavailable),
    ("BadDigest", Kind::Integrity),
    ("InvalidDigest", Kind::Integrity),
    ("XAmzContentSHA256Mismatch", Kind::Integrity),
    ("KMSKeyNotAccessibleFault", Kind::KeyUnusable),
    ("KMS.DisabledException", Kind::KeyUnusable),
    ("KMS.NotFoundException", Kind::KeyUnusable),
    ("KMS.KMSInvalidStateException", Kind::KeyUnusable),
    ("SnapshotQuotaExceeded", Kind::Quota),
    ("SnapshotQuotaExceededFault", Kind::Quota),
    ("DBClusterQuotaExceededFault", Kind::Quota),
    ("InstanceQuotaExceeded", Kind::Quota),
    ("StorageQuotaExceeded", Kind::Quota),
    ("InsufficientStorageClusterCapacity", Kind::Quota),
    // What S3-compatible providers answer: Ceph and those that run it, MinIO, Backblaze, Wasabi.
    ("QuotaExceeded", Kind::Full),
    ("QuotaExceededException", Kind::Full),
    ("XMinioStorageFull", Kind::Full),
    ("XMinioAdminBucketQuotaExceeded", Kind::Full),
    ("StorageCapExceeded", Kind::Full),
    ("InsufficientStorage", Kind::Full),
    ("InsufficientCapacity", Kind::Full),
    ("NotImplemented", Kind::Unsupported),
    ("InvalidDBClusterStateFault", Kind::State),
    ("InvalidDBClusterSnapshotStateFault", Kind::State),
    ("InvalidDBInstanceState", Kind::State),
    ("InvalidDBInstanceStateFault", Kind::State),
];

fn kind_of(code: &str, status: u16) -> Kind {
    if let Some((_, kind)) = TABLE.iter().find(|(c, _)| *c == code) {
        return *kind;
    }
    match status {
        404 => Kind::NotFound,
        403 => Kind::Denied,
        401 => Kind::Credentials,
        409 => Kind::Conflict,
        412 => Kind::Exists,
        429 | 503 => Kind::Throttled,
        507 => Kind::Full,
        501 | 405 => Kind::Unsupported,
        500.. => Kind::Unavailable,
        _ => Kind::Invalid,
    }
}

/// The error of a credentials provider behind an error: the SDK wraps it like a failed connection.
fn of_credentials<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a CredentialsError> {
    error
        .downcast_ref()
        .or_else(|| error.source().and_then(of_credentials))
}

/// An answer that says that all is well, in words that the SDK does not understand. What such a
/// call was to do may be done: then waiting shows it. Else the store speaks another language.
fn unreadable(operation: &str, status: u16) -> (Kind, String, String) {
    let writes = ["Put", "Copy", "Complete", "Create", "Delete", "Upload"];
    let kind = match writes.iter().any(|w| operation.starts_with(w)) {
        true => Kind::Unavailable,
        false => Kind::Unsupported,
    };
    let message = "the answer could not be read".to_owned();
    (kind, format!("BadAnswer (HTTP {status})"), message)
}

/// Any SDK error as ours. HEAD answers have no body, so their status alone decides.
pub(super) fn classify<E>(
    error: SdkError<E, Response>,
    operation: &'static str,
    thing: impl Into<String>,
) -> Error
where
    E: ProvideErrorMetadata + StdError + Send + Sync + 'static,
{
    let status = error.raw_response().map_or(0, |r| r.status().as_u16());
    let (kind, code, message) = match &error {
        SdkError::ServiceError(e) => {
            let code = e.err().code().unwrap_or_default().to_owned();
            let message = e.err().message().unwrap_or_default().to_owned();
            match code.as_str() {
                "" if (200..300).contains(&status) => unreadable(operation, status),
                "" => (kind_of("", status), format!("HTTP {status}"), message),
                code => (kind_of(code, status), code.to_owned(), message),
            }
        }
        SdkError::TimeoutError(_) => (Kind::Unavailable, "Timeout".into(), String::new()),
        SdkError::DispatchFailure(e) => match e.as_connector_error().map(|c| of_credentials(c)) {
            Some(None | Some(CredentialsError::ProviderTimedOut(_))) => {
                (Kind::Unavailable, "NoConnection".into(), String::new())
            }
            // No request left us: a profile that is not there, a chain that gave nothing.
            Some(Some(_)) | None => (Kind::Credentials, "NoCredentials".into(), String::new()),
        },
        SdkError::ConstructionFailure(_) => {
            (Kind::Credentials, "NoCredentials".into(), String::new())
        }
        _ => (
            Kind::Unavailable,
            format!("BadAnswer (HTTP {status})"),
            String::new(),
        ),
    };
    // A service's message is already in ours; the cause is kept where there is no such message.
    let told = !code.starts_with("BadAnswer");
    let source = if matches!(error, SdkError::ServiceError(_)) && told {
        None
    } else {
        error.into_source().ok()
    };
    Error {
        kind,
        operation,
        thing: thing.into(),
        code,
        message,
        source,
    }
}

#[cfg(test)]
mod tests;
