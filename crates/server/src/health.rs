//! What this is, for whoever comes with a browser.

use axum::Router;
use axum::routing::get;

use crate::Shared;

pub(crate) fn routes() -> Router<Shared> {
    Router::new().route("/", get(what))
}

async fn what() -> &'static str {
    "This is Weir. The Data Cloud API is below /api, described at /api/openapi.json; webhooks go to /webhooks/gitlab.\n"
}
