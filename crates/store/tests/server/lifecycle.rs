//! Start, share, stop.

use std::process::Command;
use std::time::{Duration, Instant};

use store::server::{Listen, Server, ServerError, Status};

use crate::place::{Place, ask, kill, run, wait_until};
use crate::processes;

#[tokio::test]
async fn the_first_open_initialises_and_answers_within_ten_seconds() {
    let place = Place::new();
    let begin = Instant::now();
    let running = place.open().await;
    assert_eq!(ask(&running.url(), "show data_checksums").await.unwrap(), "on");
    println!("initialised and first query: {:?}", begin.elapsed());
    assert!(begin.elapsed().as_secs() < 10);
    assert!(running.started());
    assert_eq!(ask(&running.url(), "show server_encoding").await.unwrap(), "UTF8");
    assert_eq!(ask(&running.url(), "show listen_addresses").await.unwrap(), "");
    assert_eq!(ask(&running.url(), "select upper('é')").await.unwrap(), "É");
}

#[tokio::test]
async fn an_initialised_cluster_starts_and_answers_within_a_second() {
    let place = Place::new();
    drop(place.open().await);
    // The best of three: other tests run beside this one.
    let mut best = Duration::MAX;
    for _ in 0..3 {
        assert!(Server::stop(&place.data_dir).await.unwrap());
        let begin = Instant::now();
        let running = place.open().await;
        assert_eq!(ask(&running.url(), "select 'here'").await.unwrap(), "here");
        best = best.min(begin.elapsed());
    }
    println!("started and first query: {best:?}");
    assert!(best < Duration::from_secs(1), "{best:?}");
    let begin = Instant::now();
    ask(&place.open().await.url(), "select 'here'").await.unwrap();
    println!("found running and first query: {:?}", begin.elapsed());
}

#[tokio::test]
async fn a_second_open_shares_the_running_server() {
    let place = Place::new();
    let first = place.open().await;
    let pid = place.pid();
    let second = place.open().await;
    assert!(first.started() && !second.started());
    assert_eq!(first.url(), second.url());
    assert_eq!(place.pid(), pid);
}

#[tokio::test]
async fn two_processes_starting_at_once_share_one_server() {
    let place = Place::new();
    let path = place.data_dir.clone();
    let children: Vec<_> = (0..3)
        .map(|_| {
            let command = processes::url_command(&path);
            Command::new(&command[0])
                .args(&command[1..])
                .stdout(std::process::Stdio::piped())
                .spawn()
                .unwrap()
        })
        .collect();
    let mut urls: Vec<String> = children
        .into_iter()
        .map(|it| processes::said(&it.wait_with_output().unwrap().stdout, "url"))
        .collect();
    urls.dedup();
    assert_eq!(urls.len(), 1, "{urls:?}");
    assert_eq!(ask(&urls[0], "select 'one'").await.unwrap(), "one");
}

#[tokio::test]
async fn the_server_stays_when_its_starter_is_killed() {
    let place = Place::new();
    let mut starter = processes::holder(&place.data_dir);
    let pid = place.pid();
    starter.kill().unwrap();
    starter.wait().unwrap();
    let running = place.open().await;
    assert!(!running.started());
    assert_eq!(place.pid(), pid);
    assert_eq!(ask(&running.url(), "select 'alive'").await.unwrap(), "alive");
}

#[tokio::test]
async fn a_committed_row_survives_the_killing_of_the_server() {
    let place = Place::new();
    let running = place.open().await;
    run(&running.url(), "create table kept (id int); insert into kept values (7)").await.unwrap();
    let pid = place.pid();
    kill(pid, "-KILL");
    wait_until("the server is gone", || !place.runs());
    let running = place.open().await;
    assert!(running.started());
    assert_ne!(place.pid(), pid);
    assert_eq!(ask(&running.url(), "select id::text from kept").await.unwrap(), "7");
}

#[tokio::test]
async fn a_stopped_server_is_gone_and_stopping_again_says_so() {
    let place = Place::new();
    assert!(!Server::stop(&place.data_dir).await.unwrap());
    assert_eq!(Server::status(&place.data_dir).unwrap(), Status::NotInitialised);
    let running = place.open().await;
    assert!(place.runs());
    assert!(Server::stop(&place.data_dir).await.unwrap());
    assert!(matches!(Server::status(&place.data_dir).unwrap(), Status::Stopped { version: 15.., .. }));
    assert!(ask(&running.url(), "select 'late'").await.is_err());
    assert!(!Server::stop(&place.data_dir).await.unwrap());
}

#[tokio::test]
async fn listening_on_tcp_is_chosen_remembered_and_switched_off() {
    let place = Place::new();
    assert_eq!(place.open().await.tcp_url(), None);
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut options = place.options();
    options.listen = Some(Listen::At(free));
    let running = Server::open(&options).await.unwrap();
    let url = running.tcp_url().unwrap();
    assert_eq!(ask(&url, "select inet_server_port()::text").await.unwrap(), free.port().to_string());
    assert_eq!(ask(&running.url(), "select 'socket'").await.unwrap(), "socket");
    assert!(ask(&url.replace("weir:", "weir:x"), "select 'wrong'").await.is_err());

    options.listen = Some(Listen::Off);
    assert!(matches!(Server::open(&options).await, Err(ServerError::InUse)));
    drop(running);
    assert!(Server::stop(&place.data_dir).await.unwrap());
    assert_eq!(place.open().await.tcp_url(), Some(url));
    assert_eq!(Server::open(&options).await.unwrap().tcp_url(), None);
    assert_eq!(place.open().await.tcp_url(), None);
}

#[tokio::test]
async fn psql_takes_the_same_url() {
    let place = Place::new();
    let running = place.open().await;
    let output = Command::new(running.program("psql").await.unwrap())
        .args([&running.url(), "--no-psqlrc", "-Atc", "select current_user || '@' || current_database()"])
        // A stray variable must not send it elsewhere.
        .env("PGPORT", "1")
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "weir@weir\n");
}

#[tokio::test]
async fn the_server_keeps_no_file_of_its_starter_open() {
    let place = Place::new();
    fs_lock_inherited(&place);
    assert!(place.runs());
    let held = std::fs::read_dir(format!("/proc/{}/fd", place.pid())).unwrap();
    let held: Vec<_> = held.filter_map(|it| std::fs::read_link(it.unwrap().path()).ok()).collect();
    assert!(!held.iter().any(|it| it.ends_with("outer-lock")), "{held:?}");
}

/// Starts the server the way a cron line with `flock` does, with descriptors that every child inherits.
fn fs_lock_inherited(place: &Place) {
    let lock = place.root.join("outer-lock");
    let command = processes::url_command(&place.data_dir);
    let status = Command::new("bash")
        .args(["-c", r#"exec 9>"$0" 200>"$0"; exec "$@""#])
        .arg(&lock)
        .args(&command)
        .stdout(std::process::Stdio::null())
        .status()
        .unwrap();
    assert!(status.success());
}
