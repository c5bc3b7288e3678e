//! What the Weir outside answers.

use serde::Deserialize;
use serde_json::value::RawValue;
use store::StoreError;

use crate::Refused;

/// What becomes of a call.
#[derive(Debug)]
pub(crate) enum Verdict {
    /// It was carried out, and this came of it.
    Done(Vec<u8>),
    /// It was refused, and will be again; the rest may go on.
    Failed(StoreError),
    /// Nothing will go on until somebody does something.
    Refused(Refused),
    /// It is to be sent again later.
    Later(String),
}

#[derive(Deserialize)]
struct Answer {
    ok: bool,
    #[serde(default)]
    error: String,
    #[serde(default)]
    message: String,
}

#[derive(Deserialize)]
struct Result<'a> {
    #[serde(borrow)]
    result: &'a RawValue,
}

/// Codes of errors that no repetition will mend.
const FINAL: [&str; 8] = [
    "not_authed",
    "invalid_auth",
    "missing_scope",
    "unknown_method",
    "version_mismatch",
    "extractor_refused",
    "extractor_replaced",
    "gitlab_connection_required",
];
/// Codes of errors of the Weir itself, or of the way to it, which pass.
const PASSING: [&str; 2] = ["database_unavailable", "request_timeout"];

/// Reads an answer. What is not Weir's own (a gateway's page) passes.
pub(crate) fn read(status: u16, body: &[u8]) -> Verdict {
    let Ok(answer) = serde_json::from_slice::<Answer>(body) else {
        return Verdict::Later(format!("it answered {status}, and not as Weir does"));
    };
    if answer.ok {
        let result = serde_json::from_slice::<Result>(body).map_or(body, |it| it.result.get().as_bytes());
        return Verdict::Done(result.to_vec());
    }
    let Answer { error, message, .. } = answer;
    match error.as_str() {
        "lease_lost" => Verdict::Failed(StoreError::LeaseLost),
        "cursor_moved" => Verdict::Failed(StoreError::CursorMoved),
        code if PASSING.contains(&code) || status == 429 => Verdict::Later(message),
        code if FINAL.contains(&code) => Verdict::Refused(Refused { code: error, message }),
        _ => Verdict::Failed(StoreError::Refused(message)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_says_what_happens_next() {
        assert!(matches!(read(200, br#"{"ok":true,"result":[7]}"#), Verdict::Done(it) if it == b"[7]"));
        assert!(matches!(read(200, br#"{"ok":true,"result":null}"#), Verdict::Done(it) if it == b"null"));
        assert!(matches!(read(200, br#"{"ok":true,"owner":"x"}"#), Verdict::Done(it) if it.ends_with(b"}")));
        let error = |code: &str| format!(r#"{{"ok":false,"error":"{code}","message":"a sentence"}}"#);
        assert!(matches!(read(409, error("lease_lost").as_bytes()), Verdict::Failed(StoreError::LeaseLost)));
        assert!(matches!(read(401, error("invalid_auth").as_bytes()), Verdict::Refused(_)));
        assert!(matches!(read(403, error("not_yours").as_bytes()), Verdict::Failed(StoreError::Refused(_))));
        assert!(matches!(read(503, error("database_unavailable").as_bytes()), Verdict::Later(_)));
        assert!(matches!(read(502, b"<html>Bad gateway"), Verdict::Later(_)));
        assert!(matches!(read(200, br#"{"ok":true,"result":[7"#), Verdict::Later(_)));
    }
}
