//! 429 is a schedule.

use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use gitlab_client::{Client, ErrorKind, Request};
use tokio::time::Instant;

use crate::server::{Reply, Server, credential, labels, ok, reply};

const ENDPOINT: &str =
    r#"{"message":{"error":"This endpoint has been requested too many times. Try again later."}}"#;

fn later() -> Reply {
    reply(429, "Retry later\n").header("content-type", "text/plain")
}

async fn once(first: Reply) -> (Server, Client, Duration) {
    let server = Server::start(move |hit| if hit.number == 0 { first.clone() } else { ok() }).await;
    let client = server.client();
    let started = Instant::now();
    client.get(&labels(1)).await.unwrap();
    (server, client, started.elapsed())
}

#[expect(clippy::disallowed_methods, reason = "GitLab tells the end of a window as a time of day")]
fn now() -> SystemTime {
    SystemTime::now()
}

#[tokio::test]
async fn a_429_with_seconds_is_waited_out() {
    let (server, client, took) = once(later().header("retry-after", 1)).await;
    assert!((1000..1900).contains(&took.as_millis()), "{took:?}");
    let usage = client.usage();
    assert_eq!((server.count(), usage.requests, usage.rate_limited, usage.retries), (2, 2, 1, 0));
    assert!(usage.waited >= Duration::from_secs(1), "{usage:?}");
}

#[tokio::test]
async fn a_429_with_a_date_is_waited_out() {
    let date = now() + Duration::from_secs(2);
    let (_, client, took) = once(later().header("retry-after", httpdate::fmt_http_date(date))).await;
    assert!((900..3500).contains(&took.as_millis()), "{took:?}");
    assert_eq!(client.usage().rate_limited, 1);
}

#[tokio::test]
async fn a_429_with_the_end_of_its_window_is_waited_out() {
    let reset = now().duration_since(UNIX_EPOCH).unwrap().as_secs() + 2;
    let (_, _, took) = once(later().header("ratelimit-reset", reset).header("ratelimit-remaining", 0)).await;
    assert!((900..3500).contains(&took.as_millis()), "{took:?}");
}

#[tokio::test]
async fn a_429_without_headers_is_waited_out() {
    let server = Server::start(|hit| if hit.number < 3 { later() } else { ok() }).await;
    let (client, started) = (server.client(), Instant::now());
    client.get(&labels(1)).await.unwrap();
    let took = started.elapsed();
    // Between the half and the whole of 40, 80 and 160 ms.
    assert!((140..900).contains(&took.as_millis()), "{took:?}");
    let gaps: Vec<_> = server.hits().windows(2).map(|it| (it[1].at - it[0].at).as_millis()).collect();
    assert!(gaps[0] >= 20 && gaps[1] >= 40 && gaps[2] >= 80, "{gaps:?}");
}

#[tokio::test]
async fn a_limited_credential_waits_and_the_others_go_on() {
    let server = Server::start(|hit| match hit.token() {
        "token-of-a" => later().header("retry-after", 60),
        _ => ok(),
    })
    .await;
    let client = server.client_with(|config| config.credentials = vec![credential("a"), credential("b")]);
    let started = Instant::now();
    for project in 0..10 {
        client.get(&labels(project)).await.unwrap();
    }
    assert!(started.elapsed() < Duration::from_secs(2));
    let usage = client.usage();
    assert_eq!((usage.credentials[0].requests, usage.credentials[1].requests), (1, 10));
    assert!(client.credentials()[0].paused_until.is_some());
}

#[tokio::test]
async fn a_limited_endpoint_waits_and_other_endpoints_go_on() {
    let server = Server::start(|hit| match hit.path.as_str() {
        "/api/v4/groups" if hit.number == 0 => reply(429, ENDPOINT).header("retry-after", 1),
        _ => ok(),
    })
    .await;
    let (client, started) = (server.client(), Instant::now());
    let groups = tokio::spawn({
        let client = client.clone();
        async move { client.get(&Request::new("groups")).await.map(|_| Instant::now()) }
    });
    while client.usage().rate_limited == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    client.get(&labels(1)).await.unwrap();
    assert!(started.elapsed() < Duration::from_millis(900));
    assert!(groups.await.unwrap().unwrap() - started >= Duration::from_secs(1));
    assert_eq!(client.usage().rate_limited, 1);
}

#[tokio::test]
async fn a_limit_that_meets_all_credentials_at_once_pauses_the_server() {
    let server = Server::start(|hit| match hit.number {
        0 => later().header("retry-after", 1),
        1 => later().header("retry-after", 2),
        _ => ok(),
    })
    .await;
    let client = server.client_with(|config| config.credentials = vec![credential("a"), credential("b")]);
    let started = Instant::now();
    client.get(&labels(1)).await.unwrap();
    assert!(started.elapsed() >= Duration::from_secs(2), "the longer of the two waits counts");
    assert_eq!(server.count(), 3);
}

