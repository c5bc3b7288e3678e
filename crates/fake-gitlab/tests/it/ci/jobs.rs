//! Jobs and bridges.

use std::collections::BTreeSet;

use fake_gitlab::FakeGitlab;
use fake_gitlab::world::model::{Id, Pipeline};
use serde_json::Value;

use super::{find, ids, rows, second};
use crate::client::{all, first_project, get, tiny};

async fn listed(fake: &FakeGitlab, pipeline: &Pipeline, rest: &str) -> Vec<Value> {
    let (project, id) = (pipeline.project_id, pipeline.id);
    all(fake, &format!("/projects/{project}/pipelines/{id}/{rest}")).await
}

#[tokio::test]
async fn what_is_listed_is_what_is_true() {
    let fake = tiny().await;
    let project = first_project(&fake);
    let told = rows(&fake, false, "gitlab_jobs", project);
    let pipelines: BTreeSet<Id> = told.iter().map(|row| row["pipeline_id"].as_i64().unwrap()).collect();
    let mut served = Vec::new();
    for id in pipelines {
        for kind in ["jobs", "bridges"] {
            let path = format!("/projects/{project}/pipelines/{id}/{kind}?include_retried=true&per_page=100");
            served.extend(all(&fake, &path).await.into_iter().map(|row| (kind, row)));
        }
    }
    served.sort_by_key(|(_, row)| row["id"].as_i64());
    assert_eq!(told.len(), served.len());
    for (told, (kind, served)) in told.iter().zip(&served) {
        assert_eq!(told["kind"] == "bridge", *kind == "bridges");
        compare(told, served);
    }
}

fn compare(told: &fake_gitlab::truth::Row, served: &Value) {
    for column in ["id", "name", "stage", "status", "allow_failure", "ref", "tag", "coverage"] {
        assert_eq!(told[column], served[column], "{column}");
    }
    for column in ["created_at", "started_at", "finished_at", "erased_at"] {
        assert_eq!(second(&told[column]), second(&served[column]), "{column}");
    }
    let field = |name: &str| served.get(name).cloned().unwrap_or_default();
    assert_eq!(told["failure_reason"], field("failure_reason"));
    assert_eq!(told["tags"], field("tag_list"));
    assert_eq!(told["user_id"], served["user"]["id"]);
    assert_eq!(told["runner_id"], field("runner")["id"]);
    assert_eq!(told["runner_type"], field("runner")["runner_type"]);
    assert_eq!(told["downstream_pipeline_id"], field("downstream_pipeline")["id"]);
    assert_eq!(told["downstream_project_id"], field("downstream_pipeline")["project_id"]);
    let whole = |name: &str| served[name].as_f64().map(|it| it as i64);
    if !served["finished_at"].is_null() {
        assert_eq!(told["duration_seconds"].as_i64(), whole("duration"));
    }
    if !served["started_at"].is_null() {
        assert_eq!(told["queued_duration_seconds"].as_i64(), whole("queued_duration"));
    }
}

#[tokio::test]
async fn retried_jobs_are_hidden_unless_asked_for() {
    let fake = tiny().await;
    let flaky = find(&fake.world(), |it| it.jobs.iter().any(|job| &*job.name == "flaky"));
    assert_eq!(listed(&fake, &flaky, "jobs").await.len(), 2);
    assert_eq!(listed(&fake, &flaky, "jobs?include_retried=false").await.len(), 2);
    let whole = listed(&fake, &flaky, "jobs?include_retried=true").await;
    assert_eq!(whole.len(), 7);
    assert!(ids(&whole).is_sorted_by(|a, b| a > b), "newest first");
    let bridges = find(&fake.world(), |it| it.jobs.iter().any(|job| job.downstream_errors.is_some()));
    assert_eq!(listed(&fake, &bridges, "bridges").await.len(), 3);
    assert_eq!(listed(&fake, &bridges, "bridges?include_retried=true").await.len(), 4);
    assert!(listed(&fake, &bridges, "jobs").await.is_empty());
}

#[tokio::test]
async fn a_long_pipeline_has_two_pages() {
    let fake = tiny().await;
    let long = find(&fake.world(), |it| it.jobs.len() == 150);
    assert_eq!(listed(&fake, &long, "jobs?per_page=100").await.len(), 150);
}

