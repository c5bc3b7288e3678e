//! Webhooks: what is taken, what is refused, and what becomes of it.

use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use fake_gitlab::world::change::{Kinds, random_change};
use fake_gitlab::world::model::MergeRequestState;
use fake_gitlab::{Hook, HookFaults, HookOwner, Trigger};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use sync::{Clock, SystemClock};

use crate::harness::{Bench, Reply};

/// The secret token and the signing token.
async fn secrets(bench: &Bench) -> (String, String) {
    let secrets = bench.store.webhook_secrets(&bench.ring, SystemClock.now()).await.expect("secrets");
    let one = |signing: bool| {
        let found = secrets.iter().find(|it| it.signing == signing && it.valid_until.is_none()).expect("one");
        found.secret.expose_secret().to_owned()
    };
    (one(false), one(true))
}

async fn deliver(bench: &Bench, headers: &[(&str, &str)], body: impl Into<Body>) -> Reply {
    let mut request = Request::builder().method("POST").uri("/webhooks/gitlab");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    bench.send(request.body(body.into()).expect("a request")).await
}

async fn count(bench: &Bench, state: &str) -> i64 {
    let counts = bench.store.inbox_counts().await.expect("counts");
    counts.iter().filter(|it| it.state == state).map(|it| it.count).sum()
}

fn event(iid: i64) -> String {
    json!({ "object_kind": "merge_request", "project": { "id": 1 }, "object_attributes": { "iid": iid } })
        .to_string()
}

#[tokio::test]
async fn a_delivery_with_the_secret_is_kept_and_one_without_is_refused() {
    let bench = Bench::new().await;
    let (token, _) = secrets(&bench).await;
    assert_eq!(deliver(&bench, &[("x-gitlab-token", &token)], event(1)).await.status, 200);
    for wrong in [
        &[][..],
        &[("x-gitlab-token", "")],
        &[("x-gitlab-token", "guess")],
        &[("x-gitlab-token", &token[1..])],
    ] {
        let reply = deliver(&bench, wrong, event(2)).await;
        assert_eq!(reply.status, 401, "{wrong:?}");
        assert!(!reply.text.contains(&token));
    }
    assert_eq!(count(&bench, "due").await, 1);
}

#[tokio::test]
async fn what_comes_twice_is_kept_once() {
    let bench = Bench::new().await;
    let (token, _) = secrets(&bench).await;
    let with = |more: &[(&'static str, &'static str)]| {
        let mut headers = vec![("x-gitlab-token", token.as_str())];
        headers.extend_from_slice(more);
        headers
    };
    for _ in 0..2 {
        assert_eq!(deliver(&bench, &with(&[("idempotency-key", "a")]), event(1)).await.status, 200);
        let ids = [("x-gitlab-event-uuid", "e"), ("x-gitlab-webhook-uuid", "w")];
        assert_eq!(deliver(&bench, &with(&ids), event(1)).await.status, 200);
        assert_eq!(deliver(&bench, &with(&[]), event(1)).await.status, 200);
    }
    deliver(&bench, &with(&[("idempotency-key", "b")]), event(1)).await;
    assert_eq!(count(&bench, "due").await, 4);
}

#[tokio::test]
async fn malformed_and_oversized_payloads_are_refused_and_the_server_lives() {
    let bench = Bench::new().await;
    let (token, _) = secrets(&bench).await;
    let headers = [("x-gitlab-token", token.as_str())];
    for body in [&b"{"[..], b"", b"[]", b"7", b"{}", b"\xff\xfe", b"\0", br#"{"object_kind": 7}"#] {
        let reply = deliver(&bench, &headers, body).await;
        assert_eq!(reply.status, 400, "{body:?}: {}", reply.text);
    }
    let large = vec![b'x'; 25 * 1024 * 1024 + 1];
    assert_eq!(deliver(&bench, &headers, large.clone()).await.status, 413);
    let told = [("x-gitlab-token", token.as_str()), ("content-length", "26214401")];
    assert_eq!(deliver(&bench, &told, "").await.status, 413);
    assert_eq!(deliver(&bench, &headers, event(1)).await.status, 200);
    assert_eq!(count(&bench, "due").await, 1);
}

