//! The rows a complete and correct reading brings, computed from the world alone.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::world::access::Viewer;
use crate::world::model::World;

/// How the world is read; a few columns depend on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reading {
    /// Whether GraphQL is read.
    pub graphql: bool,
    /// Whether `/approvals` tells when an approval was given.
    pub approvals_have_time: bool,
}

/// Rows by table, as they should be stored for this viewer.
pub fn truth(_world: &World, _viewer: &Viewer, _reading: Reading) -> BTreeMap<&'static str, Vec<Map<String, Value>>> {
    BTreeMap::new()
}
