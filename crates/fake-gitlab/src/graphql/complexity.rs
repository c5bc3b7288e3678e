//! What GitLab charges for a query. Its rules, from its own base field and base resolver:
//! a field costs one point and its children; one that asks Git storage a point more; one answered by a resolver one
//! point, one for a sort argument and five for a search argument, and, when it is a connection, all of it once more by
//! one percent per element of the page (not when `iid` or `iids` is given). Some fields have a fixed price instead.

use std::collections::HashMap;

use apollo_compiler::ast::{Directive, FieldDefinition};
use serde_json::{Map, Value};

use super::plan::{Node, Plan};
use super::{Edition, MAX_PAGE, Schema};

/// What one field costs, as marked in the schema by `@price`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Price {
    /// Costs this, whatever the arguments.
    pub fixed: Option<u64>,
    /// Asks Git storage.
    pub gitaly: bool,
    /// Is answered by a resolver.
    pub resolver: bool,
    /// The sort argument has a default.
    pub sort: bool,
    /// Points the resolver adds.
    pub extra: u64,
    /// The resolver adds two points for each of `ref` and `sha`.
    pub refs: bool,
}

/// Prices by type and field.
#[derive(Debug, Default)]
pub(super) struct Prices(HashMap<String, HashMap<String, Price>>);

impl Prices {
    pub(super) fn insert(&mut self, ty: &str, field: &str, price: Price) {
        self.0.entry(ty.to_owned()).or_default().insert(field.to_owned(), price);
    }

    pub(super) fn get(&self, ty: &str, field: &str) -> Price {
        self.0.get(ty).and_then(|fields| fields.get(field)).copied().unwrap_or_default()
    }
}

impl Price {
    /// The price written at a field of the schema; one point where nothing is written.
    pub fn of(field: &FieldDefinition) -> Self {
        let Some(marked) = field.directives.get("price") else { return Self::default() };
        Self {
            fixed: number(marked, "fixed"),
            gitaly: flag(marked, "gitaly"),
            resolver: flag(marked, "resolver"),
            sort: flag(marked, "sort"),
            extra: number(marked, "extra").unwrap_or(0),
            refs: flag(marked, "refs"),
        }
    }
}

fn number(directive: &Directive, name: &str) -> Option<u64> {
    u64::try_from(directive.specified_argument_by_name(name)?.to_i32()?).ok()
}

fn flag(directive: &Directive, name: &str) -> bool {
    directive.specified_argument_by_name(name).and_then(|value| value.to_bool()).unwrap_or(false)
}

/// The score of a query text with its variables, on GitLab's Enterprise Edition. An error when it is not valid there.
pub fn of_query(query: &str, variables: &Value) -> anyhow::Result<u64> {
    let schema = Schema::new(Edition::Premium, &[])?;
    let variables = variables.as_object().cloned().unwrap_or_else(Map::new);
    Ok(score(&Plan::parse(&schema, query, None, &variables)?))
}

/// The score of a planned operation.
pub fn score(plan: &Plan) -> u64 {
    plan.root.nodes.iter().map(node).sum()
}

fn node(node: &Node) -> u64 {
    let of_branch = |branch: &super::plan::Branch| branch.nodes.iter().map(self::node).sum::<u64>();
    let children = node.branches.iter().map(of_branch).max().unwrap_or(0);
    let price = node.price;
    if let Some(fixed) = price.fixed {
        return fixed + children;
    }
    if !price.resolver {
        return 1 + u64::from(price.gitaly) + children;
    }
    let once = children + resolver(node) + u64::from(price.gitaly);
    // GitLab multiplies by a hundredth per element and cuts the fraction off.
    once + once * multiplier(node) / 100
}

fn resolver(node: &Node) -> u64 {
    let sorted = node.price.sort || node.has("sort");
    let refs = ["ref", "sha"].iter().filter(|name| node.price.refs && node.has(name)).count() as u64;
    1 + u64::from(sorted) + if node.has("search") { 5 } else { 0 } + node.price.extra + 2 * refs
}

/// How many hundredths come on top.
fn multiplier(node: &Node) -> u64 {
    if !node.connection || node.has("iid") || node.has("iids") {
        return 0;
    }
    let asked = [node.integer("first"), node.integer("last")].into_iter().flatten().min();
    asked.map_or(MAX_PAGE as u64, |it| u64::try_from(it).unwrap_or(0).min(MAX_PAGE as u64))
}
