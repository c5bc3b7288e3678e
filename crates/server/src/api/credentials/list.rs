//! `credentials.list`

use axum::extract::{Path, State};
use serde::Serialize;

use super::{Listed, dying};
use crate::Shared;
use crate::api::arguments::{Query, number};
use crate::api::caller::Caller;
use crate::api::connections::find;
use crate::api::envelope::Envelope;
use crate::api::page::{Next, Wanted};
use crate::api::{Answer, Scope};

/// A page of credentials.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Credentials {
    credentials: Vec<Listed>,
    #[serde(flatten)]
    next: Next,
}

/// Lists the credentials of a connection that were not deleted.
///
/// Needs the scope `credentials:read`.
#[utoipa::path(get, path = "/api/connections/{connection_id}/credentials.list", tag = "credentials",
    params(("connection_id" = i64, Path, description = "Number of the connection."), Wanted), responses((status = 200, body = Credentials)))]
pub(crate) async fn list(
    State(app): State<Shared>,
    caller: Caller,
    Path(connection_id): Path<String>,
    Query(wanted): Query<Wanted>,
) -> Answer<Credentials> {
    caller.may(Scope::CredentialsRead)?;
    let connection = find(&app, number("connection_id", &connection_id)?).await?;
    let limit = wanted.limit()?;
    let mut rows = app.store.credentials(connection.id, wanted.after()?.unwrap_or(0), limit + 1).await?;
    let next = Next::of(&mut rows, limit, |it| it.id.to_string());
    let today = app.clock.now().date_naive();
    let warnings = dying(&rows, today);
    let credentials = rows.into_iter().map(|it| Listed::new(it, &connection.connector, today)).collect();
    Ok(Envelope::new(Credentials { credentials, next }).warn(warnings))
}
