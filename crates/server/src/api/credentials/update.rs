//! `credentials.update`

use axum::extract::{Path, State};
use chrono::NaiveDate;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::check::{self, Secrets, Wanted, check};
use super::{Brief, Made};
use crate::Shared;
use crate::api::arguments::{Arguments, Takes, id, number};
use crate::api::caller::Caller;
use crate::api::connections::find;
use crate::api::envelope::Envelope;
use crate::api::error::Code;
use crate::api::{Answer, ApiError, Scope};

/// Changes of a credential.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[schema(as = CredentialUpdate)]
pub(crate) struct Update {
    /// Number of the credential.
    #[serde(deserialize_with = "id")]
    id: i64,
    /// What people call it; unchanged where it is not named.
    #[schema(min_length = 1, max_length = 200)]
    label: Option<String>,
    /// Settings that change.
    #[schema(value_type = Option<Object>)]
    settings: Option<Map<String, Value>>,
    /// api_token: the new token; the old one is kept where none is given.
    #[serde(default)]
    secrets: Option<Secrets>,
    /// The day on which the token dies, where GitLab does not tell.
    expiration_date: Option<NaiveDate>,
}

impl Takes for Update {
    const NAMES: &'static [&'static str] = &["id", "label", "settings", "secrets", "expiration_date"];
}

/// Rotates the token of a credential, or changes what else is known of it. All of it is verified first; when that fails
/// nothing changes.
///
/// Needs the scope `credentials:write`.
#[utoipa::path(post, path = "/api/connections/{connection_id}/credentials.update", tag = "credentials", request_body = Update,
    params(("connection_id" = i64, Path, description = "Number of the connection.")), responses((status = 200, body = Made)))]
pub(crate) async fn update(
    State(app): State<Shared>,
    caller: Caller,
    Path(connection_id): Path<String>,
    arguments: Arguments<Update>,
) -> Answer<Made> {
    caller.may(Scope::CredentialsWrite)?;
    let connection = find(&app, number("connection_id", &connection_id)?).await?;
    let Update { id, label, settings, secrets, expiration_date } = arguments.given;
    let before = app.store.credential(connection.id, id).await?.filter(|it| it.deleted_at.is_none());
    let before = before.ok_or_else(|| ApiError::no_credential(id))?;
    let given = check::token(secrets.unwrap_or_default())?;
    let rotated = given.is_some();
    let token = match given {
        Some(token) => {
            let holder = app.store.has_token(&app.ring, connection.id, &token).await?;
            if holder.is_some_and(|it| it != id) {
                return Err(ApiError::new(
                    Code::CredentialExists,
                    "Another credential of the connection has this token.",
                ));
            }
            token
        }
        None => app.store.token(&app.ring, id).await?.ok_or_else(|| ApiError::no_credential(id))?,
    };
    let wanted = Wanted {
        label: check::label(label)?.unwrap_or(before.label.clone()),
        settings: check::settings(Some(&before), settings)?,
        token,
        expiration_date: expiration_date.or(before.expiration_date.filter(|_| !rotated)),
    };
    let checked = check(&app, &connection, id, wanted).await?;
    let now = app.clock.now();
    let row = app.store.replace_credential(&app.ring, connection.id, id, &checked.as_new(), now).await?;
    let row = row.ok_or_else(|| ApiError::no_credential(id))?;
    app.wake.notify_one();
    caller
        .note(&app, "credentials.update", Some(connection.id), Some(id), json!({ "rotated": rotated }))
        .await?;
    let warnings = check::warnings(&app, connection.id, &checked).await?;
    let made = Made { credential: Brief::new(row, &connection.connector) };
    Ok(Envelope::new(made).warn(arguments.warnings).warn(warnings))
}
