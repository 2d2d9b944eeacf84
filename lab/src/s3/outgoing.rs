//! Answers on their way out: as they are, as refusals, as faults want them.

use super::error::error;
use crate::clock::Clock;
use crate::hook::After;
use crate::listen::{Answer, full};
use http::{Response, StatusCode};
use http_body_util::BodyExt;
use hyper::body::Frame;
use s3s::S3Error;

pub(super) fn refusal(refused: S3Error) -> Answer {
    refused
        .to_http_response()
        .map(outgoing)
        .unwrap_or_else(|_| {
            let mut answer = Response::new(full(""));
            *answer.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
            answer
        })
}

pub(super) fn outgoing(answer: s3s::HttpResponse) -> Answer {
    answer.map(|body| body.map_err(std::io::Error::other).boxed_unsync())
}

/// An answer as a fault wants it: refused after all, slow, or with a flipped byte.
pub(super) fn faulty(clock: &Clock, answer: Answer, after: After) -> Answer {
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
    let clock = clock.clone();
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
