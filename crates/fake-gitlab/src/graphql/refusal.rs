//! Refusals in GitLab's words: fields and arguments its schema does not have.

use apollo_compiler::ast::{Definition, Document, Field, Selection};
use apollo_compiler::{Name, Node};
use serde_json::{Value, json};

use super::Schema;

/// Every field and argument of the document that the schema does not know; empty when all are known.
pub(super) fn undefined(schema: &Schema, document: &Document) -> Vec<Value> {
    let mut search = Search { schema, document, errors: Vec::new() };
    for definition in &document.definitions {
        match definition {
            Definition::OperationDefinition(it) => {
                let Some(root) = schema.definition.root_operation(it.operation_type).cloned() else {
                    continue;
                };
                let name = it.name.as_ref().map(|name| format!(" {name}")).unwrap_or_default();
                search.selections(&root, &it.selection_set, &[format!("{}{name}", it.operation_type)]);
            }
            Definition::FragmentDefinition(it) => {
                search.selections(&it.type_condition, &it.selection_set, &[format!("fragment {}", it.name)]);
            }
            _ => {}
        }
    }
    search.errors
}

struct Search<'a> {
    schema: &'a Schema,
    document: &'a Document,
    errors: Vec<Value>,
}

impl Search<'_> {
    fn selections(&mut self, on: &Name, selections: &[Selection], path: &[String]) {
        for selection in selections {
            match selection {
                Selection::Field(field) => self.field(on, field, path),
                Selection::InlineFragment(it) => {
                    let on = it.type_condition.as_ref().unwrap_or(on).clone();
                    self.selections(&on, &it.selection_set, path);
                }
                Selection::FragmentSpread(_) => {}
            }
        }
    }

    fn field(&mut self, on: &Name, field: &Node<Field>, path: &[String]) {
        let mut path = path.to_vec();
        path.push(field.alias.as_ref().unwrap_or(&field.name).to_string());
        if !self.schema.definition.types.contains_key(on) {
            return;
        }
        let Ok(definition) = self.schema.definition.type_field(on, &field.name).cloned() else {
            return self.unknown_field(on, field, &path);
        };
        for argument in &field.arguments {
            if !definition.arguments.iter().any(|known| known.name == argument.name) {
                self.unknown_argument(field, &argument.name, &path);
            }
        }
        self.selections(
            definition.ty.inner_named_type(),
            field.selection_set.as_deref().unwrap_or(&[]),
            &path,
        );
    }

    fn unknown_field(&mut self, on: &Name, field: &Node<Field>, path: &[String]) {
        let name = &field.name;
        self.errors.push(json!({
            "message": format!("Field '{name}' doesn't exist on type '{on}'"),
            "locations": self.locations(field),
            "path": path,
            "extensions": {"code": "undefinedField", "typeName": on.as_str(), "fieldName": name.as_str()},
        }));
    }

    fn unknown_argument(&mut self, field: &Node<Field>, argument: &Name, path: &[String]) {
        let name = &field.name;
        let mut path = path.to_vec();
        path.push(argument.to_string());
        self.errors.push(json!({
            "message": format!("Field '{name}' doesn't accept argument '{argument}'"),
            "locations": self.locations(field),
            "path": path,
            "extensions": {
                "code": "argumentNotAccepted", "name": name.as_str(),
                "typeName": "Field", "argumentName": argument.as_str(),
            },
        }));
    }

    fn locations(&self, field: &Node<Field>) -> Value {
        let at = field.location().and_then(|span| span.line_column(&self.document.sources));
        at.map_or_else(|| json!([]), |at| json!([{"line": at.line, "column": at.column}]))
    }
}
