//! Tasks: what is listed of them, trying again, and those that are stuck.

use std::time::Duration;

use fake_gitlab::faults::{Fault, FaultPlan};
use serde_json::{Value, json};

use crate::harness::Bench;

fn names(page: &Value) -> Vec<String> {
    let tasks = page["tasks"].as_array().expect("a list");
    tasks
        .iter()
        .map(|it| {
            format!(
                "{} {} {}",
                it["state"].as_str().expect("a state"),
                it["connection_id"],
                it["activity"].as_str().expect("one")
            )
        })
        .collect()
}

/// Three connections: one works, one fails, one is paused.
async fn three(bench: &Bench) {
    for kind in ["gitlab", "gitlab_pipelines", "gitlab_commits"] {
        bench.working(kind).await;
    }
    bench.database.execute("update weir.tasks set due_at = now() + interval '1 hour'").await;
    bench
        .database
        .execute(
            "update weir.tasks set failures = 2, failing_since = now(), outcome = 'failed'
                  , error = '{\"code\": \"failed\", \"reason\": \"unavailable\", \"message\": \"GitLab is away.\"}'
              where connection_id = 2 and activity = 'sync'",
        )
        .await;
    bench.post("connections.pause", json!({ "id": 3 })).await.ok(200);
}

#[tokio::test]
async fn tasks_that_need_somebody_are_listed_first_and_in_pages() {
    let bench = Bench::new().await;
    three(&bench).await;
    let all = names(&bench.get("tasks.list").await.ok(200));
    let wanted = [
        "failing 2 sync",
        "scheduled 1 sweep",
        "scheduled 1 sync",
        "scheduled 2 sweep",
        "resting 3 sweep",
        "resting 3 sync",
    ];
    assert_eq!(all, wanted);
    let (mut paged, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = bench.get(&format!("tasks.list?limit=1&cursor={cursor}")).await.ok(200);
        paged.extend(names(&page));
        let Some(next) = page["next_cursor"].as_str() else { break };
        cursor = next.to_owned();
    }
    assert_eq!(paged, wanted);
    let failing = bench.get("tasks.list?state=failing").await.ok(200);
    let task = &failing["tasks"][0];
    assert_eq!((&task["attempts"], &task["error"]["message"]), (&json!(2), &json!("GitLab is away.")));
    assert!(task["failing_since"].is_string() && task["due_at"].is_string(), "{task}");
    assert_eq!(names(&bench.get("tasks.list?connection_id=3").await.ok(200)).len(), 2);
}

#[tokio::test]
async fn what_cannot_be_listed_or_tried_again_is_explained() {
    let mut bench = Bench::new().await;
    three(&bench).await;
    for wrong in [
        "state=broken",
        "cursor=x",
        "cursor=failing.1.other",
        "cursor=failing.x.sync",
        "limit=0",
        "connection_id=x",
    ] {
        assert_eq!(
            bench.get(&format!("tasks.list?{wrong}")).await.error(),
            (422, "invalid_arguments"),
            "{wrong}"
        );
    }
    let retry = async |bench: &Bench, body: Value| {
        let reply = bench.post("tasks.retry", body).await;
        let (status, code) = reply.error();
        (status, code.to_owned())
    };
    let told = |status: u16, code: &str| (status, code.to_owned());
    assert_eq!(retry(&bench, json!({})).await, told(422, "required_params_missing"));
    assert_eq!(retry(&bench, json!({ "connection_id": "x" })).await.0, 422);
    assert_eq!(
        retry(&bench, json!({ "connection_id": 1, "activity": "import" })).await,
        told(422, "invalid_arguments")
    );
    assert_eq!(retry(&bench, json!({ "connection_id": 9 })).await, told(404, "connection_not_found"));
    assert_eq!(retry(&bench, json!({ "connection_id": 3 })).await, told(409, "connection_disabled"));
    bench.database.execute("delete from weir.tasks where connection_id = 1 and activity = 'sweep'").await;
    assert_eq!(
        retry(&bench, json!({ "connection_id": 1, "activity": "sweep" })).await,
        told(404, "task_not_found")
    );
    bench.only(server::Scope::SyncsRead).await;
    assert_eq!(retry(&bench, json!({ "connection_id": 1 })).await, told(403, "missing_scope"));
}

#[tokio::test]
async fn a_failing_task_is_tried_again_at_once() {
    let bench = Bench::new().await;
    three(&bench).await;
    let task = bench.post("tasks.retry", json!({ "connection_id": 2 })).await.ok(200)["task"].take();
    assert_eq!((&task["activity"], &task["state"]), (&json!("sync"), &json!("failing")));
    let working = bench.work("one");
    bench.until(2, |it| it["last_synced_at"].is_string() && it["tasks"][1]["running"] == false).await;
    working.stop().await;
    let listed = bench.get("tasks.list?connection_id=2").await.ok(200);
    let task = listed["tasks"]
        .as_array()
        .expect("a list")
        .iter()
        .find(|it| it["activity"] == "sync")
        .expect("one")
        .clone();
    assert_eq!(
        (&task["state"], &task["attempts"], &task["failing_since"]),
        (&json!("scheduled"), &json!(0), &Value::Null)
    );
    assert!(task["succeeded_at"].is_string(), "{task}");
    let dumped = bench.store.dump().await.expect("a dump");
    assert!(dumped.contains("tasks.retry"), "the audit log has it");
}

