//! The routes of webhooks: the only ones that write, and some that ask a receiver before they answer.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{OriginalUri, RawPathParams, State as Shared};
use axum::http::{HeaderMap, StatusCode, header};
use axum::routing::{MethodFilter, on, post};
use axum::{Extension, Router};
use serde_json::{Value, json};

use super::with_ask;
use crate::hooks::{Delivery, Record, Trigger, deliver_now};
use crate::rest::hooks::{ENDPOINTS, ENDPOINTS_BUT_OF_SYSTEM, PLACES, TRIALS, Trial, Verb};
use crate::rest::{Endpoint, Fields, Reply};
use crate::state::State;
use crate::tokens::TokenSpec;

/// The routes.
pub(super) fn router() -> Router<Arc<State>> {
    let mut router = Router::new();
    for place in PLACES {
        for (tail, verb, endpoint) in ENDPOINTS {
            router = add(router, &format!("/api/v4{place}{tail}"), *verb, *endpoint);
        }
    }
    for place in &PLACES[..2] {
        for (tail, verb, endpoint) in ENDPOINTS_BUT_OF_SYSTEM {
            router = add(router, &format!("/api/v4{place}{tail}"), *verb, *endpoint);
        }
    }
    TRIALS.iter().fold(router, |router, (template, trial)| add_trial(router, template, *trial))
}

fn add(router: Router<Arc<State>>, route: &str, verb: Verb, endpoint: Endpoint) -> Router<Arc<State>> {
    let handler = async move |state: Shared<Arc<State>>,
                              token: Extension<TokenSpec>,
                              path: RawPathParams,
                              uri: OriginalUri,
                              headers: HeaderMap,
                              body: Bytes| {
        let fields = match fields(&uri, &headers, &body) {
            Ok(fields) => fields,
            Err(reply) => return reply.into_response(),
        };
        let answer = with_ask(&state, &token, &path, &uri, &fields, endpoint);
        answer.unwrap_or_else(Reply::from).into_response()
    };
    let filter = match verb {
        Verb::Read => MethodFilter::GET,
        Verb::Create => MethodFilter::POST,
        Verb::Update => MethodFilter::PUT,
        Verb::Remove => MethodFilter::DELETE,
    };
    router.route(route, on(filter, handler))
}

fn fields(uri: &OriginalUri, headers: &HeaderMap, body: &[u8]) -> Result<Fields, Reply> {
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|it| it.to_str().ok()).unwrap_or_default();
    Fields::parse(uri.query().unwrap_or_default(), content_type, body).map_err(Reply::from)
}

fn add_trial(router: Router<Arc<State>>, template: &str, trial: Trial) -> Router<Arc<State>> {
    let handler = async move |state: Shared<Arc<State>>,
                              token: Extension<TokenSpec>,
                              path: RawPathParams,
                              uri: OriginalUri| {
        let delivery = with_ask(&state, &token, &path, &uri, &Fields::default(), trial);
        let reply = match delivery {
            Ok(delivery) => {
                let record = deliver_now(&state, &delivery).await;
                told(&delivery, &record, uri.path().ends_with("/resend"))
            }
            Err(problem) => Reply::from(problem),
        };
        reply.into_response()
    };
    router.route(&format!("/api/v4{template}"), post(handler))
}

/// What GitLab says of a trial: only 2xx will do.
fn told(delivery: &Delivery, record: &Record, resent: bool) -> Reply {
    let body: Value = serde_json::from_slice(&delivery.body).unwrap_or_default();
    match record.status {
        Some(status) if resent => Reply::json(StatusCode::CREATED, &json!({ "response_status": status })),
        _ if delivery.trigger == Trigger::System => Reply::json(StatusCode::CREATED, &body),
        Some(200..300) => Reply::json(StatusCode::CREATED, &json!({ "message": "201 Created" })),
        _ => Reply::json(StatusCode::UNPROCESSABLE_ENTITY, &json!({ "message": record.response_body })),
    }
}
