//! A call, and what becomes of it.

use crate::accounts::Role;
use serde::Serialize;

/// A call as the services know it once it is routed and its signature verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    pub region: String,
    /// `s3`, `rds`, `sts`, `kms`
    pub service: &'static str,
    pub operation: String,
    /// `bucket/key`, or an id.
    pub thing: String,
    pub role: Option<Role>,
}

/// A call as it is listed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Listed {
    pub n: u64,
    pub region: String,
    pub service: String,
    pub operation: String,
    pub thing: String,
    pub role: Option<Role>,
    /// HTTP status of the answer; absent while it is under way, or where none was given.
    pub status: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<&'static str>,
}

/// What to do with a call before it is executed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Before {
    Proceed,
    Refuse {
        code: String,
        status: u16,
    },
    /// Close the connection without an answer, nothing done.
    Cut,
}

/// What to do with an answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct After {
    /// Give this error instead.
    pub fail: Option<(String, u16)>,
    /// Close the connection without an answer.
    pub cut: bool,
    /// Bytes a second of the answer's body.
    pub slow: Option<u64>,
    /// Flip one byte of the answer's body.
    pub flip: bool,
}
