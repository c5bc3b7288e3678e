//! The shapes that every answer of GraphQL shares.

use serde::Deserialize;
use serde_json::value::RawValue;

/// A page of a list. A null node means that GitLab could not answer it: such a page is not whole.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Connection<'a> {
    /// The elements, as text.
    #[serde(borrow, default)]
    pub nodes: Vec<&'a RawValue>,
    /// Whether there is more, and from where.
    pub page_info: PageInfo,
}

/// Where a page of GraphQL ends.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PageInfo {
    /// Whether another page follows.
    pub has_next_page: bool,
    /// Where it begins.
    #[serde(default)]
    pub end_cursor: Option<String>,
    /// Whether a page comes before this one; asked for where a list is read from its end.
    #[serde(default)]
    pub has_previous_page: bool,
    /// Where that page ends.
    #[serde(default)]
    pub start_cursor: Option<String>,
}

/// The envelope of a GraphQL answer.
#[derive(Debug, Deserialize)]
pub struct Answer<'a, T> {
    /// What was asked for.
    #[serde(default = "Option::default", bound(deserialize = "T: Deserialize<'de>"))]
    pub data: Option<T>,
    /// What went wrong; with any, the data is not whole.
    #[serde(borrow, default)]
    pub errors: Option<Vec<&'a RawValue>>,
}

impl Connection<'_> {
    /// Whether every node was answered.
    pub fn is_whole(&self) -> bool {
        self.nodes.iter().all(|it| it.get() != "null")
    }
}
