//! Who sees what, and how GitLab says no.

use fake_gitlab::{FakeGitlab, TokenSpec};
use serde_json::json;

use crate::client::{all, first_project, get, get_with, start, tiny};

#[tokio::test]
async fn public_groups_are_listed_unless_a_level_is_asked_for() {
    let fake = tiny().await;
    let paths = async |path: &str| -> Vec<String> {
        let rows = all(&fake, path).await;
        rows.iter().map(|row| row["full_path"].as_str().unwrap().to_owned()).collect()
    };
    assert!(paths("/groups").await.contains(&"open-source".to_owned()));
    let mine = paths("/groups?min_access_level=10").await;
    assert_eq!(mine.len(), 4);
    assert!(!mine.contains(&"open-source".to_owned()));
    assert_eq!(paths("/groups?min_access_level=10&top_level_only=true").await.len(), 2);
}

#[tokio::test]
async fn shared_projects_are_in_a_groups_list_unless_refused() {
    let fake = tiny().await;
    let group = *fake.world().groups.keys().next().unwrap();
    let shared = |rows: Vec<serde_json::Value>| rows.iter().any(|row| row["path"] == "library");
    assert!(shared(all(&fake, &format!("/groups/{group}/projects")).await));
    assert!(!shared(all(&fake, &format!("/groups/{group}/projects?with_shared=false")).await));
}

#[tokio::test]
async fn subgroups_are_one_level_and_descendants_all() {
    let fake = tiny().await;
    let group = *fake.world().groups.keys().next().unwrap();
    let below = fake.world_mut().create_group(Some(group), "Below", "below", "private");
    fake.world_mut().create_group(Some(below), "Deep", "deep", "private");
    let direct = all(&fake, &format!("/groups/{group}/subgroups")).await.len();
    let every = all(&fake, &format!("/groups/{group}/descendant_groups")).await.len();
    assert_eq!((direct, every), (2, 3));
}

#[tokio::test]
async fn what_is_out_of_sight_does_not_exist() {
    let fake = tiny().await;
    for (path, message) in [
        ("/projects/1", "404 Project Not Found"),
        ("/projects/nobody%2Fnothing", "404 Project Not Found"),
        ("/groups/nothing", "404 Group Not Found"),
        ("/users/1", "404 User Not Found"),
    ] {
        let answer = get(&fake, path).await;
        assert_eq!((answer.status, answer.json()), (404, json!({ "message": message })));
    }
    let absent =
        get(&fake, &format!("/projects/{}/merge_requests/100000000000000000000", first_project(&fake))).await;
    assert_eq!((absent.status, absent.json()), (404, json!({ "message": "404 Not found" })));
    let unknown = get(&fake, "/no/such/route").await;
    assert_eq!((unknown.status, unknown.json()), (404, json!({ "error": "404 Not Found" })));
}

#[tokio::test]
async fn merge_requests_that_are_switched_off_are_forbidden() {
    let fake = tiny().await;
    let id = first_project(&fake) + 2;
    let answer = get(&fake, &format!("/projects/{id}/merge_requests")).await;
    assert_eq!((answer.status, answer.json()), (403, json!({ "message": "403 Forbidden" })));
    assert_eq!(get(&fake, &format!("/projects/{id}")).await.status, 200);
}

#[tokio::test]
async fn a_guest_does_not_read_merge_requests_of_a_private_project() {
    let fake = tiny().await;
    let id = first_project(&fake);
    let guest = {
        let mut world = fake.world_mut();
        let guest = world.create_user("guest", "Guest", fake_gitlab::world::model::UserType::Human);
        world.set_project_member(id, guest, 10, None);
        guest
    };
    fake.state().add_token(TokenSpec::personal("glpat-guest", guest));
    let header = ["PRIVATE-TOKEN: glpat-guest"];
    assert_eq!(get_with(&fake, &format!("/projects/{id}/merge_requests"), &header).await.status, 403);
    let project = get_with(&fake, &format!("/projects/{id}"), &header).await;
    assert_eq!((project.status, &project.json()["default_branch"]), (200, &json!(null)));
    fake.world_mut().set_project_member(id, guest, 20, None);
    assert_eq!(get_with(&fake, &format!("/projects/{id}/merge_requests"), &header).await.status, 200);
}

#[tokio::test]
async fn a_former_path_is_redirected_to_the_number() {
    let fake = tiny().await;
    let id = first_project(&fake);
    let old = {
        let world = fake.world();
        world.project_full_path(&world.projects[&id]).replace('/', "%2F")
    };
    assert_eq!(get(&fake, &format!("/projects/{old}")).await.json()["id"], id);
    fake.world_mut().rename_project(id, "renamed", "renamed");
    let answer = get(&fake, &format!("/projects/{old}/merge_requests")).await;
    let target = format!("{}/api/v4/projects/{id}/merge_requests", fake.url());
    assert_eq!((answer.status, answer.header("location")), (301, Some(target.as_str())));
    assert_eq!(answer.body, format!("This resource has been moved permanently to {target}"));
}

#[tokio::test]
async fn a_project_marked_for_deletion_is_seen_by_owners_only() {
    let fake = tiny().await;
    let id = first_project(&fake);
    fake.world_mut().schedule_deletion(id);
    assert_eq!(get(&fake, &format!("/projects/{id}")).await.status, 404);
    let reader = fake.viewer().user_id;
    fake.world_mut().set_project_member(id, reader, 50, None);
    let project = get(&fake, &format!("/projects/{id}")).await.json();
    assert!(project["path"].as_str().unwrap().ends_with(&format!("-deletion_scheduled-{id}")));
    assert_eq!(project["marked_for_deletion_on"], "2026-06-01");
}

#[tokio::test]
async fn internal_notes_are_missing_below_reporter() {
    let fake = start(FakeGitlab::builder()).await;
    let (id, stranger) = {
        let mut world = fake.world_mut();
        let id = *world.projects.keys().next().unwrap();
        world.projects.get_mut(&id).unwrap().visibility = "public".to_owned();
        let mr = world.merge_requests.values().find(|mr| mr.project_id == id && mr.iid == 3).unwrap().id;
        let stranger = world.create_user("stranger", "Stranger", fake_gitlab::world::model::UserType::Human);
        world.add_note(fake_gitlab::world::change::NewNote {
            merge_request_id: mr,
            author_id: stranger,
            body: "secret".to_owned(),
            note_type: fake_gitlab::world::model::NoteType::Plain,
            internal: true,
        });
        (id, stranger)
    };
    fake.state().add_token(TokenSpec::personal("glpat-stranger", stranger));
    let path = format!("/projects/{id}/merge_requests/3/notes?per_page=100");
    assert!(get(&fake, &path).await.body.contains("secret"));
    assert!(!get_with(&fake, &path, &["PRIVATE-TOKEN: glpat-stranger"]).await.body.contains("secret"));
}
