//! What somebody without rights gets.

use fake_gitlab::graphql::{GraphqlOptions, Sight};
use fake_gitlab::world::model::Id;
use serde_json::json;

use crate::ask_as;
use crate::world::small;

/// Sees group 7 and its project 12; in project 11 only what `merge_requests` allows.
struct Guest {
    merge_requests: bool,
    shop: bool,
}

impl Sight for Guest {
    fn sees_project(&self, id: Id) -> bool {
        id == 12 || self.shop
    }
    fn sees_group(&self, id: Id) -> bool {
        id == 7
    }
    fn sees_merge_requests(&self, _: Id) -> bool {
        self.merge_requests
    }
    fn sees_issues(&self, id: Id) -> bool {
        id == 12
    }
    fn sees_code(&self, id: Id) -> bool {
        id == 12
    }
    fn sees_internal_notes(&self, _: Id) -> bool {
        false
    }
    fn user_id(&self) -> Option<Id> {
        Some(2)
    }
    fn is_member(&self, id: Id) -> bool {
        id == 12
    }
}

#[test]
fn what_is_out_of_sight_is_null_or_left_out() {
    let query = r#"{ project(fullPath: "acme/web/shop") { id } group(fullPath: "acme/web") { id }
        projects(ids: ["gid://gitlab/Project/11", "gid://gitlab/Project/12"]) { count nodes { id } }
        groups { nodes { id } } mergeRequest(id: "gid://gitlab/MergeRequest/101") { id } }"#;
    let answer =
        ask_as(&small(), &Guest { merge_requests: true, shop: false }, &GraphqlOptions::default(), query);
    assert_eq!(
        answer,
        json!({"data": {"project": null, "group": null,
            "projects": {"count": 1, "nodes": [{"id": "gid://gitlab/Project/12"}]},
            "groups": {"nodes": [{"id": "gid://gitlab/Group/7"}]}, "mergeRequest": null}})
    );
}

#[test]
fn merge_requests_that_may_not_be_read_are_an_empty_list() {
    let query = r#"{ project(fullPath: "acme/web/shop") { mergeRequestsEnabled mergeRequest(iid: "1") { id }
        mergeRequests { count nodes { id } } } mergeRequest(id: "gid://gitlab/MergeRequest/101") { id } }"#;
    let nothing = json!({"data": {"project": {"mergeRequestsEnabled": false, "mergeRequest": null,
        "mergeRequests": {"count": 0, "nodes": []}}, "mergeRequest": null}});
    let guest = Guest { merge_requests: false, shop: true };
    assert_eq!(ask_as(&small(), &guest, &GraphqlOptions::default(), query), nothing);

    let mut switched_off = small();
    switched_off.projects.get_mut(&11).unwrap().merge_requests_access_level = "disabled".into();
    let reader = Guest { merge_requests: true, shop: true };
    assert_eq!(ask_as(&switched_off, &reader, &GraphqlOptions::default(), query), nothing);
}

#[test]
fn internal_notes_are_for_reporters() {
    let query = r#"{ mergeRequest(id: "gid://gitlab/MergeRequest/101") { notes { count nodes { id } } }
        note(id: "gid://gitlab/Note/1004") { id } }"#;
    let guest = Guest { merge_requests: true, shop: true };
    let answer = ask_as(&small(), &guest, &GraphqlOptions::default(), query);
    assert_eq!(answer["data"]["mergeRequest"]["notes"]["count"], 3);
    assert_eq!(answer["data"]["note"], json!(null));
}

#[test]
fn membership_narrows_the_projects() {
    let query = "{ projects(membership: true) { nodes { id } } }";
    let guest = Guest { merge_requests: true, shop: true };
    let answer = ask_as(&small(), &guest, &GraphqlOptions::default(), query);
    assert_eq!(answer["data"]["projects"]["nodes"], json!([{"id": "gid://gitlab/Project/12"}]));
}
