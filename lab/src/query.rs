//! The query APIs of one region behind one port: form in, XML out; KMS speaks JSON. Told apart by
//! the service in the signature.

use crate::accounts::Caller;
use crate::clock::Clock;
use crate::hook::{Before, Call, Hook};
use crate::listen::{Answer, Cut, Handler, full};
use crate::sigv4;
use http::{HeaderValue, Request, Response};
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
}

/// The query services of one region.
pub struct QueryFront {
    pub region: String,
    pub clock: Clock,
    pub hook: Hook,
    pub keys: Arc<crate::accounts::Keys>,
    /// By the name in the signature's scope: `rds`, `sts`, `kms`.
    pub services: BTreeMap<&'static str, Arc<dyn QueryService>>,
}

struct Read {
    service: &'static str,
    operation: String,
    params: BTreeMap<String, String>,
    caller: Caller,
}

#[async_trait::async_trait]
impl Handler for QueryFront {
    async fn handle(&self, request: Request<Incoming>) -> Result<Answer, Cut> {
        let slot = self.hook.arrive(&self.region, "query");
        let request_id = format!("lab-{:012}", slot.n);
        let read = match self.read(request).await {
            Ok(read) => read,
            Err(e) => return Ok(self.error("query", &e, &request_id)),
        };
        let call = Call {
            region: self.region.clone(),
            service: read.service,
            operation: read.operation.clone(),
            thing: thing(&read.params),
            role: Some(read.caller.role),
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
        let result = match self.services.get(read.service) {
            Some(service) => {
                service
                    .call(&read.caller, &read.operation, &read.params)
                    .await
            }
            None => Err(QueryError::new(
                400,
                "InvalidAction",
                format!("no service {} in {}", read.service, self.region),
            )),
        };
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
            Ok(inner) => self.success(&read, &inner, &request_id),
            Err(e) => self.error(read.service, &e, &request_id),
        })
    }
}

impl QueryFront {
    async fn read(&self, request: Request<Incoming>) -> Result<Read, QueryError> {
        let (parts, body) = request.into_parts();
        let too_large = |_| {
            QueryError::new(
                413,
                "RequestEntityTooLarge",
                "the form is too large or was cut",
            )
        };
        let body = Limited::new(body, MAX_FORM_BYTES)
            .collect()
            .await
            .map_err(too_large)?
            .to_bytes();
        let verified = sigv4::verify(&self.keys, self.clock.now(), &parts, &body)
            .map_err(|r| QueryError::new(403, r.code, r.message))?;
        if verified.region != self.region {
            return Err(QueryError::new(
                403,
                "SignatureDoesNotMatch",
                format!(
                    "Credential should be scoped to a valid region, not '{}'.",
                    verified.region
                ),
            ));
        }
        let service = self
            .services
            .keys()
            .find(|s| **s == verified.service)
            .copied();
        let service = service.ok_or_else(|| {
            QueryError::new(
                403,
                "SignatureDoesNotMatch",
                format!(
                    "Credential should be scoped to correct service, not '{}'.",
                    verified.service
                ),
            )
        })?;
        if let Some(target) = parts
            .headers
            .get("x-amz-target")
            .and_then(|t| t.to_str().ok())
        {
            // A JSON service: `TrentService.DescribeKey`
            let operation = target.rsplit('.').next().unwrap_or_default().to_owned();
            return Ok(Read {
                service,
                operation,
                params: json_params(&body),
                caller: verified.caller,
            });
        }
        let mut params = form(&body);
        params.extend(form(parts.uri.query().unwrap_or_default().as_bytes()));
        let operation = params
            .remove("Action")
            .ok_or_else(|| QueryError::new(400, "MissingAction", "the form has no Action"))?;
        Ok(Read {
            service,
            operation,
            params,
            caller: verified.caller,
        })
    }

    fn success(&self, read: &Read, inner: &str, request_id: &str) -> Answer {
        if read.service == "kms" {
            return self.answer(
                200,
                "application/x-amz-json-1.1",
                inner.to_owned(),
                request_id,
            );
        }
        let operation = &read.operation;
        let result = if inner.is_empty() {
            String::new()
        } else {
            format!("<{operation}Result>{inner}</{operation}Result>")
        };
        let xml = format!(
            "<{operation}Response \
             xmlns=\"{}\">{result}\
             <ResponseMetadata><RequestId>{request_id}</RequestId>\
             </ResponseMetadata></{operation}Response>",
            namespace(read.service)
        );
        self.answer(200, "text/xml", xml, request_id)
    }

    fn error(&self, service: &str, error: &QueryError, request_id: &str) -> Answer {
        if service == "kms" {
            let body = serde_json::json!({"__type": error.code, "message": error.message});
            return self.answer(
                error.status,
                "application/x-amz-json-1.1",
                body.to_string(),
                request_id,
            );
        }
        let side = if error.status >= 500 {
            "Receiver"
        } else {
            "Sender"
        };
        let xml = format!(
            "<ErrorResponse \
             xmlns=\"{}\"><Error><Type>{side}</Type><Code>{}</Code>\
             <Message>{}</Message></Error><RequestId>{request_id}</RequestId></ErrorResponse>",
            namespace(service),
            quick_xml::escape::escape(&error.code),
            quick_xml::escape::escape(&error.message)
        );
        self.answer(error.status, "text/xml", xml, request_id)
    }

    fn answer(
        &self,
        status: u16,
        content_type: &'static str,
        body: String,
        request_id: &str,
    ) -> Answer {
        let mut answer = Response::new(full(body));
        *answer.status_mut() =
            http::StatusCode::from_u16(status).unwrap_or(http::StatusCode::INTERNAL_SERVER_ERROR);
        let headers = answer.headers_mut();
        headers.insert("content-type", HeaderValue::from_static(content_type));
        for (name, value) in [
            ("x-amzn-requestid", request_id.to_owned()),
            ("date", self.clock.http_date()),
        ] {
            if let Ok(value) = HeaderValue::from_str(&value) {
                headers.insert(name, value);
            }
        }
        answer
    }
}

fn namespace(service: &str) -> &'static str {
    match service {
        "sts" => "https://sts.amazonaws.com/doc/2011-06-15/",
        _ => "http://rds.amazonaws.com/doc/2014-10-31/",
    }
}

fn form(body: &[u8]) -> BTreeMap<String, String> {
    let text = String::from_utf8_lossy(body);
    let decode = |t: &str| {
        percent_encoding::percent_decode_str(&t.replace('+', " "))
            .decode_utf8_lossy()
            .into_owned()
    };
    text.split('&')
        .filter(|p| !p.is_empty())
        .map(|p| p.split_once('=').unwrap_or((p, "")))
        .map(|(k, v)| (decode(k), decode(v)))
        .collect()
}

/// The texts of a flat JSON object.
fn json_params(body: &[u8]) -> BTreeMap<String, String> {
    let value: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
    let fields = value.as_object().cloned().unwrap_or_default();
    fields
        .into_iter()
        .map(|(k, v)| (k, v.as_str().map_or_else(|| v.to_string(), str::to_owned)))
        .collect()
}

/// What a call is about, for the list of calls: the target of an operation rather than its source.
fn thing(params: &BTreeMap<String, String>) -> String {
    let names = [
        "TargetDBClusterSnapshotIdentifier",
        "DBInstanceIdentifier",
        "DBClusterSnapshotIdentifier",
        "DBClusterIdentifier",
        "ResourceName",
        "KeyId",
    ];
    names
        .iter()
        .find_map(|n| params.get(*n))
        .cloned()
        .unwrap_or_default()
}
