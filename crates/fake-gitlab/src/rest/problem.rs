//! Answers other than success, worded as GitLab words them.

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::Reply;

/// Why there is no ordinary answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Problem {
    /// Absent or out of sight; GitLab's sentence says of what kind.
    NotFound(&'static str),
    /// A route this edition does not have.
    NoRoute,
    /// Seen, but not allowed.
    Forbidden,
    /// A parameter that is not understood.
    BadRequest(String),
    /// Parameters that are understood but do not go together.
    Contradiction(&'static str),
    /// An offset beyond the instance's bound; the type of object asked for.
    OffsetTooHigh(usize, &'static str),
    /// Keyset pagination over an order that does not have it.
    NoKeyset,
    /// A route that this version has with other verbs alone.
    NoSuchVerb,
    /// A project under a former path; its present address.
    Moved(String),
    /// Values that are understood and cannot be stored; the whole body says why.
    Unprocessable(Value),
}

impl Problem {
    /// Something that cannot be done now, for a reason.
    pub fn refused(reason: &str) -> Self {
        Self::Unprocessable(json!({ "message": reason }))
    }
}

impl From<Problem> for Reply {
    fn from(problem: Problem) -> Self {
        match problem {
            Problem::NotFound(message) => Reply::json(StatusCode::NOT_FOUND, &json!({ "message": message })),
            Problem::NoRoute => Reply::json(StatusCode::NOT_FOUND, &json!({ "error": "404 Not Found" })),
            Problem::Forbidden => Reply::json(StatusCode::FORBIDDEN, &json!({ "message": "403 Forbidden" })),
            Problem::BadRequest(error) => Reply::json(StatusCode::BAD_REQUEST, &json!({ "error": error })),
            Problem::Contradiction(reason) => {
                let message = format!("400 Bad request - {reason}");
                Reply::json(StatusCode::BAD_REQUEST, &json!({ "message": message }))
            }
            Problem::OffsetTooHigh(limit, kind) => offset_too_high(limit, kind),
            Problem::NoKeyset => {
                let error = "Keyset pagination is not yet available for this type of request";
                Reply::json(StatusCode::METHOD_NOT_ALLOWED, &json!({ "error": error }))
            }
            Problem::NoSuchVerb => {
                Reply::json(StatusCode::METHOD_NOT_ALLOWED, &json!({ "error": "405 Not Allowed" }))
            }
            Problem::Moved(to) => moved(to),
            Problem::Unprocessable(body) => Reply::json(StatusCode::UNPROCESSABLE_ENTITY, &body),
        }
    }
}

fn offset_too_high(limit: usize, kind: &str) -> Reply {
    let error = format!(
        "Offset pagination has a maximum allowed offset of {limit} for requests that return objects of type \
         {kind}. Remaining records can be retrieved using keyset pagination."
    );
    Reply::json(StatusCode::METHOD_NOT_ALLOWED, &json!({ "error": error }))
}

fn moved(to: String) -> Reply {
    let text = format!("This resource has been moved permanently to {to}");
    Reply::text(StatusCode::MOVED_PERMANENTLY, &text).with_header("location", to)
}
