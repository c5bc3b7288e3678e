//! Every request is counted, and told to the log: what it was, how it ended, how long it took and where it came from. Never with its
//! query, its headers or its body, which may hold secrets.

use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use telemetry::Telemetry;

use crate::client_address::{TrustedProxies, client_address};

/// What it takes to note requests.
#[derive(Clone)]
pub(crate) struct Seen {
    pub(crate) telemetry: Telemetry,
    pub(crate) proxies: TrustedProxies,
}

/// Answers a request and notes it.
pub(crate) async fn note(State(seen): State<Seen>, request: Request, next: Next) -> Response {
    let began = Instant::now();
    let method = method(request.extensions().get::<MatchedPath>());
    let verb = request.method().clone();
    let client = client_address(&request, &seen.proxies);
    let response = next.run(request).await;
    let (took, status) = (began.elapsed(), response.status().as_u16());
    seen.telemetry.request(&method, status, took);
    let client = client.map_or_else(String::new, |it| it.to_string());
    let ms = took.as_millis() as u64;
    // Probes and deliveries that were taken come by the thousand, and say nothing one by one.
    if status < 400 && !method.contains('.') {
        tracing::debug!(%verb, method, status, ms, client, "request");
    } else {
        tracing::info!(%verb, method, status, ms, client, "request");
    }
    response
}

/// What a request is called: the method of the API, or the path. Whatever was not found is one, or callers could make up more.
fn method(path: Option<&MatchedPath>) -> String {
    let Some(path) = path.map(MatchedPath::as_str) else { return "unknown".to_owned() };
    let of_the_api = path.strip_prefix("/api/").and_then(|it| it.split('/').find(|part| part.contains('.')));
    let first = || path.split('/').find(|it| !it.is_empty()).unwrap_or("root");
    of_the_api.unwrap_or_else(first).to_owned()
}
