//! What is said when GitLab does not do what is asked of its webhooks.

use gitlab_client::{Error, ErrorKind, ForbiddenReason};

use super::places::{Kind, Place};
use crate::Failure;

/// What was tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Doing {
    Reading,
    Making,
    Changing,
    Trying,
}

/// A place that is not there.
pub(super) fn not_found(error: &Error, kind: Kind, name: &str) -> Failure {
    if error.kind != ErrorKind::NotFound {
        return other(error, &format!("{} {name}", kind.word()));
    }
    let message = format!(
        "There is no {} {name}, or the token does not see it. Check the path, and that the user of the token is a member.",
        kind.word()
    );
    Failure::new("invalid_permissions", "not_found", message)
}

/// Something other than a list of hooks came back.
pub(super) fn unreadable(place: &Place) -> Failure {
    let message = format!("GitLab's answer about the webhooks of {} cannot be understood.", place.words());
    Failure::new("failed", "unreadable", message)
}

/// GitLab does not let the token do it, or does not take what it was given.
pub(super) fn refused(error: &Error, place: &Place, doing: Doing) -> Failure {
    let at = place.words();
    match &error.kind {
        ErrorKind::NotFound if place.kind == Kind::Group && error.unknown_endpoint => no_premium(&at),
        ErrorKind::NotFound if place.kind == Kind::System && doing == Doing::Changing => no_change(),
        ErrorKind::Forbidden { reason: ForbiddenReason::InsufficientScope { .. } } => scope(&at, doing),
        ErrorKind::Forbidden { reason: ForbiddenReason::Blocked | ForbiddenReason::Foreign } => {
            other(error, &at)
        }
        ErrorKind::NotFound | ErrorKind::Forbidden { .. } => role(place, &at),
        ErrorKind::Refused => invalid(error, place, &at, doing),
        _ => other(error, &at),
    }
}

fn no_premium(at: &str) -> Failure {
    let message = format!(
        "{at}: this GitLab has no webhooks of groups, which take GitLab Premium. Give a hook to each project (--project), or \
         one to the whole instance (--system)."
    );
    Failure::new("invalid_permissions", "no_premium", message)
}

fn no_change() -> Failure {
    let message = "This GitLab cannot change system hooks by its API (17.1 and newer can). Change it by hand: Admin, System hooks.";
    Failure::new("failed", "no_change", message)
}

fn scope(at: &str, doing: Doing) -> Failure {
    let needed = if doing == Doing::Reading { "read_api" } else { "api" };
    let message = format!(
        "{at}: the token lacks the scope {needed}. Making and changing webhooks takes the scope api: make a token for this \
         command alone, and delete it afterwards."
    );
    Failure::new("invalid_permissions", "scope_missing", message)
}

/// That a role is missing and that a licence is missing cannot be told apart from outside.
fn role(place: &Place, at: &str) -> Failure {
    let message = match place.kind {
        Kind::Project => format!(
            "{at}: GitLab does not let the token handle its webhooks. That takes the role Maintainer in the project."
        ),
        Kind::Group => format!(
            "{at}: GitLab does not let the token handle its webhooks. That takes the role Owner in the group, and GitLab \
             Premium. Without Premium give a hook to each project (--project), or one to the whole instance (--system)."
        ),
        Kind::System => format!(
            "{at}: GitLab does not let the token handle them. That takes the token of an administrator; where admin mode is \
             on, with the scope admin_mode."
        ),
    };
    Failure::new("invalid_permissions", "forbidden", message)
}

fn invalid(error: &Error, place: &Place, at: &str, doing: Doing) -> Failure {
    let told = error.message.to_lowercase();
    if error.status == Some(405) && place.kind == Kind::System {
        return no_change();
    }
    if told.contains("invalid url") || told.contains("url is blocked") {
        return local(at, place.kind);
    }
    if told.contains("maximum number of") {
        let message = format!(
            "{at} has as many webhooks as GitLab allows. Delete one that is not needed any more, or make the hook in a group \
             above it."
        );
        return Failure::new("failed", "hook_limit", message);
    }
    let verb = if doing == Doing::Making { "make" } else { "change" };
    Failure::new("failed", "refused", format!("{at}: GitLab does not {verb} the hook. {}", error.message))
}

fn local(at: &str, kind: Kind) -> Failure {
    let switch = match kind {
        Kind::System => "Allow requests to the local network from system hooks",
        _ => "Allow requests to the local network from webhooks and integrations",
    };
    let message = format!(
        "{at}: GitLab refuses the address of Weir. An address in GitLab's own network has to be allowed by an administrator: \
         Admin, Settings, Network, Outbound requests: \"{switch}\", or better only this address in the list below it. \
         Otherwise GitLab cannot resolve its name."
    );
    Failure::new("failed", "address_refused", message)
}

fn other(error: &Error, at: &str) -> Failure {
    let code = match &error.kind {
        ErrorKind::Unauthorized { .. } => "invalid_credentials",
        ErrorKind::Forbidden { .. } => "invalid_permissions",
        ErrorKind::RateLimited { .. } => "stopped",
        _ => "failed",
    };
    Failure::new(code, error.kind.name(), format!("{at}: {}", error.message))
}
