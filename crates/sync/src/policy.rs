//! What to do about an error, decided in one place and exhaustively.

use gitlab_client::{Error, ErrorKind, ForbiddenReason};

/// What happens next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Decision {
    /// Leave this part out, with a typed reason, and go on.
    Skip(&'static str),
    /// Try this part again later in the same run.
    Later,
    /// End the run: no credential works any more.
    StopCredentials,
    /// End the run: GitLab asks for more patience than we have. It goes on where it stopped.
    StopLimited,
}

/// The decision on an error met while reading one part.
pub(crate) fn decide(error: &Error) -> Decision {
    match &error.kind {
        ErrorKind::Unauthorized { .. } => Decision::StopCredentials,
        // The last credential's user may do nothing any more.
        ErrorKind::Forbidden { reason: ForbiddenReason::Blocked } => Decision::StopCredentials,
        // Not GitLab's own answer: nothing may be concluded from it.
        ErrorKind::Forbidden { reason: ForbiddenReason::Foreign } => Decision::Later,
        ErrorKind::Forbidden { reason } => Decision::Skip(forbidden(reason)),
        ErrorKind::NotFound => Decision::Skip("not_found_or_no_access"),
        ErrorKind::RateLimited { .. } => Decision::StopLimited,
        ErrorKind::Unavailable | ErrorKind::Unreadable => Decision::Later,
        ErrorKind::Refused => Decision::Skip("refused"),
    }
}

/// One word for why a good token may not read something.
pub(crate) fn forbidden(reason: &ForbiddenReason) -> &'static str {
    match reason {
        ForbiddenReason::InsufficientScope { .. } => "scope_missing",
        ForbiddenReason::Blocked => "user_blocked",
        ForbiddenReason::FeatureOff => "feature_disabled",
        ForbiddenReason::JobToken => "job_token",
        ForbiddenReason::Foreign => "blocked_by_proxy",
        _ => "forbidden",
    }
}
