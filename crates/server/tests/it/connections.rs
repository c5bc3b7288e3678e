//! connections.*

use serde_json::{Value, json};

use crate::harness::Bench;

#[tokio::test]
async fn a_connection_is_made_shown_changed_and_deleted() {
    let bench = Bench::new().await;
    let settings = json!({ "base_url": format!("{}/", bench.gitlab.url()), "groups": ["shop", 7] });
    let body = json!({ "type": "gitlab", "name": "Our GitLab", "settings": settings });
    let made = bench.post("connections.create", body).await.ok(201)["connection"].take();
    let id = made["id"].as_i64().unwrap();
    assert_eq!(
        (&made["type"], &made["name"], &made["state"]),
        (&json!("gitlab"), &json!("Our GitLab"), &json!("unverified"))
    );
    assert_eq!(made["settings"]["base_url"], bench.gitlab.url());
    assert_eq!(made["settings"]["groups"], json!(["shop", "7"]));
    assert!(made["disabled_reason"].as_str().unwrap().contains("no credential"));
    assert_eq!(made["supports_multiple_credentials"], true);
    assert!(made["created_at"].as_str().unwrap().ends_with('Z'));

    let body = json!({ "id": id, "name": "The GitLab", "settings": { "issues": false } });
    let changed = bench.post("connections.update", body).await.ok(200)["connection"].take();
    assert_eq!((&changed["name"], &changed["settings"]["issues"]), (&json!("The GitLab"), &json!(false)));
    assert_eq!(changed["settings"]["groups"], json!(["shop", "7"]));

    bench.post("connections.delete", json!({ "id": id })).await.ok(200);
    assert_eq!(bench.get(&format!("connections.info/{id}")).await.error(), (404, "connection_not_found"));
    assert_eq!(bench.get("connections.list").await.ok(200)["connections"], json!([]));
    for method in ["update", "delete", "verify", "sync", "pause", "resume"] {
        let reply = bench.post(&format!("connections.{method}"), json!({ "id": id })).await;
        assert_eq!(reply.error(), (404, "connection_not_found"), "{method}");
    }
}

#[tokio::test]
async fn the_gitlab_connection_comes_first_and_goes_last() {
    let bench = Bench::new().await;
    let pipelines = json!({ "type": "gitlab_pipelines", "settings": { "base_url": bench.gitlab.url() } });
    let reply = bench.post("connections.create", pipelines.clone()).await;
    assert_eq!(reply.error(), (409, "gitlab_connection_required"));
    let first = bench.connection("gitlab").await;
    let second =
        bench.post("connections.create", pipelines).await.ok(201)["connection"]["id"].as_i64().unwrap();
    let reply = bench.post("connections.delete", json!({ "id": first })).await;
    assert_eq!(reply.error(), (409, "connection_in_use"));
    bench.post("connections.delete", json!({ "id": second })).await.ok(200);
    bench.post("connections.delete", json!({ "id": first })).await.ok(200);
}

#[tokio::test]
async fn what_cannot_be_a_connection_is_told() {
    let bench = Bench::new().await;
    let told = async |body: Value| {
        let reply = bench.post("connections.create", body).await;
        assert_eq!(reply.error(), (422, "invalid_arguments"), "{}", reply.text);
        reply.body["field"].as_str().unwrap().to_owned()
    };
    assert_eq!(told(json!({ "type": "github" })).await, "type");
    assert_eq!(
        told(json!({ "type": "gitlab", "settings": { "base_url": "ftp://x" } })).await,
        "settings.base_url"
    );
    assert_eq!(
        told(json!({ "type": "gitlab", "settings": { "base_url": "http://169.254.169.254/" } })).await,
        "settings.base_url"
    );
    assert_eq!(
        told(json!({ "type": "gitlab", "settings": { "exclude": ["a["] } })).await,
        "settings.exclude"
    );
    assert_eq!(told(json!({ "type": "gitlab", "name": "a\nb" })).await, "name");
    assert!(told(json!({ "type": "gitlab", "settings": { "token_": "x" } })).await.starts_with("settings"));
    assert_eq!(bench.post("connections.create", json!({})).await.error(), (422, "required_params_missing"));
    let id = bench.connection("gitlab").await;
    let moved = json!({ "id": id, "settings": { "base_url": "https://gitlab.com" } });
    assert_eq!(bench.post("connections.update", moved).await.error(), (422, "invalid_arguments"));
}

#[tokio::test]
async fn lists_come_in_pages_by_type() {
    let bench = Bench::new().await;
    for kind in ["gitlab", "gitlab_pipelines", "gitlab_commits", "gitlab", "gitlab_deployments"] {
        bench.connection(kind).await;
    }
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = bench.get(&format!("connections.list?limit=2&cursor={cursor}")).await.ok(200);
        seen.extend(page["connections"].as_array().unwrap().iter().map(|it| it["type"].clone()));
        match page["next_cursor"].as_str() {
            Some(next) => cursor = next.to_owned(),
            None => break,
        }
    }
    let wanted = ["gitlab", "gitlab", "gitlab_commits", "gitlab_deployments", "gitlab_pipelines"];
    assert_eq!(seen, wanted.map(Value::from));
}

#[tokio::test]
async fn verification_tells_of_every_credential() {
    let bench = Bench::new().await;
    let id = bench.working("gitlab").await;
    let found = bench.post("connections.verify", json!({ "id": id })).await.ok(200);
    assert_eq!(found["credentials"][0]["verification"]["ok"], true, "{found}");
    assert!(!found.to_string().contains(bench.gitlab.token()));
}

#[tokio::test]
async fn what_cannot_work_is_not_synced() {
    let bench = Bench::new().await;
    let id = bench.connection("gitlab").await;
    assert_eq!(
        bench.post("connections.sync", json!({ "id": id })).await.error(),
        (409, "connection_disabled")
    );
    let body = json!({ "secrets": { "api_token": bench.gitlab.token() } });
    bench.post(&format!("connections/{id}/credentials.create"), body).await.ok(201);
    bench.post("connections.pause", json!({ "id": id })).await.ok(200);
    assert_eq!(
        bench.post("connections.sync", json!({ "id": id })).await.error(),
        (409, "connection_disabled")
    );
    bench.post("connections.resume", json!({ "id": id })).await.ok(200);
    bench
        .post_text("connections.sync", "application/x-www-form-urlencoded", &format!("id={id}&sweep=true"))
        .await
        .ok(200);
}
