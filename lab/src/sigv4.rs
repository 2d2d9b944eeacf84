//! Signature Version 4 of the query APIs, signed in headers (AWS General Reference, Signature
//! Version 4).

use crate::accounts::{Caller, Provider};
use crate::keyring::{Distrust, Keyring};
use hmac::{Hmac, KeyInit, Mac};
use http::request::Parts;
use jiff::Timestamp;
use sha2::{Digest, Sha256};

/// Requests may be this old or this early.
const MAX_SKEW_S: i64 = 15 * 60;

/// A request that verified: who, and which service and region it was signed for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    pub caller: Caller,
    pub service: String,
    pub region: String,
}

/// An error as the services name it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    pub code: &'static str,
    pub message: String,
}

fn refused(code: &'static str, message: impl Into<String>) -> Refused {
    Refused {
        code,
        message: message.into(),
    }
}

/// # Errors
/// `MissingAuthenticationToken`, `IncompleteSignature`, `InvalidClientTokenId`,
/// `SignatureDoesNotMatch`, `ExpiredToken`.
pub fn verify(
    keys: &Keyring,
    now: Timestamp,
    parts: &Parts,
    body: &[u8],
) -> Result<Verified, Refused> {
    let header = |name: &str| parts.headers.get(name).and_then(|v| v.to_str().ok());
    let authorization = header("authorization").ok_or_else(|| {
        refused(
            "MissingAuthenticationToken",
            "Request is missing Authentication Token",
        )
    })?;
    let (credential, signed, signature) = fields_of(authorization)?;
    let scope: Vec<&str> = credential.split('/').collect();
    let [key_id, date, region, service, "aws4_request"] = scope[..] else {
        return Err(incomplete());
    };
    let time = header("x-amz-date").ok_or_else(incomplete)?;
    fresh(now, time)?;
    let unknown = || {
        refused(
            "InvalidClientTokenId",
            "The security token included in the request is invalid.",
        )
    };
    let provider = Provider::of_region(region);
    let secret = keys.secret(provider, key_id).ok_or_else(unknown)?;
    let canonical = canonical_request(parts, signed, body);
    let to_sign = format!(
        "AWS4-HMAC-SHA256\n{time}\n{date}/{region}/{service}/aws4_request\n{}",
        hex::encode(Sha256::digest(canonical))
    );
    let wanted = signature_of(&secret, [date, region, service], &to_sign);
    if wanted != signature {
        return Err(refused(
            "SignatureDoesNotMatch",
            "The request signature we calculated does not match the signature you provided.",
        ));
    }
    let caller = keys
        .caller(provider, key_id, header("x-amz-security-token"))
        .map_err(|why| match why {
            Distrust::Unknown | Distrust::Token => unknown(),
            Distrust::Expired => refused(
                "ExpiredToken",
                "The security token included in the request is expired",
            ),
        })?;
    Ok(Verified {
        caller,
        service: service.into(),
        region: region.into(),
    })
}

fn incomplete() -> Refused {
    refused(
        "IncompleteSignature",
        "Authorization header requires Credential, SignedHeaders and Signature",
    )
}

/// Credential, names of the signed headers, signature.
fn fields_of(authorization: &str) -> Result<(&str, &str, &str), Refused> {
    let fields = authorization
        .strip_prefix("AWS4-HMAC-SHA256 ")
        .ok_or_else(|| refused("IncompleteSignature", "Only AWS4-HMAC-SHA256 is supported"))?;
    let field = |name: &str| {
        let mut all = fields.split(',');
        all.find_map(|f| f.trim().strip_prefix(name)?.strip_prefix('='))
            .ok_or_else(incomplete)
    };
    Ok((
        field("Credential")?,
        field("SignedHeaders")?,
        field("Signature")?,
    ))
}

fn fresh(now: Timestamp, time: &str) -> Result<(), Refused> {
    let parsed = jiff::civil::DateTime::strptime("%Y%m%dT%H%M%SZ", time)
        .ok()
        .and_then(|d| d.to_zoned(jiff::tz::TimeZone::UTC).ok());
    let at = parsed
        .ok_or_else(|| {
            refused(
                "IncompleteSignature",
                "Date must be in ISO-8601 'basic format'",
            )
        })?
        .timestamp();
    if now.duration_since(at).as_secs().abs() > MAX_SKEW_S {
        return Err(refused(
            "SignatureDoesNotMatch",
            format!(
                "Signature expired: {time} is now earlier or later than the allowed 15 minutes \
                 of {now}"
            ),
        ));
    }
    Ok(())
}

fn canonical_request(parts: &Parts, signed: &str, body: &[u8]) -> String {
    let mut query: Vec<String> = parts
        .uri
        .query()
        .unwrap_or_default()
        .split('&')
        .filter(|p| !p.is_empty())
        .map(|p| {
            if p.contains('=') {
                p.to_owned()
            } else {
                format!("{p}=")
            }
        })
        .collect();
    query.sort();
    let headers: String = signed
        .split(';')
        .map(|name| {
            let values: Vec<String> = parts
                .headers
                .get_all(name)
                .iter()
                .map(|v| squeeze(v.to_str().unwrap_or_default()))
                .collect();
            format!("{name}:{}\n", values.join(","))
        })
        .collect();
    let path = if parts.uri.path().is_empty() {
        "/"
    } else {
        parts.uri.path()
    };
    format!(
        "{}\n{path}\n{}\n{headers}\n{signed}\n{}",
        parts.method,
        query.join("&"),
        hex::encode(Sha256::digest(body))
    )
}

/// Runs of spaces count as one.
fn squeeze(value: &str) -> String {
    value
        .split(' ')
        .filter(|p| !p.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

fn signature_of(secret: &str, scope: [&str; 3], to_sign: &str) -> String {
    let mut key = format!("AWS4{secret}").into_bytes();
    for part in scope.into_iter().chain(["aws4_request"]) {
        key = hmac(&key, part.as_bytes());
    }
    hex::encode(hmac(&key, to_sign.as_bytes()))
}

fn hmac(key: &[u8], data: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(data);
    mac.finalize().into_bytes().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The key derivation example of the AWS documentation.
    #[test]
    fn the_documented_example_signs_as_documented() {
        let mut key = b"AWS4wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".to_vec();
        for part in ["20120215", "us-east-1", "iam", "aws4_request"] {
            key = hmac(&key, part.as_bytes());
        }
        assert_eq!(
            hex::encode(key),
            "f4780e2d9f65fa895f9c67b32ce1baf0b0d8a43505a000a1a9e090d414db404d"
        );
    }
}
