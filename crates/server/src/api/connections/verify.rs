//! `connections.verify`

use axum::extract::State;
use catalogue::Connector;
use serde::Serialize;
use serde_json::json;
use sync::connection::{Settings, Token, verify_token};
use sync::verify::Verification;

use super::extracted::has_its_token_here;
use super::{Named, find};
use crate::Shared;
use crate::api::arguments::Arguments;
use crate::api::caller::Caller;
use crate::api::envelope::Envelope;
use crate::api::error::Code;
use crate::api::{Answer, ApiError, Scope};

/// What verification found.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Verified {
    credentials: Vec<Verdict>,
}

/// What was found of one credential.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Verdict {
    /// Number of the credential.
    id: i64,
    /// What was tried, and what came of it.
    #[schema(value_type = Object)]
    verification: Verification,
}

/// Tries every credential of a connection against what the connector reads. One that works is used again; nothing else
/// changes.
///
/// Needs the scope `connections:write`.
#[utoipa::path(post, path = "/api/connections.verify", tag = "connections", request_body = Named, responses((status = 200, body = Verified)))]
pub(crate) async fn verify(
    State(app): State<Shared>,
    caller: Caller,
    arguments: Arguments<Named>,
) -> Answer<Verified> {
    caller.may(Scope::ConnectionsWrite)?;
    let row = find(&app, arguments.given.id).await?;
    has_its_token_here(&row)?;
    let settings = Settings::parse(&row.settings)?;
    let connector = Connector::named(&row.connector)
        .ok_or_else(|| ApiError::new(Code::Internal, "This version does not have the connector."))?;
    let now = app.clock.now();
    let mut credentials = Vec::new();
    for credential in app.store.credentials(row.id, 0, i64::MAX).await? {
        let Some(secret) = app.store.token(&app.ring, credential.id).await? else { continue };
        let token = Token::stored(&credential, secret);
        let verification = verify_token(&settings, connector, &token, &app.network, now.date_naive()).await;
        if verification.ok {
            app.store.enable_credential(row.id, credential.id, now).await?;
            app.wake.notify_one();
        }
        credentials.push(Verdict { id: credential.id, verification });
    }
    caller.note(&app, "connections.verify", Some(row.id), None, json!({})).await?;
    Ok(Envelope::new(Verified { credentials }).warn(arguments.warnings))
}
