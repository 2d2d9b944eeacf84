//! The control endpoint's questions about databases and workload.

use crate::rds::Durations;
use crate::shop::Shop;
use crate::workload::writer::Progress;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

type Answer = Result<Json<Value>, (StatusCode, Json<Value>)>;

#[derive(Deserialize)]
struct Operation {
    n: i64,
}

#[derive(Deserialize)]
struct Database {
    url: String,
}

#[derive(Deserialize)]
struct Order {
    r#do: What,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum What {
    Start,
    Stop,
}

/// `/states`, `/workload`, `/expected` and `/digest`.
pub fn routes(shop: Arc<Shop>) -> Router {
    Router::new()
        .route("/states", post(states))
        .route("/workload", get(progress).post(order))
        .route("/expected", get(expected))
        .route("/digest", get(digest))
        .with_state(shop)
}

fn wrong(status: StatusCode, why: &str) -> (StatusCode, Json<Value>) {
    (status, Json(json!({ "error": why })))
}

fn shown(value: impl serde::Serialize) -> Answer {
    serde_json::to_value(value)
        .map(Json)
        .map_err(|e| wrong(StatusCode::INTERNAL_SERVER_ERROR, &e.to_string()))
}

async fn states(State(shop): State<Arc<Shop>>, Json(durations): Json<Durations>) -> Answer {
    shop.set_durations(durations);
    shown(durations)
}

async fn progress(State(shop): State<Arc<Shop>>) -> Answer {
    shown(
        shop.workload()
            .map_or_else(Progress::default, crate::workload::Workload::progress),
    )
}

async fn order(State(shop): State<Arc<Shop>>, Json(order): Json<Order>) -> Answer {
    let workload = shop.workload().ok_or_else(|| {
        wrong(
            StatusCode::NOT_FOUND,
            "this lab is empty: it has no workload",
        )
    })?;
    match order.r#do {
        What::Start => workload.start(),
        What::Stop => workload.stop().await,
    }
    shown(workload.progress())
}

async fn expected(State(shop): State<Arc<Shop>>, Query(operation): Query<Operation>) -> Answer {
    shown(
        shop.expected(operation.n)
            .await
            .map_err(|e| wrong(StatusCode::NOT_FOUND, &e))?,
    )
}

async fn digest(State(shop): State<Arc<Shop>>, Query(database): Query<Database>) -> Answer {
    shown(
        shop.digest(&database.url)
            .await
            .map_err(|e| wrong(StatusCode::BAD_GATEWAY, &e))?,
    )
}
