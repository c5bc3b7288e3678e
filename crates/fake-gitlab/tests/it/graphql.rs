//! GraphQL passes the same gate as REST.

use fake_gitlab::faults::Fault;
use fake_gitlab::{FakeGitlab, TokenSpec};
use serde_json::json;

use crate::client::{Answer, first_project, get, query, start, tiny};

const TOKEN: &str = "PRIVATE-TOKEN: glpat-fake-token";
const METADATA: &str = "{ metadata { version } currentUser { username } }";

#[tokio::test]
async fn it_answers_the_account_behind_the_token() {
    let fake = tiny().await;
    let body = query(&fake, METADATA, &[TOKEN]).await.json();
    assert_eq!(body["data"]["currentUser"]["username"], "insights-reader");
    assert_eq!(body["data"]["metadata"]["version"], get(&fake, "/version").await.json()["version"]);
}

#[tokio::test]
async fn a_refused_token_is_invalid_whatever_the_reason() {
    let fake = tiny().await;
    let id = first_project(&fake);
    let user = fake.viewer().user_id;
    fake.state().add_token(TokenSpec::job("job", user, id));
    for headers in [&[][..], &["PRIVATE-TOKEN: wrong"], &["JOB-TOKEN: job"]] {
        let answer = query(&fake, METADATA, headers).await;
        assert_eq!(
            (answer.status, answer.json()),
            (401, json!({ "errors": [{ "message": "Invalid token" }] }))
        );
    }
}

#[tokio::test]
async fn it_is_counted_and_disturbed_like_rest() {
    let fake = tiny().await;
    fake.faults().fault_next(Fault::BadGateway);
    let statuses = async |answer: Answer| answer.status;
    assert_eq!(statuses(query(&fake, METADATA, &[TOKEN]).await).await, 502);
    assert_eq!(statuses(query(&fake, METADATA, &[TOKEN]).await).await, 200);
    assert_eq!(fake.counters().of("/api/graphql"), 2);
}

#[tokio::test]
async fn it_sees_a_change_of_the_world() {
    let fake = tiny().await;
    let id = first_project(&fake);
    let text = format!("{{ projects(ids: [\"gid://gitlab/Project/{id}\"]) {{ nodes {{ name webUrl }} }} }}");
    let before = query(&fake, &text, &[TOKEN]).await.json();
    assert!(before["data"]["projects"]["nodes"][0]["webUrl"].as_str().unwrap().starts_with(fake.url()));
    fake.world_mut().rename_project(id, "Another name", "another-name");
    let after = query(&fake, &text, &[TOKEN]).await.json();
    assert_eq!(after["data"]["projects"]["nodes"][0]["name"], "Another name");
}

#[tokio::test]
async fn an_instance_may_have_none() {
    let fake = start(FakeGitlab::builder().graphql(false)).await;
    assert_eq!(query(&fake, METADATA, &[TOKEN]).await.status, 404);
}