#[tokio::test]
async fn a_nul_in_a_payload_keeps_nothing_else_from_being_kept() {
    let bench = Bench::new().await;
    let (token, _) = secrets(&bench).await;
    let web_url = "http://x/\u{0}";
    let body =
        json!({ "object_kind": "push\u{0}", "project": { "id": 1, "web_url": web_url }, "ref": "\u{0}" });
    let reply = deliver(&bench, &[("x-gitlab-token", &token)], body.to_string()).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    assert_eq!(count(&bench, "due").await, 1);
}

#[tokio::test]
async fn a_signature_is_checked_with_its_time_and_its_secret() {
    let bench = Bench::new().await;
    let (token, signing) = secrets(&bench).await;
    let now = SystemClock.now().timestamp();
    let sign = |time: i64, secret: &str| (time.to_string(), signature("id-1", time, &event(1), secret));
    let send = async |(time, signature): (String, String), body: String| {
        let headers =
            [("webhook-id", "id-1"), ("webhook-timestamp", &time), ("webhook-signature", &signature)];
        deliver(&bench, &headers.map(|(name, value)| (name, value)), body).await.status
    };
    assert_eq!(send(sign(now, &signing), event(2)).await, 401, "another payload");
    assert_eq!(send(sign(now - 400, &signing), event(1)).await, 401, "stale");
    assert_eq!(send(sign(now + 400, &signing), event(1)).await, 401, "from the future");
    assert_eq!(send(sign(now, "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="), event(1)).await, 401);
    assert_eq!(count(&bench, "due").await, 0);
    assert_eq!(send(sign(now, &signing), event(1)).await, 200);
    assert_eq!(send(sign(now, &signing), event(1)).await, 200, "replayed");
    assert_eq!(count(&bench, "due").await, 1);
    // A signature that does not fit is not made good by a token.
    let bad = [
        ("x-gitlab-token", token.as_str()),
        ("webhook-id", "x"),
        ("webhook-timestamp", "1"),
        ("webhook-signature", "v1,AA=="),
    ];
    assert_eq!(deliver(&bench, &bad, event(3)).await.status, 401);
}

/// As GitLab 19 signs.
fn signature(id: &str, time: i64, body: &str, secret: &str) -> String {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;
    use hmac::{Hmac, KeyInit, Mac};
    let key = STANDARD.decode(secret.trim_start_matches("whsec_")).expect("base64");
    let mut mac = <Hmac<sha2::Sha256> as KeyInit>::new_from_slice(&key).expect("a key");
    mac.update(format!("{id}.{time}.{body}").as_bytes());
    format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
}

#[tokio::test]
async fn a_rotated_secret_is_taken_for_a_while() {
    let bench = Bench::new().await;
    let (old, _) = secrets(&bench).await;
    assert_eq!(deliver(&bench, &[("x-gitlab-token", &old)], event(1)).await.status, 200);
    let now = SystemClock.now();
    let soon = now + chrono::TimeDelta::seconds(3);
    bench.store.rotate_webhook_secrets(&bench.ring, soon, now).await.unwrap();
    let (new, _) = secrets(&bench).await;
    assert_ne!(old, new);
    tokio::time::sleep(Duration::from_millis(1100)).await;
    assert_eq!(deliver(&bench, &[("x-gitlab-token", &new)], event(2)).await.status, 200);
    assert_eq!(deliver(&bench, &[("x-gitlab-token", &old)], event(3)).await.status, 200);
    tokio::time::sleep(Duration::from_millis(2100)).await;
    assert_eq!(deliver(&bench, &[("x-gitlab-token", &old)], event(4)).await.status, 401);
}

