//! Forms and queries as objects: `a=1&b[c]=2`.

use serde_json::{Map, Value};

use crate::api::error::{ApiError, Code};

/// Arguments in one form at most.
const MOST: usize = 1000;

/// Reads a form. A value that is a JSON object is taken for one; everything else is text.
pub(super) fn parse(body: &[u8]) -> Result<Map<String, Value>, ApiError> {
    let mut all = Map::new();
    for (count, (name, value)) in url::form_urlencoded::parse(body).enumerate() {
        if count >= MOST || name.contains('\u{0}') || value.contains('\u{0}') {
            return Err(ApiError::new(
                Code::InvalidArguments,
                "The form has too many fields, or a NUL in it.",
            ));
        }
        if !put(&mut all, &name, value.into_owned()) {
            // The name is the caller's, and shown only as far as a name goes.
            let name: String = name.chars().take(40).collect();
            return Err(ApiError::argument(&name, "it is given more than once"));
        }
    }
    Ok(all)
}

/// Puts an argument with the others; false where it is there already, and which of the two is meant nobody knows.
fn put(all: &mut Map<String, Value>, name: &str, value: String) -> bool {
    let inner = name.strip_suffix(']').and_then(|it| it.split_once('['));
    match inner {
        Some((outer, "")) => {
            match all.entry(outer).or_insert_with(|| Value::Array(Vec::new())) {
                Value::Array(list) => list.push(Value::String(value)),
                _ => return false,
            }
            true
        }
        Some((outer, inner)) => match all.entry(outer).or_insert_with(|| Value::Object(Map::new())) {
            Value::Object(object) => object.insert(inner.to_owned(), Value::String(value)).is_none(),
            _ => false,
        },
        None => {
            let object =
                value.trim_start().starts_with('{').then(|| serde_json::from_str(&value).ok()).flatten();
            all.insert(name.to_owned(), object.unwrap_or(Value::String(value))).is_none()
        }
    }
}
