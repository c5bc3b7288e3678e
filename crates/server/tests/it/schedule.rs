//! Connections at work: the schedule, failures, pauses, and workers that come and go.

use std::time::Duration;

use fake_gitlab::tokens::{TokenSpec, TokenState};
use fake_gitlab::world::model::MergeRequestState;
use serde_json::{Value, json};

use crate::harness::Bench;

fn task<'a>(shown: &'a Value, activity: &str) -> &'a Value {
    shown["tasks"]
        .as_array()
        .expect("a list")
        .iter()
        .find(|it| it["activity"] == activity)
        .unwrap_or(&Value::Null)
}

fn is_synced(shown: &Value) -> bool {
    shown["last_synced_at"].is_string() && task(shown, "sync")["running"] == false
}

#[tokio::test]
async fn a_connection_is_synced_as_soon_as_it_has_a_credential() {
    let bench = Bench::new().await;
    let working = bench.work("one");
    let id = bench.working("gitlab").await;
    let shown = bench.until(id, is_synced).await;
    assert_eq!((&task(&shown, "sync")["outcome"], &shown["disabled_at"]), (&json!("complete"), &Value::Null));
    assert!(task(&shown, "sweep")["due_at"].is_string(), "{shown}");
    bench.assert_equal().await;
    let syncs = bench.get(&format!("syncs.list?connection_id={id}")).await.ok(200)["syncs"].take();
    assert_eq!((&syncs[0]["state"], &syncs[0]["connection_id"]), (&json!("complete"), &json!(id)));
    let info = bench.get(&format!("syncs.info/{}", syncs[0]["id"])).await.ok(200);
    assert_eq!(info["sync"], syncs[0]);
    assert_eq!(bench.get("syncs.info/4711").await.error(), (404, "sync_not_found"));
    working.stop().await;
}

#[tokio::test]
async fn a_refused_credential_is_set_aside_with_its_reason_and_the_others_carry_on() {
    let bench = Bench::new().await;
    let id = bench.working("gitlab").await;
    let user = bench.gitlab.viewer().user_id;
    bench.twin("glpat-twin");
    let body = json!({ "secrets": { "api_token": "glpat-twin" } });
    bench.post(&format!("connections/{id}/credentials.create"), body).await.ok(201);
    bench.token(TokenSpec { state: TokenState::Revoked, ..TokenSpec::personal("glpat-twin", user) });
    let working = bench.work("one");
    let shown = bench.until(id, is_synced).await;
    assert_eq!(shown["disabled_at"], Value::Null, "{shown}");
    let listed = bench.get(&format!("connections/{id}/credentials.list")).await.ok(200)["credentials"].take();
    assert!(listed[0]["disabled_at"].is_null(), "{listed}");
    assert!(listed[1]["disabled_reason"].as_str().unwrap().contains("revoked"), "{listed}");
    working.stop().await;
}

#[tokio::test]
async fn a_connection_whose_last_credential_was_refused_says_so_and_works_again_with_a_new_one() {
    let bench = Bench::new().await;
    let id = bench.working("gitlab").await;
    let user = bench.gitlab.viewer().user_id;
    bench.token(TokenSpec { state: TokenState::Expired, ..TokenSpec::personal(bench.gitlab.token(), user) });
    let working = bench.work("one");
    let shown = bench.until(id, |it| it["disabled_at"].is_string()).await;
    assert!(shown["disabled_reason"].as_str().unwrap().contains("expired"), "{shown}");
    bench.twin("glpat-new");
    let body = json!({ "id": 1, "secrets": { "api_token": "glpat-new" } });
    bench.post(&format!("connections/{id}/credentials.update"), body).await.ok(200);
    bench.until(id, is_synced).await;
    working.stop().await;
}

#[tokio::test]
async fn one_connections_trouble_does_not_delay_another() {
    let bench = Bench::new().await;
    let body = json!({ "type": "gitlab", "settings": { "base_url": "http://127.0.0.1:9" } });
    let dead = bench.post("connections.create", body).await.ok(201)["connection"]["id"].as_i64().unwrap();
    let good = bench.working("gitlab").await;
    lend_token(&bench, good, dead).await;
    let working = bench.work("one");
    bench.until(good, is_synced).await;
    let shown = bench.until(dead, |it| task(it, "sync")["failures"].as_i64() > Some(0)).await;
    assert_eq!(task(&shown, "sync")["outcome"], "failed", "{shown}");
    assert!(task(&shown, "sync")["error"]["message"].is_string(), "{shown}");
    working.stop().await;
}

