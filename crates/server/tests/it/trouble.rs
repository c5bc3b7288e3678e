//! GitLabs that hang, refuse or are away, while deliveries wait for them.

use std::time::Duration;

use fake_gitlab::FakeGitlab;
use fake_gitlab::faults::{Fault, FaultPlan};
use fake_gitlab::tokens::TokenState;
use fake_gitlab::world::generate::Scale;
use serde_json::{Value, json};
use store::Delivery;
use sync::{Clock, SystemClock};

use crate::harness::Bench;

/// A merge request of this GitLab whose project was read.
fn some_merge_request(gitlab: &FakeGitlab) -> (i64, i64) {
    let (world, viewer) = (gitlab.world(), gitlab.viewer());
    let seen = |project: i64| {
        let project = &world.projects[&project];
        !project.archived && world.check_merge_requests(&viewer, project).is_ok()
    };
    let found = world.merge_requests.values().find(|it| seen(it.project_id)).expect("a merge request");
    (found.project_id, found.iid)
}

/// A delivery about it, as it is kept.
fn delivery(gitlab: &FakeGitlab, key: u8) -> Delivery {
    let (project, iid) = some_merge_request(gitlab);
    let body = json!({ "object_kind": "merge_request", "project": { "id": project }, "object_attributes": { "iid": iid } });
    Delivery {
        key: vec![key; 16],
        sender: Some(gitlab.url().to_owned()),
        event: "merge_request".to_owned(),
        body: body.to_string(),
        received_at: SystemClock.now(),
    }
}

/// A connection that was synced and is not due again.
async fn synced(bench: &Bench, kind: &str, gitlab: &FakeGitlab, token: &str) -> i64 {
    let settings = json!({ "base_url": gitlab.url(), "sync_every_seconds": 3600 });
    let made = bench.post("connections.create", json!({ "type": kind, "settings": settings })).await.ok(201);
    let id = made["connection"]["id"].as_i64().expect("a number");
    let body = json!({ "secrets": { "api_token": token } });
    bench.post(&format!("connections/{id}/credentials.create"), body).await.ok(201);
    let idle = |it: &Value| it["tasks"].as_array().expect("tasks").iter().all(|it| it["running"] == false);
    bench.until(id, |it| it["last_synced_at"].is_string() && idle(it)).await;
    id
}

