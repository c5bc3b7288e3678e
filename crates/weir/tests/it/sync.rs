//! A sync as scripts see it.

use std::time::Duration;

use fake_gitlab::{Edition, FakeGitlab};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::bench::{Bench, ended, finished};

const MERGE_REQUESTS: &str = "select count(*) from gitlab_merge_requests where deleted_at is null";

#[tokio::test]
async fn a_sync_fills_the_tables_and_tells_in_json() {
    let bench = Bench::new().await;
    let run = bench.run("sync --json").await.ended_with(0);
    let object = run.json();
    assert_eq!((&object["ok"], &object["connectors"][0]), (&true.into(), &"gitlab".into()));
    let counts = object["resources"]["gitlab_merge_requests"].as_object().unwrap();
    assert_eq!(counts.keys().collect::<Vec<_>>(), ["read", "rejected", "unchanged", "written"]);
    assert!(bench.value(MERGE_REQUESTS).await.as_u64().unwrap() > 50);
    assert!(object["requests"].as_u64().unwrap() > 0 && object["bytes"].as_u64().unwrap() > 0);
    for skip in object["skips"].as_array().unwrap() {
        let fields: Vec<&String> = skip.as_object().unwrap().keys().collect();
        assert_eq!(fields, ["connector", "detail", "parent", "reason", "resource"]);
    }
    assert!(run.stderr.contains("weir sql"), "{}", run.stderr);
}

#[tokio::test]
async fn people_read_standard_error_and_nothing_else() {
    let run = Bench::new().await.run("sync --project nothing/like-it").await;
    assert_eq!(run.stdout, "");
    assert_ne!(run.stderr, "");
}

#[tokio::test]
async fn approval_rules_are_read_where_the_option_asks_for_them() {
    const ENDPOINT: &str = "/projects/{id}/merge_requests/{iid}/approval_state";
    const RULES: &str = "select count(*) from gitlab_merge_request_approval_rules where deleted_at is null";
    let bench = Bench::with(FakeGitlab::builder().edition(Edition::Premium)).await;
    bench.run("sync").await.ended_with(0);
    assert_eq!((bench.fake.counters().of(ENDPOINT), bench.value(RULES).await), (0, 0.into()));
    let object = bench.run("sync --approval-rules --json").await.ended_with(0).json();
    let read = object["resources"]["gitlab_merge_request_approval_rules"]["read"].as_u64().unwrap();
    assert!(read > 50 && bench.value(RULES).await == read, "{object}");
}

#[tokio::test]
async fn merge_requests_of_deployments_are_read_where_the_option_asks_for_them() {
    const ENDPOINT: &str = "/projects/{id}/deployments/{deployment_id}/merge_requests";
    const SUCCESSFUL: &str = "select count(*) from gitlab_deployments where status = 'success'";
    const LINKS: &str = "select count(*) from gitlab_deployment_merge_requests";
    let bench = Bench::new().await;
    bench.run("sync --connector gitlab_deployments").await.ended_with(0);
    assert_eq!((bench.fake.counters().of(ENDPOINT), bench.value(LINKS).await), (0, 0.into()));
    bench.run("sync --connector gitlab_deployments --deployment-merge-requests").await.ended_with(0);
    assert_eq!(bench.value(SUCCESSFUL).await, bench.fake.counters().of(ENDPOINT));
    assert_ne!(bench.value(LINKS).await, 0);
}

#[tokio::test]
async fn a_community_edition_says_once_that_it_has_no_approval_rules() {
    let bench = Bench::with(FakeGitlab::builder().edition(Edition::Ce)).await;
    let object = bench.run("sync --approval-rules --json").await.ended_with(0).json();
    let skips = object["skips"].as_array().unwrap();
    let reasons: Vec<_> = skips.iter().filter(|it| it["resource"] == "approval_rules").collect();
    assert_eq!(reasons.len(), 1, "{object}");
    assert_eq!(reasons[0]["reason"], "tier_missing");
    assert!(bench.run("status").await.stdout.contains("tier_missing"));
}

