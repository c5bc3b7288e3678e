//! Bodies as GitLab gives them.

use fake_gitlab::{Edition, FakeGitlab};
use serde_json::{Value, json};

use crate::client::{all, first_project, get, start, tiny};

fn keys(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

#[tokio::test]
async fn times_have_milliseconds() {
    let fake = tiny().await;
    let row = get(&fake, &format!("/projects/{}/merge_requests/1", first_project(&fake))).await.json();
    let time = row["created_at"].as_str().unwrap();
    assert_eq!((time.len(), &time[19..20], &time[23..]), (24, ".", "Z"));
}

#[tokio::test]
async fn a_single_merge_request_has_more_than_the_list_shows() {
    let fake = tiny().await;
    let path = format!("/projects/{}/merge_requests", first_project(&fake));
    let listed = get(&fake, &format!("{path}?iids[]=1")).await.list()[0].clone();
    let single = get(&fake, &format!("{path}/1")).await.json();
    assert!(listed.get("diff_refs").is_none() && single["diff_refs"]["head_sha"].is_string());
    assert!(single["changes_count"].is_string());
    assert!(keys(&listed).iter().all(|key| single.get(*key).is_some()));
}

#[tokio::test]
async fn notes_say_resolved_only_where_they_can_be() {
    let fake = tiny().await;
    let rows =
        all(&fake, &format!("/projects/{}/merge_requests/1/notes?per_page=100", first_project(&fake))).await;
    assert!(rows.len() >= 101);
    for note in rows {
        assert_eq!(note["resolvable"] == true, note.get("resolved").is_some());
        assert_eq!(note["type"] == "DiffNote", note.get("position").is_some());
    }
}

#[tokio::test]
async fn discussions_hold_the_same_notes() {
    let fake = tiny().await;
    let path = format!("/projects/{}/merge_requests/1", first_project(&fake));
    let notes = all(&fake, &format!("{path}/notes?per_page=100")).await.len();
    let discussions = all(&fake, &format!("{path}/discussions?per_page=100")).await;
    let inside: usize = discussions.iter().map(|it| it["notes"].as_array().unwrap().len()).sum();
    assert_eq!(inside, notes);
    assert!(discussions.iter().all(|it| it["id"].as_str().unwrap().len() == 40));
}

#[tokio::test]
async fn approvals_differ_by_edition_and_version() {
    let shape = async |edition: Edition, version: &str| {
        let fake = start(FakeGitlab::builder().edition(edition).version(version)).await;
        let id = first_project(&fake);
        let iid = fake.world().merge_requests.values().find(|it| it.approvals.len() == 25).unwrap().iid;
        let path = format!("/projects/{id}/merge_requests/{iid}");
        let state = get(&fake, &format!("{path}/approval_state")).await.status;
        (get(&fake, &format!("{path}/approvals")).await.json(), state)
    };
    let (ce, state) = shape(Edition::Ce, "17.11.0").await;
    assert_eq!(keys(&ce), ["approved", "approved_by", "user_can_approve", "user_has_approved"]);
    assert_eq!((state, ce["approved_by"].as_array().unwrap().len()), (404, 25));
    assert_eq!(ce["approved_by"][0].get("approved_at"), None);
    let (newer, state) = shape(Edition::Free, "18.9.0").await;
    assert!(newer["approved_by"][0]["approved_at"].is_string());
    assert_eq!(state, 200);
    let (premium, _) = shape(Edition::Premium, "17.11.0").await;
    assert_eq!(premium["approvals_required"], 0);
}

#[tokio::test]
async fn labels_of_groups_above_are_among_those_of_a_project() {
    let fake = tiny().await;
    let id = first_project(&fake);
    let rows = all(&fake, &format!("/projects/{id}/labels?per_page=100")).await;
    assert!(rows.len() > 120);
    assert!(rows.iter().any(|row| row["is_project_label"] == false));
    let own = all(&fake, &format!("/projects/{id}/labels?per_page=100&include_ancestor_groups=false")).await;
    assert_eq!(own.len(), 125);
    let counted =
        get(&fake, &format!("/projects/{id}/labels?with_counts=true&per_page=1")).await.list()[0].clone();
    assert!(counted["open_merge_requests_count"].is_i64());
}

#[tokio::test]
async fn inherited_members_come_with_all() {
    let fake = tiny().await;
    let id = first_project(&fake);
    let direct = all(&fake, &format!("/projects/{id}/members")).await.len();
    let every = all(&fake, &format!("/projects/{id}/members/all")).await;
    assert!(every.len() > direct);
    assert!(every.iter().any(|it| it["username"] == "insights-reader" && it["access_level"] == 30));
}

#[tokio::test]
async fn milestones_name_their_owner() {
    let fake = tiny().await;
    let id = first_project(&fake);
    let own = all(&fake, &format!("/projects/{id}/milestones")).await;
    assert!(own.iter().all(|row| row["project_id"] == id && row.get("group_id").is_none()));
    let every = all(&fake, &format!("/projects/{id}/milestones?include_ancestors=true")).await;
    assert!(every.iter().any(|row| row["group_id"].is_i64()));
}

#[tokio::test]
async fn the_account_behind_the_token_is_a_bot() {
    let fake = tiny().await;
    let user = get(&fake, "/user").await.json();
    assert_eq!((&user["username"], &user["bot"]), (&json!("insights-reader"), &json!(true)));
    let token = get(&fake, "/personal_access_tokens/self").await.json();
    assert_eq!((&token["user_id"], &token["scopes"]), (&user["id"], &json!(["read_api"])));
}

#[tokio::test]
async fn metadata_tells_the_edition_and_not_the_tier() {
    for (edition, enterprise, version) in [
        (Edition::Ce, false, "17.11.0"),
        (Edition::Free, true, "17.11.0-ee"),
        (Edition::Premium, true, "17.11.0-ee"),
    ] {
        let fake = start(FakeGitlab::builder().edition(edition)).await;
        let body = get(&fake, "/metadata").await.json();
        assert_eq!((&body["enterprise"], &body["version"]), (&json!(enterprise), &json!(version)));
    }
}

#[tokio::test]
async fn a_group_embeds_projects_unless_refused() {
    let fake = tiny().await;
    let group = *fake.world().groups.keys().next().unwrap();
    assert!(get(&fake, &format!("/groups/{group}")).await.json()["projects"].is_array());
    let lean = get(&fake, &format!("/groups/{group}?with_projects=false")).await.json();
    assert_eq!(lean.get("projects"), None);
    let by_path = get(&fake, "/groups/platform%2Fpayments?with_projects=false").await.json();
    assert_eq!(by_path["full_path"], "platform/payments");
}

#[tokio::test]
async fn simple_projects_are_short() {
    let fake = tiny().await;
    let simple = get(&fake, "/projects?simple=true&per_page=1").await.list()[0].clone();
    let full = get(&fake, "/projects?per_page=1").await.list()[0].clone();
    assert!(simple.get("archived").is_none() && full["archived"].is_boolean());
    assert_eq!(simple["namespace"]["kind"], "group");
}

#[tokio::test]
async fn a_fork_tells_where_it_came_from_to_those_who_see_that() {
    let fake = tiny().await;
    let id = first_project(&fake);
    let fork = get(&fake, &format!("/projects/{}", id + 4)).await.json();
    assert_eq!(
        (&fork["forked_from_project"]["id"], &fork["namespace"]["kind"]),
        (&json!(id), &json!("user"))
    );
    assert_eq!(fork["owner"]["username"], fork["namespace"]["path"]);
    assert_eq!(get(&fake, &format!("/projects/{id}")).await.json()["forks_count"], 1);
}
