//! What is true outside of the calls: time, keys, regions, stored bytes.

use super::reply::{Reply, wrong};
use crate::kms::KeyState;
use crate::s3::{Conditional, Damage};
use crate::up::{Lab, LabError};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Advance {
    advance_s: i64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Key {
    /// ARN.
    key: String,
    state: KeyState,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Order {
    region: String,
    r#do: Way,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Way {
    Down,
    Up,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Broken {
    region: String,
    bucket: String,
    key: String,
    version: Option<String>,
    how: Damage,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Sessions {
    /// `null`: as long as was asked for.
    longest_s: Option<u32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Writes {
    region: String,
    r#do: Conditional,
}

pub fn routes() -> Router<Arc<Lab>> {
    Router::new()
        .route("/clock", get(clock).post(advance))
        .route("/kms", post(kms))
        .route("/conditions", post(conditions))
        .route("/sessions", post(sessions))
        .route("/region", post(region))
        .route("/regions/{region}/{way}", post(region_by_path))
        .route("/leftovers", get(leftovers))
        .route("/damage", post(damage))
}

fn refused(e: &LabError) -> (StatusCode, Json<Value>) {
    wrong(StatusCode::UNPROCESSABLE_ENTITY, &e.to_string())
}

async fn clock(State(lab): State<Arc<Lab>>) -> Reply {
    Ok(Json(
        json!({ "now": lab.clock.now(), "offset_s": lab.clock.offset_s() }),
    ))
}

async fn advance(State(lab): State<Arc<Lab>>, Json(Advance { advance_s }): Json<Advance>) -> Reply {
    lab.advance_clock(advance_s).map_err(|e| refused(&e))?;
    clock(State(lab)).await
}

async fn kms(State(lab): State<Arc<Lab>>, Json(Key { key, state }): Json<Key>) -> Reply {
    lab.kms.set(&key, state);
    Ok(Json(json!({ "key": key, "state": state })))
}

/// What a region's store makes of `If-None-Match` on writes from now on.
async fn conditions(State(lab): State<Arc<Lab>>, Json(wanted): Json<Writes>) -> Reply {
    lab.set_conditional(&wanted.region, wanted.r#do)
        .map_err(|e| refused(&e))?;
    Ok(Json(json!({ "region": wanted.region, "do": wanted.r#do })))
}

/// How long the sessions of assumed roles last from now on.
async fn sessions(State(lab): State<Arc<Lab>>, Json(wanted): Json<Sessions>) -> Reply {
    lab.keys.limit_sessions(wanted.longest_s);
    Ok(Json(json!({ "longest_s": wanted.longest_s })))
}

async fn region(State(lab): State<Arc<Lab>>, Json(order): Json<Order>) -> Reply {
    let done = match order.r#do {
        Way::Down => lab.region_down(&order.region).await,
        Way::Up => lab.region_up(&order.region).await,
    };
    done.map_err(|e| refused(&e))?;
    Ok(Json(
        json!({ "region": order.region, "up": matches!(order.r#do, Way::Up) }),
    ))
}

/// The same without a body to write.
async fn region_by_path(
    State(lab): State<Arc<Lab>>,
    Path((name, way)): Path<(String, Way)>,
) -> Reply {
    region(
        State(lab),
        Json(Order {
            region: name,
            r#do: way,
        }),
    )
    .await
}

async fn leftovers(State(lab): State<Arc<Lab>>) -> Reply {
    Ok(Json(json!(lab.leftovers().await)))
}

async fn damage(State(lab): State<Arc<Lab>>, Json(broken): Json<Broken>) -> Reply {
    let version = lab.damage(
        &broken.region,
        &broken.bucket,
        &broken.key,
        broken.version.as_deref(),
        broken.how,
    );
    Ok(Json(
        json!({ "version": version.map_err(|e| refused(&e))? }),
    ))
}