#[tokio::test]
async fn the_scope_is_a_list_of_statuses() {
    let fake = tiny().await;
    let odd = find(&fake.world(), |it| it.jobs.iter().any(|job| &*job.name == "flaky"));
    let path = "jobs?include_retried=true&scope[]=failed&scope[]=skipped";
    assert_eq!(listed(&fake, &odd, path).await.len(), 5);
    assert_eq!(listed(&fake, &odd, "jobs?include_retried=true&scope=success").await.len(), 2);
    let refused = get(&fake, &format!("/projects/{}/jobs?scope[]=nonsense", odd.project_id)).await;
    assert_eq!(
        (refused.status, refused.json()["error"].clone()),
        (400, "scope does not have a valid value".into())
    );
}

#[tokio::test]
async fn a_projects_jobs_are_paged_both_ways_and_not_counted() {
    let fake = tiny().await;
    let project = first_project(&fake);
    let by_offset = get(&fake, &format!("/projects/{project}/jobs?per_page=100")).await;
    assert_eq!(by_offset.header("x-total"), None);
    assert_eq!((by_offset.header("x-next-page"), by_offset.link("last")), (Some("2"), None));
    let offset = ids(&all(&fake, &format!("/projects/{project}/jobs?per_page=100")).await);
    let path = format!("/projects/{project}/jobs?pagination=keyset&per_page=100&order_by=id&sort=desc");
    let first = get(&fake, &path).await;
    assert!(first.header("x-page").is_none() && first.link("next").unwrap().contains("cursor="));
    let keyset = ids(&all(&fake, &path).await);
    assert!(keyset.is_sorted_by(|a, b| a > b));
    assert_eq!(offset, keyset);
    let told = rows(&fake, false, "gitlab_jobs", project);
    assert_eq!(
        keyset.len(),
        told.iter().filter(|row| row["kind"] == "build").count(),
        "every attempt, no bridge"
    );
    let refused = get(&fake, &format!("/projects/{project}/jobs?pagination=keyset&order_by=name")).await;
    assert_eq!(refused.status, 405);
}

#[tokio::test]
async fn one_job_is_shown_but_no_bridge() {
    let fake = tiny().await;
    let project = first_project(&fake);
    let family = find(&fake.world(), |it| it.jobs.iter().any(|job| &*job.name == "grandchild"));
    let bridge = family.jobs[0].id;
    assert_eq!(get(&fake, &format!("/projects/{project}/jobs/{bridge}")).await.status, 404);
    let flaky = find(&fake.world(), |it| it.jobs.iter().any(|job| &*job.name == "flaky"));
    let job = get(&fake, &format!("/projects/{project}/jobs/{}", flaky.jobs[0].id)).await.json();
    assert_eq!((&job["name"], &job["pipeline"]["id"]), (&"flaky".into(), &flaky.id.into()));
}

#[tokio::test]
async fn times_of_what_has_not_ended_grow() {
    let fake = tiny().await;
    let canceled = find(&fake.world(), |it| it.jobs.iter().any(|job| &*job.name == "download"));
    let queued = async || {
        listed(&fake, &canceled, "jobs?scope[]=canceled").await[1]["queued_duration"].as_f64().unwrap()
    };
    let first = queued().await;
    fake.state().advance_clock(chrono::TimeDelta::seconds(100));
    assert!((queued().await - first - 100.0).abs() < 0.1);
}

#[tokio::test]
async fn what_a_bridge_triggered_is_told_even_where_it_is_out_of_sight() {
    let fake = tiny().await;
    let elsewhere = find(&fake.world(), |it| it.jobs.iter().any(|job| &*job.name == "ship 1"));
    let bridges = listed(&fake, &elsewhere, "bridges").await;
    for bridge in &bridges {
        assert_ne!(bridge["downstream_pipeline"]["project_id"], elsewhere.project_id);
    }
    let hidden = &bridges[0]["downstream_pipeline"];
    let path = format!("/projects/{}/pipelines/{}", hidden["project_id"], hidden["id"]);
    assert_eq!(get(&fake, &path).await.status, 403);
}
