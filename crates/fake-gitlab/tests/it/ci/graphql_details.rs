//! What GraphQL alone tells of pipelines, and how its lists are filtered and paged.

use fake_gitlab::{FakeGitlab, Settings};
use serde_json::{Value, json};

use super::graphql::{number, pipelines, project};
use super::{find, rows};
use crate::client::{first_project, query, start, tiny};

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

#[tokio::test]
async fn pipelines_are_lost_and_run_out_of_time_as_merge_requests_do() {
    let answer = async |settings: Settings| {
        let fake = start(FakeGitlab::builder().settings(settings)).await;
        let id = first_project(&fake);
        let text = format!(
            r#"{{ projects(ids: ["gid://gitlab/Project/{id}"]) {{ nodes {{ pipelines(first: 50) {{ nodes {{ id }} }} }} }} }}"#
        );
        query(&fake, &text, &["PRIVATE-TOKEN: glpat-fake-token"]).await.json()
    };
    let nulls = |answer: &Value| {
        let nodes = answer["data"]["projects"]["nodes"][0]["pipelines"]["nodes"].as_array().unwrap().clone();
        nodes.iter().filter(|node| node.is_null()).count()
    };
    let lost = answer(Settings { graphql_null_nodes: 0.3, ..Settings::default() }).await;
    assert!((5..30).contains(&nulls(&lost)) && lost.get("errors").is_none());
    let late = answer(Settings { graphql_timeout_above_items: Some(20), ..Settings::default() }).await;
    assert_eq!(late["errors"][0]["message"], "Timeout on PipelineConnection.nodes");
    assert!(nulls(&late) > 20);
}
