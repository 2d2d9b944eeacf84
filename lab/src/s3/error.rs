//! Errors by the codes and statuses that the service gives.

use s3s::{S3Error, S3ErrorCode};

/// An error with an explicit status: codes that the protocol crate does not know would be 500.
pub fn error(status: u16, code: &str, message: impl Into<String>) -> S3Error {
    let code = S3ErrorCode::from_bytes(code.as_bytes()).unwrap_or(S3ErrorCode::InternalError);
    let mut error = S3Error::with_message(code, message.into());
    if let Ok(status) = http::StatusCode::from_u16(status) {
        error.set_status_code(status);
    }
    error
}

pub fn no_such_bucket(name: &str) -> S3Error {
    error(
        404,
        "NoSuchBucket",
        format!("The specified bucket does not exist: {name}"),
    )
}

pub fn no_such_key(key: &str) -> S3Error {
    error(
        404,
        "NoSuchKey",
        format!("The specified key does not exist: {key}"),
    )
}

pub fn no_such_version(id: &str) -> S3Error {
    error(
        404,
        "NoSuchVersion",
        format!("The specified version does not exist: {id}"),
    )
}

pub fn no_such_upload() -> S3Error {
    error(
        404,
        "NoSuchUpload",
        "The specified multipart upload does not exist. The upload ID might be invalid, or the \
         multipart upload might have been aborted or completed.",
    )
}

pub fn denied(why: &str) -> S3Error {
    error(403, "AccessDenied", format!("Access Denied: {why}"))
}

pub fn invalid(code: &'static str, message: impl Into<String>) -> S3Error {
    error(400, code, message)
}

pub fn precondition(which: &str) -> S3Error {
    error(
        412,
        "PreconditionFailed",
        format!("At least one of the pre-conditions you specified did not hold: {which}"),
    )
}

pub fn io(what: &str, e: &std::io::Error) -> S3Error {
    error(500, "InternalError", format!("{what}: {e}"))
}
