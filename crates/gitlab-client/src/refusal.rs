//! The errors this client words itself.

use crate::error::{Error, ErrorKind, ForbiddenReason, UnauthorizedReason};
use crate::network::NetworkFailure;
use crate::pool::Nobody;

/// No credential is left for a request.
pub(crate) fn nobody(nobody: Nobody) -> Error {
    match nobody {
        Nobody::LacksScope(needed) => lacks_scope(needed),
        Nobody::Unauthorized(UnauthorizedReason::NoCredential) => {
            let kind = ErrorKind::Unauthorized { reason: UnauthorizedReason::NoCredential };
            Error::new(kind, "there is no token for this request. Add one.")
        }
        Nobody::Unauthorized(reason) => bad_token(reason),
    }
}

/// GitLab will not take this token again.
pub(crate) fn bad_token(reason: UnauthorizedReason) -> Error {
    if reason == UnauthorizedReason::UserBlocked {
        let kind = ErrorKind::Forbidden { reason: ForbiddenReason::Blocked };
        return Error::new(kind, format!("GitLab refused the token: {reason}."));
    }
    Error::new(ErrorKind::Unauthorized { reason }, format!("GitLab refused the token: {reason}. Replace it."))
}

/// A job token met an endpoint that does not take it.
pub(crate) fn job_token() -> Error {
    let kind = ErrorKind::Forbidden { reason: ForbiddenReason::JobToken };
    Error::new(kind, "a job token may not read this.")
}

/// The token is good, but not for this.
pub(crate) fn lacks_scope(needed: Box<str>) -> Error {
    let message = format!("the token lacks a scope; one of these would do: {needed}.");
    Error::new(ErrorKind::Forbidden { reason: ForbiddenReason::InsufficientScope { needed } }, message)
}

/// Something that is not GitLab refused.
pub(crate) fn foreign(host: &str) -> Error {
    let kind = ErrorKind::Forbidden { reason: ForbiddenReason::Foreign };
    Error::new(
        kind,
        format!("something before GitLab (a proxy, a firewall) on the way to {host} refused this."),
    )
}

/// No whole answer came back.
pub(crate) fn unavailable(failure: NetworkFailure, host: &str) -> Error {
    let kind =
        if failure == NetworkFailure::CutBody { ErrorKind::Unreadable } else { ErrorKind::Unavailable };
    Error { network: Some(failure), ..Error::new(kind, failure.sentence(host)) }
}

/// What came back is not what GitLab sends.
pub(crate) fn unreadable(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Unreadable, message)
}
