//! The rows of the connectors for pipelines and deployments.

use fake_gitlab::truth::{Reading, truth};
use fake_gitlab::world::access::Viewer;
use fake_gitlab::world::change::{JobOutcome, NewJob, NewPipeline};
use fake_gitlab::world::generate::{READER, Scale, generate};
use fake_gitlab::world::model::{FailureReason, World};
use serde_json::{Value, json};

use super::{Small, reading};
use crate::client::{get, tiny};

fn reader(world: &World) -> Viewer {
    Viewer::of(world.users.values().find(|user| user.username == READER).unwrap().id)
}

#[test]
fn tables_come_with_their_connector() {
    let world = generate(1, &Scale::tiny());
    let names = |reading: Reading| {
        let all = truth(&world, &reader(&world), reading);
        let plain = truth(&world, &reader(&world), Reading::GRAPHQL);
        all.into_keys().filter(|name| !plain.contains_key(name)).collect::<Vec<_>>()
    };
    assert!(names(Reading::GRAPHQL).is_empty());
    assert_eq!(names(Reading::GRAPHQL.with("gitlab_pipelines")), ["gitlab_jobs", "gitlab_pipelines"]);
    assert_eq!(
        names(Reading::GRAPHQL.with("gitlab_deployments")),
        ["gitlab_deployment_merge_requests", "gitlab_deployments", "gitlab_environments"]
    );
}

#[test]
fn no_row_is_told_twice_and_people_are_known() {
    let world = generate(1, &Scale::tiny());
    let tables = truth(&world, &reader(&world), reading(false));
    let known: Vec<&Value> = tables["gitlab_users"].iter().map(|row| &row["id"]).collect();
    for table in ["gitlab_pipelines", "gitlab_jobs", "gitlab_deployments"] {
        let mut ids: Vec<i64> = tables[table].iter().map(|row| row["id"].as_i64().unwrap()).collect();
        let before = ids.len();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!((before, before > 0), (ids.len(), true), "{table}");
        for row in &tables[table] {
            assert!(row["user_id"].is_null() || known.contains(&&row["user_id"]), "{table}");
        }
    }
}

#[test]
fn the_two_ways_to_read_differ_where_gitlab_does() {
    let world = generate(1, &Scale::tiny());
    let rest = truth(&world, &reader(&world), reading(false));
    let graphql = truth(&world, &reader(&world), reading(true));
    assert_eq!(rest["gitlab_pipelines"], graphql["gitlab_pipelines"]);
    let mut differing = std::collections::BTreeSet::new();
    for (rest, graphql) in rest["gitlab_jobs"].iter().zip(&graphql["gitlab_jobs"]) {
        differing.extend(rest.keys().filter(|name| rest[*name] != graphql[*name]).cloned());
    }
    let differing: Vec<String> = differing.into_iter().collect();
    assert_eq!(differing, ["downstream_pipeline_id", "downstream_project_id", "user_id"]);
}

#[test]
fn the_ref_tells_what_a_merge_requests_pipeline_runs_on() {
    let mut small = Small::new();
    for on in ["head", "merge", "train"] {
        small.world.create_pipeline(NewPipeline::merge_request(small.project, small.ann, 7, on));
    }
    small.world.create_pipeline(NewPipeline::tag(small.project, small.ann, "v1"));
    let rows = truth(&small.world, &Viewer::of(small.ann), reading(true))["gitlab_pipelines"].clone();
    let told: Vec<(Value, Value)> = rows
        .iter()
        .map(|row| (row["merge_request_iid"].clone(), row["merge_request_pipeline_type"].clone()))
        .collect();
    let wanted = [
        (json!(7), json!("detached")),
        (json!(7), json!("merged_result")),
        (json!(7), json!("merge_train")),
        (Value::Null, Value::Null),
    ];
    assert_eq!(told, wanted);
    assert_eq!(rows[3]["tag"], true);
}

#[test]
fn a_job_that_goes_on_has_no_duration_yet() {
    let mut small = Small::new();
    let (_, jobs) = small.begun(&[NewJob::build("test", "rspec")]);
    let row =
        |small: &Small| truth(&small.world, &Viewer::of(small.ann), reading(true))["gitlab_jobs"][0].clone();
    small.wait(10);
    assert_eq!(row(&small)["queued_duration_seconds"], Value::Null);
    small.world.start_job(jobs[0]);
    small.wait(10);
    assert_eq!(
        (&row(&small)["queued_duration_seconds"], &row(&small)["duration_seconds"]),
        (&json!(10), &Value::Null)
    );
    small.world.finish_job(jobs[0], JobOutcome::Failed(FailureReason::Script));
    let failed = row(&small);
    assert_eq!(
        (&failed["duration_seconds"], &failed["failure_reason"]),
        (&json!(10), &json!("script_failure"))
    );
    assert_eq!(failed["tags"], json!([]));
}

#[tokio::test]
async fn connectors_are_named_from_outside() {
    let fake = tiny().await;
    let plain = get(&fake, "/fake/truth?graphql=true").await.json();
    assert!(plain.get("gitlab_pipelines").is_none());
    let path = "/fake/truth?graphql=true&connectors=gitlab_pipelines,gitlab_deployments";
    let all = get(&fake, path).await.json();
    assert!(all["gitlab_jobs"].as_array().unwrap().len() > 150 && all.get("gitlab_deployments").is_some());
}
