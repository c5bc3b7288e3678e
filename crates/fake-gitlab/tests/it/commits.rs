//! Commits over REST.

use std::collections::HashMap;

use chrono::TimeDelta;
use fake_gitlab::world::git::{Log, Signature};
use fake_gitlab::world::model::Id;
use fake_gitlab::{FakeGitlab, Settings, TokenSpec};
use serde_json::{Value, json};

use crate::client::{all, first_project, get, get_with, start, tiny};

fn commits(project: Id) -> String {
    format!("/projects/{project}/repository/commits")
}

fn shas(rows: &[Value]) -> Vec<String> {
    rows.iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect()
}

/// A project with a root and two commits on top, and somebody who pushes.
fn fresh(fake: &FakeGitlab) -> (Id, Id) {
    let mut world = fake.world_mut();
    let group = *world.groups.keys().next().unwrap();
    let by = world.users.values().find(|user| user.username.ends_with("10")).unwrap().id;
    let namespace = fake_gitlab::world::model::Namespace::Group(group);
    let project = world.create_project(namespace, "fresh", "fresh", "private");
    world.push_to_trunk(project, by, 3);
    (project, by)
}

#[tokio::test]
async fn a_full_page_announces_another_though_there_is_none() {
    let fake = tiny().await;
    let (project, _) = fresh(&fake);
    let page = get(&fake, &format!("{}?per_page=3&ref_name=main", commits(project))).await;
    assert_eq!(page.list().len(), 3);
    assert_eq!((page.header("x-total"), page.header("x-next-page")), (None, Some("2")));
    let next = page.link("next").unwrap();
    assert!(
        next.contains("order=default") && next.contains("trailers=false") && next.contains("ref_name=main")
    );
    assert_eq!(page.link("last"), None);
    let empty = get(&fake, &next).await;
    assert_eq!((empty.list(), empty.header("x-next-page")), (Vec::new(), Some("")));
}

#[tokio::test]
async fn all_pages_together_are_what_the_head_reaches() {
    let fake = tiny().await;
    let project = first_project(&fake);
    let listed = shas(&all(&fake, &format!("{}?per_page=100", commits(project))).await);
    assert!(listed.len() > 100, "{}", listed.len());
    let world = fake.world();
    let repository = &world.repositories[&project];
    let trunk: Vec<String> = repository.trunk().iter().map(|it| it.sha.clone()).collect();
    assert_eq!(listed, trunk);
    assert_eq!(listed.len(), repository.commit_count());
}

#[tokio::test]
async fn topological_order_shows_no_commit_before_its_children() {
    let fake = tiny().await;
    let project = first_project(&fake);
    let rows = all(&fake, &format!("{}?per_page=100&order=topo", commits(project))).await;
    let places: HashMap<String, usize> = shas(&rows).into_iter().zip(0..).collect();
    for row in &rows {
        for parent in row["parent_ids"].as_array().unwrap() {
            assert!(places[parent.as_str().unwrap()] > places[row["id"].as_str().unwrap()]);
        }
    }
    assert_eq!(rows.len(), fake.world().repositories[&project].commit_count());
}

#[tokio::test]
async fn since_stops_at_an_old_commit_and_misses_what_lies_behind_it() {
    let fake = tiny().await;
    let (project, by) = fresh(&fake);
    let since = (fake.world().now - TimeDelta::days(1)).format("%Y-%m-%dT%H:%M:%SZ").to_string();
    let path = format!("{}?since={since}", commits(project));
    assert_eq!(all(&fake, &path).await.len(), 3);
    fake.world_mut().push_old_commit(project, by, TimeDelta::days(9));
    assert_eq!(all(&fake, &path).await.len(), 0, "the head is too old");
    fake.world_mut().push_to_trunk(project, by, 1);
    assert_eq!(all(&fake, &path).await.len(), 1, "the old commit hides those behind it");
    assert_eq!(all(&fake, &commits(project)).await.len(), 5);
    let until = all(&fake, &format!("{}?until={since}", commits(project))).await;
    assert_eq!(until.len(), 1, "only the old one");
}

#[tokio::test]
async fn first_parent_leaves_out_what_merges_brought_in() {
    let fake = tiny().await;
    let project = first_project(&fake);
    let rows = all(&fake, &format!("{}?per_page=100&first_parent=true", commits(project))).await;
    let world = fake.world();
    let repository = &world.repositories[&project];
    let head = repository.head.clone().unwrap();
    let wanted = repository.log(&head, Log { first_parent: true, ..Log::default() });
    assert_eq!(rows.len(), wanted.len());
    assert!(rows.len() < repository.commit_count());
    assert!(rows.windows(2).all(|pair| pair[0]["parent_ids"][0] == pair[1]["id"]));
}

