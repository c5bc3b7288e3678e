//! An extractor: reads the fake from within, and has everything carried out by a Weir outside, over HTTP.

mod bench;
mod hostile;
mod line;
mod trouble;

use serde_json::{Value, json};
use sync::{Clock, SystemClock};

use crate::harness::Bench;
use crate::webhooks::{hook_everything, settle, some_merge_request};
use bench::{Direct, Inside, key_of};

#[tokio::test(flavor = "multi_thread")]
async fn an_extractor_brings_the_same_tables_as_a_direct_sync() {
    let bench = Bench::new().await;
    let direct = Direct::sync(&bench).await;
    let key = key_of(&bench, "berlin").await;
    let listening = bench.listen().await;
    let inside = Inside::start(&bench, &listening.url, &key, "berlin").await;
    let connections = inside.connections().to_vec();
    assert_eq!(connections.len(), 5, "one for each connector");
    for connection in &connections {
        let shown = bench.until(*connection, |it| !it["last_synced_at"].is_null()).await;
        assert_eq!((&shown["state"], &shown["disabled_at"]), (&json!("verified"), &Value::Null));
        assert_eq!(shown["extractor"]["name"], "berlin");
    }
    inside.stop().await;
    bench.assert_equal().await;
    direct.assert_same(&bench.store).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gitlab_that_is_not_the_first_is_extracted_as_well() {
    let bench = Bench::new().await;
    bench.store.instance("https://another.example.com").await.expect("an instance");
    let key = key_of(&bench, "berlin").await;
    let listening = bench.listen().await;
    let inside = Inside::start(&bench, &listening.url, &key, "berlin").await;
    for connection in inside.connections().to_vec() {
        bench.until(connection, |it| !it["last_synced_at"].is_null()).await;
    }
    inside.stop().await;
    let strangers = bench.store.query("select count(*) from gitlab_merge_requests where id < 17592186044416");
    assert_eq!(strangers.await.expect("a count").rows[0][0], json!(0));
    let some = bench.store.query("select count(*) from gitlab_merge_requests").await.expect("a count").rows;
    assert!(some[0][0].as_i64().is_some_and(|it| it > 5), "{some:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_webhooks_name_is_read_by_the_extractor() {
    let bench = Bench::new().await;
    let key = key_of(&bench, "berlin").await;
    let listening = bench.listen().await;
    let inside = Inside::start(&bench, &listening.url, &key, "berlin").await;
    for connection in inside.connections().to_vec() {
        bench.until(connection, |it| !it["last_synced_at"].is_null()).await;
    }
    // The workers outside sort deliveries, and have no way to the GitLab inside.
    let outside = bench.work("outside");
    hook_everything(&bench, &listening.url).await;
    let merge_request = some_merge_request(&bench);
    for number in 0..5 {
        let author = bench.gitlab.viewer().user_id;
        bench.gitlab.world_mut().comment(merge_request, author, &format!("number {number}"));
    }
    settle(&bench).await;
    bench.assert_equal_but("last_activity_at").await;
    let handled = "select count(*) from weir.inbox where extractor_id is not null";
    assert_eq!(bench.store.query(handled).await.expect("a count").rows[0][0], json!(5));
    outside.stop().await;
    inside.stop().await;
}

#[tokio::test]
async fn connections_may_be_made_for_an_extractor_before_it_comes() {
    let bench = Bench::new().await;
    let body = json!({ "type": "gitlab", "extractor": "berlin", "settings": { "base_url": bench.gitlab.url(), "issues": false } });
    let made = bench.post("connections.create", body).await.ok(201)["connection"].take();
    assert_eq!((&made["disabled_at"], &made["extractor"]["name"]), (&Value::Null, &json!("berlin")));
    assert_eq!(made["extractor"]["heard_at"], Value::Null);
    assert!(made["extractor"]["silence"].as_str().is_some_and(|it| it.contains("never")), "{made}");
    let id = made["id"].as_i64().expect("a number");
    let credential = json!({ "secrets": { "api_token": bench.gitlab.token() } });
    let refused = bench.post(&format!("connections/{id}/credentials.create"), credential).await;
    assert_eq!(refused.error(), (409, "connection_extracted"));
    let other = json!({ "type": "gitlab_pipelines", "settings": { "base_url": bench.gitlab.url() } });
    assert_eq!(bench.post("connections.create", other).await.error(), (409, "connection_extracted"));
    // Its own workers leave it alone.
    let claimed = bench.store.claim_task("outside", SystemClock.now()).await.expect("a claim");
    assert_eq!(claimed, None);
    let key = key_of(&bench, "berlin").await;
    let listening = bench.listen().await;
    let inside = Inside::start(&bench, &listening.url, &key, "berlin").await;
    assert!(inside.connections().contains(&id), "{:?}", inside.connections());
    inside.stop().await;
    assert_eq!(bench.store.connection(id).await.expect("it").expect("is there").settings["issues"], false);
}
