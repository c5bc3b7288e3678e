//! The Data Cloud API: one file per method.

mod arguments;
mod caller;
mod connections;
mod credentials;
mod envelope;
mod error;
mod extractors;
pub mod openapi;
mod page;
mod people;
mod queries;
mod schema;
mod scopes;
mod statuses;
mod syncs;
mod system;
mod tasks;
mod webhooks;

use std::sync::Arc;

use axum::extract::DefaultBodyLimit;
use axum::middleware;
use axum::routing::{get, post};
use axum::{Extension, Router};
use tokio::sync::Semaphore;

use crate::Shared;

pub use scopes::{SCOPES, Scope};

use error::{ApiError, Code};

/// The largest body of a request. The largest that makes sense is a list of projects.
const BODY: usize = 1024 * 1024;

/// What is answered to a method.
type Answer<T> = Result<envelope::Envelope<T>, ApiError>;

pub(crate) fn routes(app: &Shared) -> Router<Shared> {
    let mut routes = Router::new()
        .route("/connections.list", get(connections::list))
        .route("/connections.info/{id}", get(connections::info))
        .route("/connections.create", post(connections::create))
        .route("/connections.update", post(connections::update))
        .route("/connections.delete", post(connections::delete))
        .route("/connections.verify", post(connections::verify))
        .route("/connections.sync", post(connections::sync))
        .route("/connections.pause", post(connections::pause))
        .route("/connections.resume", post(connections::resume))
        .route("/connections/{connection_id}/credentials.create", post(credentials::create))
        .route("/connections/{connection_id}/credentials.update", post(credentials::update))
        .route("/connections/{connection_id}/credentials.delete", post(credentials::delete))
        .route("/connections/{connection_id}/credentials.list", get(credentials::list))
        .route("/connections/{connection_id}/credentials.info/{id}", get(credentials::info))
        .route("/syncs.list", get(syncs::list))
        .route("/syncs.info/{id}", get(syncs::info))
        .route("/tasks.list", get(tasks::list))
        .route("/tasks.retry", post(tasks::retry))
        .route("/system.info", get(system::info))
        .route("/schema.list", get(schema::list))
        .route("/queries.run", post(queries::run))
        .route("/webhooks.status", get(webhooks::status))
        .route("/people.erase", post(people::erase))
        .route("/extractors.connect", post(extractors::connect))
        .route("/extractors.wait", post(extractors::wait))
        .merge(calls())
        .route("/openapi.json", get(openapi::document))
        .method_not_allowed_fallback(wrong_verb)
        .fallback(unknown)
        .layer(DefaultBodyLimit::max(BODY));
    if app.compatible_statuses {
        routes = routes.layer(middleware::map_response(statuses::fold));
    }
    Router::new().nest("/api", routes)
}

/// Where extractors have their operations carried out: with pages of rows in the body.
fn calls() -> Router<Shared> {
    let turns = Arc::new(Semaphore::new(extractors::AT_ONCE));
    Router::new()
        .route("/extractors.call", post(extractors::call))
        .layer((DefaultBodyLimit::max(extractors::BODY), Extension(turns)))
}

async fn unknown() -> ApiError {
    ApiError::new(Code::UnknownMethod, "There is no such method. /api/openapi.json lists them all.")
}

async fn wrong_verb() -> ApiError {
    ApiError::new(
        Code::MethodNotAllowed,
        "The method exists, with another HTTP verb: GET for list and info, POST for the rest.",
    )
}
