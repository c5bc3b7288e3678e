//! Cursors of pages: base64 of JSON with the sort column (times in microseconds) and the id. Opaque to clients.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::world::model::Id;

/// Where an element stands in its list's order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Cursor {
    pub value: i64,
    pub id: Id,
}

impl Cursor {
    pub(super) fn encode(self, column: &str) -> String {
        STANDARD.encode(format!(r#"{{"{column}":"{}","id":"{}"}}"#, self.value, self.id))
    }

    /// None where the text is no cursor of a list sorted by this column.
    pub(super) fn decode(text: &str, column: &str) -> Option<Self> {
        let json: Value = serde_json::from_slice(&STANDARD.decode(text).ok()?).ok()?;
        let number = |name: &str| json.get(name)?.as_str()?.parse().ok();
        Some(Self { value: number(column)?, id: number("id")? })
    }
}
