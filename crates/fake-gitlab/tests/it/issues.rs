//! Issues over REST.

use std::collections::BTreeSet;

use fake_gitlab::world::model::UserType;
use fake_gitlab::{FakeGitlab, Settings, TokenSpec};
use serde_json::{Value, json};

use crate::client::{all, first_project, get, get_with, start, tiny};

fn ids(rows: &[Value]) -> Vec<i64> {
    rows.iter().map(|row| row["id"].as_i64().unwrap()).collect()
}

async fn path(fake: &FakeGitlab) -> String {
    format!("/projects/{}/issues", first_project(fake))
}

#[tokio::test]
async fn every_issue_is_listed_once_newest_first() {
    let fake = tiny().await;
    let rows = all(&fake, &format!("{}?per_page=100", path(&fake).await)).await;
    assert!(rows.len() > 100);
    assert!(rows.is_sorted_by_key(|row| std::cmp::Reverse(row["created_at"].to_string())));
    let world = fake.world();
    let wanted: BTreeSet<i64> = world.projects[&first_project(&fake)].issue_ids.iter().copied().collect();
    assert_eq!(ids(&rows).into_iter().collect::<BTreeSet<i64>>(), wanted);
}

#[tokio::test]
async fn filters_leave_what_they_say() {
    let fake = tiny().await;
    let path = path(&fake).await;
    let some = async |query: &str| all(&fake, &format!("{path}?per_page=100&{query}")).await;
    let every = some("").await;
    let closed = some("state=closed").await;
    assert!(closed.iter().all(|row| row["closed_at"].is_string() && row["closed_by"]["id"].is_i64()));
    assert_eq!(closed.len() + some("state=opened").await.len(), every.len());
    let incidents = some("issue_type=incident").await;
    assert!(!incidents.is_empty() && incidents.iter().all(|row| row["type"] == "INCIDENT"));
    assert_eq!(some("iids[]=3&iids[]=5").await.len(), 2);
    let moved = some("order_by=updated_at&sort=asc").await;
    assert!(moved.is_sorted_by_key(|row| row["updated_at"].to_string()));
    let half = moved[moved.len() / 2]["updated_at"].as_str().unwrap();
    let (later, earlier) =
        (some(&format!("updated_after={half}")).await, some(&format!("updated_before={half}")).await);
    assert!(later.len() + earlier.len() >= every.len() && later.len() < every.len());
}

#[tokio::test]
async fn an_issue_has_gitlabs_shape() {
    let fake = tiny().await;
    let path = path(&fake).await;
    let row = all(&fake, &format!("{path}?issue_type=incident&with_labels_details=true")).await.remove(0);
    assert_eq!(row["issue_type"], "incident");
    assert!(["UNKNOWN", "LOW", "MEDIUM", "HIGH", "CRITICAL"].contains(&row["severity"].as_str().unwrap()));
    let single = get(&fake, &format!("{path}/{}", row["iid"])).await.json();
    assert_eq!((&single["id"], &single["subscribed"]), (&row["id"], &json!(false)));
    let plain = all(&fake, &format!("{path}?issue_type=task")).await.remove(0);
    assert_eq!(plain["severity"], "UNKNOWN");
    let many = get(&fake, &format!("{path}/1?with_labels_details=true")).await.json();
    assert!(many["labels"].as_array().unwrap().len() >= 25 && many["labels"][0]["id"].is_i64());
    assert!(many["assignees"].as_array().unwrap().len() >= 25);
    assert_eq!(get(&fake, &format!("{path}/9999")).await.status, 404);
}

#[tokio::test]
async fn keyset_pages_hold_though_rows_move() {
    let settings = Settings { version: "18.3.0".to_owned(), ..Settings::default() };
    let fake = start(FakeGitlab::builder().settings(settings)).await;
    let path = format!("{}?pagination=keyset&order_by=updated_at&sort=asc&per_page=20", path(&fake).await);
    let rows = all(&fake, &path).await;
    assert_eq!(rows.len(), fake.world().projects[&first_project(&fake)].issue_ids.len());
    assert!(rows.is_sorted_by_key(|row| row["updated_at"].to_string()));
    let first = get(&fake, &path).await;
    assert_eq!(first.header("x-page"), None);
    let last = first.list().last().unwrap()["id"].as_i64().unwrap();
    fake.world_mut().retitle_issue(last, "moved to the end");
    let second = get(&fake, &first.link("next").unwrap()).await.list();
    assert_eq!(ids(&second), ids(&rows)[20..40]);
}

#[tokio::test]
async fn before_18_3_keyset_is_by_offset() {
    let fake = tiny().await;
    let page = get(&fake, &format!("{}?pagination=keyset&per_page=5", path(&fake).await)).await;
    assert_eq!(page.header("x-page"), Some("1"));
}

#[tokio::test]
async fn confidential_issues_are_for_reporters_and_those_concerned() {
    let fake = tiny().await;
    let project = first_project(&fake);
    let (guest, issue) = {
        let mut world = fake.world_mut();
        let guest = world.create_user("guest", "Guest", UserType::Human);
        world.set_project_member(project, guest, 10, None);
        let issue = world.projects[&project].issue_ids[2];
        world.set_issue_confidential(issue, true);
        (guest, issue)
    };
    fake.state().add_token(TokenSpec::personal("guest-token", guest));
    let iid = fake.world().issues[&issue].iid;
    let status = async || {
        get_with(&fake, &format!("/projects/{project}/issues/{iid}"), &["PRIVATE-TOKEN: guest-token"])
            .await
            .status
    };
    assert_eq!(status().await, 404);
    fake.world_mut().assign_issue(issue, &[guest]);
    assert_eq!(status().await, 200);
    assert_eq!(get(&fake, &format!("/projects/{project}/issues/{iid}")).await.status, 200);
}

#[tokio::test]
async fn switched_off_issues_are_an_empty_list() {
    let fake = tiny().await;
    let project = *fake.world().projects.keys().nth(2).unwrap();
    assert!(!fake.world().projects[&project].issue_ids.is_empty());
    assert!(all(&fake, &format!("/projects/{project}/issues")).await.is_empty());
    assert_eq!(get(&fake, &format!("/projects/{project}/issues/1")).await.status, 404);
    assert_eq!(get(&fake, &format!("/projects/{project}")).await.json()["issues_access_level"], "disabled");
    fake.world_mut().set_issues_access(project, "enabled");
    assert!(!all(&fake, &format!("/projects/{project}/issues")).await.is_empty());

    let settings = Settings { switched_off_is_forbidden: true, ..Settings::default() };
    let fake = start(FakeGitlab::builder().settings(settings)).await;
    assert_eq!(get(&fake, &format!("/projects/{project}/issues")).await.status, 403);
}
