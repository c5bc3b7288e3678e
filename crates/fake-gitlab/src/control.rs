//! Control endpoints under `/fake/`, for tests that see the fake from outside.

mod hooks;

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
use crate::truth::{Reading, approval_rules, truth};
use crate::world::access::Viewer;
use crate::world::change::{
    Day, Kinds, Spread, Subject, random_change, random_change_among, random_ci_change,
};
use crate::world::generate::READER;

type App = Shared<Arc<State>>;

pub(crate) fn router() -> Router<Arc<State>> {
    Router::new()
        .route("/fake/requests", get(requests).delete(forget_requests))
        .route("/fake/change", post(change))
        .route("/fake/day", post(day))
        .route("/fake/truth", get(show_truth))
        .route("/fake/clock", post(clock))
        .route("/fake/faults", post(faults))
        .merge(hooks::router())
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
    /// Subjects with commas between; only these change then.
    among: Option<String>,
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
    let among = wanted.among.map(|names| subjects(&names));
    let mut one = || match &among {
        Some(subjects) => random_change_among(&mut world, &mut rng, subjects),
        None if wanted.ci => random_ci_change(&mut world, &mut rng, wanted.kinds),
        None => random_change(&mut world, &mut rng, wanted.kinds),
    };
    let done: Vec<String> = (0..wanted.count).map(|_| one()).collect();
    ok(&json!({ "changes": done }))
}

#[derive(Deserialize)]
struct Moves {
    #[serde(default)]
    merge_requests: usize,
    #[serde(default)]
    pipelines: usize,
    #[serde(default)]
    clustered: bool,
}

async fn day(Shared(state): App, Query(wanted): Query<Moves>) -> Response {
    let Moves { merge_requests, pipelines, clustered } = wanted;
    let spread = if clustered { Spread::Clustered } else { Spread::Scattered };
    let moved = state.world_mut().pass_a_day(Day { merge_requests, pipelines, spread });
    ok(&json!({ "merge_requests": moved.0, "pipelines": moved.1 }))
}

/// Those of the names that are subjects.
fn subjects(names: &str) -> Vec<Subject> {
    names.split(',').filter_map(|name| serde_json::from_value(json!(name)).ok()).collect()
}

#[derive(Deserialize)]
struct Wanted {
    #[serde(default)]
    graphql: bool,
    approvals_have_time: Option<bool>,
    #[serde(default)]
    approval_rules: bool,
    /// Connectors beside `gitlab`, with commas between.
    #[serde(default)]
    connectors: String,
    #[serde(default)]
    issues: bool,
    #[serde(default)]
    commit_statistics: bool,
    /// The user whose sight counts; the reader's where none is given.
    user_id: Option<i64>,
}

/// What can be imported beside `gitlab`.
const CONNECTORS: [&str; 4] =
    ["gitlab_pipelines", "gitlab_commits", "gitlab_commits_trunk", "gitlab_deployments"];

async fn show_truth(Shared(state): App, Query(wanted): Query<Wanted>) -> Response {
    let world = state.world();
    let reader = || world.users.values().find(|user| user.username == READER).map(|user| user.id);
    let viewer = Viewer::of(wanted.user_id.or_else(reader).unwrap_or_default());
    let known = state.settings.approvals_have_time();
    let approvals_have_time = wanted.approvals_have_time.unwrap_or(known);
    let reading = Reading {
        connectors: CONNECTORS
            .into_iter()
            .filter(|it| wanted.connectors.split(',').any(|name| name == *it))
            .collect(),
        issues: wanted.issues,
        commit_statistics: wanted.commit_statistics,
        ..Reading::new(wanted.graphql, approvals_have_time)
    };
    let mut tables = truth(&world, &viewer, reading);
    if wanted.approval_rules {
        tables.extend(approval_rules(&world, &viewer, state.settings.edition));
    }
    ok(&json!(tables))
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
