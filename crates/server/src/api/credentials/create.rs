//! `credentials.create`

use axum::extract::{Path, State};
use chrono::NaiveDate;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use sync::connection::Settings;

use super::check::{self, Secrets, Wanted, check};
use super::{Brief, Made};
use crate::Shared;
use crate::api::arguments::{Arguments, Takes, number};
use crate::api::caller::Caller;
use crate::api::connections::{find, has_its_token_here};
use crate::api::envelope::Envelope;
use crate::api::error::Code;
use crate::api::{Answer, ApiError, Scope};

/// A credential to be added.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[schema(as = CredentialCreate)]
pub(crate) struct Create {
    /// What people call it; chosen where it is not named.
    #[schema(min_length = 1, max_length = 200)]
    label: Option<String>,
    /// auth_kind: private (the usual) or bearer.
    #[schema(value_type = Option<Object>)]
    settings: Option<Map<String, Value>>,
    /// api_token.
    secrets: Secrets,
    /// The day on which the token dies, where GitLab does not tell.
    expiration_date: Option<NaiveDate>,
}

impl Takes for Create {
    const NAMES: &'static [&'static str] = &["label", "settings", "secrets", "expiration_date"];
}

/// Verifies a token against what the connector reads, and adds it. Nothing is stored when verification fails.
///
/// Needs the scope `credentials:write`.
#[utoipa::path(post, path = "/api/connections/{connection_id}/credentials.create", tag = "credentials", request_body = Create,
    params(("connection_id" = i64, Path, description = "Number of the connection.")), responses((status = 201, body = Made)))]
pub(crate) async fn create(
    State(app): State<Shared>,
    caller: Caller,
    Path(connection_id): Path<String>,
    arguments: Arguments<Create>,
) -> Answer<Made> {
    caller.may(Scope::CredentialsWrite)?;
    let connection = find(&app, number("connection_id", &connection_id)?).await?;
    has_its_token_here(&connection)?;
    let Create { label, settings, secrets, expiration_date } = arguments.given;
    let token = check::token(secrets)?.ok_or_else(|| ApiError::missing("secrets.api_token"))?;
    if app.store.has_token(&app.ring, connection.id, &token).await?.is_some() {
        return Err(ApiError::new(Code::CredentialExists, "The connection has this token already."));
    }
    let label = match check::label(label)? {
        Some(label) => label,
        None => format!("Token added on {}", app.clock.now().date_naive()),
    };
    let wanted = Wanted { label, settings: check::settings(None, settings)?, token, expiration_date };
    let checked = check(&app, &connection, 0, wanted).await?;
    let now = app.clock.now();
    let row = app.store.add_credential(&app.ring, connection.id, &checked.as_new(), now).await?;
    sync::tasks::lay_out(&app.store, &connection, &Settings::parse(&connection.settings)?, now).await?;
    app.wake.notify_one();
    caller.note(&app, "credentials.create", Some(connection.id), Some(row.id), json!({})).await?;
    let warnings = check::warnings(&app, connection.id, &checked).await?;
    let made = Made { credential: Brief::new(row, &connection.connector) };
    Ok(Envelope::created(made).warn(arguments.warnings).warn(warnings))
}
