//! What single objects look like.

use serde_json::json;

use crate::world::{empty, small};
use crate::{ask, data};

#[test]
fn a_merge_request_is_told_as_gitlab_tells_it() {
    let query = r#"{ project(fullPath: "acme/web/shop") { mergeRequest(iid: "1") {
        id iid projectId sourceProjectId title description state draft createdAt updatedAt mergedAt closedAt preparedAt
        diffHeadSha mergeCommitSha sourceBranch targetBranch userNotesCount webUrl approved approvalsRequired
        reference(full: true)
        mergeUser { id } author { id username bot type } milestone { id iid title dueDate project { id } group { id } }
        diffStatsSummary { additions deletions changes fileCount }
        labels { nodes { id title } } assignees { nodes { id } } approvedBy { nodes { id } pageInfo { hasNextPage } }
        reviewers { nodes { id bot type mergeRequestInteraction { reviewState reviewed approved } } }
        changeRequesters { nodes { id } } approvalState { rules { id } }
    } } }"#;
    assert_eq!(
        data(&small(), query)["project"]["mergeRequest"],
        json!({
            "id": "gid://gitlab/MergeRequest/101", "iid": "1", "projectId": 11, "sourceProjectId": 11,
            "title": "Change 1", "description": "Line\none \"two\"", "state": "merged", "draft": false,
            "createdAt": "2025-06-13T00:00:01Z", "updatedAt": "2025-06-13T01:00:07Z",
            "mergedAt": "2025-06-13T01:00:07Z", "closedAt": null, "preparedAt": "2025-06-13T00:00:01Z",
            "diffHeadSha": "a".repeat(40), "mergeCommitSha": "b".repeat(40),
            "sourceBranch": "branch-1", "targetBranch": "main", "userNotesCount": 3,
            "webUrl": "https://gitlab.example.com/acme/web/shop/-/merge_requests/1",
            "approved": true, "approvalsRequired": 0, "reference": "acme/web/shop!1",
            "mergeUser": {"id": "gid://gitlab/User/2"},
            "author": {"id": "gid://gitlab/User/1", "username": "ann", "bot": false, "type": "HUMAN"},
            "milestone": {"id": "gid://gitlab/Milestone/32", "iid": "1", "title": "Sprint 1", "dueDate": "2025-07-01",
                "project": {"id": "gid://gitlab/Project/11"}, "group": null},
            "diffStatsSummary": {"additions": 10, "deletions": 4, "changes": 14, "fileCount": 3},
            "labels": {"nodes": [{"id": "gid://gitlab/GroupLabel/21", "title": "bug"},
                {"id": "gid://gitlab/ProjectLabel/22", "title": "css"}]},
            "assignees": {"nodes": [{"id": "gid://gitlab/User/1"}]},
            "approvedBy": {"nodes": [{"id": "gid://gitlab/User/2"}], "pageInfo": {"hasNextPage": false}},
            "reviewers": {"nodes": [
                {"id": "gid://gitlab/User/2", "bot": false, "type": "HUMAN", "mergeRequestInteraction":
                    {"reviewState": "APPROVED", "reviewed": true, "approved": true}},
                {"id": "gid://gitlab/User/4", "bot": true, "type": "DUO_CODE_REVIEW_BOT", "mergeRequestInteraction":
                    {"reviewState": "REQUESTED_CHANGES", "reviewed": true, "approved": false}}]},
            "changeRequesters": {"nodes": [{"id": "gid://gitlab/User/4"}]},
            "approvalState": {"rules": []},
        })
    );
}

