//! How a service answers: XML around a result, JSON where it is KMS.

use super::{QueryError, QueryFront};
use crate::listen::{Answer, full};
use http::{HeaderValue, Response};

impl QueryFront {
    pub(super) fn success(
        &self,
        service: &str,
        operation: &str,
        inner: &str,
        request_id: &str,
    ) -> Answer {
        if service == "kms" {
            return self.answer(
                200,
                "application/x-amz-json-1.1",
                inner.to_owned(),
                request_id,
            );
        }
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
            namespace(service)
        );
        self.answer(200, "text/xml", xml, request_id)
    }

    pub(super) fn error(&self, service: &str, error: &QueryError, request_id: &str) -> Answer {
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
