//! The route by which a token rotates itself.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{OriginalUri, State as Shared};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use axum::routing::post;
use axum::{Extension, Router};
use serde_json::json;

use super::hooks::fields;
use crate::rest::Reply;
use crate::rotations::{ROTATE, rotate};
use crate::state::State;
use crate::tokens::{TokenKind, TokenSpec};

/// A token lives for so many days at most.
const LONGEST: i64 = 365;

pub(super) fn router() -> Router<Arc<State>> {
    Router::new().route(&format!("/api/v4{ROTATE}"), post(handle))
}

async fn handle(
    Shared(state): Shared<Arc<State>>,
    Extension(token): Extension<TokenSpec>,
    uri: OriginalUri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    if matches!(token.kind, TokenKind::OAuth | TokenKind::Job) {
        let body = json!({ "message": "405 Method Not Allowed" });
        return Reply::json(StatusCode::METHOD_NOT_ALLOWED, &body).into_response();
    }
    let fields = match fields(&uri, &headers, &body) {
        Ok(fields) => fields,
        Err(reply) => return reply.into_response(),
    };
    let given = fields.text("expires_at").flatten();
    let day = given.as_deref().map(str::parse::<chrono::NaiveDate>).transpose();
    let today = state.world().now.date_naive();
    let wrong = |message: &str| Reply::json(StatusCode::BAD_REQUEST, &json!({ "message": message }));
    let day = match day {
        Err(_) => return wrong("expires_at is invalid").into_response(),
        Ok(Some(day)) if day <= today || (day - today).num_days() > LONGEST => {
            return wrong("400 Bad request - Expiration date must be before a year from now").into_response();
        }
        Ok(day) => day,
    };
    let answer = rotate(&state, &token, day);
    tokio::time::sleep(state.rotations.delay()).await;
    Reply::object(&answer).into_response()
}
