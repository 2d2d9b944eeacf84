//! The query APIs of one region behind one port: form in, XML out; KMS speaks JSON. Told apart by
//! the service in the signature.

mod answer;
mod form;

use crate::accounts::Caller;
use crate::clock::Clock;
use crate::hook::{Before, Call, Hook};
use crate::keyring::Keyring;
use crate::listen::{Answer, Cut, Handler};
use crate::sigv4::{self, Refused};
use form::{form, json_params, thing};
use http::Request;
use http::request::Parts;
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Forms larger than this are refused.
const MAX_FORM_BYTES: usize = 1 << 20;

/// An error as a service names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueryError {
    pub status: u16,
    pub code: String,
    pub message: String,
}

impl QueryError {
    pub fn new(status: u16, code: &str, message: impl Into<String>) -> Self {
        Self {
            status,
            code: code.into(),
            message: message.into(),
        }
    }
}

/// One service in one region.
#[async_trait::async_trait]
pub trait QueryService: Send + Sync {
    /// Returns what stands inside `<OperationResult>` (XML services) or the whole body (JSON
    /// services).
    async fn call(
        &self,
        caller: &Caller,
        operation: &str,
        params: &BTreeMap<String, String>,
    ) -> Result<String, QueryError>;

    /// A request that nobody signed.
    async fn without_key(
        &self,
        _operation: &str,
        _params: &BTreeMap<String, String>,
    ) -> Result<String, QueryError> {
        Err(unsigned())
    }
}

fn unsigned() -> QueryError {
    QueryError::new(
        403,
        "MissingAuthenticationToken",
        "Request is missing Authentication Token",
    )
}

/// The query services of one region.
pub struct QueryFront {
    pub region: String,
    pub clock: Clock,
    pub hook: Hook,
    pub keys: Arc<Keyring>,
    /// By the name in the signature's scope: `rds`, `sts`, `kms`.
    pub services: BTreeMap<&'static str, Arc<dyn QueryService>>,
}

struct Read {
    service: &'static str,
    operation: String,
    params: BTreeMap<String, String>,
    /// `None`: nobody signed it.
    caller: Option<Caller>,
}

#[async_trait::async_trait]
impl Handler for QueryFront {
    async fn handle(&self, request: Request<Incoming>) -> Result<Answer, Cut> {
        let slot = self.hook.arrive(&self.region, "query");
        let request_id = format!("lab-{:012}", slot.n);
        let read = match self.read(request).await {
            Ok(read) => read,
            Err((service, e)) => return Ok(self.error(service, &e, &request_id)),
        };
        let call = Call {
            region: self.region.clone(),
            service: read.service,
            operation: read.operation.clone(),
            thing: thing(&read.params),
            role: read.caller.as_ref().map(|c| c.role),
        };
        match self.hook.begin(&slot, call).await {
            Before::Proceed => {}
            Before::Cut => return Err(Cut),
            Before::Refuse { code, status } => {
                return Ok(self.error(
                    read.service,
                    &QueryError::new(status, &code, "refused by a fault of the lab"),
                    &request_id,
                ));
            }
        }
        let result = self.perform(&read).await;
        let status = result.as_ref().map_or_else(|e| e.status, |_| 200);
        let after = self.hook.finish(&slot, status).await;
        if after.cut {
            return Err(Cut);
        }
        if let Some((code, status)) = after.fail {
            return Ok(self.error(
                read.service,
                &QueryError::new(status, &code, "done, then failed by a fault of the lab"),
                &request_id,
            ));
        }
        Ok(match result {
            Ok(inner) => self.success(read.service, &read.operation, &inner, &request_id),
            Err(e) => self.error(read.service, &e, &request_id),
        })
    }
}

impl QueryFront {
    async fn perform(&self, read: &Read) -> Result<String, QueryError> {
        let service = self.services.get(read.service).ok_or_else(|| {
            QueryError::new(
                400,
                "InvalidAction",
                format!("no service {} in {}", read.service, self.region),
            )
        })?;
        match &read.caller {
            Some(caller) => service.call(caller, &read.operation, &read.params).await,
            None => service.without_key(&read.operation, &read.params).await,
        }
    }

    /// With a refusal comes the name of the service in whose words it is told.
    async fn read(&self, request: Request<Incoming>) -> Result<Read, (&'static str, QueryError)> {
        let (parts, body) = request.into_parts();
        let too_large = |_| {
            let why = "the form is too large or was cut";
            ("query", QueryError::new(413, "RequestEntityTooLarge", why))
        };
        let body = Limited::new(body, MAX_FORM_BYTES)
            .collect()
            .await
            .map_err(too_large)?
            .to_bytes();
        let target = parts
            .headers
            .get("x-amz-target")
            .and_then(|t| t.to_str().ok());
        if parts.headers.contains_key("authorization") || target.is_some() {
            let (service, caller) = self.verified(&parts, &body)?;
            // A JSON service: `TrentService.DescribeKey`
            let read = match target {
                Some(target) => Ok((
                    target.rsplit('.').next().unwrap_or_default().to_owned(),
                    json_params(&body),
                )),
                None => action(&parts, &body),
            };
            let (operation, params) = read.map_err(|e| (service, e))?;
            return Ok(Read {
                service,
                operation,
                params,
                caller: Some(caller),
            });
        }
        // STS alone has calls that nobody signs.
        let (operation, params) = action(&parts, &body).map_err(|_| ("query", unsigned()))?;
        Ok(Read {
            service: "sts",
            operation,
            params,
            caller: None,
        })
    }

    fn verified(
        &self,
        parts: &Parts,
        body: &[u8],
    ) -> Result<(&'static str, Caller), (&'static str, QueryError)> {
        let json = parts.headers.contains_key("x-amz-target");
        let verified = sigv4::verify(&self.keys, self.clock.now(), parts, body)
            .map_err(|r| refusal(json, r))?;
        let wrong_scope = |what: String| {
            let why = format!("Credential should be scoped to {what}.");
            let why = QueryError::new(403, "SignatureDoesNotMatch", why);
            (if json { "kms" } else { "query" }, why)
        };
        if verified.region != self.region {
            return Err(wrong_scope(format!(
                "a valid region, not '{}'",
                verified.region
            )));
        }
        let service = self.services.keys().find(|s| **s == verified.service);
        let service = service
            .copied()
            .ok_or_else(|| wrong_scope(format!("correct service, not '{}'", verified.service)))?;
        Ok((service, verified.caller))
    }
}

fn action(parts: &Parts, body: &[u8]) -> Result<(String, BTreeMap<String, String>), QueryError> {
    let mut params = form(body);
    params.extend(form(parts.uri.query().unwrap_or_default().as_bytes()));
    let operation = params
        .remove("Action")
        .ok_or_else(|| QueryError::new(400, "MissingAction", "the form has no Action"))?;
    Ok((operation, params))
}

/// JSON services have their own names for what is wrong with a key, and another status.
fn refusal(json: bool, refused: Refused) -> (&'static str, QueryError) {
    let Refused { code, message } = refused;
    if !json {
        return ("query", QueryError::new(403, code, message));
    }
    let code = match code {
        "InvalidClientTokenId" => "UnrecognizedClientException",
        "ExpiredToken" => "ExpiredTokenException",
        "SignatureDoesNotMatch" => "InvalidSignatureException",
        "MissingAuthenticationToken" => "MissingAuthenticationTokenException",
        other => other,
    };
    ("kms", QueryError::new(400, code, message))
}
