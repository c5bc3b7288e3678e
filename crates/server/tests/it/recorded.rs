//! Recorded webhooks: all are taken, and name what a person reads in them.

use std::path::{Path, PathBuf};
use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use catalogue::events::{Changed, Event};
use secrecy::ExposeSecret;
use serde_json::{Value, json};
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

/// What a person reads in a payload: its kind, and the number of what it is about.
fn meant(payload: &Value) -> Option<Changed> {
    let number = |pointer: &str| payload.pointer(pointer).and_then(Value::as_i64);
    let kind = payload["object_kind"].as_str().or(payload["event_name"].as_str()).expect("a kind");
    match kind {
        "merge_request" => number("/object_attributes/iid").map(Changed::MergeRequest),
        "issue" => number("/object_attributes/iid").map(Changed::Issue),
        "note" => match payload["object_attributes"]["noteable_type"].as_str() {
            Some("MergeRequest") => number("/merge_request/iid").map(Changed::MergeRequest),
            Some("Issue") => number("/issue/iid").map(Changed::Issue),
            _ => None,
        },
        "pipeline" => number("/object_attributes/id").map(Changed::Pipeline),
        "build" => number("/pipeline_id").or(number("/commit/id")).map(Changed::Pipeline),
        "deployment" => Some(Changed::Deployments),
        "push" => {
            let default = payload["project"]["default_branch"].as_str().map(|it| format!("refs/heads/{it}"));
            (default.is_none() || payload["ref"].as_str() == default.as_deref()).then_some(Changed::Trunk)
        }
        "project_update" => Some(Changed::Project),
        it if it.ends_with("_team") => Some(Changed::Project),
        it if it.starts_with("project_") || it.contains("group") || it == "user_rename" => {
            Some(Changed::Groups)
        }
        _ => None,
    }
}

#[test]
fn every_recorded_webhook_names_what_a_person_reads_in_it() {
    let Some(folder) = recordings() else { return };
    let mut found = Vec::new();
    files(&folder, &mut found);
    let mut named = 0;
    for path in &found {
        let body = std::fs::read_to_string(path).unwrap();
        let event = Event::read(&body).unwrap();
        let meant = meant(&serde_json::from_str(&body).unwrap());
        assert_eq!(event.changed, meant, "{}", path.display());
        named += usize::from(meant.is_some());
    }
    assert!(named > 50, "{named} of {} name something", found.len());
}

/// A recorded payload, as if it came from this GitLab and told of that.
fn readdressed(folder: &Path, name: &str, url: &str, project: i64, number: i64) -> String {
    let text = std::fs::read_to_string(folder.join(name)).expect("it can be read");
    let mut payload: Value = serde_json::from_str(&text).expect("it is JSON");
    let kind = payload["object_kind"].as_str().expect("a kind").to_owned();
    let places: &[&str] = match kind.as_str() {
        "note" => &["/merge_request/iid", "/issue/iid"],
        "pipeline" => &["/object_attributes/id"],
        "build" => &["/pipeline_id", "/commit/id"],
        _ => &["/object_attributes/iid"],
    };
    let projects = [
        "/project/id",
        "/project_id",
        "/object_attributes/target_project_id",
        "/object_attributes/project_id",
        "/merge_request/target_project_id",
    ];
    let addresses = ["/project/web_url", "/repository/homepage"];
    let all = places.iter().map(|it| (*it, json!(number)));
    let all = all.chain(projects.map(|it| (it, json!(project))));
    for (place, value) in all.chain(addresses.map(|it| (it, json!(format!("{url}/a/b"))))) {
        if let Some(found) = payload.pointer_mut(place).filter(|it| !it.is_null()) {
            *found = value;
        }
    }
    payload.to_string()
}

/// Something of this GitLab changes without a word, and a recorded webhook alone tells of it.
#[tokio::test(flavor = "multi_thread")]
async fn recorded_webhooks_lead_to_the_row_that_they_name() {
    let Some(folder) = recordings() else { return };
    let bench = Bench::new().await;
    let working = bench.work("one");
    for kind in ["gitlab", "gitlab_pipelines"] {
        let id = bench.working(kind).await;
        let settings = json!({ "id": id, "settings": { "sync_every_seconds": 86_400 } });
        bench.post("connections.update", settings).await.ok(200);
        bench.until(id, |it| it["last_synced_at"].is_string() && it["tasks"][0]["running"] == false).await;
    }
    let secrets = bench.store.webhook_secrets(&bench.ring, SystemClock.now()).await.unwrap();
    let token = secrets.iter().find(|it| !it.signing).unwrap().secret.expose_secret().to_owned();
    let read = async |sql: &str| bench.store.query(sql).await.unwrap().rows;
    for name in [
        "go-playground/merge-request-event.json",
        "go-playground/system-merge-request-event.json",
        "go-playground/comment-merge-request-event.json",
        "packit-service/mr_comment.json",
        "woodpecker/HookPullRequestUpdated.json",
        "go-playground/issue-event.json",
        "go-playground/comment-issue-event.json",
        "go-playground/pipeline-event.json",
        "go-playground/job-event.json",
    ] {
        let table = match name {
            it if it.contains("issue") => "gitlab_issues",
            it if it.contains("pipeline") || it.contains("job") => "gitlab_pipelines",
            _ => "gitlab_merge_requests",
        };
        let number = if table == "gitlab_pipelines" { "id" } else { "iid" };
        // What is stored is spoilt, so that only a reading of this one row puts it right.
        let spoilt = if table == "gitlab_pipelines" { "sha" } else { "title" };
        let rows =
            read(&format!("select project_id, {number}, {spoilt}, id from {table} order by id limit 1"))
                .await;
        let ids: Vec<i64> = [0, 1, 3].map(|at| rows[0][at].as_i64().unwrap()).into();
        bench
            .database
            .execute(&format!(
                "update {table} set {spoilt} = 'spoilt', updated_at = updated_at - interval '1 day' where id = {}",
                ids[2]
            ))
            .await;
        let body = readdressed(&folder, name, bench.gitlab.url(), ids[0], ids[1]);
        let request =
            Request::builder().method("POST").uri("/webhooks/gitlab").header("x-gitlab-token", &token);
        assert_eq!(bench.send(request.body(Body::from(body)).unwrap()).await.status, 200, "{name}");
        let mut is = json!("spoilt");
        for _ in 0..200 {
            is = read(&format!("select {spoilt} from {table} where id = {}", ids[2])).await[0][0].clone();
            if is != "spoilt" {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        assert_eq!(is, rows[0][2], "{name}");
    }
    working.stop().await;
}
