//! `connections.delete`

use axum::extract::State;
use catalogue::Connector;
use serde::Deserialize;
use serde_json::json;

use super::find;
use crate::Shared;
use crate::api::arguments::{Arguments, Takes, id};
use crate::api::caller::Caller;
use crate::api::envelope::{Envelope, Nothing};
use crate::api::error::Code;
use crate::api::{Answer, ApiError, Scope};

/// Names a connection to be deleted.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[schema(as = ConnectionDelete)]
pub(crate) struct Delete {
    /// Number of the connection.
    #[serde(deserialize_with = "id")]
    id: i64,
}

impl Takes for Delete {
    const NAMES: &'static [&'static str] = &["id"];
}

/// Deletes a connection and forgets its tokens. What it imported stays.
///
/// Needs the scope `connections:write`.
#[utoipa::path(post, path = "/api/connections.delete", tag = "connections", request_body = Delete, responses((status = 200, body = super::super::openapi::Done)))]
pub(crate) async fn delete(
    State(app): State<Shared>,
    caller: Caller,
    arguments: Arguments<Delete>,
) -> Answer<Nothing> {
    caller.may(Scope::ConnectionsWrite)?;
    let Delete { id } = arguments.given;
    let row = find(&app, id).await?;
    if row.connector == Connector::Gitlab.name() {
        for other in Connector::ALL.into_iter().filter(|it| *it != Connector::Gitlab) {
            if app.store.has_connection(other.name(), row.instance).await? {
                return Err(in_use(other));
            }
        }
    }
    if !app.store.delete_connection(id, app.clock.now()).await? {
        return Err(ApiError::no_connection(id));
    }
    caller.note(&app, "connections.delete", Some(id), None, json!({})).await?;
    Ok(Envelope::new(Nothing {}).warn(arguments.warnings))
}

fn in_use(other: Connector) -> ApiError {
    let message = format!(
        "A connection of type {} to the same GitLab hangs on this one. Delete it first.",
        other.name()
    );
    ApiError::new(Code::ConnectionInUse, message)
}
