//! What Prometheus is told.

use std::collections::BTreeMap;

use axum::body::Body;
use axum::http::Request;
use serde_json::json;

use crate::harness::{Bench, Reply};

pub async fn ask(bench: &Bench, path: &str) -> Reply {
    bench.send(Request::builder().uri(path).body(Body::empty()).expect("a request")).await
}

/// Every value, by name and labels as they are written.
pub fn values(text: &str) -> BTreeMap<String, f64> {
    let lines = text.lines().filter(|it| !it.starts_with('#'));
    lines
        .filter_map(|it| it.rsplit_once(' '))
        .map(|(name, value)| (name.to_owned(), value.parse().expect(value)))
        .collect()
}

#[tokio::test]
async fn the_figures_tell_of_requests_syncs_credentials_and_the_database() {
    let bench = Bench::new().await;
    let id = bench.working("gitlab").await;
    let working = bench.work("one");
    bench.until(id, |it| it["last_synced_at"].is_string() && it["tasks"][0]["running"] == false).await;
    working.stop().await;
    let reply = ask(&bench, "/metrics").await;
    assert_eq!(reply.status, 200);
    let values = values(&reply.text);
    let value = |name: &str| *values.get(name).unwrap_or_else(|| panic!("{name} is told: {}", reply.text));
    assert!(value("weir_api_requests_total{method=\"connections.create\",status=\"201\"}") == 1.0);
    assert!(value("weir_api_request_duration_seconds_count{method=\"credentials.create\"}") == 1.0);
    for (name, wanted) in [
        ("weir_connections{state=\"working\"}", 1.0),
        ("weir_connection_info{connection=\"1\",type=\"gitlab\"}", 1.0),
        ("weir_credentials{connection=\"1\",state=\"working\"}", 1.0),
        ("weir_tasks{connection=\"1\",state=\"scheduled\"}", 2.0),
        ("weir_task_failures{activity=\"sync\",connection=\"1\"}", 0.0),
        ("weir_tasks_ended_total{activity=\"sync\",connection=\"1\",outcome=\"complete\"}", 1.0),
        ("weir_tasks_running_here{activity=\"sync\"}", 0.0),
        ("weir_database_up", 1.0),
        ("weir_inbox_waiting", 0.0),
    ] {
        assert!(value(name) == wanted, "{name}: {}", value(name));
    }
    assert!(value("weir_gitlab_requests_total{connection=\"1\",kind=\"graphql\",status=\"2xx\"}") > 1.0);
    assert!(value("weir_rows_written_total{connection=\"1\"}") > 100.0);
    assert!(value("weir_resource_lag_seconds{connection=\"1\",resource=\"merge_requests\"}") < 60.0);
    assert!(value("weir_connection_lag_seconds{connection=\"1\"}") < 60.0);
    assert!(value("weir_database_pool_connections{state=\"most\"}") > 1.0);
}

#[tokio::test]
async fn no_figure_holds_a_secret_or_names_a_project() {
    let bench = Bench::new().await;
    let id = bench.working("gitlab").await;
    let working = bench.work("one");
    bench.until(id, |it| it["last_synced_at"].is_string()).await;
    working.stop().await;
    for path in ["/hidden/here?token=glpat-made-up", "/api/made.up", "/webhooks/gitlab"] {
        ask(&bench, path).await;
    }
    let text = ask(&bench, "/metrics").await.text;
    for secret in [bench.gitlab.token(), &bench.key, "glpat", "made.up", "hidden"] {
        assert!(!text.contains(secret), "{secret}");
    }
    let paths =
        bench.store.query("select path_with_namespace from gitlab_projects").await.expect("paths").rows;
    assert!(!paths.is_empty());
    for path in paths.iter().filter_map(|it| it[0].as_str()) {
        assert!(!text.contains(path), "{path}");
    }
    assert!(text.contains("weir_api_requests_total{method=\"unknown\",status=\"404\"} 2\n"), "{text}");
}

#[tokio::test]
async fn deliveries_are_counted_by_what_became_of_them() {
    let bench = Bench::new().await;
    let secrets = bench.store.webhook_secrets(&bench.ring, sync::Clock::now(&sync::SystemClock)).await;
    let secrets = secrets.expect("secrets");
    let token = &secrets.iter().find(|it| !it.signing).expect("a token").secret;
    let token = secrecy::ExposeSecret::expose_secret(token);
    let deliver = async |token: &str, body: &str| {
        let request =
            Request::builder().method("POST").uri("/webhooks/gitlab").header("x-gitlab-token", token);
        bench.send(request.body(Body::from(body.to_owned())).expect("a request")).await.status
    };
    let event = json!({ "object_kind": "wiki_page", "project": { "id": 1 } }).to_string();
    assert_eq!(deliver(token, &event).await, 200);
    assert_eq!(deliver(token, &event).await, 200);
    assert_eq!(deliver("guess", &event).await, 401);
    assert_eq!(deliver(token, "{").await, 400);
    let text = ask(&bench, "/metrics").await.text;
    for outcome in ["taken", "duplicate", "stranger", "malformed"] {
        let line = format!("weir_webhook_deliveries_total{{outcome=\"{outcome}\"}} 1\n");
        assert!(text.contains(&line), "{line}{text}");
    }
    assert!(
        text.contains("weir_inbox_waiting 1\n")
            && text.contains("weir_webhook_insert_duration_seconds_count 2\n")
    );
}

#[tokio::test]
async fn figures_with_an_address_of_their_own_are_not_served_here() {
    let bench = Bench::with(|app| app.serves_metrics = false).await;
    assert_eq!(ask(&bench, "/metrics").await.status, 404);
    assert_eq!(ask(&bench, "/healthz").await.status, 200);
    assert_eq!(ask(&bench, "/readyz").await.status, 200);
}

#[tokio::test]
async fn a_database_that_is_gone_is_told_and_what_the_process_counts_stays() {
    let bench = Bench::new().await;
    ask(&bench, "/healthz").await;
    bench.store.close().await;
    let text = ask(&bench, "/metrics").await.text;
    assert!(text.contains("weir_database_up 0\n"), "{text}");
    assert!(text.contains("weir_api_requests_total{method=\"healthz\",status=\"200\"} 1\n"));
    assert!(!text.contains("weir_inbox_waiting "));
    assert_eq!(ask(&bench, "/readyz").await.status, 503);
}
