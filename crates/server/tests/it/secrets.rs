//! No token and no key is in the database in clear, nor in any answer.

use serde_json::json;

use crate::harness::Bench;

#[tokio::test]
async fn neither_tokens_nor_keys_are_in_the_database_in_clear() {
    let bench = Bench::new().await;
    let working = bench.work("one");
    let id = bench.working("gitlab").await;
    bench.until(id, |it| it["last_synced_at"].is_string()).await;
    bench.twin("glpat-second-token");
    let body = json!({ "id": 1, "secrets": { "api_token": "glpat-second-token" } });
    bench.post(&format!("connections/{id}/credentials.update"), body).await.ok(200);
    bench
        .post(
            &format!("connections/{id}/credentials.create"),
            json!({ "secrets": { "api_token": "glpat-wrong" } }),
        )
        .await;
    working.stop().await;
    let dump = bench.store.dump().await.unwrap();
    assert!(dump.contains("gitlab_merge_requests") && dump.contains("credentials.update"), "the dump is one");
    for secret in [bench.gitlab.token(), "glpat-second-token", "glpat-wrong", &bench.key] {
        assert!(!dump.contains(secret), "{secret} is in the database");
        // Bytes are shown in hexadecimal.
        let hex: String = secret.bytes().map(|it| format!("{it:02x}")).collect();
        assert!(!dump.contains(&hex), "{secret} is in the database as bytes");
    }
}

#[tokio::test]
async fn a_reader_sees_no_secrets() {
    let bench = Bench::new().await;
    assert!(bench.store.sees_secrets().await.unwrap(), "the owner does");
}
