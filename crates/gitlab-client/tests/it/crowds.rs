//! Many requests at once, with all faults together.

use std::time::Duration;

use crate::server::{Server, credential, labels, ok, reply};

#[tokio::test(flavor = "multi_thread")]
async fn a_crowd_gets_through_all_faults_together() {
    let server = Server::start(|hit| match hit.number % 23 {
        3 => reply(429, "Retry later"),
        7 => reply(500, "oops"),
        11 => reply(200, "<html></html>"),
        13 => reply(429, "requested: This endpoint has been requested too many times."),
        17 => reply(403, "no"),
        _ => ok().after(Duration::from_millis(hit.number as u64 % 5)),
    })
    .await;
    let client = server.client_with(|config| {
        config.credentials = ["a", "b", "c"].map(credential).into();
        config.retry.attempts = 20;
    });
    let all = (0..300).map(|project| {
        let client = client.clone();
        tokio::spawn(async move { client.get(&labels(project)).await.map(|answer| answer.body) })
    });
    for answer in futures::future::join_all(all).await {
        assert_eq!(answer.unwrap().unwrap(), "[]");
    }
    assert_eq!(client.usage().requests as usize, server.count());
    assert!(client.usage().credentials.iter().all(|it| it.requests > 50), "{:?}", client.usage());
}

#[tokio::test]
async fn requests_that_are_given_up_leave_their_place_to_others() {
    let server = Server::start(|hit| match hit.path.as_str() {
        "/api/v4/projects/999/labels" => ok().after(Duration::from_secs(60)),
        _ => ok(),
    })
    .await;
    let client = server.client();
    for _ in 0..40 {
        let given_up = tokio::time::timeout(Duration::from_millis(20), client.get(&labels(999))).await;
        assert!(given_up.is_err());
    }
    for project in 0..20 {
        client.get(&labels(project)).await.unwrap();
    }
    assert_eq!(client.concurrency(), 8);
}
