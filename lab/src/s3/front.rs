//! In front of `s3s`: refuses what it lets through, buffers XML bodies and checks their digests,
//! numbers the call, and gives answers the lab's clock and the hook's faults.

use super::admission::query_keys;
use super::documents::{digests, has_document};
use super::error::error;
use super::outgoing::{faulty, outgoing, refusal};
use super::partition::Trip;
use super::region::S3;
use crate::listen::{Answer, Cut, Handler, full};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode};
use http_body_util::{BodyExt, Limited};
use hyper::body::{Body as _, Frame, Incoming, SizeHint};
use s3s::S3Result;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

/// XML bodies larger than this are refused.
const MAX_XML_BYTES: usize = 2 << 20;
#[async_trait::async_trait]
impl Handler for S3 {
    async fn handle(&self, request: Request<Incoming>) -> Result<Answer, Cut> {
        let trip = Arc::new(Trip {
            slot: self.around.hook.arrive(&self.store.region, "s3"),
            cut: AtomicBool::new(false),
        });
        let head = request.method() == Method::HEAD;
        let ended = Arc::new(AtomicBool::new(false));
        let mut answer = match self.answer(request, &trip, &ended).await {
            Ok(answer) => answer,
            Err(refused) => refusal(refused),
        };
        if trip.cut.load(Ordering::Relaxed) {
            return Err(Cut);
        }
        let after = self
            .around
            .hook
            .finish(&trip.slot, answer.status().as_u16())
            .await;
        if after.cut {
            return Err(Cut);
        }
        answer = faulty(&self.around.clock, answer, after);
        if head || answer.status() == StatusCode::NOT_MODIFIED {
            *answer.body_mut() = full("");
        }
        self.stamp(
            answer.headers_mut(),
            trip.slot.n,
            ended.load(Ordering::Relaxed),
        );
        Ok(answer)
    }
}

impl S3 {
    async fn answer(
        &self,
        request: Request<Incoming>,
        trip: &Arc<Trip>,
        ended: &Arc<AtomicBool>,
    ) -> S3Result<Answer> {
        let (mut parts, body) = request.into_parts();
        // Without a body there is nothing left to read on this connection.
        ended.store(body.is_end_stream(), Ordering::Relaxed);
        let query = query_keys(&parts);
        self.admissible(&parts, &query)?;
        parts.extensions.insert(trip.clone());
        let tracked = Tracked {
            inner: body,
            ended: ended.clone(),
        };
        let body = if has_document(&parts, &query) {
            let whole = Limited::new(tracked, MAX_XML_BYTES)
                .collect()
                .await
                .map_err(|_| error(400, "MaxMessageLengthExceeded", "Your request was too big."))?
                .to_bytes();
            digests(
                &parts.headers,
                &whole,
                query.contains("uploadId"),
                query.contains("delete"),
            )?;
            s3s::Body::from(whole)
        } else {
            s3s::Body::http_body_unsync(tracked)
        };
        let Some(service) = self.service() else {
            return Err(error(503, "ServiceUnavailable", "the lab is starting"));
        };
        match service.call(Request::from_parts(parts, body)).await {
            Ok(answer) => Ok(outgoing(answer)),
            Err(_) => Err(error(500, "InternalError", "the request broke off")),
        }
    }

    fn stamp(&self, headers: &mut HeaderMap, n: u64, body_read: bool) {
        let all = [
            ("date", self.around.clock.http_date()),
            ("x-amz-request-id", format!("LAB{n:013}")),
            ("x-amz-id-2", "lab".to_owned()),
            ("server", "dr-lab".to_owned()),
        ];
        for (name, value) in all {
            if let Ok(value) = HeaderValue::from_str(&value) {
                headers.insert(name, value);
            }
        }
        if !body_read {
            // Else the rest of the body would be read as the next request.
            headers.insert("connection", HeaderValue::from_static("close"));
        }
    }
}

/// Notes that the whole body was read.
struct Tracked {
    inner: Incoming,
    ended: Arc<AtomicBool>,
}

impl hyper::body::Body for Tracked {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let polled = Pin::new(&mut self.inner).poll_frame(cx);
        if matches!(polled, Poll::Ready(None)) || self.inner.is_end_stream() {
            self.ended.store(true, Ordering::Relaxed);
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
