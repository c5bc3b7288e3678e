//! `weir extract` as people run it.

use std::process::Stdio;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::process::Command;

use crate::bench::{Bench, finished};
use crate::serve::{KEY, Serving, serve, with_key};

/// The program as an extractor of a server.
fn extract(bench: &Bench, serving: &Serving, key: &str, line: &str) -> Command {
    let mut command = bench.weir(line);
    command.env_remove("DATABASE_URL").env_remove("GITLAB_HOST").env("GITLAB_URL", bench.fake.url());
    command
        .env("EXTRACTION_TYPE", "gitlab")
        .env("EXTRACTOR_ID", "berlin")
        .env("EXTRACTOR_CONNECTORS", "gitlab");
    command.env("DATACLOUD_URL", format!("http://{}", serving.address)).env("DATACLOUD_KEY", key);
    command
}

#[tokio::test]
async fn an_extractor_checks_reads_and_ends_as_asked() {
    let bench = Bench::new().await;
    let serving = serve(&bench, "serve").await;
    let made = finished(with_key(&bench, "api-key create --name berlin --extractor berlin", KEY)).await;
    let key = made.ended_with(0).stdout.trim().to_owned();
    let checked = finished(extract(&bench, &serving, &key, "extract --check")).await.ended_with(0);
    assert!(checked.stderr.contains("lets the extractor berlin in"), "{}", checked.stderr);
    let mut child = extract(&bench, &serving, &key, "extract").stderr(Stdio::null()).spawn().unwrap();
    serving.until_synced(1).await;
    assert!(bench.value("select count(*) from gitlab_merge_requests").await.as_i64() > Some(0));
    kill(Pid::from_raw(i32::try_from(child.id().unwrap()).unwrap()), Signal::SIGTERM).unwrap();
    let ended = tokio::time::timeout(Duration::from_secs(30), child.wait()).await;
    assert_eq!(ended.expect("it ends in time").unwrap().code(), Some(0));
    assert_eq!(serving.terminate().await, 0);
}

#[tokio::test]
async fn what_is_wrong_with_an_extractor_is_said_before_anything_is_read() {
    let bench = Bench::new().await;
    let run = finished(bench.weir("extract")).await.ended_with(2);
    for name in ["EXTRACTOR_ID", "DATACLOUD_URL", "DATACLOUD_KEY", "GITLAB_URL"] {
        assert!(run.stderr.contains(name), "{name}: {}", run.stderr);
    }
    let serving = serve(&bench, "serve").await;
    let run = finished(extract(&bench, &serving, "weir_wrong", "extract")).await.ended_with(1);
    assert!(run.stderr.contains("unknown or was revoked"), "{}", run.stderr);
    let mut command = extract(&bench, &serving, "weir_wrong", "extract --check");
    command.env("GITLAB_TOKEN", "glpat-wrong");
    let said = finished(command).await.ended_with(3).stderr;
    assert!(said.contains("unknown or was revoked") && !said.contains("glpat-wrong"), "{said}");
    assert_eq!(serving.terminate().await, 0);
}
