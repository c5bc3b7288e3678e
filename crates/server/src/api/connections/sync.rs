//! `connections.sync`

use axum::extract::State;
use serde::Deserialize;
use serde_json::json;

use super::info::show;
use super::{One, find_working};
use crate::Shared;
use crate::api::arguments::{Arguments, Takes, flag, id};
use crate::api::caller::Caller;
use crate::api::envelope::Envelope;
use crate::api::{Answer, Scope};

/// Names a connection to be synced.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[schema(as = ConnectionSync)]
pub(crate) struct Sync {
    /// Number of the connection.
    #[serde(deserialize_with = "id")]
    id: i64,
    /// Whether what was deleted is looked for too.
    #[serde(default, deserialize_with = "flag")]
    sweep: bool,
}

impl Takes for Sync {
    const NAMES: &'static [&'static str] = &["id", "sweep"];
}

/// Syncs a connection now, whatever the schedule says. Follow it with connections.info or syncs.list.
///
/// Needs the scope `syncs:write`.
#[utoipa::path(post, path = "/api/connections.sync", tag = "connections", request_body = Sync, responses((status = 200, body = One)))]
pub(crate) async fn sync(
    State(app): State<Shared>,
    caller: Caller,
    arguments: Arguments<Sync>,
) -> Answer<One> {
    caller.may(Scope::SyncsWrite)?;
    let Sync { id, sweep } = arguments.given;
    find_working(&app, id).await?;
    let activity = if sweep { "sweep" } else { "sync" };
    let now = app.clock.now();
    app.store.lay_out_tasks(id, &[(activity, now)]).await?;
    app.store.hurry_task(id, activity, now).await?;
    app.wake.notify_one();
    caller.note(&app, "connections.sync", Some(id), None, json!({ "sweep": sweep })).await?;
    Ok(Envelope::new(show(&app, id).await?).warn(arguments.warnings))
}