#[tokio::test]
async fn a_task_whose_worker_gets_nowhere_is_stuck_and_can_be_taken_from_it() {
    let bench = Bench::new().await;
    let id = bench.working("gitlab").await;
    bench
        .database
        .execute(
            "update weir.tasks set owner = 'gone', until = now() + interval '1 hour', started_at = now() - interval '1 hour'
                  , progress_at = now() - interval '16 minutes' where activity = 'sync'",
        )
        .await;
    let stuck = bench.get("tasks.list?state=stuck").await.ok(200);
    assert_eq!((names(&stuck).len(), &stuck["tasks"][0]["owner"]), (1, &json!("gone")));
    let working = bench.work("one");
    bench.post("tasks.retry", json!({ "connection_id": id })).await.ok(200);
    bench.until(id, |it| it["last_synced_at"].is_string()).await;
    working.stop().await;
}

#[tokio::test]
async fn a_task_whose_gitlab_never_answers_is_stopped_told_and_started_again() {
    let bench = Bench::new().await;
    let id = bench.working("gitlab").await;
    let hang = FaultPlan { hang_seconds: 600.0, ..FaultPlan::new(1.0, &[Fault::Hang], 1) };
    bench.gitlab.faults().set_plan(Some(hang));
    let working = bench.run(bench.worker_with("one", |pace| pace.stuck_after = Duration::from_secs(1)));
    let sync = |it: &Value| {
        it["tasks"]
            .as_array()
            .and_then(|all| all.iter().find(|it| it["activity"] == "sync").cloned())
            .unwrap_or_default()
    };
    let shown = bench.until(id, |it| sync(it)["failures"].as_i64() > Some(0)).await;
    assert_eq!(
        (&sync(&shown)["outcome"], &sync(&shown)["error"]["reason"]),
        (&json!("failed"), &json!("no_progress"))
    );
    assert!(bench.telemetry.text(&[]).contains("weir_tasks_restarted_total{reason=\"no_progress\"}"));
    bench.gitlab.faults().set_plan(None);
    bench.until(id, |it| it["last_synced_at"].is_string() && sync(it)["running"] == false).await;
    bench.assert_equal().await;
    working.stop().await;
}

#[tokio::test]
async fn each_resource_tells_how_far_it_is_up_to_date() {
    let bench = Bench::new().await;
    let id = bench.working("gitlab").await;
    assert_eq!(
        bench.get(&format!("connections.info/{id}")).await.ok(200)["connection"]["resources"],
        json!([])
    );
    let working = bench.work("one");
    let shown = bench.until(id, |it| it["last_synced_at"].is_string()).await;
    working.stop().await;
    let resources = shown["resources"].as_array().expect("a list");
    let of = |name: &str| resources.iter().find(|it| it["resource"] == name).unwrap_or(&Value::Null);
    for name in ["merge_requests", "projects", "issues", "labels"] {
        assert!(of(name)["lag_seconds"].as_i64().is_some_and(|it| it < 60), "{name}: {shown}");
    }
    assert_eq!(of("pipelines"), &Value::Null, "another connector reads them");
}

#[tokio::test]
async fn after_a_sync_that_ended_early_a_resource_is_as_far_as_its_slowest_project() {
    let bench = Bench::new().await;
    let id = bench.connection("gitlab").await;
    bench
        .database
        .execute(
            "insert into weir.partitions (instance, resource, reader, parent_id, complete_to) values
               (0, 'merge_requests', 'graphql', 1, '2026-01-02T00:00:00Z'), (0, 'merge_requests', 'graphql', 2, '2026-01-01T00:00:00Z')
             , (0, 'merge_requests', 'graphql', 3, '2025-01-01T00:00:00Z'), (0, 'merge_requests', 'rest', 1, '2024-01-01T00:00:00Z')
             , (0, 'issues', 'graphql', 1, '2026-01-02T00:00:00Z'), (0, 'issues', 'graphql', 2, null)",
        )
        .await;
    let read = ["merge_requests", "issues"].map(|resource| store::ResourceRead {
        resource: resource.to_owned(),
        readers: vec!["graphql".to_owned()],
    });
    // The third is out of sight, and REST not in use. Of issues one project was never read.
    let started = chrono::DateTime::UNIX_EPOCH;
    let began = started + chrono::TimeDelta::seconds(5);
    bench.store.resources_partly_synced(id, 0, &read, &[1, 2], started, began).await.expect("it is kept");
    let states = bench.store.resource_states(id).await.expect("states");
    let told: Vec<String> =
        states.iter().map(|it| format!("{} {}", it.resource, it.last_synced_at.to_rfc3339())).collect();
    assert_eq!(told, ["merge_requests 2026-01-01T00:00:05+00:00"]);
}
