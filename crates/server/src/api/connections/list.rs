//! `connections.list`

use axum::extract::State;
use serde::Serialize;

use super::Listed;
use crate::Shared;
use crate::api::arguments::Query;
use crate::api::caller::Caller;
use crate::api::envelope::Envelope;
use crate::api::page::{Next, Wanted, wrong};
use crate::api::{Answer, ApiError, Scope};

/// A page of connections.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Connections {
    connections: Vec<Listed>,
    #[serde(flatten)]
    next: Next,
}

/// Lists the connections that were not deleted, by type.
///
/// Needs the scope `connections:read`.
#[utoipa::path(get, path = "/api/connections.list", tag = "connections", params(Wanted), responses((status = 200, body = Connections)))]
pub(crate) async fn list(
    State(app): State<Shared>,
    caller: Caller,
    Query(wanted): Query<Wanted>,
) -> Answer<Connections> {
    caller.may(Scope::ConnectionsRead)?;
    let limit = wanted.limit()?;
    let after = wanted.cursor.as_deref().filter(|it| !it.is_empty()).map(place).transpose()?;
    let mut rows = app.store.connections(after, limit + 1).await?;
    let next = Next::of(&mut rows, limit, |it| format!("{}.{}", it.connector, it.id));
    Ok(Envelope::new(Connections { connections: rows.into_iter().map(Listed::from).collect(), next }))
}

/// Type and number of the last connection of the page before.
fn place(cursor: &str) -> Result<(&str, i64), ApiError> {
    let (connector, id) = cursor.rsplit_once('.').ok_or_else(wrong)?;
    Ok((connector, id.parse().map_err(|_| wrong())?))
}
