//! What makes or changes something: only by a rule of its own, and once.

use gitlab_client::{EndpointRule, ErrorKind, Request};
use serde_json::json;

use crate::server::{Server, ok, reply};

fn hooks() -> Request {
    Request::new("projects/{id}/hooks").value(7)
}

#[tokio::test]
async fn a_rule_to_read_is_none_to_write() {
    let server = Server::start(|_| ok()).await;
    let client = server.client_with(|it| it.allowed.push(EndpointRule::get("projects/{id}/hooks")));
    for request in [hooks(), Request::new("projects/{id}").value(7), Request::new("graphql")] {
        assert_eq!(client.post(&request, &json!({})).await.unwrap_err().kind, ErrorKind::Refused);
        assert_eq!(client.put(&request, &json!({})).await.unwrap_err().kind, ErrorKind::Refused);
    }
    assert_eq!(server.count(), 0);
}

#[tokio::test]
async fn what_has_a_rule_is_sent_as_json_with_its_verb() {
    let server = Server::start(|_| reply(201, "{}")).await;
    let client = server.client_with(|it| it.allowed.push(EndpointRule::post("projects/{id}/hooks")));
    assert_eq!(client.put(&hooks(), &json!({})).await.unwrap_err().kind, ErrorKind::Refused);
    let answer = client.post(&hooks(), &json!({ "url": "http://x" })).await.unwrap();
    let hit = &server.hits()[0];
    assert_eq!((answer.status, hit.body.as_str()), (201, r#"{"url":"http://x"}"#));
    assert_eq!(
        (hit.path.as_str(), hit.header("content-type")),
        ("/api/v4/projects/7/hooks", "application/json")
    );
}

#[tokio::test]
async fn what_failed_is_not_sent_again() {
    let server = Server::start(|_| reply(502, "")).await;
    let client = server.client_with(|it| it.allowed.push(EndpointRule::post("projects/{id}/hooks")));
    assert_eq!(client.post(&hooks(), &json!({})).await.unwrap_err().kind, ErrorKind::Unavailable);
    assert_eq!(server.count(), 1);
}

#[tokio::test]
async fn a_change_is_not_sent_where_it_is_redirected_to() {
    let server = Server::start(|_| reply(301, "").header("location", "/api/v4/projects/8/hooks")).await;
    let client = server.client_with(|it| it.allowed.push(EndpointRule::put("projects/{id}/hooks")));
    let error = client.put(&hooks(), &json!({})).await.unwrap_err();
    assert!(error.message.contains("redirects a change"), "{error}");
    assert_eq!(server.count(), 1);
}
