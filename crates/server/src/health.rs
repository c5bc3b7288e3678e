//! What this is, whether the process lives, and whether it can do its work.

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;

use crate::Shared;

pub(crate) fn routes() -> Router<Shared> {
    Router::new().route("/", get(what)).route("/healthz", get(alive)).route("/readyz", get(ready))
}

/// Whoever comes with a browser is told what this is.
async fn what() -> &'static str {
    "This is Weir. The Data Cloud API is below /api, described at /api/openapi.json; webhooks go to /webhooks/gitlab.\n"
}

/// The process answers.
async fn alive() -> &'static str {
    "ok\n"
}

/// The database answers too.
async fn ready(State(app): State<Shared>) -> (StatusCode, &'static str) {
    match app.store.server_version().await {
        Ok(_) => (StatusCode::OK, "ready\n"),
        Err(error) => {
            tracing::warn!(%error, "the database does not answer");
            (StatusCode::SERVICE_UNAVAILABLE, "the database does not answer\n")
        }
    }
}
