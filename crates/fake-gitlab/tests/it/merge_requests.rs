//! Filters and orders of the list of merge requests.

use fake_gitlab::FakeGitlab;
use serde_json::{Value, json};

use crate::client::{all, first_project, get, tiny};

fn times(rows: &[Value], column: &str) -> Vec<String> {
    rows.iter().map(|row| row[column].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn the_newest_comes_first_unless_asked_otherwise() {
    let fake = tiny().await;
    let path = format!("/projects/{}/merge_requests", first_project(&fake));
    let created = times(&get(&fake, &path).await.list(), "created_at");
    assert!(created.is_sorted_by(|a, b| a >= b));
    let ascending = all(&fake, &format!("{path}?order_by=updated_at&sort=asc&per_page=100")).await;
    assert!(times(&ascending, "updated_at").is_sorted());
}

#[tokio::test]
async fn equal_times_come_by_the_highest_id_first_whichever_way_it_sorts() {
    let fake = tiny().await;
    let path = format!("/projects/{}/merge_requests?order_by=updated_at&per_page=100", first_project(&fake));
    for sort in ["asc", "desc"] {
        let rows = all(&fake, &format!("{path}&sort={sort}")).await;
        for pair in rows.windows(2).filter(|pair| pair[0]["updated_at"] == pair[1]["updated_at"]) {
            assert!(pair[0]["id"].as_i64() > pair[1]["id"].as_i64());
        }
    }
}

#[tokio::test]
async fn updated_after_is_inclusive_and_counts_microseconds() {
    let fake = tiny().await;
    let id = first_project(&fake);
    let (iid, exact) = {
        let world = fake.world();
        let mr =
            world.merge_requests.values().find(|mr| mr.updated_at.timestamp_subsec_micros() % 1_000 > 500);
        let mr = mr.filter(|mr| mr.project_id == id).unwrap();
        (mr.iid, mr.updated_at)
    };
    let found = async |after: String| {
        let rows =
            all(&fake, &format!("/projects/{id}/merge_requests?per_page=100&updated_after={after}")).await;
        rows.iter().any(|row| row["iid"] == iid)
    };
    assert!(found(exact.format("%Y-%m-%dT%H:%M:%S%.6fZ").to_string()).await);
    assert!(found(exact.format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()).await);
    let later = exact + chrono::TimeDelta::microseconds(1);
    assert!(!found(later.format("%Y-%m-%dT%H:%M:%S%.6fZ").to_string()).await);
}

#[tokio::test]
async fn one_timestamp_may_be_shared_by_more_than_a_page() {
    let fake = tiny().await;
    let rows = all(&fake, &format!("/projects/{}/merge_requests?per_page=100", first_project(&fake))).await;
    let mut times = times(&rows, "updated_at");
    times.sort();
    let most = times.chunk_by(|a, b| a == b).map(<[_]>::len).max();
    assert_eq!(most, Some(130));
}

#[tokio::test]
async fn a_locked_one_is_listed_with_all_but_not_with_opened() {
    let fake = tiny().await;
    let path = format!("/projects/{}/merge_requests?per_page=100", first_project(&fake));
    let states = async |filter: &str| {
        let rows = all(&fake, &format!("{path}&state={filter}")).await;
        rows.into_iter().map(|row| row["state"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert!(states("all").await.contains(&"locked".to_owned()));
    assert!(states("opened").await.iter().all(|state| state == "opened"));
    assert_eq!(states("locked").await, ["locked"]);
}

#[tokio::test]
async fn numbers_pick_single_ones() {
    let fake = tiny().await;
    let path = format!("/projects/{}/merge_requests", first_project(&fake));
    let answer = get(&fake, &format!("{path}?iids[]=2&iids[]=5&sort=asc")).await;
    assert_eq!(answer.column("iid"), [json!(2), json!(5)]);
}

#[tokio::test]
async fn labels_are_titles_unless_details_are_asked_for() {
    let fake = tiny().await;
    let path = format!("/projects/{}/merge_requests?per_page=100", first_project(&fake));
    let labelled = |rows: Vec<Value>| rows.into_iter().find(|row| row["labels"] != json!([])).unwrap();
    assert!(labelled(all(&fake, &path).await)["labels"][0].is_string());
    let detailed = labelled(all(&fake, &format!("{path}&with_labels_details=true")).await);
    assert!(detailed["labels"][0]["id"].is_i64());
}

/// The merge requests that were opened again.
fn reopened(fake: &FakeGitlab) -> Vec<Option<i64>> {
    let world = fake.world();
    let notes = world.notes.values().filter(|it| it.system && it.body == "reopened");
    notes.map(|it| Some(it.merge_request_id)).collect()
}

#[tokio::test]
async fn every_oddity_is_there() {
    let fake = tiny().await;
    let rows = all(&fake, &format!("/projects/{}/merge_requests?per_page=100", first_project(&fake))).await;
    let any = |wanted: &dyn Fn(&Value) -> bool| rows.iter().any(wanted);
    let longer = |row: &Value, list: &str| row[list].as_array().is_some_and(|list| list.len() >= 25);
    assert!(any(&|row| row["sha"].is_null()), "no diff");
    assert!(any(&|row| row["source_project_id"].is_null()), "deleted fork");
    assert!(
        any(&|row| row["source_project_id"].is_i64() && row["source_project_id"] != row["project_id"]),
        "fork"
    );
    assert!(any(&|row| row["author"]["username"] == "ghost"), "ghost");
    let again = reopened(&fake);
    let open_again = |row: &Value| again.contains(&row["id"].as_i64()) && row["state"] == "opened";
    assert!(any(&open_again), "reopened");
    assert!(!any(&|row| open_again(row) && !(row["closed_at"].is_null() && row["closed_by"].is_null())));
    assert!(any(&|row| row["state"] == "opened" && !row["merge_user"].is_null()), "auto-merge");
    assert!(
        any(&|row| longer(row, "labels") && longer(row, "assignees") && longer(row, "reviewers")),
        "many"
    );
    assert!(any(&|row| row["user_notes_count"] == 1_000), "a thousand notes");
    assert!(any(&|row| row["user_notes_count"] == 101), "a hundred and one notes");
}

#[tokio::test]
async fn merging_is_later_than_the_last_update() {
    let fake = tiny().await;
    let world = fake.world();
    let merged = world.merge_requests.values().filter(|mr| mr.merged_at.is_some());
    let later = merged.clone().filter(|mr| mr.merged_at.is_some_and(|merged| merged > mr.updated_at)).count();
    assert!(later > 0 && later * 10 >= merged.count() * 8);
}
