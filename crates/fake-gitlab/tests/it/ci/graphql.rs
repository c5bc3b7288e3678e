//! GraphQL tells the same as REST.

use fake_gitlab::FakeGitlab;
use fake_gitlab::truth::Row;
use serde_json::{Value, json};

use super::{find, rows, second};
use crate::client::{first_project, query, start, tiny};

const TOKEN: &str = "PRIVATE-TOKEN: glpat-fake-token";

const JOB: &str = "id kind name status retried allowFailure refName createdByTag coverage createdAt startedAt
    finishedAt erasedAt duration queuedDuration stage { name } runner { id runnerType } tags
    detailedStatus { tooltip group } downstreamPipeline { id project { id } }";

async fn project(fake: &FakeGitlab, fields: &str) -> Value {
    let id = first_project(fake);
    let text = format!(r#"{{ projects(ids: ["gid://gitlab/Project/{id}"]) {{ nodes {{ {fields} }} }} }}"#);
    let answer = query(fake, &text, &[TOKEN]).await.json();
    assert!(answer.get("errors").is_none(), "{answer}");
    answer["data"]["projects"]["nodes"][0].clone()
}

/// Every pipeline there is, children too, by id.
async fn pipelines(fake: &FakeGitlab, fields: &str) -> Vec<Value> {
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
fn number(gid: &Value) -> Option<i64> {
    gid.as_str()?.rsplit('/').next()?.parse().ok()
}

fn lower(value: &Value) -> Option<String> {
    value.as_str().map(str::to_lowercase)
}

#[tokio::test]
async fn pipelines_are_those_that_are_true() {
    let fake = tiny().await;
    let told = rows(&fake, true, "gitlab_pipelines", first_project(&fake));
    let fields =
        "id iid name status source ref sha beforeSha createdAt updatedAt startedAt finishedAt committedAt
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
            ("before_sha", "beforeSha"),
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

#[tokio::test]
async fn tooltips_tell_why_a_job_failed() {
    let fake = tiny().await;
    let tooltips = async |job: &str| {
        let iid = find(&fake.world(), |it| it.jobs.iter().any(|it| &*it.name == job)).iid;
        let list = format!(
            r#"pipeline(iid: "{iid}") {{ jobs {{ nodes {{ name detailedStatus {{ tooltip group }} }} }} }}"#
        );
        let jobs = project(&fake, &list).await["pipeline"]["jobs"]["nodes"].clone();
        let named = jobs.as_array().unwrap().iter().filter(|it| it["name"] == job);
        named.map(|it| it["detailedStatus"]["tooltip"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(tooltips("script_failure").await, ["Failed - (script failure) (allowed to fail)"]);
    assert_eq!(tooltips("api_failure").await, ["Failed - (API failure)"]);
    let flaky = tooltips("flaky").await;
    assert_eq!((&*flaky[0], &*flaky[1]), ("passed", "Failed - (runner system failure) (retried)"));
    assert_eq!(
        tooltips("to the broken").await,
        [
            "Failed - (downstream pipeline can not be created, Insufficient permissions to set pipeline variables, Reference not found)"
        ]
    );
}

#[tokio::test]
async fn older_versions_write_small_letters() {
    let fake = start(FakeGitlab::builder().version("16.3.0")).await;
    let iid = find(&fake.world(), |it| it.jobs.iter().any(|it| &*it.name == "api_failure")).iid;
    let list = format!(
        r#"pipeline(iid: "{iid}") {{ jobs(last: 3) {{ nodes {{ detailedStatus {{ tooltip }} }} }} }}"#
    );
    let jobs = project(&fake, &list).await["pipeline"]["jobs"]["nodes"].clone();
    assert_eq!(jobs[0]["detailedStatus"]["tooltip"], "failed - (API failure)");
}

#[tokio::test]
async fn a_family_knows_its_parents() {
    let fake = tiny().await;
    let iid = find(&fake.world(), |it| it.jobs.iter().any(|it| &*it.name == "grandchild")).iid;
    let list = format!(
        r#"pipeline(iid: "{iid}") {{ child source upstream {{ id project {{ id }} }} sourceJob {{ name }}
            downstream {{ nodes {{ upstream {{ iid }} }} }} }}"#
    );
    let child = project(&fake, &list).await["pipeline"].clone();
    assert_eq!((&child["child"], &child["sourceJob"]["name"]), (&json!(true), &json!("child")));
    assert_eq!(number(&child["upstream"]["project"]["id"]), Some(first_project(&fake)));
    assert_eq!(child["downstream"]["nodes"], json!([{"upstream": {"iid": iid.to_string()}}]));
}

#[tokio::test]
async fn what_is_triggered_out_of_sight_is_null() {
    let fake = tiny().await;
    let iid = find(&fake.world(), |it| it.jobs.iter().any(|it| &*it.name == "ship 1")).iid;
    let list = format!(
        r#"pipeline(iid: "{iid}") {{ jobs {{ nodes {{ name downstreamPipeline {{ source }} }} }} downstream {{ count }} }}"#
    );
    let pipeline = project(&fake, &list).await["pipeline"].clone();
    let wanted = json!([{"name": "ship 1", "downstreamPipeline": null},
        {"name": "ship 0", "downstreamPipeline": {"source": "pipeline"}}]);
    assert_eq!(
        (pipeline["jobs"]["nodes"].clone(), pipeline["downstream"]["count"].clone()),
        (wanted, json!(1))
    );
}

#[tokio::test]
async fn types_say_what_a_pipeline_runs_on() {
    let fake = tiny().await;
    let served = pipelines(&fake, "ref type mergeRequestEventType mergeRequest { iid }").await;
    let kind = |end: &str| {
        let odd = served.iter().find(|it| it["ref"].as_str().unwrap().ends_with(end)).unwrap();
        (odd["type"].clone(), odd["mergeRequestEventType"].clone())
    };
    assert_eq!(kind("/3/head"), (json!("merge_request"), json!("DETACHED")));
    assert_eq!(kind("/3/merge"), (json!("merged_result"), json!("MERGED_RESULT")));
    assert_eq!(kind("/3/train"), (json!("merge_train"), json!("MERGE_TRAIN")));
    assert_eq!(kind("v0.0.1"), (json!("tag"), Value::Null));
    assert_eq!(kind("main"), (json!("branch"), Value::Null));
}

#[tokio::test]
async fn filters_and_counts_agree() {
    let fake = tiny().await;
    let told = rows(&fake, true, "gitlab_pipelines", first_project(&fake));
    let list = r#"all: pipelines(first: 1) { count } failed: pipelines(status: FAILED) { count }
        scheduled: pipelines(source: "schedule") { count } children: pipelines(source: "parent_pipeline") { count }
        unknown: pipelines(source: "nonsense") { count } tag: pipelines(ref: "v0.0.1") { count }
        late: pipelines(updatedAfter: "2999-01-01T00:00:00Z") { count }
        pipelineCounts { all finished running pending } children_counted: pipelineCounts(source: "parent_pipeline") { all }"#;
    let found = project(&fake, list).await;
    let shown = told.iter().filter(|row| row["source"] != "parent_pipeline").count();
    let of = |column: &str, value: &str| {
        told.iter().filter(|row| row[column] == value && row["source"] != "parent_pipeline").count()
    };
    assert_eq!(found["all"]["count"], shown);
    assert_eq!(found["unknown"]["count"], shown, "a word that is not known filters nothing");
    assert_eq!(found["failed"]["count"], of("status", "failed"));
    assert_eq!(found["scheduled"]["count"], of("source", "schedule"));
    assert_eq!(
        (&found["children"]["count"], &found["tag"]["count"], &found["late"]["count"]),
        (&json!(2), &json!(1), &json!(0))
    );
    assert_eq!(
        (&found["pipelineCounts"]["all"], &found["children_counted"]["all"]),
        (&json!(shown), &json!(2))
    );
    assert_eq!(found["pipelineCounts"]["running"], of("status", "running"));
}

#[tokio::test]
async fn jobs_are_filtered_and_counted() {
    let fake = tiny().await;
    let flaky = find(&fake.world(), |it| it.jobs.iter().any(|it| &*it.name == "flaky")).iid;
    let list = format!(
        r#"pipeline(iid: "{flaky}") {{ totalJobs all: jobs {{ count }} retried: jobs(retried: true) {{ count }}
            latest: jobs(retried: false) {{ count }} failed: jobs(statuses: [FAILED]) {{ count }}
            bridges: jobs(jobKind: BRIDGE) {{ count }} }}"#
    );
    let found = project(&fake, &list).await["pipeline"].clone();
    let counts =
        ["all", "retried", "latest", "failed", "bridges"].map(|name| found[name]["count"].as_i64().unwrap());
    assert_eq!((counts, &found["totalJobs"]), ([7, 5, 2, 5, 0], &json!(7)));
}

#[tokio::test]
async fn pages_go_both_ways() {
    let fake = tiny().await;
    let list =
        "newest: pipelines(first: 3) { nodes { iid } pageInfo { hasNextPage hasPreviousPage endCursor } }
        oldest: pipelines(last: 3) { nodes { iid } pageInfo { hasNextPage hasPreviousPage } }";
    let found = project(&fake, list).await;
    let iids = |list: &Value| -> Vec<i64> {
        list["nodes"]
            .as_array()
            .unwrap()
            .iter()
            .map(|it| it["iid"].as_str().unwrap().parse().unwrap())
            .collect()
    };
    assert_eq!(iids(&found["oldest"]), [3, 2, 1]);
    let after = found["newest"]["pageInfo"]["endCursor"].to_string();
    let next = project(&fake, &format!("pipelines(first: 2, after: {after}) {{ nodes {{ iid }} }}")).await;
    assert!(iids(&next["pipelines"])[0] < iids(&found["newest"])[2]);
    assert_eq!(found["newest"]["pageInfo"]["hasNextPage"], true);
    assert_eq!(found["oldest"]["pageInfo"]["hasPreviousPage"], true);
}
