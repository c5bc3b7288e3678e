//! Stopping for want of users.

use std::time::Duration;

use sqlx::{Connection, PgConnection};
use store::server::{Running, Server};

use crate::place::{Place, wait_until};
use crate::processes;

const IDLE: Duration = Duration::from_millis(1500);

async fn open_watched(place: &Place) -> Running {
    let mut options = place.options();
    options.watch_command = Some(processes::watch_command(&place.data_dir, IDLE));
    Server::open(&options).await.unwrap()
}

#[tokio::test]
async fn a_server_that_nobody_uses_stops_by_itself() {
    let place = Place::new();
    drop(open_watched(&place).await);
    wait_until("it has stopped", || !place.runs());
    assert!(place.open().await.started());
}

#[tokio::test]
async fn a_server_in_use_stays() {
    let place = Place::new();
    let running = open_watched(&place).await;
    std::thread::sleep(IDLE * 2);
    assert!(place.runs());
    drop(running);
    wait_until("it has stopped", || !place.runs());
}

#[tokio::test]
async fn a_server_with_a_client_stays() {
    let place = Place::new();
    let running = open_watched(&place).await;
    let client = PgConnection::connect(&running.url()).await.unwrap();
    drop(running);
    std::thread::sleep(IDLE * 2);
    assert!(place.runs());
    drop(client);
    wait_until("it has stopped", || !place.runs());
}

#[tokio::test]
async fn the_watcher_ends_with_the_server_and_a_new_one_comes_with_the_next() {
    let place = Place::new();
    let running = open_watched(&place).await;
    let watcher = place.home().join("watcher");
    let watched = || std::fs::File::open(&watcher).unwrap().try_lock().is_err();
    wait_until("it is watched", watched);
    assert!(Server::stop(&place.data_dir).await.unwrap());
    drop(running);
    wait_until("the watcher is gone", || !watched());
    drop(open_watched(&place).await);
    wait_until("it is watched", watched);
    wait_until("it has stopped", || !place.runs());
}
