//! Limits, several queries in one request, and misbehaviour on purpose.

use fake_gitlab::graphql::{EverythingVisible, GraphqlAnswer, GraphqlOptions, Index, execute, execute_bytes};
use serde_json::{Value, json};

use crate::ask_as;
use crate::world::small;

const ME: EverythingVisible = EverythingVisible { user_id: Some(1) };

fn post(sight: EverythingVisible, request: &Value) -> (u16, Value) {
    let world = small();
    let answer = execute(&world, &Index::build(&world), &sight, &GraphqlOptions::default(), request);
    (answer.status, serde_json::from_slice(&answer.body).unwrap())
}

const DEAR: &str = r#"{ projects { nodes { mergeRequests { nodes { id iid title state draft createdAt updatedAt
    mergedAt closedAt participants { nodes { id name username } } notes { nodes { id body author { id name } } }
    assignees { nodes { id } } reviewers { nodes { id } } labels { nodes { id } } } } } } }"#;

#[test]
fn too_complex_a_query_is_refused() {
    let (status, answer) = post(ME, &json!({"query": DEAR}));
    assert_eq!(status, 200);
    let message = answer["errors"][0]["message"].as_str().unwrap();
    assert!(message.starts_with("Query has complexity of "), "{message}");
    assert!(message.ends_with(", which exceeds max complexity of 250"), "{message}");
    let (_, answer) = post(EverythingVisible { user_id: None }, &json!({"query": DEAR}));
    assert!(answer["errors"][0]["message"].as_str().unwrap().ends_with("max complexity of 200"));
}

#[test]
fn too_long_and_too_deep_queries_are_refused() {
    let long = format!("{{ currentUser {{ id }} }} # {}", "x".repeat(10_000));
    assert_eq!(post(ME, &json!({"query": long})), (422, json!({"errors": [{"message": "Query too large"}]})));
    let deep =
        format!("{{ project(fullPath: \"a\") {{ {} id {} }} }}", "forkedFrom { ".repeat(20), "}".repeat(20));
    let (_, answer) = post(ME, &json!({"query": deep}));
    assert_eq!(answer["errors"][0]["message"], "Query has depth of 22, which exceeds max depth of 20");
}

#[test]
fn variables_are_put_in_and_checked() {
    let query = "query Q($path: ID!, $first: Int) { project(fullPath: $path) { mergeRequests(first: $first) { nodes { iid } } } }";
    let request =
        json!({"query": query, "operationName": "Q", "variables": {"path": "acme/web/shop", "first": 1}});
    let (_, answer) = post(ME, &request);
    assert_eq!(answer["data"]["project"]["mergeRequests"]["nodes"], json!([{"iid": "5"}]));
    let (_, answer) = post(ME, &json!({"query": query, "variables": {}}));
    assert!(answer["errors"][0]["message"].is_string() && answer.get("data").is_none());
    let (_, answer) =
        post(ME, &json!({"query": query, "variables": r#"{"path": "acme/web/shop", "first": 2}"#}));
    assert_eq!(answer["data"]["project"]["mergeRequests"]["nodes"].as_array().unwrap().len(), 2);
}

#[test]
fn several_queries_share_one_budget() {
    let small_one = json!({"query": "{ currentUser { id } }"});
    let (_, answers) = post(ME, &json!([small_one, {"query": "{ nonsense }"}]));
    assert_eq!(answers[0]["data"]["currentUser"]["id"], "gid://gitlab/User/1");
    assert_eq!(answers[1]["errors"][0]["message"], "Field 'nonsense' doesn't exist on type 'Query'");
    let (_, answers) = post(ME, &json!([small_one, {"query": DEAR}]));
    assert!(answers[0]["errors"][0]["message"].as_str().unwrap().starts_with("Query has complexity"));
}

#[test]
fn the_score_can_be_asked_for() {
    let (_, answer) = post(ME, &json!({"query": "{ queryComplexity { score limit } }"}));
    assert_eq!(answer["data"]["queryComplexity"], json!({"score": 3, "limit": 250}));
}

#[test]
fn a_body_that_is_no_json_is_a_bad_request() {
    let world = small();
    let answer = execute_bytes(&world, &Index::build(&world), &ME, &GraphqlOptions::default(), b"{");
    assert_eq!(answer.status, 400);
}

const PAGE: &str = r#"{ project(fullPath: "acme/web/shop") { mergeRequests(sort: CREATED_ASC) { nodes { iid
    notes { nodes { id } } } } } }"#;

#[test]
fn asking_for_too_much_times_out_with_null_nodes() {
    let options = GraphqlOptions { timeout_above_items: Some(4), ..GraphqlOptions::default() };
    let answer = ask_as(&small(), &ME, &options, PAGE);
    let nodes = answer["data"]["project"]["mergeRequests"]["nodes"].as_array().unwrap().clone();
    assert_eq!(nodes.len(), 5);
    assert_eq!(nodes[0]["notes"]["nodes"].as_array().unwrap().len(), 4);
    assert!(nodes[1..].iter().all(Value::is_null));
    assert!(answer["errors"][0]["message"].as_str().unwrap().starts_with("Timeout on "));
}

#[test]
fn nodes_can_get_lost_and_come_back() {
    let nulls = |seed| {
        let options = GraphqlOptions { null_nodes: 0.5, seed, ..GraphqlOptions::default() };
        let answer = ask_as(&small(), &ME, &options, PAGE);
        assert_eq!(answer.get("errors"), None);
        answer["data"]["project"]["mergeRequests"]["nodes"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|it| it.is_null())
            .count()
    };
    let counts: Vec<_> = (0..20).map(nulls).collect();
    assert!(counts.iter().any(|it| *it > 0) && counts.iter().any(|it| *it < 5), "{counts:?}");
}

#[test]
fn the_answer_tells_how_many_elements_it_holds() {
    let world = small();
    let request = json!({"query": PAGE});
    let answer: GraphqlAnswer =
        execute(&world, &Index::build(&world), &ME, &GraphqlOptions::default(), &request);
    assert_eq!(answer.items, 9);
}
