//! `connections.update`

use axum::extract::State;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use sync::connection::Settings;

use super::create::checked;
use super::info::show;
use super::{One, find};
use crate::Shared;
use crate::api::arguments::{Arguments, Takes, id};
use crate::api::caller::Caller;
use crate::api::envelope::Envelope;
use crate::api::{Answer, ApiError, Scope};

/// Changes of a connection.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[schema(as = ConnectionUpdate)]
pub(crate) struct Update {
    /// Number of the connection.
    #[serde(deserialize_with = "id")]
    id: i64,
    /// What people call it; unchanged where it is not named.
    #[schema(min_length = 1, max_length = 200)]
    name: Option<String>,
    /// Settings that change; the others stay as they are. The base_url stays.
    #[schema(value_type = Option<Object>)]
    settings: Option<Map<String, Value>>,
}

impl Takes for Update {
    const NAMES: &'static [&'static str] = &["id", "name", "settings"];
}

/// Changes name and settings of a connection. It is synced at once where settings changed.
///
/// Needs the scope `connections:write`.
#[utoipa::path(post, path = "/api/connections.update", tag = "connections", request_body = Update, responses((status = 200, body = One)))]
pub(crate) async fn update(
    State(app): State<Shared>,
    caller: Caller,
    arguments: Arguments<Update>,
) -> Answer<One> {
    caller.may(Scope::ConnectionsWrite)?;
    let Update { id, name, settings } = arguments.given;
    let before = find(&app, id).await?;
    let old = Settings::parse(&before.settings)?;
    let new = match settings {
        Some(changes) => old.changed(&Value::Object(changes))?,
        None => old.clone(),
    };
    if new.base_url != old.base_url {
        let message = "it cannot change; make another connection for another GitLab";
        return Err(ApiError::argument("settings.base_url", message));
    }
    let name = checked(name)?.unwrap_or(before.name);
    let now = app.clock.now();
    let changed = app.store.update_connection(id, &name, &new.to_value(), now).await?;
    let row = changed.ok_or_else(|| ApiError::no_connection(id))?;
    if new != old && row.disabled_at.is_none() {
        sync::tasks::lay_out(&app.store, &row, &new, now).await?;
        app.store.hurry_task(id, "sync", now).await?;
        app.wake.notify_one();
    }
    caller.note(&app, "connections.update", Some(id), None, json!({})).await?;
    Ok(Envelope::new(show(&app, id).await?).warn(arguments.warnings))
}
