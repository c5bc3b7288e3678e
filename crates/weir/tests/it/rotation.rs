//! A token that rotates itself, and a server that is killed in the very moment.

use std::time::Duration;

use chrono::TimeDelta;
use fake_gitlab::TokenSpec;
use fake_gitlab::tokens::TokenState;
use gitlab_client::{Clock, SystemClock};
use serde_json::{Value, json};

use crate::bench::Bench;
use crate::serve::serve;

/// Gives the credential that this is about, once it is so.
async fn until(serving: &crate::serve::Serving, is: impl Fn(&Value) -> bool) -> Value {
    for _ in 0..600 {
        let (_, listed) = serving.ask("GET", "/api/connections/1/credentials.list", Value::Null).await;
        if is(&listed["credentials"][0]) {
            return listed["credentials"][0].clone();
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the credential never got there");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_killed_while_gitlab_rotates_a_token_never_rotates_it_twice() {
    let bench = Bench::new().await;
    let now = SystemClock.now();
    let away = now - bench.fake.world().now;
    bench.fake.state().advance_clock(away);
    bench.fake.state().add_token(TokenSpec {
        scopes: vec!["read_api".to_owned(), "self_rotate".to_owned()],
        expires_at: Some((now + TimeDelta::days(3)).date_naive()),
        ..TokenSpec::personal("glpat-old", bench.fake.viewer().user_id)
    });
    let rotations = &bench.fake.state().rotations;
    rotations.answer_after(Duration::from_secs(60));
    let serving = serve(&bench, "serve").await;
    let body = json!({ "type": "gitlab", "settings": { "base_url": bench.fake.url() } });
    assert_eq!(serving.ask("POST", "/api/connections.create", body).await.0, 201);
    let body =
        json!({ "secrets": { "api_token": "glpat-old" }, "settings": { "rotate": true, "rotate_days": 7 } });
    assert_eq!(serving.ask("POST", "/api/connections/1/credentials.create", body).await.0, 201);
    assert_eq!(serving.terminate().await, 0);
    // It looks after its tokens as soon as it has started.
    let serving = serve(&bench, "serve").await;
    until(&serving, |_| rotations.count() == 1).await;
    serving.kill().await;

    // As if the minutes had passed in which the killed one could still be at it.
    bench.database.execute("update weir.credentials set rotation_until = now() - interval '1 second'").await;
    let again = serve(&bench, "serve").await;
    let told = until(&again, |it| it["disabled_reason"].is_string()).await;
    let reason = told["disabled_reason"].as_str().unwrap();
    assert!(reason.contains("lost") && reason.contains("credentials.update"), "{reason}");
    assert_eq!(rotations.count(), 1);
    let successor = bench.fake.state().token("glpat-successor-1").unwrap();
    assert_eq!(successor.state, TokenState::Active, "GitLab did not revoke the family");
    assert_eq!(again.terminate().await, 0);
}
