//! The HTTP server: its routes, and what every request passes on its way.

mod gate;
mod graphql;
mod hooks;
mod rotation;

use std::sync::Arc;

use axum::Router;
use axum::extract::{OriginalUri, RawPathParams, State as Shared};
use axum::response::Response;
use axum::routing::get;
use axum::{Extension, middleware};

use crate::control;
use crate::rest::{Ask, ENDPOINTS, Endpoint, Fields, Problem, Query, Reply};
use crate::state::State;
use crate::tokens::TokenSpec;

/// Where GraphQL is answered.
pub const GRAPHQL: &str = "/api/graphql";

/// Everything the fake answers. The API passes the gate (faults, limits, tokens, headers, latency, counters);
/// the control endpoints do not.
pub fn router(state: Arc<State>) -> Router {
    let mut api = rest().merge(hooks::router()).merge(rotation::router());
    if let Some(graphql) = graphql_routes(&state) {
        api = api.merge(graphql);
    }
    let api = api.fallback(async || Reply::from(Problem::NoRoute).into_response());
    let api = api.layer(middleware::from_fn_with_state(state.clone(), gate::pass));
    api.merge(control::router()).with_state(state)
}

fn rest() -> Router<Arc<State>> {
    ENDPOINTS.iter().fold(Router::new(), |router, (template, endpoint)| {
        let endpoint = *endpoint;
        let handler =
            async move |state: Shared<Arc<State>>,
                        token: Extension<TokenSpec>,
                        path: RawPathParams,
                        uri: OriginalUri| { serve(&state, &token, &path, &uri, endpoint) };
        router.route(&format!("/api/v4{template}"), get(handler))
    })
}

fn serve(
    state: &State,
    token: &TokenSpec,
    path: &RawPathParams,
    uri: &OriginalUri,
    endpoint: Endpoint,
) -> Response {
    let answer = with_ask(state, token, path, uri, &Fields::default(), endpoint);
    answer.unwrap_or_else(Reply::from).into_response()
}

/// Hands a request to whoever answers it, with the world held still.
fn with_ask<T>(
    state: &State,
    token: &TokenSpec,
    path: &RawPathParams,
    uri: &OriginalUri,
    fields: &Fields,
    answer: impl FnOnce(&Ask<'_>) -> T,
) -> T {
    let world = state.world();
    let index = state.index(&world);
    answer(&Ask {
        settings: &state.settings,
        world: &world,
        index: &index,
        hooks: &state.hooks,
        fields,
        viewer: &token.viewer(),
        token,
        path: path.iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect(),
        query: Query::parse(uri.query().unwrap_or_default()),
        raw_path: uri.path().to_owned(),
    })
}

/// The routes of GraphQL, where the instance has it.
fn graphql_routes(state: &Arc<State>) -> Option<Router<Arc<State>>> {
    state.settings.graphql.then(graphql::router)
}
