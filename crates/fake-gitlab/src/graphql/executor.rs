//! Takes a request through its checks (text, depth, complexity) and runs it.

use std::cell::{Cell, RefCell};

use apollo_compiler::executable::{ExecutableDocument, Operation};
use apollo_compiler::introspection;
use apollo_compiler::request::coerce_variable_values;
use apollo_compiler::response::JsonMap;
use apollo_compiler::validation::Valid;
use serde_json::{Map, Value, json};

use super::document::{Checked, errors_only, refused};
use super::json::{self as writing, Out};
use super::plan::{Node, Plan};
use super::{GraphqlAnswer, GraphqlOptions, Index, Schema, Sight, complexity, query};
use super::{MAX_COMPLEXITY, MAX_COMPLEXITY_UNAUTHENTICATED, MAX_DEPTH, MAX_QUERY_LENGTH};
use crate::world::model::World;

/// Everything an answer is made from.
#[derive(Clone, Copy)]
pub(super) struct Executor<'a> {
    world: &'a World,
    index: &'a Index,
    sight: &'a dyn Sight,
    options: &'a GraphqlOptions,
    schema: &'a Schema,
}

/// An operation that may run.
struct Ready {
    plan: Plan,
    score: u64,
    /// Answers of `__schema` and `__type`.
    introspection: JsonMap,
}

/// One running operation: what it reads from, and what it gathers beside the data.
pub(super) struct Run<'a> {
    pub world: &'a World,
    pub index: &'a Index,
    pub sight: &'a dyn Sight,
    pub options: &'a GraphqlOptions,
    pub score: u64,
    pub limit: u64,
    errors: RefCell<Vec<Value>>,
    items: Cell<usize>,
}

impl<'a> Executor<'a> {
    pub(super) fn new(
        world: &'a World,
        index: &'a Index,
        sight: &'a dyn Sight,
        options: &'a GraphqlOptions,
        schema: &'a Schema,
    ) -> Self {
        Self { world, index, sight, options, schema }
    }

    pub(super) fn single(&self, request: &Value) -> GraphqlAnswer {
        match self.ready(request) {
            Ok(ready) if ready.score > self.limit() => refused(200, &self.too_complex(ready.score)),
            Ok(ready) => self.run(&ready),
            Err(answer) => answer,
        }
    }

    /// GitLab adds up the complexity of all queries; too much refuses every one of them.
    pub(super) fn multiplex(&self, requests: &[Value]) -> GraphqlAnswer {
        let prepared: Vec<_> = requests.iter().map(|request| self.ready(request)).collect();
        let score: u64 = prepared.iter().flatten().map(|ready| ready.score).sum();
        let mut answer = GraphqlAnswer { status: 200, body: Vec::new(), items: 0 };
        let answers = prepared.into_iter().map(|ready| match ready {
            Ok(_) if score > self.limit() => refused(200, &self.too_complex(score)),
            Ok(ready) => self.run(&ready),
            Err(answer) => answer,
        });
        writing::array(&mut answer.body, answers, |out, one| {
            answer.items += one.items;
            out.extend(one.body);
        });
        answer
    }

    fn limit(&self) -> u64 {
        if self.sight.user_id().is_some() { MAX_COMPLEXITY } else { MAX_COMPLEXITY_UNAUTHENTICATED }
    }

    fn too_complex(&self, score: u64) -> String {
        format!("Query has complexity of {score}, which exceeds max complexity of {}", self.limit())
    }

    fn ready(&self, request: &Value) -> Result<Ready, GraphqlAnswer> {
        let query = request.get("query").and_then(Value::as_str).unwrap_or_default();
        if query.len() > MAX_QUERY_LENGTH {
            return Err(refused(422, "Query too large"));
        }
        if query.trim().is_empty() {
            return Err(refused(200, "No query string was present"));
        }
        let checked: std::sync::Arc<Checked> = self.schema.documents.get(self.schema, query);
        let document = checked.as_ref().as_ref().map_err(|errors| rejected(errors))?;
        let name = request.get("operationName").and_then(Value::as_str).filter(|name| !name.is_empty());
        let operation =
            document.operations.get(name).map_err(|it| refused(200, &it.message().to_string()))?;
        self.planned(document, operation, &super::variables(request))
    }

