//! A query made ready to run: fragments spread, conditions decided, variables put in.

use apollo_compiler::ast;
use apollo_compiler::executable::{ExecutableDocument, Field, Operation, Selection, SelectionSet};
use apollo_compiler::{Name, Node as Shared};
use serde_json::{Map, Value};

use super::Schema;
use super::complexity::Price;

/// A field to be answered.
#[derive(Debug, Clone)]
pub struct Node {
    /// Its name in the answer.
    pub key: Name,
    pub name: Name,
    /// Arguments that were given, literally or by a variable that has a value.
    pub arguments: Vec<(Name, Value)>,
    /// Whether it is a list with pages.
    pub connection: bool,
    pub price: Price,
    /// What is asked of the object, by its concrete type; empty for a scalar.
    pub branches: Vec<Branch>,
}

/// The fields asked of objects of one type.
#[derive(Debug, Clone)]
pub struct Branch {
    pub on: Name,
    pub nodes: Vec<Node>,
}

/// A whole operation.
#[derive(Debug, Clone)]
pub struct Plan {
    pub root: Branch,
}

impl Plan {
    /// Plans an operation of a document that is valid under the schema.
    pub fn new(
        schema: &Schema,
        document: &ExecutableDocument,
        operation: &Operation,
        variables: &Map<String, Value>,
    ) -> Self {
        let planner = Planner { schema, document, variables };
        let on = operation.object_type().clone();
        Self { root: planner.branch(on, &[&operation.selection_set]) }
    }

    /// Parses, checks and plans a text.
    pub fn parse(
        schema: &Schema,
        query: &str,
        operation_name: Option<&str>,
        variables: &Map<String, Value>,
    ) -> anyhow::Result<Self> {
        let document = ExecutableDocument::parse_and_validate(&schema.definition, query, "query.graphql")
            .map_err(|invalid| anyhow::anyhow!("{}", invalid.errors))?;
        let operation =
            document.operations.get(operation_name).map_err(|it| anyhow::anyhow!("{}", it.message()))?;
        Ok(Self::new(schema, &document, operation, variables))
    }

    /// How deep its fields are nested.
    pub fn depth(&self) -> usize {
        self.root.depth()
    }
}

impl Branch {
    fn depth(&self) -> usize {
        let below = |node: &Node| node.branches.iter().map(Branch::depth).max().unwrap_or(0);
        self.nodes.iter().map(below).max().map_or(0, |depth| depth + 1)
    }

    /// Whether a field of this name is asked.
    pub fn asks(&self, name: &str) -> bool {
        self.nodes.iter().any(|node| node.name == name)
    }
}

impl Node {
    /// An argument's value; an explicit null counts as not given.
    pub fn argument(&self, name: &str) -> Option<&Value> {
        self.arguments
            .iter()
            .find(|(it, _)| it == name)
            .map(|(_, value)| value)
            .filter(|value| !value.is_null())
    }

    pub fn has(&self, name: &str) -> bool {
        self.argument(name).is_some()
    }

    pub fn integer(&self, name: &str) -> Option<i64> {
        self.argument(name)?.as_i64()
    }

    pub fn text(&self, name: &str) -> Option<&str> {
        self.argument(name)?.as_str()
    }

    pub fn flag(&self, name: &str) -> Option<bool> {
        self.argument(name)?.as_bool()
    }

    /// A list argument's texts; GraphQL lets a single value stand for a list of one.
    pub fn texts(&self, name: &str) -> Option<Vec<&str>> {
        match self.argument(name)? {
            Value::Array(values) => Some(values.iter().filter_map(Value::as_str).collect()),
            value => value.as_str().map(|text| vec![text]),
        }
    }

    /// What is asked of objects of this type.
    pub fn branch(&self, on: &str) -> Option<&Branch> {
        self.branches.iter().find(|branch| branch.on == on)
    }
}

struct Planner<'a> {
    schema: &'a Schema,
    document: &'a ExecutableDocument,
    variables: &'a Map<String, Value>,
}

