//! Budgets shared between clients.

use std::sync::Arc;
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
