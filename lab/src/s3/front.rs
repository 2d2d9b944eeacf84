//! In front of `s3s`: refuses what it lets through, buffers XML bodies and checks their digests,
//! numbers the call, and
//! gives answers the lab's clock and the hook's faults.

use super::error::error;
use super::{S3, Trip};
use crate::hook::After;
use crate::listen::{Answer, Cut, Handler, full};
use base64::prelude::{BASE64_STANDARD, Engine};
use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Limited};
use hyper::body::{Body as _, Frame, Incoming, SizeHint};
use s3s::crypto::{Checksum, Crc32, Crc32c, Crc64Nvme, Md5, Sha1, Sha256};
use s3s::{S3Error, S3Result};
use std::collections::BTreeSet;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

/// XML bodies larger than this are refused.
const MAX_XML_BYTES: usize = 2 << 20;
/// Requests may be this old or this early.
const MAX_SKEW_S: i64 = 15 * 60;

/// Query keys that the lab knows. `s3s` takes an unknown sub-resource for none, so `DELETE
/// /bucket?abac` would delete the bucket.
const KNOWN: [&str; 49] = [
    "acl",
    "attributes",
    "continuation-token",
    "delete",
    "delimiter",
    "encoding-type",
    "encryption",
    "fetch-owner",
    "id",
    "inventory",
    "key-marker",
    "legal-hold",
    "lifecycle",
    "list-type",
    "location",
    "marker",
    "max-keys",
    "max-parts",
    "max-uploads",
    "object-lock",
    "part-number-marker",
    "partNumber",
    "policy",
    "prefix",
    "publicAccessBlock",
    "replication",
    "response-cache-control",
    "response-content-disposition",
    "response-content-encoding",
    "response-content-language",
    "response-content-type",
    "response-expires",
    "restore",
    "retention",
    "start-after",
    "tagging",
    "upload-id-marker",
    "uploadId",
    "uploads",
    "version-id-marker",
    "versionId",
    "versioning",
    "versions",
    "x-id",
    "ownershipControls",
    "requestPayment",
    "cors",
    "logging",
    "notification",
];
/// Sub-resources whose bodies are XML.
const DOCUMENTS: [&str; 16] = [
    "acl",
    "delete",
    "encryption",
    "inventory",
    "legal-hold",
    "lifecycle",
    "object-lock",
    "policy",
    "publicAccessBlock",
    "replication",
    "restore",
    "retention",
    "tagging",
    "versioning",
    "ownershipControls",
    "notification",
];

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
        answer = self.faulty(answer, after);
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

fn refusal(refused: S3Error) -> Answer {
    refused
        .to_http_response()
        .map(outgoing)
        .unwrap_or_else(|_| {
            let mut answer = Response::new(full(""));
            *answer.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
            answer
        })
}

fn outgoing(answer: s3s::HttpResponse) -> Answer {
    answer.map(|body| body.map_err(std::io::Error::other).boxed_unsync())
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

    /// What the protocol crate does not look at.
    fn admissible(&self, parts: &Parts, query: &BTreeSet<String>) -> S3Result<()> {
        if let Some(unknown) = query
            .iter()
            .find(|k| !KNOWN.contains(&k.as_str()) && !k.to_ascii_lowercase().starts_with("x-amz-"))
        {
            return Err(error(
                501,
                "NotImplemented",
                format!(
                    "A parameter you provided implies functionality that is not implemented: \
                     {unknown}"
                ),
            ));
        }
        let text = |name: &str| {
            parts
                .headers
                .get(name)
                .and_then(|v| v.to_str().ok())
                .unwrap_or_default()
                .to_owned()
        };
        let authorization = text("authorization");
        let presigned = query_value(parts, "X-Amz-Credential");
        let credential = match (&presigned, authorization.as_str()) {
            (Some(credential), _) => credential.clone(),
            (None, "") => return Ok(()),
            (None, a) => {
                let fields = a.strip_prefix("AWS4-HMAC-SHA256 ").ok_or_else(|| {
                    error(
                        400,
                        "InvalidRequest",
                        "The authorization mechanism you have provided is not supported. \
                 Please use AWS4-HMAC-SHA256.",
                    )
                })?;
                signed_enough(
                    &parts.headers,
                    field(fields, "SignedHeaders").unwrap_or_default(),
                )?;
                field(fields, "Credential").unwrap_or_default().to_owned()
            }
        };
        let scope: Vec<&str> = credential.split('/').collect();
        if scope.get(2).is_some_and(|r| *r != self.store.region)
            || scope.get(3).is_some_and(|s| *s != "s3")
        {
            return Err(error(
                400,
                "AuthorizationHeaderMalformed",
                format!(
                    "The authorization header is malformed; the region is wrong; expecting '{}'",
                    self.store.region
                ),
            ));
        }
        if let Some(expires) = query_value(parts, "X-Amz-Expires")
            && expires.parse::<u64>().map_or(true, |e| e > 604_800)
        {
            return Err(error(
                400,
                "AuthorizationQueryParametersError",
                "X-Amz-Expires must be less than a week (in seconds); that is, the given \
                 X-Amz-Expires must be less than 604800 seconds",
            ));
        }
        if presigned.is_none() {
            self.in_time(&text("x-amz-date"))
        } else {
            Ok(())
        }
    }

    fn in_time(&self, date: &str) -> S3Result<()> {
        let parsed = jiff::civil::DateTime::strptime("%Y%m%dT%H%M%SZ", date)
            .ok()
            .and_then(|d| d.to_zoned(jiff::tz::TimeZone::UTC).ok());
        // A missing or odd date is the protocol crate's to refuse.
        let Some(at) = parsed else { return Ok(()) };
        if self
            .around
            .clock
            .now()
            .duration_since(at.timestamp())
            .as_secs()
            .abs()
            > MAX_SKEW_S
        {
            return Err(error(
                403,
                "RequestTimeTooSkewed",
                "The difference between the request time and the current time is too large.",
            ));
        }
        Ok(())
    }

    fn faulty(&self, answer: Answer, after: After) -> Answer {
        if let Some((code, status)) = after.fail {
            return refusal(error(
                status,
                &code,
                "done, then failed by a fault of the lab",
            ));
        }
        if after.slow.is_none() && !after.flip {
            return answer;
        }
        let clock = self.around.clock.clone();
        answer.map(|body| {
            let pieces = futures::stream::unfold(
                (body, after.flip, clock),
                move |(mut body, flip, clock)| async move {
                    let mut piece = loop {
                        match body.frame().await? {
                            Ok(frame) => {
                                if let Ok(data) = frame.into_data() {
                                    break data;
                                }
                            }
                            Err(e) => return Some((Err(e), (body, flip, clock))),
                        }
                    };
                    let flips = flip && !piece.is_empty();
                    if flips {
                        let mut bytes = piece.to_vec();
                        bytes[0] ^= 1;
                        piece = bytes.into();
                    }
                    if let Some(per_s) = after.slow {
                        clock
                            .sleep(std::time::Duration::from_secs_f64(
                                piece.len() as f64 / per_s as f64,
                            ))
                            .await;
                    }
                    Some((Ok(Frame::data(piece)), (body, flip && !flips, clock)))
                },
            );
            http_body_util::StreamBody::new(pieces).boxed_unsync()
        })
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

fn field<'a>(fields: &'a str, name: &str) -> Option<&'a str> {
    fields
        .split(',')
        .find_map(|f| f.trim().strip_prefix(name)?.strip_prefix('='))
}

