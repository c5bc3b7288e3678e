//! The control endpoints, as a black-box test uses them.

use crate::client::{get, get_with, post, tiny};

#[tokio::test]
async fn requests_are_counted_by_endpoint_and_status() {
    let fake = tiny().await;
    get(&fake, "/groups").await;
    get(&fake, "/groups?page=2").await;
    get_with(&fake, "/groups/5001", &[]).await;
    let counts = get_with(&fake, "/fake/requests", &[]).await.json();
    assert_eq!(counts["total"], 3);
    let found = counts["requests"].as_array().unwrap();
    let count = |endpoint: &str, status: u16| {
        let row = found.iter().find(|it| it["endpoint"] == endpoint && it["status"] == status).unwrap();
        row["count"].as_u64().unwrap()
    };
    assert_eq!(count("/api/v4/groups", 200), 2);
    assert_eq!(count("/api/v4/groups/{id}", 401), 1);
    assert_eq!(counts["by_token"]["glpat-fake-token"], 2);
    assert_eq!(fake.counters().of("/groups"), 2);
}

#[tokio::test]
async fn changes_are_made_on_command_and_repeatably() {
    let (one, two) = (tiny().await, tiny().await);
    let first = post(&one, "/fake/change?count=25&seed=3&kinds=visible", "").await.json();
    let second = post(&two, "/fake/change?count=25&seed=3&kinds=visible", "").await.json();
    assert_eq!(first, second);
    assert_eq!(first["changes"].as_array().unwrap().len(), 25);
}

#[tokio::test]
async fn the_truth_is_served() {
    let fake = tiny().await;
    let tables = get_with(&fake, "/fake/truth?graphql=true", &[]).await.json();
    assert_eq!(tables["gitlab_groups"].as_array().unwrap().len(), 4);
    assert!(tables["gitlab_merge_request_notes"].as_array().unwrap().len() > 1_000);
}

#[tokio::test]
async fn the_clock_is_moved() {
    let fake = tiny().await;
    let answer = post(&fake, "/fake/clock?advance_seconds=3600", "").await.json();
    assert_eq!(answer["now"], "2026-06-01T13:00:00Z");
}

#[tokio::test]
async fn faults_are_ordered() {
    let fake = tiny().await;
    let plan = r#"{"plan":{"probability":1.0,"kinds":["bad_gateway"]},"next":["internal_error"]}"#;
    assert_eq!(post(&fake, "/fake/faults", plan).await.status, 200);
    assert_eq!(get(&fake, "/version").await.status, 500);
    assert_eq!(get(&fake, "/version").await.status, 502);
    post(&fake, "/fake/faults", r#"{"plan":null,"revoke_token":"glpat-fake-token"}"#).await;
    assert_eq!(get(&fake, "/version").await.status, 401);
}
