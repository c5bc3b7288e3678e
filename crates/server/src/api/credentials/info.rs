//! `credentials.info`

use axum::extract::{Path, State};
use serde::Serialize;

use super::{Shown, dying};
use crate::Shared;
use crate::api::arguments::number;
use crate::api::caller::Caller;
use crate::api::connections::find;
use crate::api::envelope::Envelope;
use crate::api::{Answer, ApiError, Scope};

/// One credential.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = CredentialAnswer)]
pub(crate) struct One {
    credential: Shown,
}

/// Shows a credential, a deleted one too.
///
/// Needs the scope `credentials:read`.
#[utoipa::path(get, path = "/api/connections/{connection_id}/credentials.info/{id}", tag = "credentials",
    params(("connection_id" = i64, Path, description = "Number of the connection."), ("id" = i64, Path, description = "Number of the credential.")),
    responses((status = 200, body = One)))]
pub(crate) async fn info(
    State(app): State<Shared>,
    caller: Caller,
    Path((connection_id, id)): Path<(String, String)>,
) -> Answer<One> {
    caller.may(Scope::CredentialsRead)?;
    let connection = find(&app, number("connection_id", &connection_id)?).await?;
    let id = number("id", &id)?;
    let row = app.store.credential(connection.id, id).await?.ok_or_else(|| ApiError::no_credential(id))?;
    let today = app.clock.now().date_naive();
    let warnings = dying(std::slice::from_ref(&row), today);
    Ok(Envelope::new(One { credential: Shown::new(row, &connection.connector, today) }).warn(warnings))
}