/// A credential that could not be verified, put where a connection whose GitLab is away would have it.
async fn lend_token(bench: &Bench, from: i64, to: i64) {
    let rows = bench.store.usable_credentials(&bench.ring, from).await.expect("they open");
    let (row, token) = rows.first().expect("one");
    let new = store::NewCredential {
        label: "lent",
        settings: &row.settings,
        token,
        scopes: None,
        gitlab_user_id: None,
        expiration_date: None,
    };
    let now = sync::Clock::now(&sync::SystemClock);
    bench.store.add_credential(&bench.ring, to, &new, now).await.expect("it is added");
    bench.store.lay_out_tasks(to, &[("sync", now)]).await.expect("it is laid out");
}

#[tokio::test]
async fn a_paused_connection_rests_until_it_is_resumed() {
    let bench = Bench::new().await;
    let id = bench.working("gitlab").await;
    bench.post("connections.pause", json!({ "id": id })).await.ok(200);
    let working = bench.work("one");
    tokio::time::sleep(Duration::from_millis(700)).await;
    assert!(bench.until(id, |_| true).await["last_synced_at"].is_null());
    bench.post("connections.resume", json!({ "id": id })).await.ok(200);
    bench.until(id, is_synced).await;
    working.stop().await;
}

#[tokio::test]
async fn what_a_killed_worker_began_another_goes_on_with() {
    let bench = Bench::new().await;
    let id = bench.working("gitlab").await;
    let first = bench.work("one");
    bench.until(id, |it| task(it, "sync")["running"] == true).await;
    first.kill();
    // Its lease is over: as if a minute had passed.
    bench
        .database
        .execute("update weir.tasks set until = now() - interval '1 second' where owner is not null")
        .await;
    let second = bench.work("two");
    bench.until(id, is_synced).await;
    bench.assert_equal().await;
    second.stop().await;
}

#[tokio::test]
async fn a_worker_that_is_stopped_leaves_its_task_to_be_gone_on_with() {
    let bench = Bench::new().await;
    let id = bench.working("gitlab").await;
    let first = bench.work("one");
    bench.until(id, |it| task(it, "sync")["running"] == true).await;
    first.stop().await;
    let shown = bench.until(id, |it| task(it, "sync")["running"] == false).await;
    assert_ne!(task(&shown, "sync")["outcome"], "failed", "{shown}");
    let second = bench.work("two");
    bench.until(id, is_synced).await;
    second.stop().await;
}

#[tokio::test]
async fn a_sync_that_is_asked_for_runs_at_once() {
    let bench = Bench::new().await;
    let working = bench.work("one");
    let id = bench.working("gitlab").await;
    let first = bench.until(id, is_synced).await["last_synced_at"].clone();
    bench.post("connections.sync", json!({ "id": id, "sweep": true })).await.ok(200);
    let shown = bench.until(id, |it| task(it, "sweep")["outcome"] == "complete").await;
    assert_ne!(shown["last_synced_at"], first);
    working.stop().await;
}

#[tokio::test]
async fn what_changes_unseen_in_what_is_open_is_looked_at_at_its_own_pace() {
    let bench = Bench::new().await;
    let id = bench.working("gitlab").await;
    let pace = |seconds: u32| json!({ "id": id, "settings": { "open_set_every_seconds": seconds } });
    bench.post("connections.update", pace(3_600)).await.ok(200);
    let working = bench.work("one");
    let mut shown = bench.until(id, is_synced).await;
    take_approvals(&bench);
    for (seconds, looked) in [(3_600, false), (0, true)] {
        let before = shown.clone();
        bench.post("connections.update", pace(seconds)).await.ok(200);
        bench.post("connections.sync", json!({ "id": id })).await.ok(200);
        let later = |it: &Value| is_synced(it) && it["last_synced_at"] != before["last_synced_at"];
        shown = bench.until(id, later).await;
        for (resource, moves) in [("merge_requests", true), ("approvals", looked), ("reviewers", looked)] {
            assert_eq!(read_at(&shown, resource) != read_at(&before, resource), moves, "{resource}: {shown}");
        }
        assert_eq!(bench.differences().await.is_empty(), looked);
    }
    working.stop().await;
}

fn read_at(shown: &Value, resource: &str) -> Value {
    let all = shown["resources"].as_array().expect("a list");
    all.iter().find(|it| it["resource"] == resource).expect(resource)["last_synced_at"].clone()
}

/// Takes approvals from an open merge request, as GitLab does after a push; nothing else tells of it.
fn take_approvals(bench: &Bench) {
    let viewer = bench.gitlab.viewer();
    let mut world = bench.gitlab.world_mut();
    let seen = |project: i64| world.project_access_level(&viewer, &world.projects[&project]).is_some();
    let approved = world
        .merge_requests
        .values()
        .find(|it| !it.approvals.is_empty() && it.state == MergeRequestState::Opened && seen(it.project_id));
    let (id, moved) = approved.map(|it| (it.id, it.updated_at)).expect("one is approved");
    world.reset_approvals(id);
    assert_eq!(world.merge_requests[&id].updated_at, moved);
}
