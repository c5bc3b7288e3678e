//! Recorded pipelines, jobs and deployments of gitlab.com, served again by the fake: the rows hold what a person reads in
//! the recording.

use catalogue::Connector;
use serde_json::json;
use store::Store;
use store::testing::TestDatabase;

use crate::recorded::{import_by, recordings, rows};

/// The pipelines of a project that was recorded whole, and their jobs; none without recordings.
async fn pipelines() -> Option<(TestDatabase, Store)> {
    let folder = recordings()?;
    let database = TestDatabase::new().await;
    let store = database.store().await;
    let outcome = import_by(folder, &store, "cluttrdev/gitlab-exporter", Connector::GitlabPipelines).await;
    assert!(outcome.ok, "{:?}", outcome.error);
    Some((database, store))
}

/// One pipeline as a person wants to see it.
fn pipeline(id: i64) -> String {
    format!(
        "select iid, status, source, ref, tag, user_id
              , to_char(started_at, 'YYYY-MM-DD HH24:MI:SS.MS'), to_char(finished_at, 'YYYY-MM-DD HH24:MI:SS.MS')
              , duration_seconds, queued_duration_seconds, yaml_errors
           from gitlab_pipelines where id = {id}"
    )
}

/// Its jobs, the newest first.
fn jobs(pipeline: i64) -> String {
    format!(
        "select id, name, stage, kind, status, allow_failure, failure_reason, duration_seconds, queued_duration_seconds
              , runner_id, runner_type
           from gitlab_jobs where pipeline_id = {pipeline} order by id desc"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn recorded_pipelines_and_jobs_are_imported() {
    let Some((_database, store)) = pipelines().await else { return };
    let by_status =
        "select status, count(*) from gitlab_pipelines where project_id = 50817395 group by 1 order by 1";
    assert_eq!(rows(&store, by_status).await, json!([["canceled", 1], ["failed", 7], ["success", 20]]));
    let tags = "select ref from gitlab_pipelines where tag order by ref";
    assert_eq!(rows(&store, tags).await, json!([["v0.5.0"], ["v0.5.1"]]));
    let by_status = "select status, allow_failure, count(*) from gitlab_jobs group by 1, 2 order by 1, 2";
    assert_eq!(
        rows(&store, by_status).await,
        json!([
            ["canceled", false, 3],
            ["canceled", true, 1],
            ["failed", false, 6],
            ["failed", true, 14],
            ["skipped", false, 7],
            ["skipped", true, 2],
            ["success", false, 68],
            ["success", true, 10]
        ])
    );
    let runners = "select coalesce(runner_type, 'none'), count(*) from gitlab_jobs group by 1 order by 1";
    assert_eq!(rows(&store, runners).await, json!([["instance_type", 98], ["none", 13]]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recorded_failure_keeps_its_reasons_and_durations() {
    let Some((_database, store)) = pipelines().await else { return };
    assert_eq!(
        rows(&store, &pipeline(1_053_344_116)).await,
        json!([[
            1,
            "failed",
            "push",
            "gitlab-ci",
            false,
            10367592,
            "2023-10-28 19:17:44.450",
            "2023-10-28 19:19:15.556",
            90,
            null,
            null
        ]])
    );
    let (failed, by) = (json!("script_failure"), json!("instance_type"));
    assert_eq!(
        rows(&store, &jobs(1_053_344_116)).await,
        json!([
            [5407026880_i64, "test", "test", "build", "skipped", false, null, null, null, null, null],
            [5407026879_i64, "build", "build", "build", "skipped", false, null, null, null, null, null],
            [5407026878_i64, "vet", "lint", "build", "failed", false, failed, 58, 0, 12270852, by],
            [5407026877_i64, "lint", "lint", "build", "failed", true, failed, 90, 0, 12270845, by],
        ])
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recorded_pipeline_whose_configuration_was_wrong_never_started() {
    let Some((_database, store)) = pipelines().await else { return };
    assert_eq!(
        rows(&store, &pipeline(1_053_714_541)).await,
        json!([[
            5,
            "failed",
            "push",
            "gitlab-ci",
            false,
            10367592,
            null,
            "2023-10-29 12:38:46.933",
            null,
            null,
            "default config contains unknown keys: variables"
        ]])
    );
    assert_eq!(rows(&store, &jobs(1_053_714_541)).await, json!([]));
}

/// Its first job waited for ever: GitLab tells a duration that grows with every answer, which is no duration.
#[tokio::test(flavor = "multi_thread")]
async fn a_recorded_pipeline_that_was_canceled_before_it_began_has_no_durations() {
    let Some((_database, store)) = pipelines().await else { return };
    assert_eq!(
        rows(&store, &pipeline(1_097_349_658)).await,
        json!([[
            15,
            "canceled",
            "push",
            "main",
            false,
            10367592,
            null,
            "2023-12-06 14:09:19.154",
            null,
            null,
            null
        ]])
    );
    let jobs = "select name, status, duration_seconds, queued_duration_seconds, started_at, tags
                  from gitlab_jobs where pipeline_id = 1097349658 order by id";
    let tags = json!(["$GITLAB_CI_DEFAULT_TAGS"]);
    assert_eq!(
        rows(&store, jobs).await,
        json!([
            ["lint", "canceled", null, null, null, tags],
            ["build", "canceled", null, null, null, tags],
            ["test", "canceled", null, null, null, tags],
            ["download", "canceled", null, null, null, tags],
        ])
    );
}

/// `passed with warnings` is a success in which a job failed that may fail.
#[tokio::test(flavor = "multi_thread")]
async fn a_recorded_success_with_warnings_is_a_success() {
    let Some((_database, store)) = pipelines().await else { return };
    let told = "select status, duration_seconds, queued_duration_seconds from gitlab_pipelines where id = 1083833095";
    assert_eq!(rows(&store, told).await, json!([["success", 275, 2]]));
    let lint = "select status, allow_failure, failure_reason, duration_seconds, queued_duration_seconds
                  from gitlab_jobs where id = 5609651208";
    assert_eq!(rows(&store, lint).await, json!([["failed", true, "script_failure", 85, 0]]));
    let with_warnings = "select count(distinct p.id) from gitlab_pipelines p
                           join gitlab_jobs j on j.project_id = p.project_id and j.pipeline_id = p.id
                          where p.status = 'success' and j.status = 'failed' and j.allow_failure";
    assert_eq!(rows(&store, with_warnings).await, json!([[12]]));
}

/// One job was started again a week later: the pipeline ends then, and has run no longer for it.
#[tokio::test(flavor = "multi_thread")]
async fn a_recorded_pipeline_that_ended_again_a_week_later_tells_its_last_end() {
    let Some((_database, store)) = pipelines().await else { return };
    assert_eq!(
        rows(&store, &pipeline(1_190_130_970)).await,
        json!([[
            21,
            "success",
            "push",
            "main",
            false,
            10367592,
            "2024-02-25 21:34:41.205",
            "2024-03-04 08:00:33.876",
            243,
            null,
            null
        ]])
    );
    let newest = "select id, name, to_char(created_at, 'YYYY-MM-DD'), duration_seconds
                    from gitlab_jobs where pipeline_id = 1190130970 order by id desc limit 1";
    assert_eq!(rows(&store, newest).await, json!([[6308490339_i64, "test", "2024-03-04", 54]]));
    let queued = "select queued_duration_seconds from gitlab_pipelines where id = 1079025538";
    assert_eq!(rows(&store, queued).await, json!([[117]]), "the longest wait of all");
}

#[tokio::test(flavor = "multi_thread")]
async fn recorded_deployments_are_imported_with_the_words_they_have() {
    let Some(folder) = recordings() else { return };
    let database = TestDatabase::new().await;
    let store = database.store().await;
    let outcome = import_by(folder, &store, "12345678", Connector::GitlabDeployments).await;
    assert!(outcome.ok, "{:?}", outcome.error);
    // Two of the words are none of GitLab's, and one deployment does not tell when it was changed.
    let all = "select iid, id, status, ref, environment, environment_id, user_id, job_id
                    , to_char(updated_at, 'HH24:MI:SS.MS'), to_char(finished_at, 'HH24:MI:SS.MS')
                 from gitlab_deployments order by iid";
    let (staging, production) = ((json!("staging"), 585637), (json!("production"), 585636));
    let row = |iid: i64,
               id: i64,
               status: &str,
               to: &(serde_json::Value, i64),
               job: i64,
               times: [Option<&str>; 2]| {
        let r#ref = if to.1 == 585637 { "master" } else { "deploy" };
        let user = if iid == 3 { 3466461 } else { 3014346 };
        json!([iid, id, status, r#ref, to.0, to.1, user, job, times[0], times[1]])
    };
    let some = |updated: &'static str, finished: &'static str| [Some(updated), Some(finished)];
    assert_eq!(
        rows(&store, all).await,
        json!([
            row(1, 13426753, "success", &staging, 176919795, some("14:17:47.647", "14:17:47.640")),
            row(2, 13432654, "completed", &staging, 176953840, some("14:57:58.866", "14:57:58.845")),
            row(3, 13432768, "failed", &staging, 176955080, [Some("15:02:23.332"), None]),
            row(4, 13436532, "canceled", &production, 176979325, some("15:21:27.833", "15:21:27.825")),
            row(5, 13436763, "created", &production, 176981974, some("15:23:55.981", "15:23:55.970")),
            row(6, 13436778, "running", &staging, 176982160, some("15:25:41.435", "15:25:41.412")),
            row(7, 13436915, "undeployed", &staging, 176983636, [None, Some("15:28:32.934")]),
            row(8, 13436986, "blocked", &production, 176984044, some("15:26:37.476", "15:26:37.468")),
        ])
    );
    let not_recorded: Vec<&str> = outcome.skips.iter().map(|it| it.resource.as_str()).collect();
    assert!(not_recorded.contains(&"environments"), "{not_recorded:?}");
}
