//! Fields that an edition or version lacks, and introspection.

use fake_gitlab::graphql::{Edition, EverythingVisible, GraphqlOptions};
use serde_json::{Value, json};

use crate::world::small;
use crate::{ask, ask_as, data};

const ME: EverythingVisible = EverythingVisible { user_id: Some(1) };

fn message(answer: &Value) -> &str {
    assert_eq!(answer.get("data"), None);
    answer["errors"][0]["message"].as_str().unwrap()
}

#[test]
fn an_unknown_field_is_refused_in_gitlabs_words() {
    let answer =
        ask(&small(), "query Shop { project(fullPath: \"a\") {\n  mergeRequests { nodes { squashSha } } } }");
    assert_eq!(
        answer,
        json!({"errors": [{
            "message": "Field 'squashSha' doesn't exist on type 'MergeRequest'",
            "locations": [{"line": 2, "column": 27}],
            "path": ["query Shop", "project", "mergeRequests", "nodes", "squashSha"],
            "extensions": {"code": "undefinedField", "typeName": "MergeRequest", "fieldName": "squashSha"},
        }]})
    );
    let answer = ask(&small(), "{ project(fullPath: \"a\", id: 3) { id } }");
    assert_eq!(message(&answer), "Field 'project' doesn't accept argument 'id'");
}

#[test]
fn the_community_edition_knows_no_approval_rules() {
    let community = GraphqlOptions { edition: Edition::Ce, ..GraphqlOptions::default() };
    for field in
        ["approvalsRequired", "approvalsLeft", "approvalState { rules { id } }", "changeRequesters { count }"]
    {
        let query = format!(r#"{{ mergeRequest(id: "gid://gitlab/MergeRequest/101") {{ {field} }} }}"#);
        let name = field.split(' ').next().unwrap();
        assert_eq!(
            message(&ask_as(&small(), &ME, &community, &query)),
            format!("Field '{name}' doesn't exist on type 'MergeRequest'")
        );
        data(&small(), &query);
    }
}

#[test]
fn a_version_can_lack_fields() {
    let old = GraphqlOptions {
        without: vec!["MergeRequest.approvedBy".into(), "UserCore.bot".into()],
        ..GraphqlOptions::default()
    };
    let query = r#"{ mergeRequest(id: "gid://gitlab/MergeRequest/101") { approvedBy { count } } }"#;
    assert_eq!(
        message(&ask_as(&small(), &ME, &old, query)),
        "Field 'approvedBy' doesn't exist on type 'MergeRequest'"
    );
    let query = r#"{ __type(name: "MergeRequest") { fields { name } } }"#;
    let names = |options| ask_as(&small(), &ME, options, query)["data"]["__type"]["fields"].to_string();
    assert!(!names(&old).contains("approvedBy"));
    assert!(names(&GraphqlOptions::default()).contains("approvedBy"));
}

#[test]
fn introspection_shows_nothing_of_our_own() {
    let query = r#"{ __typename __schema { directives { name } queryType { name } types { name } } }"#;
    let found = data(&small(), query);
    assert_eq!(found["__typename"], "Query");
    let directives = found["__schema"]["directives"].to_string();
    assert!(!directives.contains("price") && !directives.contains("\"ee\""), "{directives}");
}

#[test]
fn other_mistakes_are_errors_without_data_too() {
    for query in [
        "{ project(fullPath: ",
        "{ project { id } }",
        "{ currentUser }",
        "query A { currentUser { id } } query B { currentUser { id } }",
    ] {
        message(&ask(&small(), query));
    }
}

#[test]
fn only_a_licensed_gitlab_calls_everything_approved() {
    let query = r#"{ mergeRequest(id: "gid://gitlab/MergeRequest/102") { approved approvedBy { count } } }"#;
    for (edition, approved) in [(Edition::Ce, false), (Edition::Free, false), (Edition::Premium, true)] {
        let options = GraphqlOptions { edition, ..GraphqlOptions::default() };
        let found = ask_as(&small(), &ME, &options, query)["data"]["mergeRequest"].clone();
        assert_eq!(found, json!({"approved": approved, "approvedBy": {"count": 0}}));
    }
}