#[test]
fn notes_carry_their_thread_and_their_metadata() {
    let query = r#"{ mergeRequest(id: "gid://gitlab/MergeRequest/101") { notes(first: 3) {
        count pageInfo { hasNextPage }
        nodes { id body system resolvable resolved internal createdAt author { id }
            systemNoteMetadata { action } discussion { id } }
    } } }"#;
    let notes = data(&small(), query)["mergeRequest"]["notes"].clone();
    assert_eq!(notes["count"], 4);
    assert_eq!(notes["pageInfo"]["hasNextPage"], true);
    assert_eq!(
        notes["nodes"][1],
        json!({
            "id": "gid://gitlab/DiffNote/1002", "body": "Done", "system": false, "resolvable": true, "resolved": true,
            "internal": false, "createdAt": "2025-06-13T00:16:42Z", "author": {"id": "gid://gitlab/User/1"},
            "systemNoteMetadata": null,
            "discussion": {"id": "gid://gitlab/DiffDiscussion/00000000000000000000000000000000000003e9"},
        })
    );
    assert_eq!(notes["nodes"][2]["systemNoteMetadata"], json!({"action": "approved"}));
    assert_eq!(notes["nodes"][2]["id"], "gid://gitlab/Note/1003");
}

#[test]
fn discussions_gather_notes_and_are_resolved_as_a_whole() {
    let query = r#"{ mergeRequest(id: "gid://gitlab/MergeRequest/101") {
        discussions { nodes { resolvable resolved notes { nodes { id } } } } } }"#;
    let threads = data(&small(), query)["mergeRequest"]["discussions"]["nodes"].clone();
    assert_eq!(threads.as_array().unwrap().len(), 3);
    assert_eq!(
        threads[0],
        json!({"resolvable": true, "resolved": false, "notes": {"nodes":
            [{"id": "gid://gitlab/DiffNote/1001"}, {"id": "gid://gitlab/DiffNote/1002"}]}})
    );
}

#[test]
fn a_project_shows_its_labels_members_and_milestones() {
    let query = r#"{ projects(ids: ["gid://gitlab/Project/11"], first: 1) { nodes {
        id name path fullPath archived visibility topics lastActivityAt mergeRequestsEnabled
        mergeRequestsAccessLevel { stringValue } namespace { id fullPath } group { id } repository { rootRef }
        own: labels { nodes { id } } all: labels(includeAncestorGroups: true) { nodes { id } }
        milestones(includeAncestors: true) { nodes { id } }
        projectMembers(relations: [DIRECT]) { nodes { __typename accessLevel { integerValue } user { id } } }
        everybody: projectMembers { nodes { user { id } } }
    } } }"#;
    assert_eq!(
        data(&small(), query)["projects"]["nodes"],
        json!([{
            "id": "gid://gitlab/Project/11", "name": "shop", "path": "shop", "fullPath": "acme/web/shop",
            "archived": false, "visibility": "private", "topics": ["rust", "web"],
            "lastActivityAt": "2025-06-13T00:00:06Z", "mergeRequestsEnabled": true,
            "mergeRequestsAccessLevel": {"stringValue": "ENABLED"},
            "namespace": {"id": "gid://gitlab/Group/8", "fullPath": "acme/web"}, "group": {"id": "gid://gitlab/Group/8"},
            "repository": {"rootRef": "main"},
            "own": {"nodes": [{"id": "gid://gitlab/ProjectLabel/22"}]},
            "all": {"nodes": [{"id": "gid://gitlab/GroupLabel/21"}, {"id": "gid://gitlab/ProjectLabel/22"}]},
            "milestones": {"nodes": [{"id": "gid://gitlab/Milestone/31"}, {"id": "gid://gitlab/Milestone/32"}]},
            "projectMembers": {"nodes": [{"__typename": "ProjectMember", "accessLevel": {"integerValue": 20},
                "user": {"id": "gid://gitlab/User/4"}}]},
            "everybody": {"nodes": [{"user": {"id": "gid://gitlab/User/1"}}, {"user": {"id": "gid://gitlab/User/2"}},
                {"user": {"id": "gid://gitlab/User/3"}}, {"user": {"id": "gid://gitlab/User/4"}}]},
        }])
    );
}

