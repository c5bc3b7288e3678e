//! Servers in trouble, bodies that are none, blocked addresses.

use std::time::Duration;

use gitlab_client::{ErrorKind, ForbiddenReason, NetworkFailure, Request};
use tokio::time::Instant;

use crate::server::{Reply, Server, labels, ok, reply};

async fn after(first: Reply) -> (Server, u64) {
    let server = Server::start(move |hit| if hit.number < 2 { first.clone() } else { ok() }).await;
    let client = server.client();
    client.get(&labels(1)).await.unwrap();
    (server, client.usage().retries)
}

#[tokio::test]
async fn a_server_error_is_tried_again() {
    for status in [500, 502, 503, 504, 520, 529] {
        let (server, retries) = after(reply(status, "<html>oops</html>")).await;
        assert_eq!((server.count(), retries), (3, 2), "{status}");
    }
}

#[tokio::test]
async fn a_server_error_that_stays_is_unavailable() {
    let server = Server::start(|_| reply(502, "").header("x-request-id", "abc")).await;
    let error = server.client().get(&labels(1)).await.unwrap_err();
    assert_eq!((error.kind, error.status, server.count()), (ErrorKind::Unavailable, Some(502), 3));
    assert_eq!(error.request_id.as_deref(), Some("abc"));
    assert_eq!(error.endpoint.as_deref(), Some("projects/{id}/labels"));
}

#[tokio::test]
async fn what_is_no_json_is_tried_again() {
    for body in ["<html>Sign in</html>", "", "[{\"id\":1},", "[1,]", "null"] {
        let (server, _) = after(reply(200, body)).await;
        assert_eq!(server.count(), 3, "{body}");
    }
}

#[tokio::test]
async fn what_is_never_json_is_unreadable() {
    let server = Server::start(|_| reply(200, "<html>Sign in</html>")).await;
    let error = server.client().get(&labels(1)).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unreadable);
    assert!(error.message.contains("HTML"), "{error}");
}

#[tokio::test]
async fn an_answer_that_is_too_large_is_unreadable_at_once() {
    let server = Server::start(|_| reply(200, &format!("[{}1]", "1,".repeat(1000)))).await;
    let client = server.client_with(|config| config.body_limit = 1000);
    let error = client.get(&labels(1)).await.unwrap_err();
    assert_eq!((error.kind, server.count()), (ErrorKind::Unreadable, 1));
}

#[tokio::test]
async fn not_found_and_refused_are_final() {
    let server = Server::start(|hit| match hit.path.as_str() {
        "/api/v4/groups" => {
            reply(405, r#"{"error":"Keyset pagination is not yet available for this type of request"}"#)
        }
        _ => reply(404, r#"{"message":"404 Project Not Found"}"#),
    })
    .await;
    let client = server.client();
    assert_eq!(client.get(&labels(1)).await.unwrap_err().kind, ErrorKind::NotFound);
    let error = client.get(&Request::new("groups")).await.unwrap_err();
    assert_eq!((error.kind, error.status, server.count()), (ErrorKind::Refused, Some(405), 2));
    assert!(error.message.contains("Keyset"), "{}", error.message);
}

#[tokio::test]
async fn a_404_that_is_not_gitlabs_proves_nothing() {
    let server = Server::start(|_| reply(404, "<html>nginx</html>")).await;
    let error = server.client().get(&labels(1)).await.unwrap_err();
    assert_eq!((error.kind, error.status), (ErrorKind::Unreadable, Some(404)));
}

#[tokio::test]
async fn a_blocked_address_is_a_pause_and_marks_nothing() {
    let server = Server::start(|hit| if hit.number < 12 { reply(403, "Forbidden") } else { ok() }).await;
    let client = server.client_with(|config| config.retry.attempts = 20);
    let all = (0..4).map(|project| {
        let client = client.clone();
        async move { client.get(&labels(project)).await }
    });
    let answers = futures::future::join_all(all).await;
    assert!(answers.iter().all(Result::is_ok), "{answers:?}");
    assert!(client.usage().waited >= Duration::from_millis(50));
}

#[tokio::test]
async fn an_address_that_stays_blocked_is_unavailable_when_patience_ends() {
    let server = Server::start(|_| reply(403, "<html>blocked</html>")).await;
    let client = server.client_with(|config| {
        config.retry.attempts = 20;
        config.wait.patience = Duration::from_millis(300);
    });
    let started = Instant::now();
    let (one, two) = (labels(1), labels(2));
    let (one, two) = tokio::join!(client.get(&one), client.get(&two));
    for error in [one.unwrap_err(), two.unwrap_err()] {
        assert_eq!(
            (error.kind, error.network),
            (ErrorKind::Unavailable, Some(NetworkFailure::AddressBlocked))
        );
    }
    assert!(started.elapsed() >= Duration::from_millis(100));
    assert_eq!(client.credentials()[0].disabled, None);
}

#[tokio::test]
async fn a_firewall_that_dislikes_one_request_does_not_block_the_rest() {
    let server =
        Server::start(|hit| if hit.path.ends_with("/groups") { reply(403, "no") } else { ok() }).await;
    let client = server.client();
    for _ in 0..4 {
        let error = client.get(&Request::new("groups")).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Forbidden { reason: ForbiddenReason::Foreign });
        client.get(&labels(1)).await.unwrap();
    }
}

#[tokio::test]
async fn a_server_that_fails_is_asked_by_fewer_at_once() {
    let server = Server::start(|hit| if hit.number < 3 { reply(500, "") } else { ok() }).await;
    let client = server.client_with(|config| config.retry.attempts = 10);
    assert_eq!(client.concurrency(), 8);
    client.get(&labels(1)).await.unwrap();
    assert!(client.concurrency() <= 2, "halved three times: {}", client.concurrency());
}

#[tokio::test]
async fn a_server_that_answers_quickly_is_asked_by_more_at_once_up_to_the_ceiling() {
    let server = Server::start(|_| ok().after(Duration::from_millis(10))).await;
    let client = server.client_with(|config| config.concurrency = 11);
    let all = (0..200).map(|project| {
        let client = client.clone();
        async move { client.get(&labels(project)).await.unwrap() }
    });
    futures::future::join_all(all).await;
    assert!((9..=11).contains(&client.concurrency()), "{}", client.concurrency());
}

#[tokio::test]
async fn a_server_that_says_when_it_is_back_is_left_alone_until_then() {
    let server = Server::start(|hit| match hit.number {
        0 => reply(503, "").header("retry-after", 1),
        _ => ok(),
    })
    .await;
    let client = server.client_with(|config| config.retry.max = Duration::from_secs(30));
    let started = Instant::now();
    client.get(&labels(1)).await.unwrap();
    assert!(started.elapsed() >= Duration::from_secs(1));
}

#[tokio::test]
async fn a_caller_may_want_to_know_sooner() {
    let server = Server::start(|_| reply(504, "")).await;
    let error = server.client().with_attempts(1).get(&labels(1)).await.unwrap_err();
    assert_eq!((error.kind, server.count()), (ErrorKind::Unavailable, 1));
}
