//! Who may do what: known keys, the hook, the roles' lists, bucket policies, the right region, and
//! what the stingy
//! provider does not have.

use super::conditions::Conditional;
use super::error::{denied, error};
use super::partition::{Partition, Trip, stingy};
use super::policy::{self, Asked};
use super::store::Store;
use crate::accounts::{Caller, Provider, Role};
use crate::allow::{S3Call, s3_allowed};
use crate::hook::{Before, Call, Hook};
use crate::keyring::{Distrust, Keyring};
use http::{HeaderMap, HeaderValue};
use s3s::access::{S3Access, S3AccessContext};
use s3s::auth::{S3Auth, SecretKey};
use s3s::path::S3Path;
use s3s::{S3Error, S3Result};
use std::sync::Arc;
use std::sync::atomic::Ordering;

pub struct Auth {
    pub keys: Arc<Keyring>,
    pub region: String,
}

#[async_trait::async_trait]
impl S3Auth for Auth {
    async fn get_secret_key(&self, access_key: &str) -> S3Result<SecretKey> {
        let found = self
            .keys
            .secret(Provider::of_region(&self.region), access_key);
        found
            .map(SecretKey::from)
            .ok_or_else(|| distrusted(Distrust::Unknown))
    }
}

/// In S3's words.
fn distrusted(why: Distrust) -> S3Error {
    match why {
        Distrust::Unknown => error(
            403,
            "InvalidAccessKeyId",
            "The AWS Access Key Id you provided does not exist in our records.",
        ),
        Distrust::Token => error(
            400,
            "InvalidToken",
            "The provided token is malformed or otherwise invalid.",
        ),
        Distrust::Expired => error(400, "ExpiredToken", "The provided token has expired."),
    }
}

/// In a header, or in the query of a presigned request.
fn token(cx: &S3AccessContext<'_>) -> Option<String> {
    if let Some(header) = cx.headers().get("x-amz-security-token") {
        return header.to_str().ok().map(str::to_owned);
    }
    let query = cx.uri().query().unwrap_or_default();
    let value = query
        .split('&')
        .find_map(|p| p.strip_prefix("X-Amz-Security-Token="))?;
    let decoded = percent_encoding::percent_decode_str(value).decode_utf8();
    decoded.ok().map(|t| t.into_owned())
}

pub struct Gate {
    pub store: Arc<Store>,
    pub keys: Arc<Keyring>,
    pub hook: Hook,
    pub partition: Partition,
}

#[async_trait::async_trait]
impl S3Access for Gate {
    async fn check(&self, cx: &mut S3AccessContext<'_>) -> S3Result<()> {
        let provider = Provider::of_region(&self.store.region);
        let caller = cx.credentials().map(|c| {
            let token = token(cx);
            self.keys.caller(provider, &c.access_key, token.as_deref())
        });
        let (bucket, key) = match cx.s3_path() {
            S3Path::Root => (String::new(), None),
            S3Path::Bucket { bucket } => (bucket.to_string(), None),
            S3Path::Object { bucket, key } => (bucket.to_string(), Some(key.to_string())),
        };
        let operation = cx.s3_op().name().to_owned();
        let trip = cx.extensions_mut().get::<Arc<Trip>>().cloned();
        if let Some(trip) = &trip {
            let thing = key
                .as_ref()
                .map_or_else(|| bucket.clone(), |k| format!("{bucket}/{k}"));
            let call = Call {
                region: self.store.region.clone(),
                service: "s3",
                operation: operation.clone(),
                thing,
                role: caller.iter().flatten().map(|c| c.role).next(),
            };
            match self.hook.begin(&trip.slot, call).await {
                Before::Proceed => {}
                Before::Cut => {
                    trip.cut.store(true, Ordering::Relaxed);
                    return Err(error(500, "InternalError", "cut"));
                }
                Before::Refuse { code, status } => {
                    return Err(error(status, &code, "refused by a fault of the lab"));
                }
            }
        }
        let caller = caller
            .ok_or_else(|| denied("anonymous requests are not allowed"))?
            .map_err(distrusted)?;
        let refuses = self.store.conditional() == Conditional::Refuse;
        if refuses && header(cx.headers(), "if-none-match").contains('*') {
            return Err(not_implemented("If-None-Match on writes"));
        }
        if stingy(&self.store.region) {
            not_here(cx.headers())?;
        }
        self.redirect(&operation, &bucket)?;
        self.permitted(&caller, &operation, &bucket, key.as_deref(), cx)
    }
}