#[tokio::test]
async fn a_commit_shows_its_authors_clock_and_its_size() {
    let fake = tiny().await;
    let (project, _) = fresh(&fake);
    let sha = {
        let mut world = fake.world_mut();
        let now = world.now;
        let repository = world.repositories.get_mut(&project).unwrap();
        let mut commit = repository.trunk()[0].clone();
        commit.author = Signature::new("Zoë", "zoe@elsewhere.example", now, 60);
        repository.add(commit.clone());
        commit.sha
    };
    let row = get(&fake, &format!("{}/{sha}", commits(project))).await.json();
    assert!(row["authored_date"].as_str().unwrap().ends_with(".000+01:00"), "{row}");
    assert_eq!(row["short_id"], sha[..8]);
    assert_eq!(
        row["stats"]["total"].as_i64(),
        Some(row["stats"]["additions"].as_i64().unwrap() + row["stats"]["deletions"].as_i64().unwrap())
    );
    assert_eq!((&row["project_id"], &row["last_pipeline"]), (&json!(project), &Value::Null));
    assert_eq!(get(&fake, &format!("{}/{}", commits(project), &sha[..8])).await.json()["id"], sha);
    assert_eq!(get(&fake, &format!("{}/main?stats=false", commits(project))).await.json().get("stats"), None);
    let absent = get(&fake, &format!("{}/{}", commits(project), "0".repeat(40))).await;
    assert_eq!((absent.status, absent.json()), (404, json!({ "message": "404 Commit Not Found" })));
    let listed = get(&fake, &format!("{}?with_stats=true", commits(project))).await.list();
    assert!(listed.iter().all(|row| row["stats"]["total"].is_i64()));
}

#[tokio::test]
async fn commits_of_a_merge_request_are_newest_first_in_utc_without_parents() {
    let fake = tiny().await;
    let path = format!("/projects/{}/merge_requests/1", first_project(&fake));
    let page = get(&fake, &format!("{path}/commits?per_page=100")).await;
    assert_eq!((page.header("x-total"), page.header("x-total-pages")), (Some("250"), Some("3")));
    let rows = all(&fake, &format!("{path}/commits?per_page=100")).await;
    assert_eq!(rows.len(), 250);
    assert_eq!(rows[0]["id"], get(&fake, &path).await.json()["sha"]);
    assert!(rows.iter().all(|row| row["parent_ids"] == json!([])));
    assert!(rows.iter().all(|row| row["authored_date"].as_str().unwrap().ends_with(".000Z")));
    assert!(rows.is_sorted_by_key(|row| std::cmp::Reverse(row["committed_date"].to_string())));
}

#[tokio::test]
async fn a_merge_request_without_a_diff_has_no_commits() {
    let fake = tiny().await;
    let (project, iid) = {
        let world = fake.world();
        let mr = world.merge_requests.values().find(|mr| mr.sha.is_none()).unwrap();
        (mr.project_id, mr.iid)
    };
    assert!(all(&fake, &format!("/projects/{project}/merge_requests/{iid}/commits")).await.is_empty());
}

#[tokio::test]
async fn an_empty_repository_is_not_found_or_an_empty_list() {
    let fake = tiny().await;
    let empty = *fake.world().projects.keys().nth(3).unwrap();
    assert!(!fake.world().repositories.contains_key(&empty));
    let answer = get(&fake, &commits(empty)).await;
    assert_eq!((answer.status, answer.json()), (404, json!({ "message": "404 Repository Not Found" })));
    let project = first_project(&fake);
    assert_eq!(get(&fake, &format!("{}?ref_name=nowhere", commits(project))).await.status, 404);
    fake.world_mut().set_default_branch(project, None);
    assert_eq!(get(&fake, &commits(project)).await.status, 404);

    let settings = Settings { commits_of_nothing_are_empty: true, ..Settings::default() };
    let fake = start(FakeGitlab::builder().settings(settings)).await;
    assert!(all(&fake, &commits(empty)).await.is_empty());
}

#[tokio::test]
async fn a_repository_switched_off_is_not_found_or_forbidden() {
    let fake = tiny().await;
    let project = first_project(&fake);
    fake.world_mut().set_repository_access(project, "disabled");
    let answer = get(&fake, &commits(project)).await;
    assert_eq!((answer.status, answer.json()), (404, json!({ "message": "404 Repository Not Found" })));
    let row = get(&fake, &format!("/projects/{project}")).await.json();
    assert_eq!(row["repository_access_level"], "disabled");
    assert_eq!(
        (&row["merge_requests_access_level"], &row["default_branch"]),
        (&json!("disabled"), &Value::Null)
    );

    let settings = Settings { switched_off_is_forbidden: true, ..Settings::default() };
    let fake = start(FakeGitlab::builder().settings(settings)).await;
    fake.world_mut().set_repository_access(project, "disabled");
    assert_eq!(get(&fake, &commits(project)).await.status, 403);
}

#[tokio::test]
async fn guests_may_not_read_commits() {
    let fake = tiny().await;
    let project = first_project(&fake);
    let guest = {
        let mut world = fake.world_mut();
        let guest = world.create_user("guest", "Guest", fake_gitlab::world::model::UserType::Human);
        world.set_project_member(project, guest, 10, None);
        guest
    };
    fake.state().add_token(TokenSpec::personal("guest-token", guest));
    let answer = get_with(&fake, &commits(project), &["PRIVATE-TOKEN: guest-token"]).await;
    assert_eq!((answer.status, answer.json()), (403, json!({ "message": "403 Forbidden" })));
    let row =
        get_with(&fake, &format!("/projects/{project}?statistics=true"), &["PRIVATE-TOKEN: guest-token"])
            .await;
    assert_eq!(row.json().get("statistics"), None);
}

#[tokio::test]
async fn statistics_count_the_default_branch() {
    let fake = tiny().await;
    let (project, by) = fresh(&fake);
    let count = async || {
        get(&fake, &format!("/projects/{project}?statistics=true")).await.json()["statistics"]["commit_count"]
            .clone()
    };
    assert_eq!(count().await, 3);
    fake.world_mut().force_push_trunk(project, by, 2);
    assert_eq!(count().await, 2);
    let listed = all(&fake, "/projects?statistics=true&membership=true").await;
    assert!(listed.iter().all(|row| row["statistics"]["commit_count"].is_i64()));
}
