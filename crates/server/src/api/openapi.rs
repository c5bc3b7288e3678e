//! The API in the words of OpenAPI, made from the methods themselves.

mod refusals;

use axum::Json;
use serde::Serialize;
use utoipa::OpenApi;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};

use super::{
    connections, credentials, error, extractors, people, queries, schema, syncs, system, tasks, webhooks,
};

/// `{"ok": true}`.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Done {
    /// Always true.
    ok: bool,
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Weir: Data Cloud API",
        description = "Connections of GitLab and their credentials. Every answer has `ok`; with `ok` false it has `error`, one word that clients \
                       act upon, and `message`, a sentence. Authentication is a key of `weir api-key create`, sent as \
                       `Authorization: Bearer`. Bodies are JSON or forms."
    ),
    paths(
        connections::list, connections::info, connections::create, connections::update, connections::delete,
        connections::verify, connections::sync, connections::pause, connections::resume,
        credentials::create, credentials::update, credentials::list, credentials::info, credentials::delete,
        syncs::list, syncs::info, tasks::list, tasks::retry, system::info, schema::list, queries::run, people::erase, webhooks::status,
        extractors::connect, extractors::call, extractors::wait
    ),
    components(schemas(error::Refusal, error::Code)),
    security(("key" = []))
)]
struct Described;

/// The document.
pub fn describe() -> utoipa::openapi::OpenApi {
    let mut document = Described::openapi();
    let components = document.components.get_or_insert_with(Default::default);
    components.add_security_scheme("key", SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer)));
    refusals::add(&mut document);
    document
}

/// Serves it: no key is needed to read how keys are used.
pub(crate) async fn document() -> Json<utoipa::openapi::OpenApi> {
    Json(describe())
}
