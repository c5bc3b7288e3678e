//! What every answer is wrapped in.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;

/// `{"ok": true, ...}`.
#[derive(Debug)]
pub(crate) struct Envelope<T> {
    status: StatusCode,
    body: Body<T>,
}

#[derive(Debug, Serialize)]
struct Body<T> {
    ok: bool,
    #[serde(flatten)]
    content: T,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<String>,
}

/// An answer with nothing in it.
#[derive(Debug, Serialize)]
pub(crate) struct Nothing {}

impl<T> Envelope<T> {
    pub(crate) fn new(content: T) -> Envelope<T> {
        Envelope { status: StatusCode::OK, body: Body { ok: true, content, warnings: Vec::new() } }
    }

    /// Something was made.
    pub(crate) fn created(content: T) -> Envelope<T> {
        Envelope { status: StatusCode::CREATED, ..Envelope::new(content) }
    }

    /// With what the caller should know besides.
    pub(crate) fn warn(mut self, warnings: impl IntoIterator<Item = String>) -> Envelope<T> {
        self.body.warnings.extend(warnings);
        self
    }
}

impl<T: Serialize> IntoResponse for Envelope<T> {
    fn into_response(self) -> Response {
        (self.status, Json(self.body)).into_response()
    }
}
