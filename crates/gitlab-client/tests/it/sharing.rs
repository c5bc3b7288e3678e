//! Budgets shared between clients.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::time::Duration;

use gitlab_client::{Client, ErrorKind, MemoryGateStore};

use crate::server::{Server, config, labels, ok, reply};

fn sharing(server: &Server) -> [Client; 2] {
    let store = Arc::new(MemoryGateStore::default());
    [store.clone(), store].map(|store| {
        let mut config = config(&server.url);
        config.gate_store = store;
        config.wait.patience = Duration::from_secs(5);
        Client::new(config).unwrap()
    })
}

#[tokio::test]
async fn a_pause_of_one_client_holds_for_the_other() {
    let server = Server::start(|_| reply(429, "Retry later").header("retry-after", 600)).await;
    for client in sharing(&server) {
        let error = client.get(&labels(1)).await.unwrap_err();
        assert!(matches!(error.kind, ErrorKind::RateLimited { .. }), "{error:?}");
    }
    assert_eq!(server.count(), 1);
}

#[tokio::test]
async fn two_clients_share_one_store_without_waiting_while_there_is_room() {
    let server = Server::start(|_| ok()).await;
    for client in sharing(&server) {
        for project in 0..150 {
            client.get(&labels(project)).await.unwrap();
        }
        assert_eq!(client.usage().waited, Duration::ZERO);
    }
}

#[tokio::test]
async fn two_clients_together_send_no_more_than_the_window_allows() {
    let left = AtomicU32::new(30);
    let server = Server::start(move |_| {
        let left = left.fetch_update(SeqCst, SeqCst, |left| left.checked_sub(1));
        let reply = if left.is_ok() { ok() } else { reply(429, "Retry later") };
        let remaining = left.map_or(0, |left| left - 1);
        reply
            .header("ratelimit-limit", 30)
            .header("ratelimit-remaining", remaining)
            .header("ratelimit-reset", "4102444800")
            .header("date", "Thu, 31 Dec 2099 23:00:00 GMT")
    })
    .await;
    for client in sharing(&server) {
        let mut sent = 0;
        while client.get(&labels(sent)).await.is_ok() {
            sent += 1;
        }
        assert!(client.usage().rate_limited == 0, "{:?}", client.usage());
    }
    assert!((25..=31).contains(&server.count()), "{}", server.count());
}