/// Answers with what is left of a budget of so many requests; above it with 429.
fn budget(left: &AtomicU32, limit: u32) -> Reply {
    let left = left.fetch_update(SeqCst, SeqCst, |left| left.checked_sub(1));
    let reply = if left.is_ok() { reply(200, r#"{"id":7}"#) } else { later() };
    reply
        .header("ratelimit-limit", limit)
        .header("ratelimit-remaining", left.map_or(0, |left| left - 1))
        .header("ratelimit-reset", "4102444800")
        .header("date", "Thu, 31 Dec 2099 23:00:00 GMT")
}

#[tokio::test]
async fn tokens_of_one_user_never_send_more_than_the_user_may() {
    let left = AtomicU32::new(40);
    let server = Server::start(move |_| budget(&left, 40).after(Duration::from_millis(5))).await;
    let client = server.client_with(|config| {
        config.credentials = ["a", "b", "c"].map(credential).into();
        config.wait.patience = Duration::from_secs(1);
    });
    client.recognise_users().await;
    let all = (0..60).map(|project| {
        let client = client.clone();
        async move { client.get(&labels(project)).await.is_ok() }
    });
    let read = futures::future::join_all(all).await.into_iter().filter(|it| *it).count();
    let usage = client.usage();
    assert_eq!((read, server.count(), usage.rate_limited), (37, 40, 0), "three were asked for their user");
    assert!(usage.credentials.iter().all(|it| it.requests > 5), "all of them work: {usage:?}");
    assert_eq!(client.credentials().into_iter().map(|it| it.remaining).collect::<Vec<_>>(), [Some(0); 3]);
}

#[tokio::test]
async fn a_single_token_is_not_asked_for_its_user() {
    let server = Server::start(|_| ok()).await;
    server.client().recognise_users().await;
    assert_eq!(server.count(), 0);
}

#[tokio::test]
async fn a_token_that_cannot_tell_its_user_keeps_its_own_budget() {
    let server = Server::start(|hit| match hit.path.as_str() {
        "/api/v4/user" => reply(500, "no"),
        _ if hit.token() == "token-of-a" => later().header("retry-after", 60),
        _ => ok(),
    })
    .await;
    let client = server.client_with(|config| config.credentials = vec![credential("a"), credential("b")]);
    client.recognise_users().await;
    assert_eq!(client.get(&labels(1)).await.unwrap().credential.as_str(), "b");
}

#[tokio::test]
async fn waits_of_different_lengths_are_each_credentials_own() {
    let server = Server::start(|hit| match hit.number {
        0 => later().header("retry-after", 3600),
        1 => later().header("retry-after", 1),
        _ => ok(),
    })
    .await;
    let client = server.client_with(|config| config.credentials = vec![credential("a"), credential("b")]);
    assert_eq!(client.get(&labels(1)).await.unwrap().credential.as_str(), "b");
}

#[tokio::test]
async fn a_used_up_budget_waits_for_its_window_before_a_429_comes() {
    let server = Server::start(|_| {
        ok().header("ratelimit-limit", 1)
            .header("ratelimit-remaining", 0)
            .header("ratelimit-reset", "4102444800")
            .header("date", "Thu, 31 Dec 2099 23:59:59 GMT")
    })
    .await;
    let client = server.client();
    client.get(&labels(1)).await.unwrap();
    let started = Instant::now();
    client.get(&labels(2)).await.unwrap();
    assert!(started.elapsed() >= Duration::from_millis(900), "{:?}", started.elapsed());
    assert_eq!(client.usage().rate_limited, 0);
}

#[tokio::test]
async fn patience_ends_with_the_time_to_come_back() {
    let server = Server::start(|_| later().header("retry-after", 3600)).await;
    let client = server.client_with(|config| config.wait.patience = Duration::from_secs(60));
    let error = client.get(&labels(1)).await.unwrap_err();
    match error.kind {
        ErrorKind::RateLimited { until } => {
            let wait = until - chrono::DateTime::<chrono::Utc>::from(now());
            assert!((3590..3610).contains(&wait.num_seconds()), "{wait}");
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn many_requests_that_meet_a_limit_together_count_as_one_guess() {
    let server = Server::start(|hit| {
        let reply = if hit.number < 8 { later() } else { ok() };
        reply.after(Duration::from_millis(20))
    })
    .await;
    let (client, started) = (server.client(), Instant::now());
    let all = (0..8).map(|project| {
        let client = client.clone();
        async move { client.get(&labels(project)).await.unwrap() }
    });
    futures::future::join_all(all).await;
    assert!(started.elapsed() < Duration::from_millis(600), "{:?}", started.elapsed());
    assert_eq!(server.count(), 16);
}