#[tokio::test]
async fn what_is_not_known_is_kept_and_counted() {
    let bench = Bench::new().await;
    let (token, _) = secrets(&bench).await;
    let working = bench.work("one");
    let body = json!({ "object_kind": "something_new", "project": { "id": 1 } }).to_string();
    assert_eq!(deliver(&bench, &[("x-gitlab-token", &token)], body).await.status, 200);
    for _ in 0..100 {
        if count(&bench, "unknown").await == 1 {
            return working.stop().await;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the delivery was not dealt with");
}

const EVERYTHING: [Trigger; 8] = [
    Trigger::MergeRequest,
    Trigger::Note,
    Trigger::Push,
    Trigger::Pipeline,
    Trigger::Job,
    Trigger::Deployment,
    Trigger::Issue,
    Trigger::Member,
];

/// A bench whose GitLab tells it of everything, with a worker.
async fn told(kinds: &[&str]) -> (Bench, crate::harness::Listening, crate::harness::Working) {
    let bench = Bench::new().await;
    let listening = bench.listen().await;
    let working = bench.work("one");
    for kind in kinds {
        let id = bench.working(kind).await;
        bench
            .post("connections.update", json!({ "id": id, "settings": { "sync_every_seconds": 3600 } }))
            .await
            .ok(200);
        bench.until(id, |it| it["last_synced_at"].is_string() && idle(it)).await;
    }
    hook_everything(&bench, &listening.url).await;
    (bench, listening, working)
}

/// Has every group of the fake tell of everything.
pub async fn hook_everything(bench: &Bench, url: &str) {
    let (token, _) = secrets(bench).await;
    let tops: Vec<i64> = {
        let world = bench.gitlab.world();
        world.groups.values().filter(|it| it.parent_id.is_none()).map(|it| it.id).collect()
    };
    assert!(!tops.is_empty());
    for group in tops {
        let now = bench.gitlab.world().now;
        let hook = Hook::new(HookOwner::Group(group), &format!("{}/webhooks/gitlab", url), now);
        bench.gitlab.hooks().add(hook.told_of(&EVERYTHING).with_token(&token));
    }
}

fn idle(shown: &Value) -> bool {
    shown["tasks"].as_array().expect("tasks").iter().all(|it| it["running"] == false)
}

/// Waits until every delivery was dealt with.
pub async fn settle(bench: &Bench) {
    bench.gitlab.hooks().settled().await;
    for _ in 0..400 {
        if count(bench, "due").await == 0 {
            assert_eq!(count(bench, "failed").await, 0);
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let left = "select event, state, note, attempts, owner, extractor_id from weir.inbox where state = 'due' limit 3";
    let left = bench.store.query(left).await.expect("what is left").rows;
    panic!("the inbox was not emptied in 20 s: {left:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_comment_is_there_a_second_later_and_costs_a_few_requests() {
    let (bench, _listening, working) = told(&["gitlab"]).await;
    let merge_request = some_merge_request(&bench);
    let before = bench.gitlab.counters().total();
    for number in 0..20 {
        let author = bench.gitlab.viewer().user_id;
        bench.gitlab.world_mut().comment(merge_request, author, &format!("number {number}"));
    }
    settle(&bench).await;
    // A comment moves its project too, which is told by no webhook.
    bench.assert_equal_but("last_activity_at").await;
    let requests = bench.gitlab.counters().total() - before;
    assert!(requests <= 12, "{requests} requests for twenty comments on one merge request");
    working.stop().await;
}

/// An open merge request that can be seen, below a group.
pub fn some_merge_request(bench: &Bench) -> i64 {
    let (world, viewer) = (bench.gitlab.world(), bench.gitlab.viewer());
    let seen = |id: i64| {
        let project = &world.projects[&id];
        !project.archived && world.check_merge_requests(&viewer, project).is_ok()
    };
    let mut open = world.merge_requests.values().filter(|it| it.state == MergeRequestState::Opened);
    open.find(|it| seen(it.project_id)).expect("an open merge request").id
}

#[tokio::test(flavor = "multi_thread")]
async fn lost_doubled_and_late_deliveries_end_in_the_truth_after_a_sync() {
    let (bench, _listening, working) = told(&["gitlab"]).await;
    bench.gitlab.hooks().set_faults(Some(HookFaults {
        lost: 0.1,
        duplicated: 0.1,
        delayed: 0.1,
        delay_milliseconds: 300,
        seed: 7,
    }));
    let mut random = ChaCha8Rng::seed_from_u64(7);
    for _ in 0..150 {
        let mut world = bench.gitlab.world_mut();
        random_change(&mut world, &mut random, Kinds::All);
        world.advance(chrono::TimeDelta::seconds(20));
    }
    settle(&bench).await;
    let counts = bench.gitlab.hooks().counts();
    assert!(counts.sent > 50, "{counts:?}");
    bench.post("connections.sync", json!({ "id": 1, "sweep": true })).await.ok(200);
    bench
        .until(1, |it| {
            idle(it)
                && it["tasks"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .any(|it| it["outcome"] == "complete" && it["activity"] == "sweep")
        })
        .await;
    // GitLab tells nobody that a fork was deleted.
    bench.assert_equal_but("source_project_id").await;
    working.stop().await;
}
