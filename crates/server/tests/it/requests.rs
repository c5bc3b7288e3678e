//! What every method has in common: keys, scopes, bodies, verbs, sizes, statuses.

use axum::body::Body;
use axum::http::{Request, header};
use secrecy::ExposeSecret;
use serde_json::json;
use server::Scope;
use sync::{Clock, SystemClock};

use crate::harness::Bench;

/// Every method with its verb and the scope it needs.
const METHODS: [(&str, &str, Scope); 25] = [
    ("GET", "connections.list", Scope::ConnectionsRead),
    ("GET", "connections.info/1", Scope::ConnectionsRead),
    ("POST", "connections.create", Scope::ConnectionsWrite),
    ("POST", "connections.update", Scope::ConnectionsWrite),
    ("POST", "connections.delete", Scope::ConnectionsWrite),
    ("POST", "connections.verify", Scope::ConnectionsWrite),
    ("POST", "connections.sync", Scope::SyncsWrite),
    ("POST", "connections.pause", Scope::ConnectionsWrite),
    ("POST", "connections.resume", Scope::ConnectionsWrite),
    ("POST", "connections/1/credentials.create", Scope::CredentialsWrite),
    ("POST", "connections/1/credentials.update", Scope::CredentialsWrite),
    ("POST", "connections/1/credentials.delete", Scope::CredentialsWrite),
    ("GET", "connections/1/credentials.list", Scope::CredentialsRead),
    ("GET", "connections/1/credentials.info/1", Scope::CredentialsRead),
    ("GET", "syncs.list", Scope::SyncsRead),
    ("GET", "syncs.info/1", Scope::SyncsRead),
    ("GET", "tasks.list", Scope::SyncsRead),
    ("POST", "tasks.retry", Scope::SyncsWrite),
    ("GET", "schema.list", Scope::SchemaRead),
    ("POST", "queries.run", Scope::QueriesRun),
    ("GET", "webhooks.status", Scope::WebhooksRead),
    ("POST", "people.erase", Scope::PeopleErase),
    ("POST", "extractors.connect", Scope::ExtractorsRun),
    ("POST", "extractors.call", Scope::ExtractorsRun),
    ("POST", "extractors.wait", Scope::ExtractorsRun),
];

/// A body that every method that takes one understands.
fn body() -> Body {
    Body::from(
        json!({ "id": 1, "connection_id": 1, "type": "gitlab", "sql": "select 1", "secrets": { "api_token": "x" } }).to_string(),
    )
}

#[tokio::test]
async fn without_a_key_nothing_is_answered() {
    let bench = Bench::new().await;
    for (verb, path, _) in METHODS {
        let request = || Request::builder().method(verb).uri(format!("/api/{path}"));
        let reply = bench.send(request().body(Body::empty()).unwrap()).await;
        assert_eq!(reply.error(), (401, "not_authed"), "{path}");
        for wrong in ["Bearer", "Basic abc", "Bearer ", "token"] {
            let request = request().header(header::AUTHORIZATION, wrong);
            assert_eq!(
                bench.send(request.body(Body::empty()).unwrap()).await.error().0,
                401,
                "{path} {wrong}"
            );
        }
        for unknown in ["Bearer weir_0000000000000000000000000000000000000000000", "Bearer x' or '1'='1"] {
            let request = request().header(header::AUTHORIZATION, unknown);
            let reply = bench.send(request.body(Body::empty()).unwrap()).await;
            assert_eq!(reply.error(), (401, "invalid_auth"), "{path}");
        }
    }
}

#[tokio::test]
async fn a_revoked_key_stops_working() {
    let bench = Bench::new().await;
    bench.get("connections.list").await.ok(200);
    let id = bench.store.api_keys().await.unwrap()[0].id;
    assert!(bench.store.revoke_api_key(id, SystemClock.now()).await.unwrap());
    assert_eq!(bench.get("connections.list").await.error(), (401, "invalid_auth"));
}

#[tokio::test]
async fn a_key_does_what_its_scope_says_and_nothing_else() {
    let mut bench = Bench::new().await;
    bench.working("gitlab").await;
    for (verb, path, needed) in METHODS {
        for scope in server::SCOPES {
            bench.only(scope).await;
            let reply = bench.send(bench.request(verb, path).body(body()).unwrap()).await;
            if scope == needed {
                assert_ne!(reply.status, 403, "{path} with {scope}: {}", reply.text);
            } else {
                assert_eq!(reply.error(), (403, "missing_scope"), "{path} with {scope}");
            }
        }
    }
}

