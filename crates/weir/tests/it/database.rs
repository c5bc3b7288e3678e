//! The database: its own server, another's, and what can be wrong with either.

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
