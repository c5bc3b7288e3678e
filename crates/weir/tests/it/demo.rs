//! The demonstration: what a newcomer runs first.

use store::server::Server;
use store::testing::TestDatabase;

use crate::bench::{finished, weir, words};

const TITLES: [&str; 3] = ["wait for their first review", "merged each week", "Who reviews the most"];

#[tokio::test]
async fn the_demonstration_shows_answers_on_a_machine_with_nothing_configured() {
    let directory = tempfile::tempdir().unwrap();
    let mut command = weir(&words("demo --scale small"));
    command.env("WEIR_DATA_DIR", directory.path()).env("HTTP_PROXY", "http://127.0.0.1:1");
    let run = finished(command).await.ended_with(0);
    for title in TITLES {
        assert!(run.stdout.contains(title), "{}", run.stdout);
    }
    assert!(run.stderr.contains("Go on with:") && run.stderr.contains("--data-dir"), "{}", run.stderr);
    let _ = Server::stop(&directory.path().join("demo").join("small")).await;
}

#[tokio::test]
async fn the_demonstration_twice_finds_the_same_gitlab() {
    let database = TestDatabase::new().await;
    for _ in 0..2 {
        finished(weir(&words(&format!("demo --database-url {}", database.url())))).await.ended_with(0);
    }
    let store = database.store().await;
    assert_eq!(store.status().await.unwrap().len(), 1);
}
