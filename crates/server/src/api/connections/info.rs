//! `connections.info`

use axum::extract::{Path, State};

use super::extracted::extractor;
use super::{One, Shown, find};
use crate::Shared;
use crate::api::arguments::number;
use crate::api::caller::Caller;
use crate::api::envelope::Envelope;
use crate::api::{Answer, ApiError, Scope};

/// Shows a connection with its settings and what is done for it.
///
/// Needs the scope `connections:read`.
#[utoipa::path(get, path = "/api/connections.info/{id}", tag = "connections",
    params(("id" = i64, Path, description = "Number of the connection.")), responses((status = 200, body = One)))]
pub(crate) async fn info(State(app): State<Shared>, caller: Caller, Path(id): Path<String>) -> Answer<One> {
    caller.may(Scope::ConnectionsRead)?;
    show(&app, number("id", &id)?).await.map(Envelope::new)
}

/// The connection of this number as it is now.
pub(super) async fn show(app: &Shared, id: i64) -> Result<One, ApiError> {
    let row = find(app, id).await?;
    let tasks = app.store.tasks(Some(row.id)).await?;
    let resources = app.store.resource_states(row.id).await?;
    let extractor = extractor(app, &row).await?;
    Ok(One { connection: Shown::new(row, tasks, resources, extractor, app.clock.now()) })
}