#[test]
fn a_group_shows_its_parent_its_projects_and_its_own_labels() {
    let query = r#"{ groups(ids: ["gid://gitlab/Group/7", "gid://gitlab/Group/8"]) { count nodes {
        id fullPath fullName parent { id } labels(onlyGroupLabels: true) { nodes { title } }
        groupMembers(relations: [DIRECT]) { nodes { user { id } accessLevel { stringValue } } }
        projects(includeSubgroups: true) { nodes { id } } } } }"#;
    assert_eq!(
        data(&small(), query)["groups"],
        json!({"count": 2, "nodes": [
            {"id": "gid://gitlab/Group/7", "fullPath": "acme", "fullName": "ACME", "parent": null,
                "labels": {"nodes": [{"title": "bug"}]},
                "groupMembers": {"nodes": [
                    {"user": {"id": "gid://gitlab/User/1"}, "accessLevel": {"stringValue": "OWNER"}},
                    {"user": {"id": "gid://gitlab/User/3"}, "accessLevel": {"stringValue": "DEVELOPER"}}]},
                "projects": {"nodes": [{"id": "gid://gitlab/Project/12"}, {"id": "gid://gitlab/Project/11"}]}},
            {"id": "gid://gitlab/Group/8", "fullPath": "acme/web", "fullName": "ACME / WEB",
                "parent": {"id": "gid://gitlab/Group/7"}, "labels": {"nodes": []},
                "groupMembers": {"nodes": [
                    {"user": {"id": "gid://gitlab/User/2"}, "accessLevel": {"stringValue": "MAINTAINER"}}]},
                "projects": {"nodes": [{"id": "gid://gitlab/Project/11"}]}},
        ]})
    );
}

#[test]
fn users_are_read_by_their_ids() {
    let query = r#"{ users(ids: ["gid://gitlab/User/3", "gid://gitlab/User/1", "gid://gitlab/User/99"]) {
        nodes { id name bot type webUrl } } currentUser { username } metadata { version enterprise } }"#;
    assert_eq!(
        data(&small(), query),
        json!({
            "users": {"nodes": [
                {"id": "gid://gitlab/User/3", "name": "group_7_bot_ab \"Q\"", "bot": true, "type": "PROJECT_BOT",
                    "webUrl": "https://gitlab.example.com/group_7_bot_ab"},
                {"id": "gid://gitlab/User/1", "name": "ann \"Q\"", "bot": false, "type": "HUMAN",
                    "webUrl": "https://gitlab.example.com/ann"}]},
            "currentUser": {"username": "ann"}, "metadata": {"version": "17.11.0-ee", "enterprise": true},
        })
    );
}

#[test]
fn fragments_aliases_and_conditions_are_understood() {
    let query = r#"query Q { a: project(fullPath: "acme/web/shop") { ...P } project(fullPath: "acme/web/shop") {
        projectMembers { nodes { id ... on GroupMember { group { id } } ... on ProjectMember { project { id } } } } } }
        fragment P on Project { id name @skip(if: true) path @include(if: true) }"#;
    let found = data(&small(), query);
    assert_eq!(found["a"], json!({"id": "gid://gitlab/Project/11", "path": "shop"}));
    let members = found["project"]["projectMembers"]["nodes"].as_array().unwrap().clone();
    assert_eq!(members[0]["group"]["id"], "gid://gitlab/Group/7");
    assert_eq!(members[3]["project"]["id"], "gid://gitlab/Project/11");
}

#[test]
fn an_empty_instance_answers_too() {
    let query = r#"{ project(fullPath: "no/where") { id } group(fullPath: "no") { id } projects { nodes { id } count }
        user(username: "nobody") { id } note(id: "gid://gitlab/Note/1") { id } }"#;
    assert_eq!(
        data(&empty(), query),
        json!({"project": null, "group": null, "projects": {"nodes": [], "count": 0}, "user": null, "note": null})
    );
}

#[test]
fn a_malformed_id_is_an_error_of_its_field() {
    let answer = ask(&small(), r#"{ projects(ids: ["11"]) { nodes { id } } }"#);
    assert_eq!(answer["data"], json!({"projects": null}));
    assert_eq!(answer["errors"][0]["message"], "\"11\" is not a valid GitLab ID.");
}
