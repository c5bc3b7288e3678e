//! credentials.*

use fake_gitlab::tokens::{TokenSpec, TokenState};
use serde_json::{Value, json};

use crate::harness::Bench;

fn secret(token: &str) -> Value {
    json!({ "secrets": { "api_token": token } })
}

#[tokio::test]
async fn a_credential_is_added_listed_rotated_and_deleted() {
    let bench = Bench::new().await;
    let connection = bench.connection("gitlab").await;
    let at = |method: &str| format!("connections/{connection}/credentials.{method}");
    let body = json!({ "label": "main", "secrets": { "api_token": bench.gitlab.token() }, "expiration_date": "2030-01-02" });
    let made = bench.post(&at("create"), body).await.ok(201)["credential"].take();
    let id = made["id"].as_i64().unwrap();
    assert_eq!(made.as_object().unwrap().len(), 4, "{made}");
    assert_eq!((&made["type"], &made["label"]), (&json!("gitlab"), &json!("main")));

    let listed = bench.get(&at("list")).await.ok(200)["credentials"][0].take();
    assert_eq!(
        (&listed["id"], &listed["disabled_at"], &listed["expiration_date"]),
        (&json!(id), &Value::Null, &json!("2030-01-02"))
    );
    assert_eq!(listed["settings"], json!({ "auth_kind": "private" }));

    bench.twin("glpat-twin");
    let rotated = json!({ "id": id, "secrets": { "api_token": "glpat-twin" } });
    assert_eq!(bench.post(&at("update"), rotated).await.ok(200)["credential"]["label"], "main");
    let stored = bench.store.token(&bench.ring, id).await.unwrap().unwrap();
    assert_eq!(secrecy::ExposeSecret::expose_secret(&stored), "glpat-twin");

    bench.post_text(&at("delete"), "application/x-www-form-urlencoded", &format!("id={id}")).await.ok(200);
    assert_eq!(bench.get(&at("list")).await.ok(200)["credentials"], json!([]));
    let deleted = bench.get(&at(&format!("info/{id}"))).await.ok(200)["credential"].take();
    assert!(deleted["deleted_at"].is_string(), "{deleted}");
    assert!(bench.store.token(&bench.ring, id).await.unwrap().is_none());
    for method in ["update", "delete"] {
        assert_eq!(bench.post(&at(method), json!({ "id": id })).await.error(), (404, "credential_not_found"));
    }
    let shown = bench.until(connection, |_| true).await;
    assert!(shown["disabled_reason"].as_str().unwrap().contains("no credential"), "{shown}");
}

#[tokio::test]
async fn what_does_not_verify_is_not_stored() {
    let bench = Bench::new().await;
    let user = bench.gitlab.viewer().user_id;
    let scopes = vec!["read_user".to_owned()];
    bench.token(TokenSpec { scopes, ..TokenSpec::personal("glpat-narrow", user) });
    bench.token(TokenSpec { state: TokenState::Expired, ..TokenSpec::personal("glpat-old", user) });
    let connection = bench.connection("gitlab").await;
    let at = format!("connections/{connection}/credentials.create");
    for (token, code, reason) in [
        ("glpat-unknown", "invalid_credentials", "unknown_token"),
        ("glpat-old", "invalid_credentials", "expired"),
        ("glpat-narrow", "invalid_permissions", "scope_missing"),
    ] {
        let reply = bench.post(&at, secret(token)).await;
        assert_eq!(reply.error(), (422, code), "{token}");
        assert_eq!(reply.body["reason"], reason, "{}", reply.text);
        assert!(reply.body["curl"].as_str().unwrap().contains("YOUR_ACCESS_TOKEN"), "{}", reply.text);
        assert!(!reply.text.contains(token), "{}", reply.text);
    }
    assert_eq!(
        bench.get(&format!("connections/{connection}/credentials.list")).await.ok(200)["credentials"],
        json!([])
    );
}