/// All selections that share one name in the answer.
type Merged<'a> = Vec<(&'a Name, Vec<&'a Field>)>;

impl<'a> Planner<'a> {
    fn branch(&self, on: Name, sets: &[&'a SelectionSet]) -> Branch {
        let mut merged = Merged::new();
        for set in sets {
            self.collect(&on, &set.selections, &mut merged);
        }
        let nodes = merged.into_iter().map(|(key, fields)| self.node(&on, key, &fields)).collect();
        Branch { on, nodes }
    }

    fn collect(&self, on: &Name, selections: &'a [Selection], merged: &mut Merged<'a>) {
        for selection in selections.iter().filter(|selection| self.wanted(selection.directives())) {
            match selection {
                Selection::Field(field) => add(merged, field),
                Selection::InlineFragment(inline) => {
                    if inline.type_condition.as_ref().is_none_or(|condition| self.applies(condition, on)) {
                        self.collect(on, &inline.selection_set.selections, merged);
                    }
                }
                Selection::FragmentSpread(spread) => {
                    let fragment = self.document.fragments.get(&spread.fragment_name);
                    if let Some(it) = fragment.filter(|it| self.applies(&it.selection_set.ty, on)) {
                        self.collect(on, &it.selection_set.selections, merged);
                    }
                }
            }
        }
    }

    fn applies(&self, condition: &Name, on: &Name) -> bool {
        condition == on || self.schema.definition.is_subtype(condition, on)
    }

    /// Decides `@skip` and `@include`.
    fn wanted(&self, directives: &ast::DirectiveList) -> bool {
        let holds = |name: &str| {
            let value = directives.get(name)?.specified_argument_by_name("if")?;
            self.value(value)?.as_bool()
        };
        holds("skip") != Some(true) && holds("include") != Some(false)
    }

    fn node(&self, on: &Name, key: &Name, fields: &[&'a Field]) -> Node {
        let field = fields[0];
        let ty = field.ty().inner_named_type();
        let sets: Vec<_> = fields.iter().filter_map(|field| field.selection_set.as_ref()).collect();
        let possible = if sets.is_empty() { Vec::new() } else { self.schema.possible_types(ty) };
        Node {
            key: key.clone(),
            name: field.name.clone(),
            arguments: self.arguments(&field.arguments),
            connection: ty.ends_with("Connection"),
            price: self.schema.prices.get(on, &field.name),
            branches: possible.into_iter().map(|on| self.branch(on, &sets)).collect(),
        }
    }

    fn arguments(&self, arguments: &[Shared<ast::Argument>]) -> Vec<(Name, Value)> {
        arguments.iter().filter_map(|it| Some((it.name.clone(), self.value(&it.value)?))).collect()
    }

    /// None for a variable without a value.
    fn value(&self, value: &ast::Value) -> Option<Value> {
        Some(match value {
            ast::Value::Null => Value::Null,
            ast::Value::Enum(name) => Value::String(name.to_string()),
            ast::Value::Variable(name) => return self.variables.get(name.as_str()).cloned(),
            ast::Value::String(text) => Value::String(text.clone()),
            ast::Value::Float(number) => number.try_to_f64().ok().map_or(Value::Null, Value::from),
            ast::Value::Int(number) => number.as_str().parse::<i64>().map_or(Value::Null, Value::from),
            ast::Value::Boolean(flag) => Value::Bool(*flag),
            ast::Value::List(values) => Value::Array(values.iter().filter_map(|it| self.value(it)).collect()),
            ast::Value::Object(fields) => Value::Object(
                fields.iter().filter_map(|(name, it)| Some((name.to_string(), self.value(it)?))).collect(),
            ),
        })
    }
}

fn add<'a>(merged: &mut Merged<'a>, field: &'a Field) {
    let key = field.response_name();
    match merged.iter_mut().find(|(known, _)| *known == key) {
        Some((_, fields)) => fields.push(field),
        None => merged.push((key, vec![field])),
    }
}
