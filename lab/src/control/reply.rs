//! Answers of the control endpoint.

use axum::Json;
use axum::http::StatusCode;
use serde_json::{Value, json};

pub(super) type Reply = Result<Json<Value>, (StatusCode, Json<Value>)>;

pub(super) fn wrong(status: StatusCode, why: &str) -> (StatusCode, Json<Value>) {
    (status, Json(json!({ "error": why })))
}
