//! Errors of services, each with what a caller can do about it.

mod kind;
mod table;

use crate::report::Fail;
use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_runtime_api::http::Response;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
pub use kind::Kind;
use std::error::Error as StdError;
use table::kind_of;

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
                "" => (
                    kind_of(operation, "", status),
                    format!("HTTP {status}"),
                    message,
                ),
                code => (kind_of(operation, code, status), code.to_owned(), message),
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
