//! Whatever happens, and however much is logged, nothing that a server says holds a secret.

use serde_json::{Value, json};

use crate::bench::{Bench, finished};
use crate::serve::{KEY, Serving, serve_with, with_key};

/// One that GitLab refuses.
const REFUSED: &str = "glpat-refused-4711";
/// What somebody sends who does not know the webhook secret.
const GUESSED: &str = "guessed-webhook-token";
/// What somebody sends who has no key.
const STRANGE_KEY: &str = "weir_strange-key-4711";

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_is_in_an_answer_a_figure_or_a_log_however_much_is_logged() {
    let bench = Bench::new().await;
    let serving = serve_with(&bench, "serve", |it| it.env("WEIR_LOG", "trace")).await;
    let secret = finished(with_key(&bench, "webhooks secret --json", KEY)).await.ended_with(0).json();
    let (token, signing) = (text(&secret["token"]), text(&secret["signing_token"]));
    let mut told = everything(&bench, &serving, &token).await;
    told.push_str(&serving.ask("GET", "/metrics", Value::Null).await.1.to_string());
    let log = serving.said.clone();
    assert_eq!(serving.terminate().await, 0);
    let log = log.lock().unwrap().clone();
    for part in ["merge_requests", "POST", "DEBUG", "TRACE"] {
        assert!(log.contains(part), "the log is one of everything: {part}");
    }
    for secret in [bench.fake.token(), REFUSED, GUESSED, STRANGE_KEY, KEY, &token, &signing] {
        assert!(!secret.is_empty());
        for (name, text) in [("an answer or a figure", &told), ("the log", &log)] {
            let at = text.find(secret).map(|it| &text[it.saturating_sub(200)..(it + 80).min(text.len())]);
            assert_eq!(at, None, "{secret} is in {name}");
        }
    }
}

fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}

/// What can be done and go wrong with secrets; all that is answered.
async fn everything(bench: &Bench, serving: &Serving, token: &str) -> String {
    let mut told = String::new();
    let id = serving.connect(bench).await;
    serving.until_synced(id).await;
    let secrets = |token: &str| json!({ "id": 1, "secrets": { "api_token": token } });
    for (method, path, body) in [
        ("POST", format!("connections/{id}/credentials.create"), secrets(REFUSED)),
        ("POST", format!("connections/{id}/credentials.update"), secrets(REFUSED)),
        ("POST", format!("connections/{id}/credentials.update"), secrets(bench.fake.token())),
        ("POST", format!("connections/{id}/credentials.update"), json!({ "id": 1, "secrets": [REFUSED] })),
        (
            "POST",
            "connections.create".to_owned(),
            json!({ "type": "gitlab", "settings": { "base_url": 7, "api_token": REFUSED } }),
        ),
        ("POST", "connections.verify".to_owned(), json!({ "id": id })),
        ("POST", "connections.sync".to_owned(), json!({ "id": id, "sweep": true })),
        ("GET", "connections.list".to_owned(), Value::Null),
        ("GET", format!("connections.info/{id}"), Value::Null),
        ("GET", format!("connections/{id}/credentials.list"), Value::Null),
        ("GET", format!("connections/{id}/credentials.info/1"), Value::Null),
        ("GET", "syncs.list".to_owned(), Value::Null),
        ("GET", "tasks.list".to_owned(), Value::Null),
        ("GET", "system.info".to_owned(), Value::Null),
        ("GET", "webhooks.status".to_owned(), Value::Null),
    ] {
        told.push_str(&serving.ask(method, &format!("/api/{path}"), body).await.1.to_string());
    }
    let hook = json!({ "object_kind": "issue", "project": { "id": 1 }, "object_attributes": { "iid": 1 } });
    for header in [format!("X-Gitlab-Token: {GUESSED}"), format!("X-Gitlab-Token: {token}")] {
        told.push_str(&serving.ask_as(&header, "POST", "/webhooks/gitlab", hook.clone()).await.1.to_string());
    }
    let stranger = format!("Authorization: Bearer {STRANGE_KEY}");
    told.push_str(
        &serving.ask_as(&stranger, "GET", "/api/connections.list", Value::Null).await.1.to_string(),
    );
    told
}