fn query_keys(parts: &Parts) -> BTreeSet<String> {
    parts
        .uri
        .query()
        .unwrap_or_default()
        .split('&')
        .filter(|p| !p.is_empty())
        .map(|p| p.split('=').next().unwrap_or(p).to_owned())
        .collect()
}

fn query_value(parts: &Parts, name: &str) -> Option<String> {
    let pairs = parts
        .uri
        .query()?
        .split('&')
        .filter_map(|p| p.split_once('='));
    pairs
        .filter(|(k, _)| *k == name)
        .map(|(_, v)| {
            percent_encoding::percent_decode_str(v)
                .decode_utf8_lossy()
                .into_owned()
        })
        .next()
}

/// `x-amz-*` headers that nobody signed could have been added on the way.
fn signed_enough(headers: &HeaderMap, signed: &str) -> S3Result<()> {
    let signed: BTreeSet<&str> = signed.split(';').collect();
    match headers
        .keys()
        .find(|n| n.as_str().starts_with("x-amz-") && !signed.contains(n.as_str()))
    {
        Some(name) => Err(error(
            403,
            "AccessDenied",
            format!("There were headers present in the request which were not signed: {name}"),
        )),
        None => Ok(()),
    }
}

/// Whether the body is a document rather than an object's bytes.
fn has_document(parts: &Parts, query: &BTreeSet<String>) -> bool {
    let on_key = parts
        .uri
        .path()
        .trim_start_matches('/')
        .split_once('/')
        .is_some_and(|(_, key)| !key.is_empty());
    match parts.method {
        Method::PUT => !on_key || DOCUMENTS.iter().any(|d| query.contains(*d)),
        Method::POST => {
            query.contains("delete") || query.contains("uploadId") || query.contains("restore")
        }
        _ => false,
    }
}

fn b64(bytes: impl AsRef<[u8]>) -> String {
    BASE64_STANDARD.encode(bytes)
}

fn sum<C: Checksum>(bytes: &[u8]) -> C::Output {
    let mut sum = C::new();
    sum.update(bytes);
    sum.finalize()
}

/// What the headers claim of a document. Checksums beside `uploadId` speak of the object, not of
/// this body.
fn digests(headers: &HeaderMap, body: &[u8], of_upload: bool, required: bool) -> S3Result<()> {
    let text = |name: &str| headers.get(name).and_then(|v| v.to_str().ok());
    if let Some(claimed) = text("x-amz-content-sha256").filter(|c| c.len() == 64)
        && claimed != hex::encode(sum::<Sha256>(body))
    {
        return Err(error(
            400,
            "XAmzContentSHA256Mismatch",
            "The provided 'x-amz-content-sha256' header does not match what was computed.",
        ));
    }
    let mut claims = vec![("content-md5", b64(sum::<Md5>(body)))];
    if !of_upload {
        claims.extend([
            ("x-amz-checksum-crc32", b64(sum::<Crc32>(body))),
            ("x-amz-checksum-crc32c", b64(sum::<Crc32c>(body))),
            ("x-amz-checksum-crc64nvme", b64(sum::<Crc64Nvme>(body))),
            ("x-amz-checksum-sha1", b64(sum::<Sha1>(body))),
            ("x-amz-checksum-sha256", b64(sum::<Sha256>(body))),
        ]);
    }
    if let Some((name, _)) = claims
        .iter()
        .find(|(name, found)| text(name).is_some_and(|claimed| claimed != found))
    {
        return Err(error(
            400,
            "BadDigest",
            format!("The {name} you specified did not match what we received."),
        ));
    }
    if required && !claims.iter().any(|(name, _)| text(name).is_some()) {
        return Err(error(
            400,
            "InvalidRequest",
            "Missing required header for this request: Content-MD5 OR x-amz-checksum-*",
        ));
    }
    Ok(())
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
