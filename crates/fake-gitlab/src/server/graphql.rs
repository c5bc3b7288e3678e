//! `POST /api/graphql`: the executor with the rights of whoever asks.

use std::borrow::Cow;
use std::sync::Arc;

use axum::Extension;
use axum::Router;
use axum::body::Bytes;
use axum::extract::State as Shared;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;

use super::GRAPHQL;
use crate::graphql::{self, GraphqlOptions, Index, Sight};
use crate::rest::Items;
use crate::settings::Edition;
use crate::state::State;
use crate::tokens::TokenSpec;
use crate::world::access::{REPORTER, Viewer};
use crate::world::model::{Id, Project, World};

/// The route.
pub(super) fn router() -> Router<Arc<State>> {
    let handler = async |state: Shared<Arc<State>>, token: Extension<TokenSpec>, body: Bytes| {
        answer(&state, &token, &body)
    };
    Router::new().route(GRAPHQL, post(handler))
}

fn answer(state: &State, token: &TokenSpec, body: &[u8]) -> Response {
    state.counters.queried(&operation(body));
    let world = state.world();
    let index = state.derived(&world, Index::build);
    let viewer = token.viewer();
    let sight = Rights { world: &world, viewer: &viewer };
    let answer = graphql::execute_bytes(&world, &index, &sight, &options(state, &world.url), body);
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::OK);
    let headers = [(header::CONTENT_TYPE, "application/json; charset=utf-8")];
    let mut response = (status, headers, answer.body).into_response();
    response.extensions_mut().insert(Items(answer.items));
    response
}

/// The name of the operation in a request; empty where it has none.
fn operation(body: &[u8]) -> String {
    #[derive(serde::Deserialize)]
    struct Request<'b> {
        #[serde(borrow)]
        query: Option<Cow<'b, str>>,
    }
    let request = serde_json::from_slice::<Request<'_>>(body).ok();
    let text = request.and_then(|it| it.query).unwrap_or_default();
    let named = text.trim_start().strip_prefix("query").unwrap_or_default().trim_start();
    named.chars().take_while(|it| it.is_alphanumeric() || *it == '_').collect()
}

fn options(state: &State, base_url: &str) -> GraphqlOptions {
    let settings = &state.settings;
    GraphqlOptions {
        edition: match settings.edition {
            Edition::Ce => graphql::Edition::Ce,
            Edition::Free => graphql::Edition::Free,
            Edition::Premium => graphql::Edition::Premium,
        },
        without: settings.graphql_without.clone(),
        version: settings.full_version(),
        base_url: base_url.to_owned(),
        timeout_above_items: settings.graphql_timeout_above_items,
        null_nodes: settings.graphql_null_nodes,
        seed: state.counters.total(),
        ..GraphqlOptions::default()
    }
}

/// What a token's user may see.
struct Rights<'w> {
    world: &'w World,
    viewer: &'w Viewer,
}

impl Sight for Rights<'_> {
    fn sees_project(&self, id: Id) -> bool {
        self.world.projects.get(&id).is_some_and(|it| self.world.can_read_project(self.viewer, it))
    }

    fn sees_group(&self, id: Id) -> bool {
        self.world.groups.get(&id).is_some_and(|it| self.world.can_read_group(self.viewer, it))
    }

    fn sees_merge_requests(&self, id: Id) -> bool {
        self.world
            .projects
            .get(&id)
            .is_some_and(|it| self.world.check_merge_requests(self.viewer, it).is_ok())
    }

    fn sees_issues(&self, id: Id) -> bool {
        let check = |it| self.world.check_issues(self.viewer, it).is_ok();
        self.world.projects.get(&id).is_some_and(check)
    }

    fn sees_ci(&self, id: Id) -> bool {
        self.world.projects.get(&id).is_some_and(|it| self.world.check_ci(self.viewer, it).is_ok())
    }

    fn sees_code(&self, id: Id) -> bool {
        let reads =
            |it: &Project| it.repository_access_level != "disabled" && self.world.reads_code(self.viewer, it);
        self.world.projects.get(&id).is_some_and(reads)
    }

    fn sees_internal_notes(&self, id: Id) -> bool {
        let level = |it| self.world.project_access_level(self.viewer, it);
        self.world.projects.get(&id).and_then(level).is_some_and(|level| level >= REPORTER)
    }

    fn user_id(&self) -> Option<Id> {
        Some(self.viewer.user_id)
    }

    fn access_level(&self, id: Id) -> i32 {
        let project = self.world.projects.get(&id);
        project.and_then(|it| self.world.project_access_level(self.viewer, it)).unwrap_or_default()
    }

    fn is_member(&self, id: Id) -> bool {
        self.world.projects.get(&id).and_then(|it| self.world.project_access_level(self.viewer, it)).is_some()
    }
}
