//! The arguments of a method: JSON, a form, or a query, checked against what the method takes.

mod form;

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use super::error::{ApiError, Code};
use crate::Shared;
use crate::dawdling::TooSlow;

/// The arguments in the body of a request.
pub(crate) struct Arguments<T> {
    pub(crate) given: T,
    /// What the caller should know about them.
    pub(crate) warnings: Vec<String>,
}

/// What a method takes.
pub(crate) trait Takes: DeserializeOwned {
    /// The names of its arguments.
    const NAMES: &'static [&'static str];
}

impl<T: Takes> FromRequest<Shared> for Arguments<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, app: &Shared) -> Result<Self, ApiError> {
        let kind = request.headers().get(CONTENT_TYPE).and_then(|it| it.to_str().ok()).map(str::to_owned);
        check_encoding(request.headers())?;
        let body = Bytes::from_request(request, app).await.map_err(unread)?;
        let given = parse(kind.as_deref(), &body)?;
        let warnings = given
            .keys()
            .filter(|it| !T::NAMES.contains(&it.as_str()))
            .map(|it| format!("unknown argument {it:?} was ignored"))
            .collect();
        Ok(Arguments { given: understand(Value::Object(given))?, warnings })
    }
}

/// Nothing is unpacked: what is small when it comes may be large by then.
fn check_encoding(headers: &HeaderMap) -> Result<(), ApiError> {
    let encoding = headers.get(CONTENT_ENCODING).map(|it| it.to_str().unwrap_or("?").trim().to_lowercase());
    match encoding.as_deref() {
        None | Some("" | "identity") => Ok(()),
        Some(_) => Err(ApiError::new(
            Code::UnsupportedMediaType,
            "The body is compressed. Send it as it is, without Content-Encoding.",
        )),
    }
}

/// Why a body could not be read.
pub(super) fn unread(rejection: BytesRejection) -> ApiError {
    if TooSlow::is_behind(&rejection) {
        return ApiError::new(Code::RequestTimeout, "The body came too slowly. Send the request again.");
    }
    match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => {
            ApiError::new(Code::RequestTooLarge, "The body is larger than 1 MiB, the most that is taken.")
        }
        _ => ApiError::new(Code::InvalidJson, "The body ended before all of it was sent."),
    }
}

/// The arguments in the query of a request.
pub(crate) struct Query<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequestParts<Shared> for Query<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &Shared) -> Result<Self, ApiError> {
        let given = form::parse(parts.uri.query().unwrap_or_default().as_bytes())?;
        understand(Value::Object(given)).map(Query)
    }
}

/// A number in the path of a request.
pub(crate) fn number(field: &str, text: &str) -> Result<i64, ApiError> {
    text.parse().map_err(|_| ApiError::argument(field, format!("{text:?} is not a number")))
}

fn parse(kind: Option<&str>, body: &[u8]) -> Result<Map<String, Value>, ApiError> {
    let kind = kind.and_then(|it| it.split(';').next()).unwrap_or_default().trim().to_ascii_lowercase();
    let is_object = body.iter().find(|it| !it.is_ascii_whitespace()) == Some(&b'{');
    match kind.as_str() {
        // curl says that everything is a form unless told otherwise.
        "" | "application/x-www-form-urlencoded" if is_object => json(body),
        "" if body.is_empty() => Ok(Map::new()),
        "application/json" => json(body),
        "" | "application/x-www-form-urlencoded" => form::parse(body),
        other => Err(ApiError::new(
            Code::UnsupportedMediaType,
            format!("{other} is not understood. Send application/json or a form."),
        )),
    }
}

fn json(body: &[u8]) -> Result<Map<String, Value>, ApiError> {
    if body.iter().all(u8::is_ascii_whitespace) {
        return Ok(Map::new());
    }
    let wrong =
        |why: String| ApiError::new(Code::InvalidJson, format!("The body is not a JSON object: {why}."));
    match serde_json::from_slice(body) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(_) => Err(wrong("it is another value".to_owned())),
        // The place is enough: the words around it may be a token.
        Err(error) => Err(wrong(format!("line {}, column {}", error.line(), error.column()))),
    }
}

