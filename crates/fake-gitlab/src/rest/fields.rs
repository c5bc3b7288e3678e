//! What a request sends to be stored: as JSON, as a form, or in the address. GitLab takes them alike.

use serde_json::{Map, Value, json};
use url::form_urlencoded;

use super::Problem;
use crate::hooks::Pair;

/// Named values.
#[derive(Debug, Clone, Default)]
pub struct Fields(Map<String, Value>);

impl Fields {
    /// Reads query and body; the body counts where both name the same.
    pub fn parse(query: &str, content_type: &str, body: &[u8]) -> Result<Self, Problem> {
        let mut fields = Self::default();
        fields.add_form(query.as_bytes());
        match content_type.split(';').next().unwrap_or_default().trim() {
            "application/json" if !body.is_empty() => {
                let unreadable = |_| Problem::BadRequest("Problem parsing JSON".to_owned());
                fields.0.extend(serde_json::from_slice::<Map<String, Value>>(body).map_err(unreadable)?);
            }
            _ => fields.add_form(body),
        }
        Ok(fields)
    }

    fn add_form(&mut self, raw: &[u8]) {
        for (name, value) in form_urlencoded::parse(raw) {
            match name.split_once("[][") {
                Some((list, part)) => self.add_part(list, part.trim_end_matches(']'), &value),
                None => {
                    self.0.insert(name.into_owned(), json!(value));
                }
            }
        }
    }

    /// `list[][key]=a` begins an element, and every other part belongs to the last one.
    fn add_part(&mut self, list: &str, part: &str, value: &str) {
        let list = self.0.entry(list).or_insert_with(|| json!([]));
        let Some(elements) = list.as_array_mut() else { return };
        match elements.last_mut() {
            Some(last) if last.get(part).is_none() => last[part] = json!(value),
            _ => elements.push(json!({ part: value })),
        }
    }

    /// A text, if it was sent; none for null.
    pub fn text(&self, name: &str) -> Option<Option<String>> {
        self.0.get(name).map(|value| match value {
            Value::Null => None,
            Value::String(text) => Some(text.clone()),
            other => Some(other.to_string()),
        })
    }

    /// A switch, if it was sent.
    pub fn switch(&self, name: &str) -> Result<Option<bool>, Problem> {
        let invalid = || Problem::BadRequest(format!("{name} is invalid"));
        match self.0.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Bool(on)) => Ok(Some(*on)),
            Some(Value::String(text)) => match text.as_str() {
                "true" | "1" | "t" | "on" => Ok(Some(true)),
                "false" | "0" | "f" | "off" => Ok(Some(false)),
                _ => Err(invalid()),
            },
            Some(_) => Err(invalid()),
        }
    }

    /// A list of keys with values, if it was sent.
    pub fn pairs(&self, name: &str) -> Result<Option<Vec<Pair>>, Problem> {
        let invalid = || Problem::BadRequest(format!("{name} is invalid"));
        let Some(value) = self.0.get(name).filter(|it| !it.is_null()) else { return Ok(None) };
        let pair = |it: &Value| {
            let text = |part: &str| it[part].as_str().map(str::to_owned);
            Some(Pair { key: text("key")?, value: text("value").unwrap_or_default() })
        };
        let pairs: Option<Vec<Pair>> = value.as_array().ok_or_else(invalid)?.iter().map(pair).collect();
        pairs.map(Some).ok_or_else(invalid)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_and_forms_say_the_same() {
        let body = br#"{"url":"http://a","push_events":false,"custom_headers":[{"key":"A","value":"1"}]}"#;
        let json = Fields::parse("", "application/json; charset=utf-8", body).unwrap();
        let body =
            b"url=http%3A%2F%2Fa&push_events=false&custom_headers%5B%5D%5Bkey%5D=A&custom_headers[][value]=1";
        let form = Fields::parse("", "application/x-www-form-urlencoded", body).unwrap();
        for fields in [json, form] {
            assert_eq!(fields.text("url"), Some(Some("http://a".to_owned())));
            assert_eq!(fields.switch("push_events"), Ok(Some(false)));
            let pair = Pair { key: "A".to_owned(), value: "1".to_owned() };
            assert_eq!(fields.pairs("custom_headers"), Ok(Some(vec![pair])));
        }
    }

    #[test]
    fn what_is_not_understood_is_named() {
        let fields = Fields::parse("push_events=maybe", "", b"").unwrap();
        assert_eq!(
            fields.switch("push_events"),
            Err(Problem::BadRequest("push_events is invalid".to_owned()))
        );
        assert!(Fields::parse("", "application/json", b"{").is_err());
    }
}