#[tokio::test]
async fn an_update_that_does_not_verify_changes_nothing() {
    let bench = Bench::new().await;
    let connection = bench.working("gitlab").await;
    let at = |method: &str| format!("connections/{connection}/credentials.{method}");
    let before = bench.get(&at("list")).await.ok(200);
    let id = before["credentials"][0]["id"].as_i64().unwrap();
    let body = json!({ "id": id, "label": "other", "secrets": { "api_token": "glpat-unknown" } });
    assert_eq!(bench.post(&at("update"), body).await.error(), (422, "invalid_credentials"));
    assert_eq!(bench.get(&at("list")).await.ok(200), before);
    let stored = bench.store.token(&bench.ring, id).await.unwrap().unwrap();
    assert_eq!(secrecy::ExposeSecret::expose_secret(&stored), bench.gitlab.token());
}

#[tokio::test]
async fn a_token_without_anything_in_sight_is_told() {
    let bench = Bench::new().await;
    let lonely =
        bench.gitlab.world_mut().create_user("lonely", "Lonely", fake_gitlab::world::model::UserType::Human);
    bench.token(TokenSpec::personal("glpat-lonely", lonely));
    let connection = bench.connection("gitlab").await;
    let reply =
        bench.post(&format!("connections/{connection}/credentials.create"), secret("glpat-lonely")).await;
    assert_eq!(reply.error(), (422, "no_resources"));
}

#[tokio::test]
async fn a_gitlab_that_is_not_there_is_told() {
    let bench = Bench::new().await;
    let body = json!({ "type": "gitlab", "settings": { "base_url": "http://127.0.0.1:9" } });
    let id = bench.post("connections.create", body).await.ok(201)["connection"]["id"].as_i64().unwrap();
    let reply = bench.post(&format!("connections/{id}/credentials.create"), secret("glpat-x")).await;
    assert_eq!(reply.error(), (422, "verification_failed"));
    assert_eq!(reply.body["reason"], "unreachable", "{}", reply.text);
}

#[tokio::test]
async fn one_token_is_kept_once_and_sharing_it_between_connections_is_warned_of() {
    let bench = Bench::new().await;
    let first = bench.working("gitlab").await;
    let again =
        bench.post(&format!("connections/{first}/credentials.create"), secret(bench.gitlab.token())).await;
    assert_eq!(again.error(), (409, "credential_exists"));
    let second = bench.connection("gitlab_pipelines").await;
    let made = bench
        .post(&format!("connections/{second}/credentials.create"), secret(bench.gitlab.token()))
        .await
        .ok(201);
    assert!(made["warnings"][0].as_str().unwrap().contains(&format!("connection {first}")), "{made}");
}

#[tokio::test]
async fn credentials_of_another_connection_are_not_found() {
    let bench = Bench::new().await;
    let first = bench.working("gitlab").await;
    let second = bench.connection("gitlab_pipelines").await;
    let id =
        bench.get(&format!("connections/{first}/credentials.list")).await.ok(200)["credentials"][0]["id"]
            .clone();
    let info = bench.get(&format!("connections/{second}/credentials.info/{id}")).await;
    assert_eq!(info.error(), (404, "credential_not_found"));
    let delete = bench.post(&format!("connections/{second}/credentials.delete"), json!({ "id": id })).await;
    assert_eq!(delete.error(), (404, "credential_not_found"));
    for method in ["list", "info/1"] {
        assert_eq!(
            bench.get(&format!("connections/99/credentials.{method}")).await.error(),
            (404, "connection_not_found")
        );
    }
    assert_eq!(
        bench.post("connections/99/credentials.create", secret("x")).await.error(),
        (404, "connection_not_found")
    );
}

#[tokio::test]
async fn a_bearer_token_is_sent_as_one() {
    let bench = Bench::new().await;
    let connection = bench.connection("gitlab").await;
    let user = bench.gitlab.viewer().user_id;
    bench.token(TokenSpec {
        kind: fake_gitlab::tokens::TokenKind::OAuth,
        ..TokenSpec::personal("oauth-1", user)
    });
    let at = format!("connections/{connection}/credentials.create");
    assert_eq!(bench.post(&at, secret("oauth-1")).await.error(), (422, "invalid_credentials"));
    let body = json!({ "secrets": { "api_token": "oauth-1" }, "settings": { "auth_kind": "bearer" } });
    bench.post(&at, body).await.ok(201);
}
