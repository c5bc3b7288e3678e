//! A credential is verified as a whole before any of it is stored.

use catalogue::Connector;
use chrono::NaiveDate;
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::{Map, Value};
use store::{ConnectionRow, CredentialRow, NewCredential};
use sync::connection::{CredentialSettings, Settings, Token, verify_token};
use sync::verify::TokenReport;

use crate::Shared;
use crate::api::ApiError;
use crate::api::error::Code;

/// Letters of a label at most.
const LONGEST: usize = 200;
/// Letters of a token at most: the longest of GitLab's are job tokens of about a thousand.
const LONGEST_TOKEN: usize = 4096;

/// The secrets of a credential.
#[derive(Debug, Default, Deserialize, utoipa::ToSchema)]
pub(crate) struct Secrets {
    /// A personal, group, project or service account token with the scope read_api.
    #[schema(value_type = Option<String>)]
    pub(super) api_token: Option<SecretString>,
}

/// A credential as it is to be.
pub(super) struct Wanted {
    pub(super) label: String,
    pub(super) settings: Value,
    pub(super) token: SecretString,
    pub(super) expiration_date: Option<NaiveDate>,
}

/// A credential that was found to work.
pub(super) struct Checked {
    wanted: Wanted,
    scopes: Option<Vec<String>>,
    gitlab_user_id: Option<i64>,
    expires: Option<NaiveDate>,
}

impl Checked {
    pub(super) fn as_new(&self) -> NewCredential<'_> {
        NewCredential {
            label: &self.wanted.label,
            settings: &self.wanted.settings,
            token: &self.wanted.token,
            scopes: self.scopes.as_deref(),
            gitlab_user_id: self.gitlab_user_id,
            expiration_date: self.expires,
        }
    }
}

/// Asks GitLab whether the token reaches what the connector reads.
pub(super) async fn check(
    app: &Shared,
    connection: &ConnectionRow,
    id: i64,
    wanted: Wanted,
) -> Result<Checked, ApiError> {
    let settings = Settings::parse(&connection.settings)?;
    let connector = Connector::named(&connection.connector)
        .ok_or_else(|| ApiError::new(Code::Internal, "This version does not have the connector."))?;
    let kind = CredentialSettings::deserialize(&wanted.settings).unwrap_or_default().auth_kind;
    let token = Token { id: id.to_string(), label: wanted.label.clone(), kind, secret: wanted.token.clone() };
    let today = app.clock.now().date_naive();
    let found = verify_token(&settings, connector, &token, &app.network, today).await;
    if let Some(failure) = found.error {
        return Err(failure.into());
    }
    let told: Option<TokenReport> = found.tokens.into_iter().next();
    // GitLab knows when its token dies; who gave none is told by it.
    let expires = told.as_ref().and_then(|it| it.expires_at).or(wanted.expiration_date);
    Ok(Checked {
        scopes: told.as_ref().map(|it| it.scopes.clone()).filter(|it| !it.is_empty()),
        gitlab_user_id: told.and_then(|it| it.user_id),
        expires,
        wanted,
    })
}

/// What should be known about a token that works.
pub(super) async fn warnings(
    app: &Shared,
    connection: i64,
    checked: &Checked,
) -> Result<Vec<String>, ApiError> {
    let mut warnings = Vec::new();
    let others = app.store.same_token(&app.ring, connection, &checked.wanted.token).await?;
    if let Some(other) = others.first() {
        warnings.push(format!(
            "connection {other} has the same token: the two share its rate limit. A token of another user for each is faster"
        ));
    }
    let rotates = CredentialSettings::deserialize(&checked.wanted.settings).unwrap_or_default().rotate;
    let may = |it: &Vec<String>| it.iter().any(|scope| scope == "api" || scope == "self_rotate");
    if rotates && !checked.scopes.as_ref().is_some_and(may) {
        warnings.push("the token cannot rotate itself: that needs the scope self_rotate, or api".to_owned());
    }
    let (given, told) = (checked.wanted.expiration_date, checked.expires);
    if given.is_some() && given != told {
        warnings
            .push(format!("GitLab says that the token dies on {}, which is kept", told.unwrap_or_default()));
    }
    Ok(warnings)
}

/// A label that people can read.
pub(super) fn label(label: Option<String>) -> Result<Option<String>, ApiError> {
    let Some(label) = label else { return Ok(None) };
    let label = label.trim();
    if label.is_empty() || label.chars().count() > LONGEST || label.chars().any(char::is_control) {
        return Err(ApiError::argument(
            "label",
            format!("it has to be 1 to {LONGEST} letters without line breaks"),
        ));
    }
    Ok(Some(label.to_owned()))
}

/// Settings, checked and complete.
pub(super) fn settings(
    before: Option<&CredentialRow>,
    given: Option<Map<String, Value>>,
) -> Result<Value, ApiError> {
    let mut all = before.and_then(|it| it.settings.as_object().cloned()).unwrap_or_default();
    all.extend(given.unwrap_or_default());
    let read: CredentialSettings = serde_path_to_error::deserialize(Value::Object(all)).map_err(|it| {
        ApiError::argument(
            &format!("settings.{}", it.path()),
            "there are auth_kind (private or bearer), rotate (true or false) and rotate_days (a number), no others",
        )
    })?;
    read.check().map_err(|why| ApiError::argument("settings.rotate_days", why))?;
    Ok(serde_json::to_value(read).unwrap_or_default())
}

/// A token that could be one.
pub(super) fn token(secrets: Secrets) -> Result<Option<SecretString>, ApiError> {
    use secrecy::ExposeSecret;
    let Some(token) = secrets.api_token else { return Ok(None) };
    let text = token.expose_secret().trim();
    if text.is_empty() {
        return Err(ApiError::missing("secrets.api_token"));
    }
    if text.len() > LONGEST_TOKEN || !text.chars().all(|it| it.is_ascii_graphic()) {
        return Err(ApiError::argument(
            "secrets.api_token",
            "it has characters in it that no token has, or far too many",
        ));
    }
    Ok(Some(text.to_owned().into()))
}