/// Waits until the rows of the inbox, in the order of arrival, are as wanted.
async fn until(bench: &Bench, wanted: impl Fn(&[Vec<Value>]) -> bool) -> Vec<Vec<Value>> {
    let sql = "select state, attempts, read_by::text, owner, note from weir.inbox order by id";
    for _ in 0..600 {
        let rows = bench.store.query(sql).await.expect("it runs").rows;
        if wanted(&rows) {
            return rows;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the inbox did not become as wanted: {:?}", bench.store.query(sql).await.expect("it runs").rows);
}

#[tokio::test(flavor = "multi_thread")]
async fn deliveries_of_a_gitlab_that_wants_no_requests_are_put_off_and_not_held() {
    let bench = Bench::new().await;
    let working = bench.work("one");
    synced(&bench, "gitlab", &bench.gitlab, bench.gitlab.token()).await;
    for _ in 0..10 {
        bench.gitlab.faults().too_many_requests_next(3600);
    }
    bench.store.receive(&[delivery(&bench.gitlab, 1)]).await.unwrap();
    let rows = until(&bench, |it| it[0][4].is_string()).await;
    // Put off without a lease and without an attempt: it waits for GitLab, not for a worker.
    assert_eq!(rows[0][..4], [json!("due"), json!(0), json!("{}"), Value::Null], "{rows:?}");
    working.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gitlab_that_hangs_does_not_delay_the_deliveries_of_another() {
    let bench = Bench::new().await;
    let other = FakeGitlab::builder().scale(Scale::tiny()).start().await.expect("another one starts");
    let working = bench.work("one");
    synced(&bench, "gitlab", &bench.gitlab, bench.gitlab.token()).await;
    synced(&bench, "gitlab", &other, other.token()).await;
    let plan = FaultPlan { hang_seconds: 600.0, ..FaultPlan::new(1.0, &[Fault::Hang], 1) };
    bench.gitlab.faults().set_plan(Some(plan));
    // More readings than one GitLab is given.
    for key in 0..12 {
        bench.store.receive(&[delivery(&bench.gitlab, key)]).await.unwrap();
        tokio::time::sleep(Duration::from_millis(120)).await;
    }
    bench.store.receive(&[delivery(&other, 200)]).await.unwrap();
    let rows = until(&bench, |it| it[12][0] == "done").await;
    assert!(rows[..12].iter().all(|it| it[0] == "due"), "{rows:?}");
    bench.gitlab.faults().set_plan(None);
    working.kill();
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_read_a_delivery_does_not_read_it_again_because_another_could_not() {
    let bench = Bench::new().await;
    let working = bench.work("one");
    let reads = synced(&bench, "gitlab", &bench.gitlab, bench.gitlab.token()).await;
    bench.twin("glpat-twin");
    synced(&bench, "gitlab_commits", &bench.gitlab, "glpat-twin").await;
    bench.gitlab.state().set_token_state("glpat-twin", TokenState::Revoked);
    bench.store.receive(&[delivery(&bench.gitlab, 1)]).await.unwrap();
    let rows = until(&bench, |it| it[0][1] == 1).await;
    assert_eq!(rows[0][2], format!("{{{reads}}}"), "{rows:?}");
    bench.gitlab.state().set_token_state("glpat-twin", TokenState::Active);
    bench.database.execute("update weir.inbox set due_at = now()").await;
    until(&bench, |it| it[0][0] == "done").await;
    working.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_stopped_worker_had_taken_is_free_at_once() {
    let bench = Bench::new().await;
    let working = bench.work("one");
    synced(&bench, "gitlab", &bench.gitlab, bench.gitlab.token()).await;
    let plan = FaultPlan { hang_seconds: 600.0, ..FaultPlan::new(1.0, &[Fault::Hang], 1) };
    bench.gitlab.faults().set_plan(Some(plan));
    bench.store.receive(&[delivery(&bench.gitlab, 1)]).await.unwrap();
    until(&bench, |it| it[0][3] == "one").await;
    working.stop().await;
    until(&bench, |it| it[0][..4] == [json!("due"), json!(0), json!("{}"), Value::Null]).await;
    bench.gitlab.faults().set_plan(None);
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_that_others_have_left_are_not_read_for_a_delivery() {
    let bench = Bench::new().await;
    let working = bench.work("one");
    synced(&bench, "gitlab", &bench.gitlab, bench.gitlab.token()).await;
    let (project, _) = some_merge_request(&bench.gitlab);
    let left = format!(
        "insert into weir.pending (instance, list, project, parent, iid)
         select 0, 'notes', {project} + 1, 1000000 + n, n from generate_series(1, 500) n"
    );
    bench.database.execute(&left).await;
    bench.store.receive(&[delivery(&bench.gitlab, 1)]).await.unwrap();
    until(&bench, |it| it[0][0] == "done").await;
    let still = bench.store.query("select count(*) from weir.pending where owner is null").await.unwrap();
    assert_eq!(still.rows[0][0], 500);
    working.stop().await;
}

#[tokio::test]
async fn what_was_handed_to_an_extractor_that_reads_no_more_is_taken_back() {
    let bench = Bench::new().await;
    bench.store.receive(&[delivery(&bench.gitlab, 1), delivery(&bench.gitlab, 2)]).await.unwrap();
    let id = bench.connection("gitlab").await;
    bench
        .database
        .execute(
            "with e as (insert into weir.extractors (name, instance, created_at)
                        select n, 0, now() from unnest(array['gone', 'here']) n returning id, name)
                , i as (update weir.inbox set extractor_id = e.id from e where e.name = case when inbox.id = 1 then 'gone' else 'here' end)
             update weir.connections c set extractor_id = e.id from e where e.name = 'here'",
        )
        .await;
    bench.store.catch_up_deliveries(SystemClock.now()).await.unwrap();
    let rows =
        bench.store.query("select extractor_id is null from weir.inbox order by id").await.unwrap().rows;
    assert_eq!(rows, [[json!(true)], [json!(false)]], "{id}");
}
