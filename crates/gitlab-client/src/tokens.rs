//! What GitLab tells about a token.

use chrono::{DateTime, NaiveDate, Utc};
use serde::Deserialize;

/// What `GET /personal_access_tokens/self` tells about the token that asked.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct TokenInfo {
    /// What the token may do, such as `read_api`.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// The token dies at 00:00 UTC of this day. `None`: never.
    pub expires_at: Option<NaiveDate>,
    /// Whose token it is.
    pub user_id: i64,
    /// Neither revoked nor expired.
    #[serde(default = "yes")]
    pub active: bool,
    /// What its owner calls it.
    pub name: Option<String>,
    /// When it was made.
    #[serde(default)]
    pub created_at: Option<DateTime<Utc>>,
}

fn yes() -> bool {
    true
}

impl TokenInfo {
    /// Reads the answer of `GET /personal_access_tokens/self`.
    pub fn parse(body: &[u8]) -> Result<TokenInfo, serde_json::Error> {
        serde_json::from_slice(body)
    }

    /// Whether the token may read everything Weir reads.
    pub fn can_read_api(&self) -> bool {
        self.scopes.iter().any(|scope| scope == "api" || scope == "read_api")
    }

    /// Whether the token may replace itself by a new one.
    pub fn can_rotate(&self) -> bool {
        self.scopes.iter().any(|scope| scope == "api" || scope == "self_rotate")
    }

    /// Days until the token dies; negative once it is dead.
    pub fn days_left(&self, today: NaiveDate) -> Option<i64> {
        self.expires_at.map(|day| (day - today).num_days())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_tells_its_scopes_and_its_last_day() {
        let body = br#"{"id":4,"name":"weir","revoked":false,"created_at":"2026-01-01T00:00:00.000Z",
            "scopes":["read_api"],"user_id":9,"last_used_at":null,"active":true,"expires_at":"2026-12-31"}"#;
        let info = TokenInfo::parse(body).unwrap();
        assert!(info.can_read_api() && info.active);
        assert_eq!((info.user_id, info.name.as_deref()), (9, Some("weir")));
        assert_eq!(info.days_left(NaiveDate::from_ymd_opt(2026, 12, 1).unwrap()), Some(30));
    }

    #[test]
    fn an_old_server_tells_less() {
        let info = TokenInfo::parse(br#"{"user_id":9,"scopes":["read_user"],"expires_at":null}"#).unwrap();
        assert!(!info.can_read_api());
        assert_eq!((info.expires_at, info.active), (None, true));
    }
}
