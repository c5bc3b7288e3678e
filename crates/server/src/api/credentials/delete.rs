//! `credentials.delete`

use axum::extract::{Path, State};
use serde::Deserialize;
use serde_json::json;

use crate::Shared;
use crate::api::arguments::{Arguments, Takes, id, number};
use crate::api::caller::Caller;
use crate::api::connections::find;
use crate::api::envelope::{Envelope, Nothing};
use crate::api::{Answer, ApiError, Scope};

/// Names a credential to be deleted.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[schema(as = CredentialDelete)]
pub(crate) struct Delete {
    /// Number of the credential.
    #[serde(deserialize_with = "id")]
    id: i64,
}

impl Takes for Delete {
    const NAMES: &'static [&'static str] = &["id"];
}

/// Deletes a credential: its token is forgotten, the rest can still be looked up.
///
/// Needs the scope `credentials:write`.
#[utoipa::path(post, path = "/api/connections/{connection_id}/credentials.delete", tag = "credentials", request_body = Delete,
    params(("connection_id" = i64, Path, description = "Number of the connection.")), responses((status = 200, body = super::super::openapi::Done)))]
pub(crate) async fn delete(
    State(app): State<Shared>,
    caller: Caller,
    Path(connection_id): Path<String>,
    arguments: Arguments<Delete>,
) -> Answer<Nothing> {
    caller.may(Scope::CredentialsWrite)?;
    let connection = find(&app, number("connection_id", &connection_id)?).await?;
    let Delete { id } = arguments.given;
    if !app.store.delete_credential(connection.id, id, app.clock.now()).await? {
        return Err(ApiError::no_credential(id));
    }
    caller.note(&app, "credentials.delete", Some(connection.id), Some(id), json!({})).await?;
    Ok(Envelope::new(Nothing {}).warn(arguments.warnings))
}
