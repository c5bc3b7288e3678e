//! Every query is valid, affordable, and asks each of its lists whether there is more.

use apollo_compiler::executable::{Selection, SelectionSet};
use apollo_compiler::{ExecutableDocument, Schema};
use catalogue::{Document, documents};
use fake_gitlab::graphql::{Edition, Schema as FakeSchema, complexity};
use serde_json::{Value, json};

use crate::recorded_schema;

/// What the sync asks for at most.
fn variables(document: &Document) -> Value {
    let ids = |count: usize| (0..count).map(|it| format!("gid://gitlab/Any/{it}")).collect::<Vec<_>>();
    match document.name {
        "projectDetails" | "groupDetails" => json!({ "ids": ids(100), "first": 100, "lists": 100 }),
        "users" => json!({ "ids": ids(100), "first": 100 }),
        "mergeRequests" => {
            json!({ "ids": ids(1), "projects": 1, "first": 50, "notes": 100, "lists": 20, "sort": "UPDATED_DESC" })
        }
        "proof" => json!({ "ids": ids(10), "projects": 10, "first": 100 }),
        "issues" => {
            json!({ "ids": ids(1), "projects": 1, "first": 100, "lists": 20, "sort": "UPDATED_DESC" })
        }
        "pipelines" => {
            json!({ "ids": ids(1), "projects": 1, "first": 25, "jobs": 100, "source": "parent_pipeline" })
        }
        "runningPipelines" => {
            json!({ "ids": ids(20), "projects": 20, "first": 20, "jobs": 100, "source": "parent_pipeline" })
        }
        "openMergeRequests" => {
            json!({ "ids": ids(100), "projects": 100, "first": 100, "state": "opened" })
        }
        "trunkHeads" => json!({ "ids": ids(50), "projects": 50 }),
        _ => json!({ "ids": ids(1), "projects": 1, "iid": "1", "first": 100 }),
    }
}

/// What the sync asks of many projects at once, where little moved.
fn together(document: &Document) -> Value {
    let (projects, first) = match document.name {
        "pipelines" => (10, 5),
        // Projects with few issues are read whole together, as many of each as the one with most has.
        "issues" => (20, 51),
        _ => (20, 10),
    };
    let mut variables = variables(document);
    variables["projects"] = json!(projects);
    variables["first"] = json!(first);
    variables
}

#[test]
fn every_query_is_valid_against_the_recorded_schema() {
    let Some(sdl) = recorded_schema::sdl() else { return };
    let schema = Schema::parse_and_validate(sdl, "recorded.graphql").expect("the recorded schema is valid");
    for document in documents() {
        let checked = ExecutableDocument::parse_and_validate(&schema, document.whole(), document.name);
        assert!(checked.is_ok(), "{}: {}", document.name, checked.unwrap_err().errors);
    }
}

#[test]
fn every_query_fits_the_community_edition_without_its_optional_fields() {
    let optional: Vec<String> = documents()
        .into_iter()
        .flat_map(Document::optional)
        .map(|(ty, field)| format!("{ty}.{field}"))
        .collect();
    let schema = FakeSchema::new(Edition::Ce, &optional).expect("a schema without optional fields");
    for document in documents() {
        // A query about nothing but an optional field is never sent to a GitLab that lacks it.
        if ["approvedBy", "reviewers"].contains(&document.name) {
            continue;
        }
        let query = document.fitted(|_, _| false, |_| true);
        let checked = ExecutableDocument::parse_and_validate(&schema.definition, &query, document.name);
        assert!(checked.is_ok(), "{}: {}", document.name, checked.unwrap_err().errors);
    }
}

#[test]
fn every_query_stays_under_the_limit_of_complexity() {
    for document in documents() {
        let score =
            complexity::of_query(&document.whole(), &variables(document)).expect("the query is valid");
        eprintln!("{}: {score}", document.name);
        assert!(score <= 250, "{} scores {score}", document.name);
        assert!(document.whole().len() < 10_000, "{} is too long", document.name);
    }
}

#[test]
fn many_projects_at_once_stay_under_the_limit_of_complexity() {
    let several = ["mergeRequests", "mergeRequestCommits", "pipelines", "issues"];
    for document in documents().into_iter().filter(|it| several.contains(&it.name)) {
        let score = complexity::of_query(&document.whole(), &together(document)).expect("the query is valid");
        eprintln!("{} together: {score}", document.name);
        assert!(score <= 250, "{} scores {score}", document.name);
    }
}

#[test]
fn every_list_is_asked_whether_there_is_more() {
    let schema = FakeSchema::new(Edition::Premium, &[]).expect("the fake's schema");
    for document in documents() {
        let parsed =
            ExecutableDocument::parse_and_validate(&schema.definition, document.whole(), document.name);
        let parsed = parsed.expect("the query is valid");
        for operation in parsed.operations.iter() {
            has_page_info(document.name, &operation.selection_set);
        }
    }
}

fn has_page_info(query: &str, set: &SelectionSet) {
    let fields: Vec<_> = set.selections.iter().filter_map(Selection::as_field).collect();
    let names: Vec<&str> = fields.iter().map(|it| it.name.as_str()).collect();
    assert!(!names.contains(&"nodes") || names.contains(&"pageInfo"), "{query}: {} has no pageInfo", set.ty);
    for field in fields {
        if let Some(below) = &field.selection_set {
            has_page_info(query, below);
        }
    }
}
