//! The database: its own server, another's, and what can be wrong with either.

use std::time::Duration;

use fake_gitlab::FakeGitlab;
use fake_gitlab::world::generate::Scale;
use store::server::Server;

use crate::bench::{Bench, Run, finished, weir, words};

async fn in_directory(directory: &std::path::Path, line: &str) -> Run {
    let mut arguments = words(line);
    arguments.extend(["--data-dir".to_owned(), directory.display().to_string()]);
    finished(weir(&arguments)).await
}

#[tokio::test]
async fn a_database_of_a_newer_weir_is_left_alone() {
    let bench = Bench::new().await;
    bench
        .database
        .execute("insert into _sqlx_migrations values (99990101, 'later', now(), true, '\\x00', 1)")
        .await;
    for line in ["sync --json", "status --json"] {
        let run = bench.run(line).await.ended_with(1);
        assert_eq!(run.json()["error"]["reason"], "newer_schema");
        assert!(run.stderr.contains("newer version of Weir"), "{}", run.stderr);
    }
    assert!(bench.run("doctor").await.ended_with(1).stdout.contains("newer version"));
}

#[tokio::test]
async fn a_database_that_is_not_there_is_told_at_once() {
    let addresses = [
        ("postgresql://weir:hunter2@127.0.0.1:1/weir", "--database-url"),
        ("mysql://weir:hunter2@127.0.0.1/weir", "postgresql://"),
    ];
    for (address, sentence) in addresses {
        let mut command = weir(&words("status --json"));
        command.env("DATABASE_URL", address);
        let began = std::time::Instant::now();
        let run = finished(command).await.ended_with(1);
        assert_eq!(run.json()["error"]["reason"], "database_unreachable");
        assert!(run.stderr.contains(sentence), "{}", run.stderr);
        assert!(!run.said().contains("hunter2"), "{}", run.said());
        assert!(began.elapsed().as_secs() < 15);
    }
}

#[tokio::test]
async fn a_data_directory_that_cannot_be_is_told() {
    let run = in_directory("/dev/null/weir".as_ref(), "status").await.ended_with(1);
    assert!(run.stderr.contains("--data-dir"), "{}", run.stderr);
}

#[tokio::test]
async fn the_address_of_a_database_of_ones_own_is_printed() {
    let bench = Bench::new().await;
    let run = bench.run("database url").await.ended_with(0);
    assert_eq!(run.stdout.trim(), bench.database.url());
    bench.run("database url --read-only").await.ended_with(2);
    assert!(bench.run("database status").await.ended_with(0).stdout.contains("reachable"));
}

#[tokio::test]
async fn weirs_own_database_starts_is_addressed_and_stops() {
    let directory = tempfile::tempdir().unwrap();
    let at = directory.path();
    assert!(in_directory(at, "database status").await.ended_with(0).stdout.contains("no database"));
    let url = in_directory(at, "database url").await.ended_with(0).stdout;
    assert!(url.starts_with("postgresql://weir:"), "{url}");
    assert!(in_directory(at, "database status").await.ended_with(0).stdout.starts_with("running"));
    let reader = in_directory(at, "database url --read-only").await.ended_with(0).stdout;
    let mut command = weir(&words("sql --format csv"));
    command.args(["select count(*) from gitlab_projects"]).env("DATABASE_URL", reader.trim());
    assert_eq!(finished(command).await.ended_with(0).stdout, "count\n0\n");
    let taken = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let listen = format!("database url --listen {}", taken.local_addr().unwrap());
    let run = in_directory(at, &listen).await.ended_with(1);
    assert!(run.stderr.contains("--listen"), "{}", run.stderr);
    in_directory(at, "database stop").await.ended_with(0);
    assert!(in_directory(at, "database stop").await.ended_with(0).stderr.contains("was not running"));
    let _ = Server::stop(at).await;
}

/// kill -9 of the whole server, in the middle of a sync.
#[tokio::test]
async fn weirs_own_database_that_is_killed_in_the_middle_is_started_again() {
    let directory = tempfile::tempdir().unwrap();
    let at = directory.path();
    let builder = FakeGitlab::builder().scale(Scale::tiny()).seed(5);
    let fake = builder.latency(Duration::from_millis(60), Duration::ZERO).start().await.unwrap();
    in_directory(at, "database url").await.ended_with(0);
    let mut command = weir(&words("sync --json --data-dir"));
    command.arg(at).env("GITLAB_HOST", fake.url()).env("GITLAB_TOKEN", fake.token());
    let syncing = tokio::spawn(finished(command));
    let url = in_directory(at, "database url").await.ended_with(0).stdout;
    until_something_is_stored(url.trim()).await;
    let pid = std::fs::read_to_string(at.join("postgresql/data/postmaster.pid")).unwrap();
    let kill = std::process::Command::new("kill").args(["-9", pid.lines().next().unwrap()]).status();
    assert!(kill.unwrap().success());
    let run = syncing.await.unwrap().ended_with(0);
    assert_eq!(run.json()["ok"], true);
    let mut proof = weir(&words("proof --json --data-dir"));
    proof.arg(at).env("GITLAB_HOST", fake.url()).env("GITLAB_TOKEN", fake.token());
    finished(proof).await.ended_with(0);
    let _ = Server::stop(at).await;
}

/// What is copied or moved away then is whole, and nothing is put in its place.
#[tokio::test]
async fn weirs_own_database_that_is_stopped_in_the_middle_stays_stopped_and_the_sync_says_so() {
    for moved in [false, true] {
        let directory = tempfile::tempdir().unwrap();
        let at = directory.path();
        let builder = FakeGitlab::builder().scale(Scale::tiny()).seed(6);
        let fake = builder.latency(Duration::from_millis(60), Duration::ZERO).start().await.unwrap();
        let url = in_directory(at, "database url").await.ended_with(0).stdout;
        let mut command = weir(&words("sync --full --json --data-dir"));
        command.arg(at).env("GITLAB_HOST", fake.url()).env("GITLAB_TOKEN", fake.token());
        let syncing = tokio::spawn(finished(command));
        until_a_sync_reads(url.trim()).await;
        in_directory(at, "database stop").await.ended_with(0);
        if moved {
            std::fs::rename(at.join("postgresql"), at.join("away")).unwrap();
        }
        let run = syncing.await.unwrap().ended_with(6);
        assert_eq!(run.json()["error"]["reason"], "database_stopped");
        assert!(run.stderr.contains("was stopped"), "{}", run.stderr);
        let status = in_directory(at, "database status").await.ended_with(0).stdout;
        assert!(status.starts_with(if moved { "There is no database" } else { "stopped" }), "{status}");
        in_directory(at, "database start").await.ended_with(0);
        let _ = Server::stop(at).await;
    }
}

async fn until_a_sync_reads(url: &str) {
    let store = store::Store::connect(url, 1).await.unwrap();
    let reads = "select count(*) from weir.syncs where state = 'running' and phase <> 'discovery'";
    for _ in 0..400 {
        if store.query(reads).await.is_ok_and(|it| it.rows[0][0].as_i64() > Some(0)) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("no sync reads");
}

async fn until_something_is_stored(url: &str) {
    let store = store::Store::connect(url, 1).await.unwrap();
    for _ in 0..400 {
        if let Ok(found) = store.query("select count(*) from gitlab_merge_requests").await
            && found.rows[0][0].as_i64() > Some(0)
        {
            return;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("nothing was stored");
}
