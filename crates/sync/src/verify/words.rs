//! What verification says: codes, reasons, sentences, and the command to try by hand.

use gitlab_client::{BaseUrl, Error, ErrorKind, ForbiddenReason, NetworkFailure, UnauthorizedReason};

use crate::Failure;

/// The command that asks the same by hand, with a placeholder for the token.
pub fn curl(base: &BaseUrl, path: &str) -> String {
    format!(
        "curl -H 'PRIVATE-TOKEN: YOUR_ACCESS_TOKEN' -H 'Accept: application/json' '{}/api/v4/{path}'",
        base.as_str()
    )
}

/// The token works and reaches nothing.
pub(crate) fn nothing_to_read(base: &BaseUrl) -> Failure {
    let message = "The token reaches no group and no project. Add its user to a group, with the role Reporter or higher \
                   (Developer is the usual choice).";
    let mut failure = Failure::new("no_resources", "empty", message);
    failure.curl = Some(curl(base, "projects?membership=true"));
    failure
}

/// An error of the client in the words of verification.
pub(crate) fn failure(error: &Error, base: &BaseUrl, path: Option<&str>) -> Failure {
    let (code, reason) = code(error);
    let mut failure = Failure::new(code, reason, sentence(error, base, reason));
    failure.curl = path.filter(|it| !it.contains('{')).map(|it| curl(base, it));
    failure
}

fn code(error: &Error) -> (&'static str, &'static str) {
    match &error.kind {
        ErrorKind::Unauthorized { reason } => ("invalid_credentials", unauthorized(*reason)),
        ErrorKind::Forbidden { reason: ForbiddenReason::Blocked } => ("invalid_credentials", "user_blocked"),
        ErrorKind::Forbidden { reason } => ("invalid_permissions", crate::policy::forbidden(reason)),
        ErrorKind::NotFound | ErrorKind::Unreadable => ("failed", "not_gitlab"),
        ErrorKind::RateLimited { .. } => ("stopped", "rate_limited"),
        ErrorKind::Unavailable => ("failed", network(error.network)),
        ErrorKind::Refused => ("failed", "refused"),
    }
}

fn unauthorized(reason: UnauthorizedReason) -> &'static str {
    match reason {
        UnauthorizedReason::Expired => "expired",
        UnauthorizedReason::Revoked => "revoked",
        UnauthorizedReason::Unknown => "unknown_token",
        UnauthorizedReason::ImpersonationDisabled => "impersonation_disabled",
        UnauthorizedReason::ProofRequired => "proof_required",
        UnauthorizedReason::UserBlocked => "user_blocked",
        UnauthorizedReason::NoCredential => "no_token",
        _ => "unauthorized",
    }
}

fn network(failure: Option<NetworkFailure>) -> &'static str {
    match failure {
        Some(NetworkFailure::Tls) => "tls",
        Some(_) => "unreachable",
        None => "unavailable",
    }
}

fn sentence(error: &Error, base: &BaseUrl, reason: &str) -> String {
    match reason {
        "expired" => "The token has expired. Make a new one with the scope read_api.".to_owned(),
        "revoked" => "The token was revoked. Make a new one with the scope read_api.".to_owned(),
        "unknown_token" => format!(
            "{} does not know this token. Check that it is whole and from this GitLab.",
            base.as_str()
        ),
        "not_gitlab" => format!(
            "{} did not answer as a GitLab does ({}). Check the address given by --url.",
            base.as_str(),
            error.message.trim_end_matches('.')
        ),
        _ => error.message.to_string(),
    }
}
