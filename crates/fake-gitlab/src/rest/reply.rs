//! An answer on its way out.

use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, Response, StatusCode};
use serde::Serialize;

/// How many elements an answer holds; put into the response's extensions, latency per item is counted from it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Items(pub usize);

/// Status, headers and body.
#[derive(Debug, Clone)]
pub struct Reply {
    /// Status code.
    pub status: StatusCode,
    /// Headers other than the length.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// The whole body.
    pub body: Vec<u8>,
    /// Elements in the body.
    pub items: usize,
}

impl Reply {
    /// JSON with a status.
    pub fn json(status: StatusCode, body: &impl Serialize) -> Self {
        let body = serde_json::to_vec(body).expect("the value has a JSON form");
        Self { status, headers: vec![content_type("application/json")], body, items: 1 }
    }

    /// A successful answer with one object.
    pub fn object(body: &impl Serialize) -> Self {
        Self::json(StatusCode::OK, body)
    }

    /// A status alone.
    pub fn empty(status: StatusCode) -> Self {
        Self { status, headers: Vec::new(), body: Vec::new(), items: 0 }
    }

    /// Plain text with a status.
    pub fn text(status: StatusCode, body: &str) -> Self {
        Self { status, headers: vec![content_type("text/plain")], body: body.into(), items: 0 }
    }

    /// HTML with a status, as proxies answer.
    pub fn html(status: StatusCode, body: &str) -> Self {
        Self { status, headers: vec![content_type("text/html; charset=UTF-8")], body: body.into(), items: 0 }
    }

    /// The same with a header more. Values that no header can carry are left out.
    pub fn with_header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        if let Ok(value) = HeaderValue::from_str(&value.into()) {
            self.headers.push((HeaderName::from_static(name), value));
        }
        self
    }

    /// As axum wants it.
    pub fn into_response(self) -> Response<Body> {
        let mut response = Response::new(Body::from(self.body));
        *response.status_mut() = self.status;
        response.headers_mut().extend(self.headers);
        response.extensions_mut().insert(Items(self.items));
        response
    }
}

fn content_type(value: &'static str) -> (HeaderName, HeaderValue) {
    (axum::http::header::CONTENT_TYPE, HeaderValue::from_static(value))
}
