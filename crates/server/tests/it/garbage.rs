//! Payloads that nobody would send: random bytes, events cut off, wrong kinds, bad UTF-8. Each is taken or refused in words,
//! and the server lives.

use axum::body::Body;
use axum::http::Request;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use secrecy::ExposeSecret;
use serde_json::json;
use sync::{Clock, SystemClock};

use crate::harness::Bench;

/// What is changed into garbage.
fn seeds() -> Vec<String> {
    let project = json!({ "id": 7, "web_url": "https://gitlab.example.com/a/b", "default_branch": "main" });
    let user = json!({ "id": 1, "username": "o'brien\u{202e}", "email": "x@example.com" });
    let of = |kind: &str| {
        json!({
            "object_kind": kind, "event_name": kind, "project": project, "project_id": 7, "user": user, "ref": "refs/heads/main",
            "object_attributes": { "id": 3, "iid": 4, "noteable_type": "MergeRequest" },
            "merge_request": { "id": 3, "iid": 4 }, "issue": { "iid": 9 }, "pipeline_id": 12, "group_id": 5,
        })
        .to_string()
    };
    let kinds = [
        "merge_request",
        "note",
        "push",
        "pipeline",
        "build",
        "deployment",
        "issue",
        "user_add_to_group",
        "project_create",
        "repository_update",
        "'; drop table weir.inbox; --",
        "$$",
    ];
    kinds.into_iter().map(of).collect()
}

/// One of the ways in which a payload goes wrong.
fn spoil(random: &mut ChaCha8Rng, seed: &str) -> Vec<u8> {
    let mut bytes = seed.as_bytes().to_vec();
    match random.random_range(0..7) {
        0 => (0..random.random_range(0..2000)).map(|_| random.random()).collect(),
        1 => {
            bytes.truncate(random.random_range(0..bytes.len()));
            bytes
        }
        2 => {
            for _ in 0..random.random_range(1..20) {
                let at = random.random_range(0..bytes.len());
                bytes[at] = random.random();
            }
            bytes
        }
        3 => {
            let at = random.random_range(0..bytes.len());
            bytes.splice(at..at, [0xff, 0xfe, 0x00]);
            bytes
        }
        4 => {
            let depth = random.random_range(1..5000);
            format!("{{\"object_kind\":{}{}}}", "[".repeat(depth), "]".repeat(depth)).into_bytes()
        }
        // Numbers become other numbers, texts or nothing.
        5 => {
            let others = ["-1", "9223372036854775808", "1e400", "0.5", "\"7\"", "null", "[]", "{}", "true"];
            let other = others[random.random_range(0..others.len())];
            let digit = ["7", "3", "4", "12", "9"][random.random_range(0..5)];
            seed.replace(&format!(":{digit}"), &format!(":{other}")).into_bytes()
        }
        _ => seed.replace("main", "\\u0000\\ud800").into_bytes(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_payload_brings_the_server_down() {
    let bench = Bench::new().await;
    let secrets = bench.store.webhook_secrets(&bench.ring, SystemClock.now()).await.unwrap();
    let token = secrets.iter().find(|it| !it.signing).unwrap().secret.expose_secret().to_owned();
    bench.connection("gitlab").await;
    let working = bench.work("one");
    let mut random = ChaCha8Rng::seed_from_u64(20_261_120);
    let types =
        ["application/json", "text/xml", "multipart/form-data", "", "application/json; charset=utf-16"];
    let seeds = seeds();
    let mut taken = 0;
    for round in 0..1500 {
        let body = spoil(&mut random, &seeds[round % seeds.len()]);
        let request = Request::builder()
            .method("POST")
            .uri("/webhooks/gitlab")
            .header("x-gitlab-token", &token)
            .header("x-gitlab-instance", ["https://gitlab.example.com", "'; --", "\u{ff}", ""][round % 4])
            .header("content-type", types[round % types.len()])
            .body(Body::from(body.clone()));
        // Headers that HTTP does not allow never arrive.
        let Ok(request) = request else { continue };
        let reply = bench.send(request).await;
        let shown = String::from_utf8_lossy(&body[..body.len().min(200)]).into_owned();
        assert!(matches!(reply.status, 200 | 400), "{}: {} {shown}", reply.status, reply.text);
        taken += i32::from(reply.status == 200);
    }
    assert!(taken > 40, "{taken} were events still");
    for _ in 0..600 {
        let counts = bench.store.inbox_counts().await.unwrap();
        if counts.iter().all(|it| it.state != "due") {
            assert!(counts.iter().map(|it| it.count).sum::<i64>() > 20);
            return working.stop().await;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("the inbox was not emptied: {:?}", bench.store.inbox_counts().await.unwrap());
}
