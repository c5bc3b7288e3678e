//! GraphQL tells the same as REST.

use fake_gitlab::FakeGitlab;
use fake_gitlab::truth::Row;
use serde_json::Value;

use super::{rows, second};
use crate::client::{first_project, query, tiny};

const TOKEN: &str = "PRIVATE-TOKEN: glpat-fake-token";

const JOB: &str = "id kind name status retried allowFailure refName createdByTag coverage createdAt startedAt
    finishedAt erasedAt duration queuedDuration stage { name } runner { id runnerType } tags
    detailedStatus { tooltip group } downstreamPipeline { id project { id } }";

pub async fn project(fake: &FakeGitlab, fields: &str) -> Value {
    let id = first_project(fake);
    let text = format!(r#"{{ projects(ids: ["gid://gitlab/Project/{id}"]) {{ nodes {{ {fields} }} }} }}"#);
    let answer = query(fake, &text, &[TOKEN]).await.json();
    assert!(answer.get("errors").is_none(), "{answer}");
    answer["data"]["projects"]["nodes"][0].clone()
}

/// Every pipeline there is, children too, by id.
pub async fn pipelines(fake: &FakeGitlab, fields: &str) -> Vec<Value> {
    let mut found = Vec::new();
    for source in ["", r#", source: "parent_pipeline""#] {
        let mut after = "null".to_owned();
        loop {
            let list = format!(
                "pipelines(first: 40, after: {after}{source}) {{ pageInfo {{ hasNextPage endCursor }} nodes {{ {fields} }} }}"
            );
            let page = project(fake, &list).await["pipelines"].clone();
            found.extend(page["nodes"].as_array().unwrap().clone());
            if page["pageInfo"]["hasNextPage"] != true {
                break;
            }
            after = page["pageInfo"]["endCursor"].to_string();
        }
    }
    found.sort_by_key(|it| number(&it["id"]));
    found
}

/// The number at the end of a global id.
pub fn number(gid: &Value) -> Option<i64> {
    gid.as_str()?.rsplit('/').next()?.parse().ok()
}

fn lower(value: &Value) -> Option<String> {
    value.as_str().map(str::to_lowercase)
}

#[tokio::test]
async fn pipelines_are_those_that_are_true() {
    let fake = tiny().await;
    let told = rows(&fake, true, "gitlab_pipelines", first_project(&fake));
    let fields = "id iid name status source ref sha createdAt updatedAt startedAt finishedAt committedAt
        duration queuedDuration coverage yamlErrors yamlErrorMessages user { id } type mergeRequestEventType";
    let served = pipelines(&fake, fields).await;
    assert_eq!(told.len(), served.len());
    for (told, served) in told.iter().zip(&served) {
        assert_eq!(told["id"].as_i64(), number(&served["id"]));
        assert_eq!(told["iid"].to_string(), served["iid"].as_str().unwrap());
        for (column, field) in [
            ("name", "name"),
            ("source", "source"),
            ("ref", "ref"),
            ("sha", "sha"),
            ("duration_seconds", "duration"),
            ("coverage", "coverage"),
            ("yaml_errors", "yamlErrorMessages"),
        ] {
            assert_eq!(told[column], served[field], "{column}");
        }
        assert_eq!(lower(&told["status"]), lower(&served["status"]));
        assert_eq!(told["user_id"].as_i64(), number(&served["user"]["id"]));
        assert_eq!(
            told["queued_duration_seconds"].as_i64(),
            served["queuedDuration"].as_f64().map(|it| it as i64)
        );
        assert_eq!(
            told["merge_request_pipeline_type"].as_str().map(str::to_owned),
            lower(&served["mergeRequestEventType"])
        );
        assert_eq!(told["tag"] == true, served["type"] == "tag");
        for (column, field) in [
            ("created_at", "createdAt"),
            ("updated_at", "updatedAt"),
            ("started_at", "startedAt"),
            ("finished_at", "finishedAt"),
            ("committed_at", "committedAt"),
        ] {
            assert_eq!(second(&told[column]), second(&served[field]), "{column}");
        }
    }
}

#[tokio::test]
async fn jobs_are_those_that_are_true() {
    let fake = tiny().await;
    let told = rows(&fake, true, "gitlab_jobs", first_project(&fake));
    let fields = format!("id jobs(first: 100) {{ pageInfo {{ hasNextPage }} nodes {{ {JOB} }} }}");
    let mut compared = 0;
    for pipeline in pipelines(&fake, &fields).await {
        let id = number(&pipeline["id"]);
        let of_pipeline: Vec<&Row> =
            told.iter().rev().filter(|row| row["pipeline_id"].as_i64() == id).collect();
        let jobs = pipeline["jobs"]["nodes"].as_array().unwrap();
        assert_eq!(pipeline["jobs"]["pageInfo"]["hasNextPage"] == true, of_pipeline.len() > 100);
        assert_eq!(jobs.len(), of_pipeline.len().min(100));
        for (told, served) in of_pipeline.iter().zip(jobs) {
            compare(told, served);
            compared += 1;
        }
    }
    assert!(compared > 200, "{compared}");
}

fn compare(told: &Row, served: &Value) {
    assert_eq!(told["id"].as_i64(), number(&served["id"]));
    for (column, field) in [
        ("name", "name"),
        ("retried", "retried"),
        ("allow_failure", "allowFailure"),
        ("ref", "refName"),
        ("tag", "createdByTag"),
        ("coverage", "coverage"),
        ("tags", "tags"),
    ] {
        assert_eq!(told[column], served[field], "{column}");
    }
    assert_eq!(told["stage"], served["stage"]["name"]);
    assert_eq!(
        (lower(&told["kind"]), lower(&told["status"])),
        (lower(&served["kind"]), lower(&served["status"]))
    );
    assert_eq!(told["runner_id"].as_i64(), number(&served["runner"]["id"]));
    assert_eq!(lower(&told["runner_type"]), lower(&served["runner"]["runnerType"]));
    assert_eq!(told["downstream_pipeline_id"].as_i64(), number(&served["downstreamPipeline"]["id"]));
    assert_eq!(
        told["downstream_project_id"].as_i64(),
        number(&served["downstreamPipeline"]["project"]["id"])
    );
    for (column, field) in [
        ("created_at", "createdAt"),
        ("started_at", "startedAt"),
        ("finished_at", "finishedAt"),
        ("erased_at", "erasedAt"),
    ] {
        assert_eq!(second(&told[column]), second(&served[field]), "{column}");
    }
    if !served["finishedAt"].is_null() {
        assert_eq!(told["duration_seconds"], served["duration"]);
    }
    if !served["startedAt"].is_null() {
        assert_eq!(
            told["queued_duration_seconds"].as_i64(),
            served["queuedDuration"].as_f64().map(|it| it as i64)
        );
    }
    let tooltip = served["detailedStatus"]["tooltip"].as_str().unwrap();
    assert_eq!(!told["failure_reason"].is_null(), tooltip.starts_with("Failed - ("), "{tooltip}");
}
