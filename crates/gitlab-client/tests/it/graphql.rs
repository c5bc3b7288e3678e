//! GraphQL.

use gitlab_client::{ErrorKind, UnauthorizedReason};
use serde_json::json;

use crate::server::{Server, credential, reply};

const QUERY: &str = "query Me { currentUser { id } }";

#[tokio::test]
async fn a_query_is_posted_with_its_variables() {
    let server = Server::start(|_| reply(200, r#"{"data":{"currentUser":null}}"#)).await;
    let answer = server.client().graphql(QUERY, &json!({"id": 7})).await.unwrap();
    assert!(answer.has_data && answer.errors.is_empty());
    let hit = server.hits().pop().unwrap();
    assert_eq!((hit.path.as_str(), hit.header("content-type")), ("/api/graphql", "application/json"));
    let body: serde_json::Value = serde_json::from_str(&hit.body).unwrap();
    assert_eq!(body, json!({"query": QUERY, "variables": {"id": 7}}));
}

#[tokio::test]
async fn complaints_are_handed_on() {
    let body =
        r#"{"errors":[{"message":"Query has complexity of 1733, which exceeds max complexity of 250"}]}"#;
    let server = Server::start(move |_| reply(200, body)).await;
    let answer = server.client().graphql(QUERY, &json!({})).await.unwrap();
    assert!(!answer.has_data);
    assert!(answer.errors[0].message.contains("1733"));
}

#[tokio::test]
async fn a_document_that_changes_something_is_never_sent() {
    let server = Server::start(|_| reply(200, "{}")).await;
    let error = server.client().graphql("mutation { a { b } }", &json!({})).await.unwrap_err();
    assert_eq!((error.kind, server.count()), (ErrorKind::Refused, 0));
}

#[tokio::test]
async fn a_query_is_not_sent_unless_graphql_is_allowed() {
    let server = Server::start(|_| reply(200, "{}")).await;
    let client = server.client_with(|config| config.allowed.retain(|rule| &*rule.template != "graphql"));
    let error = client.graphql(QUERY, &json!({})).await.unwrap_err();
    assert_eq!((error.kind, server.count()), (ErrorKind::Refused, 0));
}

#[tokio::test]
async fn an_invalid_token_is_disabled_here_too() {
    let server = Server::start(|hit| match hit.token() {
        "token-of-a" => reply(401, r#"{"errors":[{"message":"Invalid token"}]}"#),
        _ => reply(200, r#"{"data":{}}"#),
    })
    .await;
    let client = server.client_with(|config| config.credentials = vec![credential("a"), credential("b")]);
    client.graphql(QUERY, &json!({})).await.unwrap();
    client.graphql(QUERY, &json!({})).await.unwrap();
    assert_eq!(client.credentials()[0].disabled, Some(UnauthorizedReason::Unknown));
}

#[tokio::test]
async fn a_limit_told_with_status_200_is_waited_out() {
    let limited =
        r#"{"errors":[{"message":"This endpoint has been requested too many times. Try again later."}]}"#;
    let server =
        Server::start(move |hit| reply(200, if hit.number == 0 { limited } else { r#"{"data":{}}"# })).await;
    let client = server.client();
    assert!(client.graphql(QUERY, &json!({})).await.unwrap().has_data);
    assert_eq!(client.usage().rate_limited, 1);
}

#[tokio::test]
async fn an_answer_that_is_not_graphqls_is_unreadable() {
    let server = Server::start(|_| reply(200, r#"{"status":"ok"}"#)).await;
    let error = server.client().graphql(QUERY, &json!({})).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unreadable);
}

#[tokio::test]
async fn a_redirected_query_is_not_followed() {
    let server = Server::start(|_| reply(302, "").header("location", "/api/v4/projects/1")).await;
    let error = server.client().graphql(QUERY, &json!({})).await.unwrap_err();
    assert_eq!((error.kind, server.count()), (ErrorKind::Unreadable, 1));
}
