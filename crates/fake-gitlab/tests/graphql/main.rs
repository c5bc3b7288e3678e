//! The GraphQL layer, over a small world made by hand.

#![allow(clippy::unwrap_used)] // Helpers of tests are tests too.

mod answers;
mod commits;
mod complexity;
mod editions;
mod limits;
mod pages;
mod recorded_schema;
mod rights;
mod speed;
mod world;

use fake_gitlab::graphql::{EverythingVisible, GraphqlOptions, Index, Sight, execute};
use fake_gitlab::world::model::World;
use serde_json::{Value, json};

/// Runs a query as a user who sees everything.
pub fn ask(world: &World, query: &str) -> Value {
    ask_as(world, &EverythingVisible { user_id: Some(1) }, &GraphqlOptions::default(), query)
}

/// Runs a query with somebody's rights on some GitLab.
pub fn ask_as(world: &World, sight: &dyn Sight, options: &GraphqlOptions, query: &str) -> Value {
    let answer = execute(world, &Index::build(world), sight, options, &json!({"query": query}));
    assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
    serde_json::from_slice(&answer.body).unwrap()
}

/// The data of an answer that must be without errors.
pub fn data(world: &World, query: &str) -> Value {
    let answer = ask(world, query);
    assert_eq!(answer.get("errors"), None, "{answer}");
    answer["data"].clone()
}
