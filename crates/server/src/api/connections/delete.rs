//! `connections.delete`

use axum::extract::State;
use catalogue::Connector;
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::ConnectionRow;

use crate::Shared;
use crate::api::arguments::{Arguments, Takes, flag, id};
use crate::api::caller::Caller;
use crate::api::envelope::Envelope;
use crate::api::error::Code;
use crate::api::{Answer, ApiError, Scope};

/// Names a connection to be deleted.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[schema(as = ConnectionDelete)]
pub(crate) struct Delete {
    /// Number of the connection.
    #[serde(deserialize_with = "id")]
    id: i64,
    /// Whether the rows that it brought are removed too.
    #[serde(default, deserialize_with = "flag")]
    purge: bool,
}

impl Takes for Delete {
    const NAMES: &'static [&'static str] = &["id", "purge"];
}

/// What became of a connection.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = ConnectionDeleted)]
pub(crate) struct Deleted {
    /// How far the removal of its rows is; not there where they stay.
    #[serde(skip_serializing_if = "Option::is_none")]
    purge: Option<Purge>,
}

/// How far a removal is.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Purge {
    /// running or complete.
    state: &'static str,
    /// Rows removed so far.
    rows: i64,
}

/// Deletes a connection and forgets its tokens. What it imported stays, unless `purge` is true: then workers remove, piece
/// by piece, the rows that its connector has read of its GitLab; with gitlab that is everything of that GitLab. Where
/// another connection of the same type reads the same GitLab, they stay. Ask again with `purge` to see how far it is.
///
/// Needs the scope `connections:write`.
#[utoipa::path(post, path = "/api/connections.delete", tag = "connections", request_body = Delete, responses((status = 200, body = Deleted)))]
pub(crate) async fn delete(
    State(app): State<Shared>,
    caller: Caller,
    arguments: Arguments<Delete>,
) -> Answer<Deleted> {
    caller.may(Scope::ConnectionsWrite)?;
    let Delete { id, purge } = arguments.given;
    let live = app.store.connection(id).await?;
    if let Some(row) = &live {
        check_unused(&app, row).await?;
        if !app.store.delete_connection(id, app.clock.now()).await? {
            return Err(ApiError::no_connection(id));
        }
        caller.note(&app, "connections.delete", Some(id), None, json!({ "purge": purge })).await?;
    }
    if !purge {
        let deleted = Envelope::new(Deleted { purge: None }).warn(arguments.warnings);
        return live.map(|_| deleted).ok_or_else(|| ApiError::no_connection(id));
    }
    let (purge, warning) = ask(&app, id).await?;
    Ok(Envelope::new(Deleted { purge }).warn(arguments.warnings).warn(warning))
}

/// Asks for the removal of rows, unless another connection reads the same ones.
async fn ask(app: &Shared, id: i64) -> Result<(Option<Purge>, Option<String>), ApiError> {
    let place = app.store.deleted_connection(id).await?.ok_or_else(|| ApiError::no_connection(id))?;
    if place.purged_at.is_none() && app.store.has_connection(&place.connector, place.instance).await? {
        let warning = format!(
            "another connection of type {} reads the same GitLab: the rows stay, for they are its rows too",
            place.connector
        );
        return Ok((None, Some(warning)));
    }
    let asked = app.store.ask_purge(id, app.clock.now()).await?;
    let purge = asked.ok_or_else(|| ApiError::no_connection(id))?;
    let state = if purge.purged_at.is_some() { "complete" } else { "running" };
    Ok((Some(Purge { state, rows: purge.purged_rows }), None))
}

/// The other connectors hang on what the first one imports.
async fn check_unused(app: &Shared, row: &ConnectionRow) -> Result<(), ApiError> {
    if row.connector == Connector::Gitlab.name() {
        for other in Connector::ALL.into_iter().filter(|it| *it != Connector::Gitlab) {
            if app.store.has_connection(other.name(), row.instance).await? {
                return Err(in_use(other));
            }
        }
    }
    Ok(())
}

fn in_use(other: Connector) -> ApiError {
    let message = format!(
        "A connection of type {} to the same GitLab hangs on this one. Delete it first.",
        other.name()
    );
    ApiError::new(Code::ConnectionInUse, message)
}