#[tokio::test]
async fn bodies_that_are_no_objects_are_refused_and_never_repeated() {
    let bench = Bench::new().await;
    let id = bench.working("gitlab").await;
    let path = format!("connections/{id}/credentials.create");
    for text in [r#"{"secrets": {"api_token": "glpat-cut"#, "[1]", "\"glpat-cut\"", "{glpat-cut}", "\u{0}"] {
        let reply = bench.post_text(&path, "application/json", text).await;
        assert_eq!(reply.error(), (400, "invalid_json"), "{text}");
        assert!(!reply.text.contains("glpat-cut"), "{}", reply.text);
    }
    assert_eq!(bench.post_text(&path, "text/xml", "<a/>").await.error(), (415, "unsupported_media_type"));
    let large = format!(r#"{{"label": "{}"}}"#, "x".repeat(1024 * 1024));
    assert_eq!(bench.post_text(&path, "application/json", &large).await.error(), (413, "request_too_large"));
}

#[tokio::test]
async fn a_wrong_type_is_told_with_its_place_and_without_its_value() {
    let bench = Bench::new().await;
    let id = bench.working("gitlab").await;
    let path = format!("connections/{id}/credentials.create");
    for (body, field) in [
        (json!({ "secrets": "glpat-text" }), "secrets"),
        (json!({ "secrets": { "api_token": ["glpat-text"] } }), "secrets.api_token"),
        (json!({ "secrets": { "api_token": "x" }, "label": 7 }), "label"),
        (json!({ "secrets": { "api_token": "x" }, "expiration_date": "soon" }), "expiration_date"),
        (
            json!({ "secrets": { "api_token": "x" }, "settings": { "auth_kind": "glpat-text" } }),
            "settings.auth_kind",
        ),
    ] {
        let reply = bench.post(&path, body.clone()).await;
        assert_eq!(reply.error(), (422, "invalid_arguments"), "{body}");
        assert_eq!(reply.body["field"], field, "{}", reply.text);
        assert!(!reply.text.contains("glpat-text"), "{}", reply.text);
    }
    for body in [json!({}), json!({ "secrets": {} }), json!({ "secrets": { "api_token": "" } })] {
        assert_eq!(bench.post(&path, body).await.error(), (422, "required_params_missing"));
    }
}

#[tokio::test]
async fn unknown_arguments_are_ignored_and_told() {
    let bench = Bench::new().await;
    let body = json!({ "type": "gitlab", "settings": { "base_url": bench.gitlab.url() }, "colour": "red" });
    let made = bench.post("connections.create", body).await.ok(201);
    assert!(made["warnings"][0].as_str().unwrap().contains("colour"), "{made}");
}

#[tokio::test]
async fn unknown_methods_and_wrong_verbs_are_told() {
    let bench = Bench::new().await;
    assert_eq!(bench.get("connections.explode").await.error(), (404, "unknown_method"));
    assert_eq!(bench.get("../etc/passwd").await.error().0, 404);
    assert_eq!(bench.get("connections.create").await.error(), (405, "method_not_allowed"));
    assert_eq!(bench.post("connections.list", json!({})).await.error(), (405, "method_not_allowed"));
}

#[tokio::test]
async fn clients_that_know_only_422_get_it_with_the_same_code() {
    let mut bench = Bench::with(|app| app.compatible_statuses = true).await;
    assert_eq!(bench.get("connections.info/99").await.error(), (422, "connection_not_found"));
    assert_eq!(
        bench.post_text("connections.create", "application/json", "{").await.error(),
        (422, "invalid_json")
    );
    bench.get("connections.list").await.ok(200);
    bench.connection("gitlab").await;
    bench.key = "none".to_owned();
    assert_eq!(bench.get("connections.list").await.error(), (422, "invalid_auth"));
}

#[tokio::test]
async fn numbers_in_paths_have_to_be_numbers() {
    let bench = Bench::new().await;
    for path in ["connections.info/x", "connections.info/1%20or%201=1", "syncs.info/9999999999999999999999"] {
        assert_eq!(bench.get(path).await.error(), (422, "invalid_arguments"), "{path}");
    }
    assert_eq!(bench.get("connections.list?limit=0").await.error(), (422, "invalid_arguments"));
    assert_eq!(bench.get("connections.list?limit=many").await.error(), (422, "invalid_arguments"));
    assert_eq!(bench.get("connections.list?cursor=there").await.error(), (422, "invalid_arguments"));
}

#[tokio::test]
async fn the_last_use_of_a_key_is_known() {
    let bench = Bench::new().await;
    assert!(bench.store.api_keys().await.unwrap()[0].last_used_at.is_none());
    bench.get("connections.list").await.ok(200);
    assert!(bench.store.api_keys().await.unwrap()[0].last_used_at.is_some());
    let (_, key) = bench.store.create_api_key("second", &[], SystemClock.now()).await.unwrap();
    assert_ne!(key.expose_secret(), bench.key);
}

#[tokio::test]
async fn a_nul_is_refused_wherever_it_stands() {
    let bench = Bench::new().await;
    let id = bench.working("gitlab").await;
    for (path, body) in [
        ("connections.create", json!({ "type": "gitlab", "settings": { "groups": ["a\u{0}b"] } })),
        ("connections.update", json!({ "id": id, "name": "a\u{0}b" })),
        ("queries.run", json!({ "sql": "select 'a\u{0}b'" })),
        ("connections.update", json!({ "id": id, "settings": { "a\u{0}": 1 } })),
    ] {
        assert_eq!(bench.post(path, body).await.error(), (422, "invalid_arguments"), "{path}");
    }
    assert_eq!(bench.get("connections.list?cursor=gitlab%00.1").await.error(), (422, "invalid_arguments"));
}

#[tokio::test]
async fn an_argument_that_is_given_twice_is_refused() {
    let bench = Bench::new().await;
    for query in ["hours=4&hours=5", "hours=4&hours[]=5", "hours[a]=1&hours[a]=2"] {
        let reply = bench.get(&format!("webhooks.status?{query}")).await;
        assert_eq!(reply.error(), (422, "invalid_arguments"), "{query}");
    }
    bench.get("webhooks.status?hours=4").await.ok(200);
}
