//! What somebody brings who managed another data cloud by scripts: the same calls with only the host changed.

use std::process::Stdio;
use std::time::Duration;

use fake_gitlab::world::model::{MergeRequestState, Namespace, UserType};
use fake_gitlab::{Edition, FakeGitlab, TokenSpec};
use serde_json::{Value, json};
use tokio::process::Command;

use crate::bench::{Bench, finished};
use crate::serve::{KEY, Serving, serve, with_key};

/// Adds a second credential to the connection that there is, looks it up, gives it another token, and takes it away.
const CREDENTIALS: &str = r#"
api() { curl --silent --show-error --header "Authorization: Bearer ${API_KEY}" --header "Content-Type: application/json" "$@"; }

CONNECTION=$(api "${HOST}/api/connections.list" | jq '.connections[] | select(.type == "gitlab") | .id')
api "${HOST}/api/connections.info/${CONNECTION}" | jq --exit-status '.ok and .connection.supports_multiple_credentials' >/dev/null

CREATED=$(api --request POST "${HOST}/api/connections/${CONNECTION}/credentials.create" \
  --data '{"label": "second", "secrets": {"api_token": "'"${SECOND_TOKEN}"'"}, "expiration_date": "2027-03-01"}')
ID=$(echo "${CREATED}" | jq --exit-status 'select(.ok) | .credential.id')

api "${HOST}/api/connections/${CONNECTION}/credentials.list" \
  | jq --exit-status ".credentials | map(.id) | index(${ID}) != null" >/dev/null
api "${HOST}/api/connections/${CONNECTION}/credentials.info/${ID}" \
  | jq --exit-status '.credential | .label == "second" and .deleted_at == null and .disabled_at == null' >/dev/null

api --request POST "${HOST}/api/connections/${CONNECTION}/credentials.update" \
  --data '{"id": '"${ID}"', "secrets": {"api_token": "'"${THIRD_TOKEN}"'"}}' | jq --exit-status .ok >/dev/null
WRONG=$(api --request POST "${HOST}/api/connections/${CONNECTION}/credentials.update" \
  --data '{"id": '"${ID}"', "secrets": {"api_token": "glpat-of-nobody"}}' | jq --raw-output .error)

# A form does too.
curl --silent --show-error --header "Authorization: Bearer ${API_KEY}" --data "id=${ID}" \
  "${HOST}/api/connections/${CONNECTION}/credentials.delete" | jq --exit-status .ok >/dev/null
api "${HOST}/api/connections/${CONNECTION}/credentials.info/${ID}" \
  | jq --compact-output '{id: .credential.id, deleted: (.credential.deleted_at != null), wrong: "'"${WRONG}"'"}'
"#;

/// Hooks of groups, then of projects, as GitLab's API makes them.
const HOOKS: &str = r#"
hook() {
  curl --silent --show-error --request POST "${GITLAB_URL}/api/v4/$1/hooks" \
    --header "PRIVATE-TOKEN: ${ACCESS_TOKEN}" \
    --header "Content-Type: application/json" \
    --data "{
      \"url\": \"${HOST}/webhooks/gitlab\",
      \"merge_requests_events\": true,
      \"note_events\": true,
      \"push_events\": false,
      \"token\": \"${SECRET_TOKEN}\"
    }" | jq --exit-status .id
}
for GROUP_ID in ${GROUP_IDS}; do hook "groups/${GROUP_ID}"; done
for PROJECT_ID in ${PROJECT_IDS}; do hook "projects/${PROJECT_ID}"; done
"#;

/// Runs a script with some variables; what it printed.
async fn bash(script: &str, variables: &[(&str, &str)]) -> String {
    let mut command = Command::new("bash");
    command.args(["-euo", "pipefail", "-c", script]).envs(variables.iter().copied()).stdin(Stdio::null());
    finished(command).await.ended_with(0).stdout
}

async fn set_up() -> (Bench, Serving, i64) {
    // Hooks of groups are of Premium.
    let bench = Bench::with(FakeGitlab::builder().edition(Edition::Premium)).await;
    let serving = serve(&bench, "serve").await;
    let id = serving.connect(&bench).await;
    serving.until_synced(id).await;
    (bench, serving, id)
}