fn understand<T: DeserializeOwned>(given: Value) -> Result<T, ApiError> {
    if has_nul(&given) {
        return Err(ApiError::new(
            Code::InvalidArguments,
            "There is a NUL in one of the arguments, which no text may have.",
        ));
    }
    serde_path_to_error::deserialize(given).map_err(|error| {
        let (path, why) = (error.path().to_string(), error.inner().to_string());
        match why.strip_prefix("missing field `").and_then(|it| it.split('`').next()) {
            Some(field) if path == "." => ApiError::missing(field),
            Some(field) => ApiError::missing(&format!("{path}.{field}")),
            None => ApiError::argument(&path, hide(&why)),
        }
    })
}

/// PostgreSQL keeps no text with U+0000 in it.
fn has_nul(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\u{0}'),
        Value::Array(values) => values.iter().any(has_nul),
        Value::Object(values) => values.iter().any(|(name, value)| name.contains('\u{0}') || has_nul(value)),
        _ => false,
    }
}

/// serde repeats the value it could not use, which may be a token: only what was expected is told.
fn hide(why: &str) -> String {
    match why.find("expected ") {
        Some(at) => why[at..].trim_end_matches('.').to_owned(),
        None => why.trim_end_matches('.').to_owned(),
    }
}

/// A number, or the text of one, as forms have it.
pub(crate) fn id<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    optional_number(deserializer)?.ok_or_else(|| D::Error::custom("expected a number"))
}

/// A number or nothing.
pub(crate) fn optional_number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    let given = match Value::deserialize(deserializer)? {
        Value::Null => return Ok(None),
        Value::String(text) => serde_json::from_str(text.trim()).ok(),
        value => Some(value),
    };
    let number = given.as_ref().and_then(whole);
    number.map(Some).ok_or_else(|| D::Error::custom("expected a number"))
}

/// 7, and 7.0 too: JSON knows no difference.
fn whole(value: &Value) -> Option<i64> {
    // Beyond this, doubles are no longer exact.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    let exact = |it: &f64| it.fract() == 0.0 && it.abs() <= EXACT;
    value.as_i64().or_else(|| value.as_f64().filter(exact).map(|it| it as i64))
}

/// true or false, also as text.
pub(crate) fn flag<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    let wrong = || D::Error::custom("expected true or false");
    match Value::deserialize(deserializer)? {
        Value::Bool(flag) => Ok(flag),
        Value::String(text) => text.trim().parse().map_err(|_| wrong()),
        _ => Err(wrong()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(kind: &str, body: &str) -> Value {
        parse(Some(kind), body.as_bytes()).map(Value::Object).unwrap()
    }

    #[test]
    fn json_and_forms_say_the_same() {
        let json = parsed("application/json; charset=utf-8", r#"{"id":"7","secrets":{"api_token":"t"}}"#);
        let form = parsed("application/x-www-form-urlencoded", "id=7&secrets%5Bapi_token%5D=t");
        let object = parsed("application/x-www-form-urlencoded", r#"id=7&secrets={"api_token":"t"}"#);
        assert_eq!(json, form);
        assert_eq!(json, object);
        // What curl sends unless it is told what it sends.
        let forgotten = r#" {"id":"7","secrets":{"api_token":"t"}}"#;
        assert_eq!(json, parsed("application/x-www-form-urlencoded", forgotten));
        assert!(parse(Some("text/xml"), b"<a/>").is_err());
        assert!(parse(Some("application/json"), b"[1]").is_err() && parse(None, b"").unwrap().is_empty());
    }

    #[test]
    fn numbers_are_taken_as_json_and_forms_have_them() {
        #[derive(Deserialize)]
        struct Given {
            #[serde(deserialize_with = "id")]
            id: i64,
            #[serde(default, deserialize_with = "optional_number")]
            most: Option<i64>,
        }
        let read = |value: Value| understand::<Given>(value).ok().map(|it| (it.id, it.most));
        for seven in [serde_json::json!(7), serde_json::json!(7.0), serde_json::json!(" 7 ")] {
            assert_eq!(read(serde_json::json!({ "id": seven, "most": null })), Some((7, None)));
        }
        for wrong in [
            serde_json::json!(null),
            serde_json::json!(7.5),
            serde_json::json!(1e300),
            serde_json::json!("x"),
        ] {
            assert_eq!(read(serde_json::json!({ "id": wrong })), None);
        }
    }

    #[test]
    fn what_was_sent_is_not_repeated() {
        #[derive(Deserialize)]
        struct Given {
            #[serde(rename = "token")]
            _token: bool,
        }
        let error = understand::<Given>(serde_json::json!({"token": "glpat-secret"})).err().unwrap();
        assert!(!format!("{error:?}").contains("glpat"), "{error:?}");
    }
}