/// What the other provider answers 501 to.
fn not_here(headers: &HeaderMap) -> S3Result<()> {
    let text = |name: &str| header(headers, name);
    let crc64 = text("x-amz-sdk-checksum-algorithm").eq_ignore_ascii_case("CRC64NVME")
        || text("x-amz-checksum-algorithm").eq_ignore_ascii_case("CRC64NVME");
    let what = if text("content-encoding").contains("aws-chunked")
        || text("x-amz-content-sha256").starts_with("STREAMING-")
    {
        "aws-chunked bodies"
    } else if crc64 || headers.contains_key("x-amz-checksum-crc64nvme") {
        "CRC64NVME"
    } else {
        return Ok(());
    };
    Err(not_implemented(what))
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    let value = headers.get(name).and_then(|v| v.to_str().ok());
    value.unwrap_or_default()
}

fn not_implemented(what: &str) -> S3Error {
    error(
        501,
        "NotImplemented",
        format!("{what}: a header you provided implies functionality that is not implemented"),
    )
}

impl Gate {
    /// A bucket of another region of the partition is somewhere else, and the answer says where.
    fn redirect(&self, operation: &str, bucket: &str) -> S3Result<()> {
        if bucket.is_empty()
            || operation == "CreateBucket"
            || self.store.lock().contains_key(bucket)
        {
            return Ok(());
        }
        let Some((holder, _)) = self.partition.holder(bucket) else {
            return Ok(());
        };
        let mut moved = error(
            301,
            "PermanentRedirect",
            format!(
                "The bucket you are attempting to access must be addressed using the specified \
                 endpoint: {bucket} is in {}",
                holder.region
            ),
        );
        let mut headers = HeaderMap::new();
        if let Ok(region) = HeaderValue::from_str(&holder.region) {
            headers.insert("x-amz-bucket-region", region);
        }
        moved.set_headers(headers);
        Err(moved)
    }

    fn permitted(
        &self,
        caller: &Caller,
        operation: &str,
        bucket: &str,
        key: Option<&str>,
        cx: &S3AccessContext<'_>,
    ) -> S3Result<()> {
        let text = |name: &str| cx.headers().get(name).and_then(|v| v.to_str().ok());
        let provider = Provider::of_region(&self.store.region);
        let call = S3Call {
            operation,
            bucket,
            key,
            create_only: text("if-none-match") == Some("*"),
            bypass: text("x-amz-bypass-governance-retention")
                .is_some_and(|v| v.eq_ignore_ascii_case("true")),
        };
        if !s3_allowed(caller.role, provider, &call) {
            return Err(denied(&format!(
                "{} may not {operation} {bucket}/{}",
                caller.role,
                key.unwrap_or_default()
            )));
        }
        may_read_source(caller, provider, header(cx.headers(), "x-amz-copy-source"))?;
        let policy = self
            .store
            .lock()
            .get(bucket)
            .and_then(|b| b.meta.policy.clone());
        // The end of a lock set later is in the body: `locks` asks then.
        match policy.filter(|_| operation != "PutObjectRetention") {
            Some(policy) => {
                let retain_until =
                    text("x-amz-object-lock-retain-until-date").and_then(|t| t.parse().ok());
                let query = cx.uri().query().unwrap_or_default();
                policy::enforce(
                    &policy,
                    &Asked {
                        operation,
                        bucket,
                        key,
                        headers: cx.headers(),
                        query,
                        retain_until,
                        now: self.store.clock.now(),
                    },
                )
            }
            None => Ok(()),
        }
    }
}

/// A copy reads its source with the same key.
fn may_read_source(caller: &Caller, provider: Provider, source: &str) -> S3Result<()> {
    if source.is_empty() {
        return Ok(());
    }
    let source = percent_encoding::percent_decode_str(
        source
            .trim_start_matches('/')
            .split("?versionId=")
            .next()
            .unwrap_or_default(),
    )
    .decode_utf8_lossy()
    .into_owned();
    let (from, from_key) = source.split_once('/').unwrap_or((&source, ""));
    let read = S3Call {
        operation: "GetObject",
        bucket: from,
        key: Some(from_key),
        ..S3Call::default()
    };
    if caller.role != Role::Admin && !s3_allowed(caller.role, provider, &read) {
        return Err(denied(&format!(
            "{} may not GetObject {from}/{from_key}",
            caller.role
        )));
    }
    Ok(())
}
