//! What can go wrong with a request: every code, its status, and every conversion into one.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use store::StoreError;
use sync::Failure;
use sync::connection::Bad;

/// Why a request failed, in one word that clients act upon.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Code {
    NotAuthed,
    InvalidAuth,
    MissingScope,
    UnknownMethod,
    MethodNotAllowed,
    ConnectionNotFound,
    CredentialNotFound,
    SyncNotFound,
    TaskNotFound,
    PersonNotFound,
    InvalidJson,
    UnsupportedMediaType,
    RequestTooLarge,
    RequestTimeout,
    InvalidArguments,
    RequiredParamsMissing,
    InvalidCredentials,
    InvalidPermissions,
    NoResources,
    VerificationFailed,
    QueryFailed,
    QueriesDisabled,
    GitlabConnectionRequired,
    ConnectionInUse,
    ConnectionDisabled,
    CredentialExists,
    VersionMismatch,
    ExtractorRefused,
    ExtractorReplaced,
    ConnectionExtracted,
    NotYours,
    LeaseLost,
    CursorMoved,
    DatabaseUnavailable,
    Internal,
}

impl Code {
    fn status(self) -> StatusCode {
        match self {
            Code::NotAuthed | Code::InvalidAuth => StatusCode::UNAUTHORIZED,
            Code::MissingScope | Code::NotYours => StatusCode::FORBIDDEN,
            Code::UnknownMethod
            | Code::ConnectionNotFound
            | Code::CredentialNotFound
            | Code::SyncNotFound
            | Code::TaskNotFound
            | Code::PersonNotFound => StatusCode::NOT_FOUND,
            Code::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Code::InvalidJson => StatusCode::BAD_REQUEST,
            Code::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Code::RequestTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Code::RequestTimeout => StatusCode::REQUEST_TIMEOUT,
            Code::InvalidArguments
            | Code::RequiredParamsMissing
            | Code::InvalidCredentials
            | Code::InvalidPermissions
            | Code::NoResources
            | Code::VerificationFailed
            | Code::QueryFailed => StatusCode::UNPROCESSABLE_ENTITY,
            Code::GitlabConnectionRequired
            | Code::ConnectionInUse
            | Code::ConnectionDisabled
            | Code::CredentialExists
            | Code::VersionMismatch
            | Code::ExtractorRefused
            | Code::ExtractorReplaced
            | Code::ConnectionExtracted
            | Code::LeaseLost
            | Code::CursorMoved
            | Code::QueriesDisabled => StatusCode::CONFLICT,
            Code::DatabaseUnavailable => StatusCode::SERVICE_UNAVAILABLE,
            Code::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

/// `{"ok": false, "error": "...", "message": "..."}`.
#[derive(Debug)]
pub(crate) struct ApiError(Box<Refusal>);

#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Refusal {
    /// Always false.
    ok: bool,
    /// One word that clients act upon.
    error: Code,
    /// A sentence for people: what was wrong, and what to do.
    message: String,
    /// The argument that is meant, where it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<String>,
    /// A finer word: expired, revoked, scope_missing, unreachable, ...
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// The command to try by hand, with a placeholder for the token.
    #[serde(skip_serializing_if = "Option::is_none")]
    curl: Option<String>,
}

impl ApiError {
    pub(crate) fn new(error: Code, message: impl Into<String>) -> ApiError {
        let message = message.into();
        ApiError(Box::new(Refusal { ok: false, error, message, field: None, reason: None, curl: None }))
    }

    /// An argument that cannot be used.
    pub(crate) fn argument(field: &str, reason: impl std::fmt::Display) -> ApiError {
        let mut error = ApiError::new(Code::InvalidArguments, format!("{field}: {reason}."));
        error.0.field = Some(field.to_owned());
        error
    }

    /// An argument that is not there.
    pub(crate) fn missing(field: &str) -> ApiError {
        let mut error = ApiError::new(Code::RequiredParamsMissing, format!("{field} is required."));
        error.0.field = Some(field.to_owned());
        error
    }

    pub(crate) fn no_connection(id: i64) -> ApiError {
        ApiError::new(
            Code::ConnectionNotFound,
            format!("There is no connection {id}. connections.list has those there are."),
        )
    }

    pub(crate) fn no_credential(id: i64) -> ApiError {
        ApiError::new(
            Code::CredentialNotFound,
            format!("There is no credential {id} of this connection. credentials.list has those there are."),
        )
    }
}

impl From<Failure> for ApiError {
    fn from(failure: Failure) -> ApiError {
        let code = match failure.code {
            "invalid_credentials" => Code::InvalidCredentials,
            "invalid_permissions" => Code::InvalidPermissions,
            "no_resources" => Code::NoResources,
            _ => Code::VerificationFailed,
        };
        let mut error = ApiError::new(code, failure.message);
        (error.0.reason, error.0.curl) = (Some(failure.reason), failure.curl);
        error
    }
}

impl From<Bad> for ApiError {
    fn from(bad: Bad) -> ApiError {
        let field =
            if bad.field.is_empty() { "settings".to_owned() } else { format!("settings.{}", bad.field) };
        ApiError::argument(&field, bad.reason.trim_end_matches('.'))
    }
}

/// What the database said is for the log, not for whoever asked.
impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> ApiError {
        tracing::error!(%error, "the database failed a request");
        match error.is_outage() {
            true => ApiError::new(
                Code::DatabaseUnavailable,
                "The database does not answer at the moment. Try again shortly.",
            ),
            false => ApiError::new(Code::Internal, "Weir could not do this; its log says why."),
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let code = self.0.error;
        let mut response = (code.status(), Json(self.0)).into_response();
        if code.status() == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}
