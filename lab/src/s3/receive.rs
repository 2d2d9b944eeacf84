//! A body on its way to disk: counted, summed, compared with what its sender said.

use super::error::{error, invalid, io};
use super::model::{Algorithm, Sums};
use base64::prelude::{BASE64_STANDARD, Engine};
use futures::StreamExt;
use http::HeaderMap;
use s3s::S3Result;
use s3s::TrailingHeaders;
use s3s::checksum::ChecksumHasher;
use s3s::crypto::{Checksum as _, Crc32, Crc32c, Crc64Nvme, Md5, Sha1, Sha256};
use s3s::dto::StreamingBlob;
use std::io::Write;
use std::path::Path;

pub struct Received {
    pub size: u64,
    pub md5: [u8; 16],
    pub sums: Sums,
}

impl Received {
    pub fn etag(&self) -> String {
        hex::encode(self.md5)
    }
}

/// All five checksums at once.
pub struct Summing {
    md5: Md5,
    hasher: ChecksumHasher,
    size: u64,
}

impl Default for Summing {
    fn default() -> Self {
        let hasher = ChecksumHasher {
            crc32: Some(Crc32::new()),
            crc32c: Some(Crc32c::new()),
            sha1: Some(Sha1::new()),
            sha256: Some(Sha256::new()),
            crc64nvme: Some(Crc64Nvme::new()),
        };
        Self {
            md5: Md5::new(),
            hasher,
            size: 0,
        }
    }
}

impl Summing {
    pub fn update(&mut self, bytes: &[u8]) {
        self.md5.update(bytes);
        self.hasher.update(bytes);
        self.size += bytes.len() as u64;
    }

    pub fn finish(self) -> Received {
        let sums = self.hasher.finalize();
        let sums = Sums {
            crc32: sums.checksum_crc32,
            crc32c: sums.checksum_crc32c,
            crc64nvme: sums.checksum_crc64nvme,
            sha1: sums.checksum_sha1,
            sha256: sums.checksum_sha256,
        };
        Received {
            size: self.size,
            md5: self.md5.finalize(),
            sums,
        }
    }
}

/// What the sender claims of a body.
#[derive(Default)]
pub struct Claims {
    pub sums: Sums,
    pub md5: Option<String>,
    pub length: Option<i64>,
    pub trailers: Option<TrailingHeaders>,
    /// `x-amz-sdk-checksum-algorithm`
    pub algorithm: Option<Algorithm>,
}

/// The algorithm that an SDK names in a header of its own.
pub fn named_algorithm(headers: &HeaderMap) -> Option<Algorithm> {
    let of = |name: &str| {
        headers
            .get(name)
            .and_then(|v| v.to_str().ok())
            .and_then(Algorithm::parse)
    };
    of("x-amz-sdk-checksum-algorithm").or_else(|| of("x-amz-checksum-algorithm"))
}

/// Writes a body to a new file. `flip`: store one byte wrong, as a broken disk would, after
/// everything was verified.
///
/// # Errors
/// `BadDigest`, `IncompleteBody`, `InvalidDigest`; the file is removed.
pub async fn receive(
    body: Option<StreamingBlob>,
    path: &Path,
    claims: Claims,
    flip: bool,
) -> S3Result<(Received, Option<Algorithm>)> {
    let result = write(body, path, claims).await;
    match result {
        Ok(done) => {
            if flip {
                flip_byte(path).map_err(|e| io("flipping a byte", &e))?;
            }
            Ok(done)
        }
        Err(e) => {
            drop(std::fs::remove_file(path));
            Err(e)
        }
    }
}

/// Flips a byte in the middle of a file.
///
/// # Errors
/// The disk's.
pub fn flip_byte(path: &Path) -> std::io::Result<()> {
    let mut bytes = std::fs::read(path)?;
    let middle = bytes.len() / 2;
    if let Some(byte) = bytes.get_mut(middle) {
        *byte ^= 0x01;
    }
    std::fs::write(path, bytes)
}

async fn write(
    body: Option<StreamingBlob>,
    path: &Path,
    claims: Claims,
) -> S3Result<(Received, Option<Algorithm>)> {
    let mut file = std::fs::File::create(path).map_err(|e| io("making a file", &e))?;
    let mut summing = Summing::default();
    if let Some(mut body) = body {
        while let Some(piece) = body.next().await {
            let piece = piece.map_err(|e| broken_body(&e.to_string()))?;
            file.write_all(&piece)
                .map_err(|e| io("writing bytes", &e))?;
            summing.update(&piece);
        }
    }
    let received = summing.finish();
    if claims
        .length
        .is_some_and(|l| u64::try_from(l).ok() != Some(received.size))
    {
        return Err(invalid(
            "IncompleteBody",
            "You did not provide the number of bytes specified by the Content-Length HTTP header",
        ));
    }
    if let Some(md5) = &claims.md5 {
        let wanted = BASE64_STANDARD
            .decode(md5)
            .ok()
            .filter(|m| m.len() == 16)
            .ok_or_else(|| {
                invalid(
                    "InvalidDigest",
                    "The Content-MD5 you specified is not valid.",
                )
            })?;
        if wanted != received.md5 {
            return Err(invalid(
                "BadDigest",
                "The Content-MD5 you specified did not match what we received.",
            ));
        }
    }
    let claimed = claimed(&claims);
    for algorithm in Algorithm::ALL {
        let (Some(wanted), found) = (claimed.get(algorithm), received.sums.get(algorithm)) else {
            continue;
        };
        if Some(wanted) != found {
            return Err(error(
                400,
                "BadDigest",
                format!(
                    "The {} you specified did not match the calculated checksum.",
                    algorithm.as_str()
                ),
            ));
        }
    }
    let algorithm = claimed.first().or(claims.algorithm);
    Ok((received, algorithm))
}

fn claimed(claims: &Claims) -> Sums {
    let mut sums = claims.sums.clone();
    let trailers = claims.trailers.as_ref().and_then(TrailingHeaders::take);
    for algorithm in Algorithm::ALL {
        let name = format!("x-amz-checksum-{}", algorithm.as_str().to_ascii_lowercase());
        if let Some(value) = trailers
            .as_ref()
            .and_then(|t| t.get(name.as_str()))
            .and_then(|v| v.to_str().ok())
        {
            sums.set(algorithm, Some(value.to_owned()));
        }
    }
    sums
}

/// The protocol crate's streaming errors have no public type; their text tells them apart.
fn broken_body(text: &str) -> s3s::S3Error {
    if text.contains("Sha256Mismatch") {
        return error(
            400,
            "XAmzContentSHA256Mismatch",
            "The provided 'x-amz-content-sha256' header does not match what was computed.",
        );
    }
    if text.contains("Signature") {
        return error(
            403,
            "SignatureDoesNotMatch",
            "The request signature we calculated does not match the signature you provided.",
        );
    }
    invalid("IncompleteBody", format!("the body ended early: {text}"))
}
