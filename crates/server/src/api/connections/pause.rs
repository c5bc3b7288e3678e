//! `connections.pause` and `connections.resume`

use axum::extract::State;
use serde_json::json;

use super::info::show;
use super::{Named, One};
use crate::Shared;
use crate::api::arguments::Arguments;
use crate::api::caller::Caller;
use crate::api::envelope::Envelope;
use crate::api::{Answer, ApiError, Scope};

/// Stops scheduling for a connection; what runs ends with the pages in hand.
///
/// Needs the scope `connections:write`.
#[utoipa::path(post, path = "/api/connections.pause", tag = "connections", request_body = Named, responses((status = 200, body = One)))]
pub(crate) async fn pause(
    State(app): State<Shared>,
    caller: Caller,
    arguments: Arguments<Named>,
) -> Answer<One> {
    set(&app, &caller, arguments, true).await
}

/// Lets a paused connection go on where it stood.
///
/// Needs the scope `connections:write`.
#[utoipa::path(post, path = "/api/connections.resume", tag = "connections", request_body = Named, responses((status = 200, body = One)))]
pub(crate) async fn resume(
    State(app): State<Shared>,
    caller: Caller,
    arguments: Arguments<Named>,
) -> Answer<One> {
    set(&app, &caller, arguments, false).await
}

async fn set(app: &Shared, caller: &Caller, arguments: Arguments<Named>, paused: bool) -> Answer<One> {
    caller.may(Scope::ConnectionsWrite)?;
    let id = arguments.given.id;
    let row = app.store.pause_connection(id, paused, app.clock.now()).await?;
    row.ok_or_else(|| ApiError::no_connection(id))?;
    if paused {
        app.here.running().iter().filter(|it| it.connection_id == id).for_each(|it| it.stop.ask());
    }
    app.wake.notify_one();
    let action = if paused { "connections.pause" } else { "connections.resume" };
    caller.note(app, action, Some(id), None, json!({})).await?;
    Ok(Envelope::new(show(app, id).await?).warn(arguments.warnings))
}
