//! Calls that were made, and faults for those to come.

use super::reply::{Reply, wrong};
use crate::hook::{Do, Match};
use crate::up::Lab;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::json;
use std::sync::Arc;

#[derive(Deserialize)]
struct Since {
    #[serde(default)]
    since: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewFault {
    #[serde(default)]
    r#match: Match,
    /// 0: always.
    #[serde(default = "once")]
    times: u64,
    r#do: Do,
}

fn once() -> u64 {
    1
}

pub fn routes() -> Router<Arc<Lab>> {
    Router::new()
        .route("/calls", get(calls))
        .route("/faults", get(list).post(add).delete(clear))
        .route("/faults/{id}/release", post(release))
}

async fn calls(State(lab): State<Arc<Lab>>, Query(Since { since }): Query<Since>) -> Reply {
    Ok(Json(json!({ "calls": lab.hook.calls(since) })))
}

async fn list(State(lab): State<Arc<Lab>>) -> Reply {
    Ok(Json(json!({ "faults": lab.hook.faults() })))
}

async fn add(State(lab): State<Arc<Lab>>, Json(fault): Json<NewFault>) -> Reply {
    let id = lab.hook.add(fault.r#match, fault.times, fault.r#do);
    Ok(Json(json!({ "id": id })))
}

async fn clear(State(lab): State<Arc<Lab>>) -> Reply {
    lab.hook.clear();
    Ok(Json(json!({ "faults": lab.hook.faults() })))
}

async fn release(State(lab): State<Arc<Lab>>, Path(id): Path<u64>) -> Reply {
    if lab.hook.release(id) {
        Ok(Json(json!({ "id": id })))
    } else {
        Err(wrong(
            StatusCode::NOT_FOUND,
            &format!("there is no fault {id}"),
        ))
    }
}
