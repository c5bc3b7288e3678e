//! Recorded webhooks: all are taken, and name what a person reads in them.

use std::path::{Path, PathBuf};

use axum::body::Body;
use axum::http::Request;
use catalogue::events::{Changed, Event};
use secrecy::ExposeSecret;
use sync::{Clock, SystemClock};

use crate::harness::Bench;

/// The recorded webhooks; none in a clone that has none.
fn recordings() -> Option<PathBuf> {
    let default = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/fixtures/gitlab");
    let folder =
        PathBuf::from(std::env::var("WEIR_FIXTURES").unwrap_or_else(|_| default.to_owned())).join("webhooks");
    if folder.is_dir() {
        return Some(folder);
    }
    eprintln!("skipped: no recorded webhooks at {}", folder.display());
    None
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("the folder can be read").flatten() {
        match entry.path() {
            path if path.is_dir() => files(&path, found),
            path if path.extension().is_some_and(|it| it == "json") => found.push(path),
            _ => {}
        }
    }
}

#[tokio::test]
async fn every_recorded_webhook_is_taken() {
    let Some(folder) = recordings() else { return };
    let mut found = Vec::new();
    files(&folder, &mut found);
    assert!(found.len() > 80, "{} recordings", found.len());
    let bench = Bench::new().await;
    let secrets = bench.store.webhook_secrets(&bench.ring, SystemClock.now()).await.unwrap();
    let token = secrets.iter().find(|it| !it.signing).unwrap().secret.expose_secret().to_owned();
    for path in &found {
        let body = std::fs::read_to_string(path).unwrap();
        let request =
            Request::builder().method("POST").uri("/webhooks/gitlab").header("x-gitlab-token", &token);
        let reply = bench.send(request.body(Body::from(body)).unwrap()).await;
        assert_eq!(reply.status, 200, "{}: {}", path.display(), reply.text);
    }
    let counts = bench.store.inbox_counts().await.unwrap();
    let kept: i64 = counts.iter().map(|it| it.count).sum();
    assert!(kept > 70, "{kept} of {} are kept; the others are the same as one of these", found.len());
}

#[test]
fn recorded_webhooks_name_what_changed() {
    let Some(folder) = recordings() else { return };
    let read = |name: &str| {
        let event = Event::read(&std::fs::read_to_string(folder.join(name)).unwrap()).unwrap();
        (event.project, event.changed)
    };
    let merge_request = |iid| Some(Changed::MergeRequest(iid));
    for (name, project, changed) in [
        ("go-playground/merge-request-event.json", Some(14), merge_request(1)),
        ("go-playground/system-merge-request-event.json", Some(14), merge_request(1)),
        ("go-playground/comment-merge-request-event.json", Some(5), merge_request(1)),
        ("go-playground/comment-issue-event.json", Some(5), Some(Changed::Issue(17))),
        ("go-playground/comment-commit-event.json", Some(5), None),
        ("go-playground/comment-snippet-event.json", Some(5), None),
        ("go-playground/issue-event.json", Some(14), Some(Changed::Issue(23))),
        ("go-playground/pipeline-event.json", Some(1), Some(Changed::Pipeline(31))),
        ("go-playground/job-event.json", Some(380), Some(Changed::Pipeline(2366))),
        ("go-playground/push-event.json", Some(15), Some(Changed::Trunk)),
        ("go-playground/tag-event.json", Some(1), None),
        ("go-playground/system-project-transferred.json", Some(73), Some(Changed::Groups)),
        ("go-playground/system-team-member-added.json", Some(74), Some(Changed::Project)),
        ("go-playground/system-group-member-removed.json", None, Some(Changed::Groups)),
        ("go-playground/system-key-added.json", None, None),
        ("go-playground/release-event.json", Some(2), None),
    ] {
        assert_eq!(read(name), (project, changed), "{name}");
    }
}
