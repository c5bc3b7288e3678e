//! What came back.

use bytes::Bytes;
use chrono::{DateTime, Utc};
use serde::Deserialize;
use url::Url;

use crate::auth::CredentialId;
use crate::paging::Next;

/// The answer to a read of an endpoint: one whole JSON value, or "not modified".
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Answer {
    /// The status: 200, 204 or 304.
    pub status: u16,
    /// The body. Empty for 204 and 304.
    pub body: Bytes,
    /// The next page, if the answer announces one.
    pub next: Option<Next>,
    /// Gives the content a name, for [`Request::etag`](crate::Request::etag).
    pub etag: Option<String>,
    /// The content is still the one the request named.
    pub not_modified: bool,
    /// How many rows all pages hold. Absent above 10,000, and never told for commits.
    pub total: Option<u64>,
    /// When the request was sent, by our clock.
    pub sent_at: DateTime<Utc>,
    /// When it was answered, by the server's clock.
    pub date: Option<DateTime<Utc>>,
    /// Who asked.
    pub credential: CredentialId,
    /// Where the content is now, if the server moved it.
    pub final_url: Option<Url>,
}

/// The answer to a GraphQL query.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct GraphqlAnswer {
    /// The status: 200, mostly.
    pub status: u16,
    /// The body: a JSON object with `data`, `errors` or both.
    pub body: Bytes,
    /// Whether there is a `data` that is not null.
    pub has_data: bool,
    /// What GitLab complains of. An answer with complaints is not complete.
    pub errors: Vec<GraphqlError>,
    /// When the request was sent, by our clock.
    pub sent_at: DateTime<Utc>,
    /// When it was answered, by the server's clock.
    pub date: Option<DateTime<Utc>>,
    /// Who asked.
    pub credential: CredentialId,
}

/// A complaint in an answer to a GraphQL query.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct GraphqlError {
    /// What GitLab says.
    #[serde(default)]
    pub message: String,
    /// The field it speaks of, as `project.mergeRequests`, if it does.
    #[serde(default, deserialize_with = "joined")]
    pub path: Option<String>,
}

fn joined<'de, D: serde::Deserializer<'de>>(path: D) -> Result<Option<String>, D::Error> {
    let parts = Option::<Vec<serde_json::Value>>::deserialize(path)?;
    let text = |it: serde_json::Value| it.as_str().map_or_else(|| it.to_string(), str::to_owned);
    Ok(parts.map(|parts| parts.into_iter().map(text).collect::<Vec<_>>().join(".")))
}
