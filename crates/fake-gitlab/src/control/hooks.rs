//! Control of webhooks: what became of deliveries, faults of them, and hooks without anybody's rights.

use std::sync::Arc;

use axum::Router;
use axum::extract::State as Shared;
use axum::response::Response;
use axum::routing::{get, post};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{App, ok};
use crate::hooks::{Hook, HookFaults, HookOwner, Trigger};
use crate::state::State;
use crate::world::model::{Id, Time};

pub(super) fn router() -> Router<Arc<State>> {
    Router::new()
        .route("/fake/hooks", get(show).post(add).delete(forget_counts))
        .route("/fake/hooks/faults", post(faults))
        .route("/fake/hooks/settle", post(settle))
}

async fn show(Shared(state): App) -> Response {
    let now = state.world().now;
    let hooks: Vec<Value> = state.hooks.all().iter().map(|hook| standing(hook, now)).collect();
    ok(&json!({ "counts": state.hooks.counts(), "hooks": hooks }))
}

fn standing(hook: &Hook, now: Time) -> Value {
    let (project_id, group_id) = match hook.owner {
        HookOwner::Project(id) => (Some(id), None),
        HookOwner::Group(id) => (None, Some(id)),
        HookOwner::System => (None, None),
    };
    json!({
        "id": hook.id,
        "url": hook.url,
        "project_id": project_id,
        "group_id": group_id,
        "alert_status": hook.alert_status(now),
        "disabled_until": hook.disabled_until,
        "failures": hook.failures,
    })
}

async fn forget_counts(Shared(state): App) -> Response {
    state.hooks.reset_counts();
    ok(&json!({}))
}

/// A hook to be made; of the instance where neither project nor group is named.
#[derive(Deserialize)]
struct Wanted {
    url: String,
    project_id: Option<Id>,
    group_id: Option<Id>,
    token: Option<String>,
    signing_token: Option<String>,
    /// Switches such as `note_events`, beside those that are on by default.
    #[serde(default)]
    events: Vec<String>,
}

async fn add(Shared(state): App, axum::Json(wanted): axum::Json<Wanted>) -> Response {
    let owner = match (wanted.project_id, wanted.group_id) {
        (Some(id), _) => HookOwner::Project(id),
        (None, Some(id)) => HookOwner::Group(id),
        (None, None) => HookOwner::System,
    };
    let triggers: Vec<Trigger> = wanted.events.iter().filter_map(|it| Trigger::of_flag(it)).collect();
    let hook = Hook::new(owner, &wanted.url, state.world().now).told_of(&triggers);
    let id = state.hooks.add(Hook { token: wanted.token, signing_token: wanted.signing_token, ..hook });
    ok(&json!({ "id": id }))
}

async fn faults(Shared(state): App, axum::Json(wanted): axum::Json<Option<HookFaults>>) -> Response {
    state.hooks.set_faults(wanted);
    ok(&json!({}))
}

/// Answers when every delivery under way has ended.
async fn settle(Shared(state): App) -> Response {
    state.hooks.settled().await;
    ok(&json!({ "counts": state.hooks.counts() }))
}
