//! Control endpoints under `/fake/`, for tests that see the fake from outside.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Query, State as Shared};
use axum::response::Response;
use axum::routing::{get, post};
use chrono::TimeDelta;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::faults::FaultPlan;
use crate::rest::Reply;
use crate::state::State;
use crate::truth::{Connectors, Reading, truth};
use crate::world::access::Viewer;
use crate::world::change::{Kinds, random_change, random_ci_change};
use crate::world::generate::READER;

type App = Shared<Arc<State>>;

pub(crate) fn router() -> Router<Arc<State>> {
    Router::new()
        .route("/fake/requests", get(requests).delete(forget_requests))
        .route("/fake/change", post(change))
        .route("/fake/truth", get(show_truth))
        .route("/fake/clock", post(clock))
        .route("/fake/faults", post(faults))
}

fn ok(body: &Value) -> Response {
    Reply::object(body).into_response()
}

async fn requests(Shared(state): App) -> Response {
    ok(&json!(state.counters.counts()))
}

async fn forget_requests(Shared(state): App) -> Response {
    state.counters.reset();
    ok(&json!({}))
}

#[derive(Deserialize)]
struct Change {
    #[serde(default = "one")]
    count: usize,
    #[serde(default)]
    seed: u64,
    #[serde(default)]
    kinds: Kinds,
    /// Whether pipelines, jobs, environments and deployments change, instead of all else.
    #[serde(default)]
    ci: bool,
}

fn one() -> usize {
    1
}

async fn change(Shared(state): App, Query(wanted): Query<Change>) -> Response {
    let mut rng = ChaCha8Rng::seed_from_u64(wanted.seed);
    let mut world = state.world_mut();
    let mut one = || match wanted.ci {
        true => random_ci_change(&mut world, &mut rng, wanted.kinds),
        false => random_change(&mut world, &mut rng, wanted.kinds),
    };
    let done: Vec<String> = (0..wanted.count).map(|_| one()).collect();
    ok(&json!({ "changes": done }))
}

#[derive(Deserialize)]
struct Wanted {
    #[serde(default)]
    graphql: bool,
    approvals_have_time: Option<bool>,
    /// The user whose sight counts; the reader's where none is given.
    user_id: Option<i64>,
    /// Connectors beside `gitlab`, separated by commas.
    #[serde(default)]
    connectors: String,
}

fn connectors(names: &str) -> Connectors {
    let named = |name: &str| names.split(',').any(|it| it.trim() == name);
    Connectors { pipelines: named("gitlab_pipelines"), deployments: named("gitlab_deployments") }
}

async fn show_truth(Shared(state): App, Query(wanted): Query<Wanted>) -> Response {
    let world = state.world();
    let reader = || world.users.values().find(|user| user.username == READER).map(|user| user.id);
    let viewer = Viewer::of(wanted.user_id.or_else(reader).unwrap_or_default());
    let known = state.settings.approvals_have_time();
    let approvals_have_time = wanted.approvals_have_time.unwrap_or(known);
    let connectors = connectors(&wanted.connectors);
    let reading = Reading { graphql: wanted.graphql, approvals_have_time, connectors };
    ok(&json!(truth(&world, &viewer, reading)))
}

#[derive(Deserialize)]
struct Clock {
    #[serde(default)]
    advance_seconds: i64,
}

async fn clock(Shared(state): App, Query(wanted): Query<Clock>) -> Response {
    state.advance_clock(TimeDelta::seconds(wanted.advance_seconds));
    ok(&json!({ "now": state.world().now }))
}

/// What `/fake/faults` is sent; what is absent stays as it is, `"plan": null` ends the random faults.
#[derive(Deserialize)]
struct Disturbance {
    #[serde(default, deserialize_with = "some")]
    plan: Option<Option<FaultPlan>>,
    #[serde(default)]
    next: Vec<crate::faults::Fault>,
    block_address: Option<bool>,
    revoke_token: Option<String>,
}

/// Tells an absent field from one that is null.
fn some<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Option<FaultPlan>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

async fn faults(Shared(state): App, axum::Json(wanted): axum::Json<Disturbance>) -> Response {
    if let Some(plan) = wanted.plan {
        state.faults.set_plan(plan);
    }
    wanted.next.into_iter().for_each(|fault| state.faults.fault_next(fault));
    if let Some(blocked) = wanted.block_address {
        state.faults.block_address(blocked);
    }
    if let Some(token) = wanted.revoke_token {
        state.set_token_state(&token, crate::tokens::TokenState::Revoked);
    }
    ok(&json!({}))
}
