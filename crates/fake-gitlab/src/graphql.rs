//! GitLab's GraphQL, as far as Weir could want it: a pure function from the world, what the asking user may see and
//! the request to the answer's bytes. Nothing here waits, reads a clock or holds a lock while it writes.

mod ci;
mod commit;
pub mod complexity;
mod connection;
mod cursor;
mod document;
mod executor;
mod group;
mod index;
mod issue;
mod issues;
mod json;
mod label;
mod member;
mod merge_request;
mod merge_requests;
mod milestone;
mod note;
mod plan;
mod project;
mod query;
mod refusal;
mod schema;
mod sight;
mod user;

use std::borrow::Cow;

use serde_json::Value;

pub use index::{Index, Order, Ordered};
pub use plan::{Branch, Node, Plan};
pub use schema::{Edition, SDL, Schema};
pub use sight::{EverythingVisible, Sight};

use crate::world::model::World;

/// Query texts longer than this are refused.
pub const MAX_QUERY_LENGTH: usize = 10_000;
/// The most elements a page holds, and how many it holds when nothing is asked.
pub const MAX_PAGE: usize = 100;
/// How deep fields may be nested.
pub const MAX_DEPTH: usize = 20;
/// Complexity points for a signed-in user.
pub const MAX_COMPLEXITY: u64 = 250;
/// Complexity points without a user.
pub const MAX_COMPLEXITY_UNAUTHENTICATED: u64 = 200;

/// How this GitLab is built and how it misbehaves.
#[derive(Debug, Clone)]
pub struct GraphqlOptions {
    pub edition: Edition,
    /// Fields an older version lacks, as `Type.field`; a bare `Type` takes away every field of that type.
    pub without: Vec<String>,
    /// Shown by `metadata`.
    pub version: String,
    pub revision: String,
    /// Where web URLs start, without a trailing slash.
    pub base_url: String,
    /// Once a request has written more elements than this, GitLab's time is over: further merge requests of a page are
    /// null and the answer carries errors.
    pub timeout_above_items: Option<usize>,
    /// How likely a merge request of a page is null without any error, from 0 to 1.
    pub null_nodes: f64,
    /// What `null_nodes` draws from; hand in another one for every request, so that a second try may succeed.
    pub seed: u64,
}

impl Default for GraphqlOptions {
    fn default() -> Self {
        Self {
            edition: Edition::Free,
            without: Vec::new(),
            version: "17.11.0-ee".to_owned(),
            revision: "0000000000".to_owned(),
            base_url: "https://gitlab.example.com".to_owned(),
            timeout_above_items: None,
            null_nodes: 0.0,
            seed: 0,
        }
    }
}

/// What goes back to the client.
#[derive(Debug, Clone)]
pub struct GraphqlAnswer {
    pub status: u16,
    /// JSON.
    pub body: Vec<u8>,
    /// Elements written in all lists together: what a real server's time grows with.
    pub items: usize,
}

/// Answers a request body: one operation, or an array of them (a multiplexed request).
pub fn execute(
    world: &World,
    index: &Index,
    sight: &dyn Sight,
    options: &GraphqlOptions,
    request: &Value,
) -> GraphqlAnswer {
    let schema = match schema::cached(options) {
        Ok(schema) => schema,
        Err(error) => return document::refused(500, &error.to_string()),
    };
    let executor = executor::Executor::new(world, index, sight, options, &schema);
    match request {
        Value::Array(requests) => executor.multiplex(requests),
        one => executor.single(one),
    }
}

/// Like [`execute`], from the bytes a client sent.
pub fn execute_bytes(
    world: &World,
    index: &Index,
    sight: &dyn Sight,
    options: &GraphqlOptions,
    body: &[u8],
) -> GraphqlAnswer {
    match serde_json::from_slice::<Value>(body) {
        Ok(request) => execute(world, index, sight, options, &request),
        Err(_) => document::refused(400, "Unexpected end of document"),
    }
}

/// The variables of a request: an object, or, as some clients send them, its text.
fn variables(request: &Value) -> Cow<'_, Value> {
    match request.get("variables") {
        Some(Value::String(text)) if text.is_empty() => Cow::Owned(Value::Null),
        Some(Value::String(text)) => Cow::Owned(serde_json::from_str(text).unwrap_or(Value::Null)),
        Some(value) => Cow::Borrowed(value),
        None => Cow::Owned(Value::Null),
    }
}
