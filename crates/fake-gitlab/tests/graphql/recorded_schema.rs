//! Our schema agrees with GitLab's own, where a recording of it is at hand.

use std::path::PathBuf;

use apollo_compiler::Schema;
use apollo_compiler::schema::{ExtendedType, FieldDefinition};
use fake_gitlab::graphql::SDL;
use serde_json::Value;

fn recorded() -> Option<Value> {
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/fixtures/gitlab");
    let folder = std::env::var_os("WEIR_FIXTURES").map_or(beside, PathBuf::from);
    let file = folder.join("schemas/graphql_types.json");
    match std::fs::read(&file) {
        Ok(bytes) => Some(serde_json::from_slice(&bytes).unwrap()),
        Err(_) => {
            println!("skipped: recorded data not found at {}", file.display());
            None
        }
    }
}

#[test]
fn every_type_field_and_argument_is_gitlabs() {
    let Some(recorded) = recorded() else { return };
    let schema = Schema::parse(SDL, "schema.graphql").unwrap();
    let mut problems = Vec::new();
    let mut compared = 0;
    for (name, ty) in schema.types.iter().filter(|(_, ty)| !ty.is_built_in()) {
        let Some(known) = recorded.get(name.as_str()) else { continue };
        compared += 1;
        match ty {
            ExtendedType::Object(object) => {
                for field in object.fields.values() {
                    compare(name, field, &known["fields"][field.name.as_str()], &mut problems);
                }
            }
            ExtendedType::Enum(it) => {
                let unknown = it.values.keys().filter(|value| known["values"].get(value.as_str()).is_none());
                problems.extend(unknown.map(|value| format!("{name}.{value} is no value")));
            }
            _ => {}
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
    assert!(compared > 30, "only {compared} types compared");
}

fn compare(ty: &str, field: &FieldDefinition, known: &Value, problems: &mut Vec<String>) {
    let (name, ours) = (&field.name, field.ty.to_string());
    if known["type"] != ours {
        problems.push(format!("{ty}.{name} is {}, not {ours}", known["type"]));
    }
    for argument in &field.arguments {
        let theirs = &known["args"][argument.name.as_str()]["type"];
        if *theirs != argument.ty.to_string() {
            problems.push(format!("{ty}.{name}({}) is {theirs}, not {}", argument.name, argument.ty));
        }
    }
}