#[tokio::test]
async fn a_script_creates_lists_rotates_and_deletes_credentials_with_only_the_host_changed() {
    let (bench, serving, connection) = set_up().await;
    for token in ["glpat-second", "glpat-third"] {
        bench.fake.state().add_token(TokenSpec::personal(token, bench.fake.viewer().user_id));
    }
    let host = format!("http://{}", serving.address);
    let variables = [
        ("HOST", host.as_str()),
        ("API_KEY", &serving.key),
        ("SECOND_TOKEN", "glpat-second"),
        ("THIRD_TOKEN", "glpat-third"),
    ];
    let said: Value = serde_json::from_str(&bash(CREDENTIALS, &variables).await).unwrap();
    assert_eq!((&said["deleted"], &said["wrong"]), (&json!(true), &json!("invalid_credentials")));
    let path = format!("/api/connections/{connection}/credentials.list");
    let (_, list) = serving.ask("GET", &path, Value::Null).await;
    assert_eq!(list["credentials"].as_array().unwrap().len(), 1, "{list}");
    assert_eq!(serving.terminate().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn hooks_of_groups_and_projects_made_by_a_script_bring_changes_at_once() {
    let (bench, serving, connection) = set_up().await;
    let update = json!({ "id": connection, "settings": { "sync_every_seconds": 3600 } });
    assert_eq!(serving.ask("POST", "/api/connections.update", update).await.0, 200);
    let secret = finished(with_key(&bench, "webhooks secret --json", KEY)).await.ended_with(0).json();
    let (group, project, merge_request) = place(&bench);
    owner(&bench, group);
    let host = format!("http://{}", serving.address);
    let (groups, projects) = (group.to_string(), project.to_string());
    let variables = [
        ("HOST", host.as_str()),
        ("GITLAB_URL", bench.fake.url()),
        ("ACCESS_TOKEN", "glpat-owner"),
        ("SECRET_TOKEN", secret["token"].as_str().unwrap()),
        ("GROUP_IDS", &groups),
        ("PROJECT_IDS", &projects),
    ];
    assert_eq!(bash(HOOKS, &variables).await.lines().count(), 2);
    let author = bench.fake.viewer().user_id;
    let count = "select count(*) from gitlab_merge_request_notes";
    let before = bench.value(count).await.as_i64();
    bench.fake.world_mut().comment(merge_request, author, "by webhook");
    until_more(&bench, count, before).await;
    // Both hooks told it: each delivery is kept, what they name is read again.
    let kept = bench.value("select count(*) from weir.inbox where event = 'note'").await;
    assert_eq!(kept, 2);
    assert_eq!(serving.terminate().await, 0);
}

/// A top-level group, a project below it, and an open merge request of that.
fn place(bench: &Bench) -> (i64, i64, i64) {
    let (world, viewer) = (bench.fake.world(), bench.fake.viewer());
    let seen = |id: i64| {
        let project = &world.projects[&id];
        !project.archived && world.check_merge_requests(&viewer, project).is_ok()
    };
    let mut open = world.merge_requests.values().filter(|it| it.state == MergeRequestState::Opened);
    let found = open.find(|it| seen(it.project_id)).unwrap();
    let Namespace::Group(mut group) = world.projects[&found.project_id].namespace else {
        panic!("the project is a personal one")
    };
    while let Some(parent) = world.groups[&group].parent_id {
        group = parent;
    }
    (group, found.project_id, found.id)
}

/// Somebody who may make hooks in a group, with a token.
fn owner(bench: &Bench, group: i64) {
    let mut world = bench.fake.world_mut();
    let user = world.create_user("owner", "An Owner", UserType::Human);
    world.set_group_member(group, user, 50, None);
    drop(world);
    let mut token = TokenSpec::personal("glpat-owner", user);
    token.scopes = vec!["api".to_owned()];
    bench.fake.state().add_token(token);
}

async fn until_more(bench: &Bench, count: &str, before: Option<i64>) {
    for _ in 0..200 {
        if bench.value(count).await.as_i64() > before {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("nothing came in 10 s: {count} is still {before:?}");
}