#[tokio::test]
async fn a_gitlab_without_graphql_is_read_all_the_same() {
    let bench = Bench::with(FakeGitlab::builder().graphql(false)).await;
    let object = bench.run("sync --json").await.ended_with(0).json();
    let skips = object["skips"].as_array().unwrap();
    assert!(skips.iter().any(|it| it["reason"] == "graphql_off"), "{object}");
    assert!(bench.value(MERGE_REQUESTS).await.as_u64().unwrap() > 50);
}

#[tokio::test]
async fn one_group_is_read_where_one_is_named() {
    let bench = Bench::new().await;
    let path = bench.fake.world().groups.values().find(|it| it.parent_id.is_none()).unwrap().path.clone();
    bench.run(&format!("sync --group {path} --since 3650d --exclude forks")).await.ended_with(0);
    let strangers =
        format!("select count(*) from gitlab_projects where path_with_namespace not like '{path}/%'");
    assert_eq!(bench.value(&strangers).await, 0);
}

#[tokio::test]
async fn a_dry_run_reads_no_merge_request() {
    let bench = Bench::new().await;
    let object = bench.run("sync --dry-run --json").await.ended_with(0).json();
    assert_eq!(object["ok"], true);
    assert!(object["estimate"]["projects"].as_u64().unwrap() > 0, "{object}");
    assert_eq!(bench.value(MERGE_REQUESTS).await, 0);
}

#[tokio::test]
async fn ctrl_c_ends_with_6_and_the_next_run_completes() {
    let slow = FakeGitlab::builder().latency(Duration::from_millis(60), Duration::ZERO);
    let bench = Bench::with(slow).await;
    let child = bench.weir("sync --json --concurrency 2").spawn().unwrap();
    while bench.fake.counters().total() < 8 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let id = i32::try_from(child.id().unwrap()).unwrap();
    kill(Pid::from_raw(id), Signal::SIGINT).unwrap();
    let run = ended(child.wait_with_output().await.unwrap()).ended_with(6);
    assert_eq!(run.json()["error"]["code"], "stopped");
    assert!(run.stderr.contains("Stopping after the pages in hand"), "{}", run.stderr);
    bench.run("sync --json").await.ended_with(0);
    let object = bench.run("sync --json").await.ended_with(0).json();
    assert_eq!(object["resources"]["gitlab_merge_requests"]["written"].as_u64().unwrap_or(0), 0, "{object}");
}

#[tokio::test]
async fn two_syncs_at_once_both_complete_and_share_the_work() {
    let slow = FakeGitlab::builder().latency(Duration::from_millis(20), Duration::ZERO);
    let bench = Bench::with(slow).await;
    let (one, other) = tokio::join!(finished(bench.weir("sync --json")), finished(bench.weir("sync --json")));
    assert!(one.ended_with(0).json()["ok"] == true && other.ended_with(0).json()["ok"] == true);
    let seen =
        bench.value("select count(*) - count(distinct (project_id, id)) from gitlab_merge_requests").await;
    assert_eq!(seen, 0);
    assert!(bench.value(MERGE_REQUESTS).await.as_u64().unwrap() > 50);
}

#[tokio::test]
async fn status_and_doctor_tell_of_the_last_sync() {
    let bench = Bench::new().await;
    let run = bench.run("status").await.ended_with(0);
    assert!(run.stdout.contains("Nothing was read yet"), "{}", run.stdout);
    bench.run("sync").await.ended_with(0);
    let object = bench.run("status --json").await.ended_with(0).json();
    assert_eq!(object["connections"][0]["url"], bench.fake.url());
    assert_eq!(object["connections"][0]["syncs"][0]["state"], "complete");
    assert!(bench.run("status").await.stdout.contains("complete"));
    let run = bench.run("doctor").await.ended_with(0);
    assert!(run.stdout.contains("from GITLAB_TOKEN") && !run.stdout.contains("fail"), "{}", run.stdout);
    let run = bench.run_as("glpat-wrong-wrong", "doctor").await.ended_with(1);
    assert!(run.stdout.contains("fail  verification"), "{}", run.stdout);
}
