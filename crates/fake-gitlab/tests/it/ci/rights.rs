//! Who sees pipelines and deployments.

use fake_gitlab::FakeGitlab;
use fake_gitlab::world::model::Id;

use crate::client::{first_project, get, query, tiny};

const TOKEN: &str = "PRIVATE-TOKEN: glpat-fake-token";

/// The project whose CI/CD is switched off.
fn off(fake: &FakeGitlab) -> Id {
    fake.world().projects.values().find(|it| it.builds_access_level == "disabled").unwrap().id
}

#[tokio::test]
async fn switched_off_is_forbidden() {
    let fake = tiny().await;
    let id = off(&fake);
    assert!(fake.world().ci.pipelines.values().any(|it| it.project_id == id));
    for path in ["pipelines", "pipelines/1", "jobs", "jobs/1", "environments", "deployments", "deployments/1"]
    {
        let answer = get(&fake, &format!("/projects/{id}/{path}")).await;
        assert_eq!((answer.status, &*answer.body), (403, r#"{"message":"403 Forbidden"}"#), "{path}");
    }
    fake.world_mut().set_builds_access(id, "enabled");
    assert_eq!(get(&fake, &format!("/projects/{id}/pipelines")).await.status, 200);
}

#[tokio::test]
async fn switched_off_is_empty_by_graphql() {
    let fake = tiny().await;
    let text = format!(
        r#"{{ projects(ids: ["gid://gitlab/Project/{}"]) {{ nodes {{ pipelines {{ count nodes {{ id }} }}
            pipelineCounts {{ all }} pipeline(iid: "1") {{ id }} }} }} }}"#,
        off(&fake)
    );
    let answer = query(&fake, &text, &[TOKEN]).await.json();
    let project = &answer["data"]["projects"]["nodes"][0];
    assert_eq!(project["pipelines"], serde_json::json!({"count": 0, "nodes": []}));
    assert!(project["pipelineCounts"].is_null() && project["pipeline"].is_null());
}

#[tokio::test]
async fn what_does_not_exist_is_not_found() {
    let fake = tiny().await;
    let id = first_project(&fake);
    for path in ["pipelines/1", "pipelines/1/jobs", "jobs/1", "environments/1", "deployments/1"] {
        let answer = get(&fake, &format!("/projects/{id}/{path}")).await;
        assert_eq!((answer.status, &*answer.body), (404, r#"{"message":"404 Not found"}"#), "{path}");
    }
    let brought = get(&fake, &format!("/projects/{id}/deployments/1/merge_requests")).await;
    assert_eq!((brought.status, &*brought.body), (200, "[]"));
}
