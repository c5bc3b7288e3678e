//! `extractors.call`

use std::sync::Arc;

use axum::Extension;
use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use store::StoreError;
use store::remote::{Operation, Refusal};
use tokio::sync::Semaphore;

use super::gzip::{packed, unpacked};
use super::process::Process;
use crate::Shared;
use crate::api::ApiError;
use crate::api::arguments::unread;
use crate::api::error::Code;

/// How many calls are carried out at once; more of them wait. The database is there for others too.
pub(crate) const AT_ONCE: usize = 24;
/// The largest body, packed.
pub(crate) const BODY: usize = 32 * 1024 * 1024;

/// Carries out one operation of an extractor's sync. Of use to `weir extract` alone.
///
/// Needs the scope `extractors:run`.
#[utoipa::path(post, path = "/api/extractors.call", tag = "extractors",
    request_body(content = Object, description = "The operation with its arguments; `Content-Encoding: gzip` is understood."),
    params(("weir-session" = String, Header, description = "The word that the process connected with."),
           ("weir-protocol" = String, Header, description = "As told by extractors.connect."),
           ("weir-attempt" = Option<u32>, Header, description = "Above 1 where the answer to this call may have got lost.")),
    responses((status = 200, description = "What the operation gives.")))]
pub(crate) async fn call(
    State(app): State<Shared>,
    Extension(turns): Extension<Arc<Semaphore>>,
    process: Process,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, ApiError> {
    let body = body.map_err(incomplete)?;
    let _turn = turns.acquire().await.map_err(|_| broken())?;
    // Megabytes are unpacked and parsed: not where others wait for their turn.
    let operation = tokio::task::spawn_blocking(move || operation(&headers, &body)).await;
    let operation = operation.map_err(|_| broken())??;
    let done = operation.carry_out(&app.store, &process.0).await?;
    let answer = [&br#"{"ok":true,"result":"#[..], &done, b"}"].concat();
    Ok(sent(answer))
}

fn incomplete(rejection: BytesRejection) -> ApiError {
    match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => {
            ApiError::new(Code::RequestTooLarge, "The body is larger than 32 MiB, the most that is taken.")
        }
        _ => unread(rejection),
    }
}

fn operation(headers: &HeaderMap, body: &[u8]) -> Result<Operation, ApiError> {
    let text = unpacked(headers, body)?;
    // What could not be read may be anybody's text: the place is enough.
    serde_json::from_slice(&text).map_err(|it| {
        let place = format!("line {}, column {}", it.line(), it.column());
        ApiError::new(Code::InvalidArguments, format!("The call cannot be understood: {place}."))
    })
}

fn sent(answer: Vec<u8>) -> Response {
    let kind = (header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    match packed(&answer) {
        Some(packed) => {
            let packing = (header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            ([kind, packing], packed).into_response()
        }
        None => ([kind], answer).into_response(),
    }
}

fn broken() -> ApiError {
    ApiError::new(Code::Internal, "Weir could not do this; its log says why.")
}

impl From<Refusal> for ApiError {
    fn from(refusal: Refusal) -> ApiError {
        match refusal {
            Refusal::Store(StoreError::LeaseLost) => {
                ApiError::new(Code::LeaseLost, "Another process has taken over this part of the work.")
            }
            Refusal::Store(StoreError::CursorMoved) => {
                ApiError::new(Code::CursorMoved, "This list was read by another process meanwhile.")
            }
            Refusal::Store(error) => error.into(),
            Refusal::Foreign(what) => {
                tracing::warn!(what, "an extractor asked for what is not its own");
                ApiError::new(
                    Code::NotYours,
                    format!("{refusal}: an extractor reaches what belongs to its own GitLab."),
                )
            }
            Refusal::Unreadable(_) => ApiError::new(Code::InvalidArguments, format!("{refusal}.")),
        }
    }
}
