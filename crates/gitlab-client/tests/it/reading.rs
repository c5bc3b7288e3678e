//! Reading endpoints: what may be asked, pages, redirects, conditional requests.

use std::collections::HashSet;

use gitlab_client::{Client, ErrorKind, Request, UnauthorizedReason};

use crate::server::{Server, config, credential, labels, ok, reply};

#[tokio::test]
async fn what_is_not_allowed_is_never_sent() {
    let server = Server::start(|_| ok()).await;
    let client = server.client();
    for request in [
        Request::new("projects/{id}/repository/files").value(7),
        Request::new("projects/{id}/labels").value(".."),
        Request::new("projects/7/labels/../repository/files"),
        Request::new("projects/{id}").value(7).value(8),
    ] {
        let error = client.get(&request).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Refused, "{request:?}");
    }
    assert_eq!(server.count(), 0);
}

#[tokio::test]
async fn pages_are_followed_to_their_end_below_a_relative_root() {
    let server = Server::start(|hit| {
        let page = |number| {
            format!(
                r#"<https://inner.example/gitlab/api/v4/projects/7/labels?id=7&page={number}>; rel="next""#
            )
        };
        match hit.query.as_str() {
            "per_page=1" => reply(200, "[1]").header("link", page(2)).header("x-total", 3),
            "id=7&page=2" => reply(200, "[2]").header("link", page(3)),
            _ => reply(200, "[3]"),
        }
    })
    .await;
    let client = Client::new(config(&format!("{}/gitlab", server.url))).unwrap();
    let mut answer = client.get(&labels(7).query("per_page", 1)).await.unwrap();
    assert_eq!(answer.total, Some(3));
    let mut bodies = answer.body.to_vec();
    while let Some(next) = answer.next {
        answer = client.get_next(&next).await.unwrap();
        bodies.extend_from_slice(&answer.body);
    }
    assert_eq!(bodies, b"[1][2][3]");
    assert!(server.hits().iter().all(|hit| hit.path == "/gitlab/api/v4/projects/7/labels"));
}

#[tokio::test]
async fn a_next_page_elsewhere_is_told_and_refused_when_followed() {
    let server = Server::start(|_| ok().header("link", "</api/v4/admin?page=2>; rel=\"next\"")).await;
    let client = server.client();
    let next = client.get(&labels(7)).await.unwrap().next.unwrap();
    assert_eq!(client.get_next(&next).await.unwrap_err().kind, ErrorKind::Refused);
    assert_eq!(server.count(), 1);
}

#[tokio::test]
async fn unchanged_content_is_told_apart_and_counted() {
    let server = Server::start(|hit| match hit.header("if-none-match") {
        "W/\"1\"" => reply(304, ""),
        _ => ok().header("etag", "W/\"1\""),
    })
    .await;
    let client = server.client();
    let etag = client.get(&labels(7)).await.unwrap().etag.unwrap();
    let answer = client.get(&labels(7).etag(etag)).await.unwrap();
    assert!(answer.not_modified && answer.body.is_empty());
    assert_eq!(client.usage().not_modified, 1);
}

#[tokio::test]
async fn only_the_credential_that_was_told_a_name_asks_by_it() {
    let server = Server::start(|hit| match hit.header("if-none-match") {
        "W/\"1\"" => reply(304, ""),
        _ => ok().header("etag", "W/\"1\""),
    })
    .await;
    let client = server.client_with(|it| it.credentials = vec![credential("a"), credential("b")]);
    let request = labels(7).etag_for("a", "W/\"1\"");
    assert!(client.get(&request.clone().credential("a")).await.unwrap().not_modified);
    assert!(!client.get(&request.credential("b")).await.unwrap().not_modified);
    assert_eq!(server.hits()[1].header("if-none-match"), "");
}

#[tokio::test]
async fn a_seal_tells_tokens_and_texts_apart_and_not_the_token() {
    let server = Server::start(|_| ok()).await;
    let client = server.client_with(|it| it.credentials = vec![credential("a"), credential("b")]);
    let (one, other) = (client.seals("labels"), client.seals("members"));
    assert_eq!(one, client.seals("labels"));
    let all: HashSet<&String> = one.iter().chain(&other).map(|(_, seal)| seal).collect();
    assert_eq!(all.len(), 4);
    assert!(all.iter().all(|it| it.len() == 32 && !it.contains("token")));
}

#[tokio::test]
async fn a_renamed_project_is_followed_with_its_token() {
    let server = Server::start(|hit| match hit.path.as_str() {
        "/api/v4/projects/old%2Fshop/labels" => {
            reply(301, "moved").header("location", "/api/v4/projects/81/labels?page=1")
        }
        _ => ok(),
    })
    .await;
    let request = Request::new("projects/{id}/labels").value("old/shop");
    let answer = server.client().get(&request).await.unwrap();
    assert_eq!(answer.final_url.unwrap().path(), "/api/v4/projects/81/labels");
    assert_eq!(server.hits()[1].token(), "token-of-a");
}

#[tokio::test]
async fn a_redirect_to_another_host_is_not_followed() {
    let other = Server::start(|_| ok()).await;
    let location = format!("{}/api/v4/projects/1/labels", other.url.replace("127.0.0.1", "localhost"));
    let server = Server::start(move |_| reply(302, "").header("location", &location)).await;
    let error = server.client().get(&labels(1)).await.unwrap_err();
    assert_eq!((&error.kind, other.count()), (&ErrorKind::Unreadable, 0));
    assert!(error.message.contains("localhost"), "{error}");
}

#[tokio::test]
async fn a_redirect_to_the_sign_in_page_means_the_token_is_unknown() {
    let server = Server::start(|_| reply(302, "").header("location", "/users/sign_in")).await;
    let error = server.client().get(&labels(1)).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unauthorized { reason: UnauthorizedReason::Unknown });
    assert_eq!(server.count(), 1);
}

#[tokio::test]
async fn a_redirect_in_circles_ends() {
    let server = Server::start(|hit| reply(302, "").header("location", &hit.path)).await;
    let error = server.client().get(&labels(1)).await.unwrap_err();
    assert_eq!((error.kind, server.count()), (ErrorKind::Unreadable, 4));
}

#[tokio::test]
async fn the_servers_clock_is_told() {
    let server = Server::start(|_| ok().header("date", "Thu, 01 Jan 2026 00:00:05 GMT")).await;
    let answer = server.client().get(&labels(1)).await.unwrap();
    assert_eq!(answer.date.unwrap().to_rfc3339(), "2026-01-01T00:00:05+00:00");
}

#[tokio::test]
async fn headers_of_the_operator_are_sent() {
    let server = Server::start(|_| ok()).await;
    let client = server.client_with(|config| config.headers.push(("X-Door".into(), "open sesame".into())));
    client.get(&labels(1)).await.unwrap();
    assert_eq!(server.hits()[0].header("x-door"), "open sesame");
}