    fn planned(
        &self,
        document: &Valid<ExecutableDocument>,
        operation: &Operation,
        variables: &Value,
    ) -> Result<Ready, GraphqlAnswer> {
        let given: JsonMap = serde_json::from_value(variables.clone()).unwrap_or_default();
        let coerced = coerce_variable_values(&self.schema.definition, operation, &given)
            .map_err(|it| refused(200, &it.message().to_string()))?;
        let plan = Plan::new(self.schema, document, operation, &as_map(&coerced));
        let depth = plan.depth();
        let introspective = plan.root.nodes.iter().any(|node| node.name.starts_with("__"));
        if depth > MAX_DEPTH && !introspective {
            return Err(refused(
                200,
                &format!("Query has depth of {depth}, which exceeds max depth of {MAX_DEPTH}"),
            ));
        }
        let introspection =
            if introspective { self.introspect(document, operation, &coerced)? } else { JsonMap::default() };
        Ok(Ready { score: complexity::score(&plan), plan, introspection })
    }

    fn introspect(
        &self,
        document: &Valid<ExecutableDocument>,
        operation: &Operation,
        variables: &Valid<JsonMap>,
    ) -> Result<JsonMap, GraphqlAnswer> {
        introspection::check_max_depth(document, operation)
            .and_then(|()| {
                let Schema { definition, implementers, .. } = self.schema;
                introspection::partial_execute(definition, implementers, document, operation, variables)
            })
            .map(|response| response.data.unwrap_or_default())
            .map_err(|error| refused(200, &error.message().to_string()))
    }

    fn run(&self, ready: &Ready) -> GraphqlAnswer {
        let run = Run {
            world: self.world,
            index: self.index,
            sight: self.sight,
            options: self.options,
            score: ready.score,
            limit: self.limit(),
            errors: RefCell::default(),
            items: Cell::new(0),
        };
        let mut body = Vec::with_capacity(16 * 1024);
        writing::raw(&mut body, r#"{"data":"#);
        writing::object(&mut body, &ready.plan.root, |node, out| {
            match ready.introspection.get(node.key.as_str()) {
                Some(value) => writing::raw(out, &value.to_string()),
                None => query::field(&run, node, out),
            }
        });
        run.finish(body)
    }
}

fn as_map(variables: &JsonMap) -> Map<String, Value> {
    match serde_json::to_value(variables) {
        Ok(Value::Object(map)) => map,
        _ => Map::new(),
    }
}

fn rejected(errors: &[Value]) -> GraphqlAnswer {
    GraphqlAnswer { status: 200, body: errors_only(errors), items: 0 }
}

impl Run<'_> {
    pub(super) fn wrote_item(&self) {
        self.items.set(self.items.get() + 1);
    }

    /// Whether GitLab would have run out of time by now.
    pub(super) fn out_of_time(&self) -> bool {
        self.options.timeout_above_items.is_some_and(|most| self.items.get() > most)
    }

    /// Notes an error of one field and gives nothing, so that the field is null.
    pub(super) fn fail<T>(&self, node: &Node, message: &str) -> Option<T> {
        let error = json!({"message": message, "path": [node.key.as_str()]});
        let mut errors = self.errors.borrow_mut();
        if errors.last() != Some(&error) {
            errors.push(error);
        }
        None
    }

    fn finish(self, mut body: Out) -> GraphqlAnswer {
        let errors = self.errors.into_inner();
        if !errors.is_empty() {
            writing::raw(&mut body, r#","errors":"#);
            writing::raw(&mut body, &Value::Array(errors).to_string());
        }
        body.push(b'}');
        GraphqlAnswer { status: 200, body, items: self.items.get() }
    }
}
