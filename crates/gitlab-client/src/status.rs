//! What an answer means: the one table from status, headers and body to what happens next.

use reqwest::header::HeaderMap;
use serde::Deserialize;
use serde_json::Value;

use crate::allow::GRAPHQL;
use crate::auth::TokenKind;
use crate::body::is_json;
use crate::error::{ErrorKind, ForbiddenReason, UnauthorizedReason};

/// What an answer means.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Meaning {
    Good,
    NotModified,
    Moved,
    /// Wait. GitLab's application limiter counts one endpoint, the other everything of a token.
    Limited {
        endpoint_only: bool,
    },
    /// This token will never work again.
    BadToken(UnauthorizedReason),
    /// Perhaps this token is bad, perhaps the endpoint always answers so.
    Unauthenticated,
    /// The same for a job token, which most endpoints do not take.
    JobTokenRefused,
    LacksScope(Box<str>),
    /// Something that is not GitLab refuses.
    ForeignForbidden,
    /// The server is in trouble.
    Failing,
    /// Not what GitLab sends.
    Unreadable(&'static str),
    /// GitLab's last word on this request.
    Final(ErrorKind, String),
}

/// The parts of GitLab's error bodies.
#[derive(Debug, Default, Deserialize)]
struct Complaint {
    error: Option<Value>,
    error_description: Option<String>,
    message: Option<Value>,
    scope: Option<String>,
    errors: Option<Value>,
}

impl Complaint {
    /// `None` if GitLab did not write this.
    fn read(body: &[u8]) -> Option<Self> {
        let complaint: Complaint = serde_json::from_slice(body).ok()?;
        let says = complaint.error.is_some() || complaint.message.is_some() || complaint.errors.is_some();
        says.then_some(complaint)
    }

    /// Everything it says, as one line.
    fn text(&self) -> String {
        let values = [&self.message, &self.error].into_iter().flatten().map(plain);
        let parts: Vec<String> =
            values.chain(self.error_description.clone()).chain(self.errors.as_ref().map(plain)).collect();
        parts.join(": ").chars().take(300).collect()
    }

    fn is(&self, error: &str) -> bool {
        self.error.as_ref().and_then(Value::as_str) == Some(error)
    }
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Names an answer.
pub(crate) fn meaning(
    status: u16,
    headers: &HeaderMap,
    body: &[u8],
    kind: TokenKind,
    endpoint: &str,
) -> Meaning {
    let complaint = || Complaint::read(body);
    match status {
        204 => Meaning::Good,
        200..=299 if is_json(body) => good(body, endpoint),
        200..=299 => Meaning::Unreadable(not_json(body)),
        304 => Meaning::NotModified,
        301 | 302 | 303 | 307 | 308 => Meaning::Moved,
        401 => complaint().map_or_else(|| foreign(status, headers), |it| unauthorized(&it, kind)),
        403 => complaint().map_or(Meaning::ForeignForbidden, |it| forbidden(&it)),
        404 => complaint().map_or_else(
            || foreign(status, headers),
            |it| {
                last_word(
                    ErrorKind::NotFound,
                    "GitLab does not have it, or does not show it to this token",
                    &it,
                )
            },
        ),
        429 => Meaning::Limited { endpoint_only: names_endpoint(body) },
        408 | 425 | 500..=599 => Meaning::Failing,
        _ => last_word(
            ErrorKind::Refused,
            "GitLab refuses this request as it is",
            &complaint().unwrap_or_default(),
        ),
    }
}

/// Whether this is the answer to an address that GitLab serves nothing at. Of what is absent or out of sight it says so
/// in `message`; `error` is the word of the router, which knows no such route.
pub(crate) fn unknown_endpoint(status: u16, body: &[u8]) -> bool {
    let router = |it: Complaint| it.is("404 Not Found") && it.message.is_none();
    status == 404 && Complaint::read(body).is_some_and(router)
}

/// GraphQL reports the application limiter with status 200.
fn good(body: &[u8], endpoint: &str) -> Meaning {
    if endpoint == GRAPHQL && body.len() < 4096 && names_endpoint(body) {
        return Meaning::Limited { endpoint_only: true };
    }
    Meaning::Good
}

fn names_endpoint(body: &[u8]) -> bool {
    memchr::memmem::find(body, b"endpoint has been requested too many times").is_some()
}

fn not_json(body: &[u8]) -> &'static str {
    match body.trim_ascii().first() {
        None => "the body is empty",
        Some(b'<') => "it is a page for people (HTML), as a sign-in page or a proxy sends it",
        Some(_) => "it is not JSON, or was cut short",
    }
}

fn foreign(status: u16, headers: &HeaderMap) -> Meaning {
    Meaning::Unreadable(match status {
        401 if headers.contains_key("www-authenticate") => {
            "something before GitLab asks for a sign-in of its own"
        }
        401 => "it is a 401 that is not GitLab's",
        _ => "it is a 404 that is not GitLab's: is this the address of a GitLab server?",
    })
}

fn unauthorized(complaint: &Complaint, kind: TokenKind) -> Meaning {
    let text = complaint.text();
    if complaint.is("dpop_error") {
        Meaning::BadToken(UnauthorizedReason::ProofRequired)
    } else if complaint.is("invalid_token") {
        Meaning::BadToken(bad_token(&text))
    } else if kind == TokenKind::Job {
        Meaning::JobTokenRefused
    } else if text.contains("Invalid token") {
        Meaning::BadToken(UnauthorizedReason::Unknown)
    } else {
        Meaning::Unauthenticated
    }
}

fn bad_token(text: &str) -> UnauthorizedReason {
    let text = text.to_ascii_lowercase();
    if text.contains("expired") {
        UnauthorizedReason::Expired
    } else if text.contains("revoked") {
        UnauthorizedReason::Revoked
    } else if text.contains("impersonation") {
        UnauthorizedReason::ImpersonationDisabled
    } else {
        UnauthorizedReason::Unknown
    }
}

fn forbidden(complaint: &Complaint) -> Meaning {
    if complaint.is("insufficient_scope") {
        return Meaning::LacksScope(complaint.scope.clone().unwrap_or_default().into());
    }
    let text = complaint.text().to_ascii_lowercase();
    let mentions = |words: &[&str]| words.iter().any(|word| text.contains(word));
    if mentions(&[
        "has been blocked",
        "account is blocked",
        "deactivated",
        "accept the terms",
        "pending approval",
        "password expired",
        "password has expired",
    ]) {
        return Meaning::BadToken(UnauthorizedReason::UserBlocked);
    }
    let reason = if mentions(&["disabled", "not available", "not enabled", "feature", "license", "licence"]) {
        ForbiddenReason::FeatureOff
    } else {
        ForbiddenReason::Other
    };
    last_word(ErrorKind::Forbidden { reason }, "GitLab does not let this token read it", complaint)
}

fn last_word(kind: ErrorKind, sentence: &str, complaint: &Complaint) -> Meaning {
    let text = complaint.text();
    let message = if text.is_empty() { format!("{sentence}.") } else { format!("{sentence}: {text}") };
    Meaning::Final(kind, message)
}

#[cfg(test)]
mod tests;
