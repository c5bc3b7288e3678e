//! Who asks: the API key of a request.

use axum::extract::FromRequestParts;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use secrecy::SecretString;
use serde_json::Value;
use store::{ApiKeyRow, Audit};

use super::error::{ApiError, Code};
use super::scopes::Scope;
use crate::Shared;

/// Whoever presented a key that works.
pub(crate) struct Caller {
    key: ApiKeyRow,
}

impl Caller {
    /// Refuses a caller whose key may not do this.
    pub(crate) fn may(&self, scope: Scope) -> Result<(), ApiError> {
        if self.key.scopes.iter().any(|it| it == scope.name()) {
            return Ok(());
        }
        let message = format!(
            "The API key {:?} may not do this: it needs the scope {scope}. weir api-key create --scope {scope} makes one that may.",
            self.key.name
        );
        Err(ApiError::new(Code::MissingScope, message))
    }

    /// The key that was presented.
    pub(crate) fn key(&self) -> &ApiKeyRow {
        &self.key
    }

    /// Writes down what was done.
    pub(crate) async fn note(
        &self,
        app: &Shared,
        action: &str,
        connection_id: Option<i64>,
        credential_id: Option<i64>,
        detail: Value,
    ) -> Result<(), ApiError> {
        let entry = Audit {
            api_key_id: Some(self.key.id),
            actor: "api",
            action,
            connection_id,
            credential_id,
            detail,
        };
        Ok(app.store.audit(&entry, app.clock.now()).await?)
    }
}

impl FromRequestParts<Shared> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &Shared) -> Result<Caller, ApiError> {
        let key = presented(parts)?;
        let found = app.store.api_key(&key, app.clock.now()).await?;
        found.map(|key| Caller { key }).ok_or_else(|| {
            ApiError::new(
                Code::InvalidAuth,
                "This API key is unknown or was revoked. weir api-key list has those there are.",
            )
        })
    }
}

/// The key of `Authorization: Bearer`.
fn presented(parts: &Parts) -> Result<SecretString, ApiError> {
    let missing = || {
        ApiError::new(
            Code::NotAuthed,
            "An API key is wanted, as `Authorization: Bearer ...`. weir api-key create makes one.",
        )
    };
    let header = parts.headers.get(AUTHORIZATION).ok_or_else(missing)?;
    let text = header.to_str().map_err(|_| missing())?;
    let (scheme, key) = text.trim().split_once(' ').ok_or_else(missing)?;
    if !scheme.eq_ignore_ascii_case("bearer") || key.trim().is_empty() {
        return Err(missing());
    }
    Ok(key.trim().to_owned().into())
}
