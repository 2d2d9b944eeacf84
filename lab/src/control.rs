//! The control endpoint: what happened, what is to go wrong, what time it is. Not a part of any
//! cloud.

mod faults;
mod guard;
mod reply;
mod shop;
mod world;

use crate::listen::{Answer, Cut, Handler, full};
use crate::up::Lab;
use axum::http::StatusCode;
use axum::{Json, Router};
use http::{HeaderValue, Request, Response};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::service::Service;
use hyper_util::service::TowerToHyperService;
use reply::wrong;
use serde_json::{Value, json};
use std::sync::Arc;

struct Control {
    router: Router,
}

pub fn handler(lab: Arc<Lab>) -> Arc<dyn Handler> {
    let shop = shop::routes(lab.shop.clone());
    let router = Router::new()
        .merge(faults::routes())
        .merge(world::routes())
        .with_state(lab)
        .merge(shop);
    Arc::new(Control {
        router: router.fallback(nothing_here),
    })
}

#[async_trait::async_trait]
impl Handler for Control {
    async fn handle(&self, request: Request<Incoming>) -> Result<Answer, Cut> {
        if let Err(why) = guard::local(request.headers()) {
            let mut answer = Response::new(full(json!({ "error": why }).to_string()));
            *answer.status_mut() = StatusCode::FORBIDDEN;
            answer
                .headers_mut()
                .insert("content-type", HeaderValue::from_static("application/json"));
            return Ok(answer);
        }
        let answer = TowerToHyperService::new(self.router.clone())
            .call(request)
            .await;
        let answer = answer.unwrap_or_else(|never| match never {});
        Ok(answer.map(|body| body.map_err(std::io::Error::other).boxed_unsync()))
    }
}

async fn nothing_here() -> (StatusCode, Json<Value>) {
    wrong(
        StatusCode::NOT_FOUND,
        "no such route; they are listed in docs/LAB.md",
    )
}
