//! What goes wrong between inside and outside, and who is not let in.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use extractor::{Outside, check, connect};
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use store::remote::protocol;
use sync::{Clock, Stop, SystemClock};

use super::bench::{Inside, key_of, route, wanted};
use super::line::Line;
use crate::harness::Bench;

async fn done(bench: &Bench, inside: &Inside) {
    for connection in inside.connections() {
        bench.until(*connection, |it| !it["last_synced_at"].is_null()).await;
    }
}

/// Waits until some rows are there, and not all.
async fn begun(bench: &Bench) {
    for _ in 0..600 {
        let some =
            bench.store.query("select count(*) from gitlab_merge_requests").await.expect("a count").rows;
        if some[0][0].as_i64().is_some_and(|it| it > 0) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("nothing was read in 6 s");
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_that_are_cut_lose_nothing_and_the_token_never_crosses_the_line() {
    let bench = Bench::new().await;
    let key = key_of(&bench, "berlin").await;
    let line = Arc::new(Line::default());
    line.cut_every.store(7, Relaxed);
    let listening = bench.listen_through(|it| line.before(it)).await;
    let inside = Inside::start(&bench, &listening.url, &key, "berlin").await;
    done(&bench, &inside).await;
    inside.stop().await;
    bench.assert_equal().await;
    let crossed = line.crossed();
    let has = |what: &str| crossed.windows(what.len()).any(|it| it == what.as_bytes());
    assert!(has("write_page") && has("gitlab_merge_requests"), "the line was listened to");
    assert!(!has(bench.gitlab.token()), "the token crossed the line");
    assert!(!bench.store.dump().await.expect("a dump").contains(bench.gitlab.token()));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_extractor_that_is_killed_goes_on_where_it_stood() {
    let bench = Bench::new().await;
    let key = key_of(&bench, "berlin").await;
    let listening = bench.listen().await;
    let first = Inside::start(&bench, &listening.url, &key, "berlin").await;
    begun(&bench).await;
    first.kill();
    let second = Inside::start(&bench, &listening.url, &key, "berlin").await;
    done(&bench, &second).await;
    second.stop().await;
    bench.assert_equal().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_weir_outside_that_goes_away_is_waited_for() {
    let bench = Bench::new().await;
    let key = key_of(&bench, "berlin").await;
    let line = Arc::new(Line::default());
    let listening = bench.listen_through(|it| line.before(it)).await;
    let inside = Inside::start(&bench, &listening.url, &key, "berlin").await;
    begun(&bench).await;
    line.away.store(true, Relaxed);
    tokio::time::sleep(Duration::from_secs(2)).await;
    line.away.store(false, Relaxed);
    done(&bench, &inside).await;
    inside.stop().await;
    bench.assert_equal().await;
    let failed =
        bench.store.query("select count(*) from weir.tasks where failures > 0").await.expect("a count");
    assert_eq!(failed.rows[0][0], json!(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_extractor_runs_is_not_given_out_again_however_long_the_line_was_cut() {
    let bench = Bench::new().await;
    let key = key_of(&bench, "berlin").await;
    let line = Arc::new(Line::default());
    let listening = bench.listen_through(|it| line.before(it)).await;
    let inside = Inside::start(&bench, &listening.url, &key, "berlin").await;
    begun(&bench).await;
    line.away.store(true, Relaxed);
    bench
        .database
        .execute("update weir.tasks set until = now() - interval '1 hour' where until is not null")
        .await;
    bench
        .database
        .execute("update weir.syncs set until = now() - interval '1 hour' where until is not null")
        .await;
    line.away.store(false, Relaxed);
    done(&bench, &inside).await;
    inside.stop().await;
    bench.assert_equal().await;
    let syncs = "select connection_id from weir.syncs group by connection_id having count(*) > 1";
    assert_eq!(bench.store.query(syncs).await.expect("a list").rows, Vec::<Vec<Value>>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_process_of_the_same_name_takes_over_and_the_first_ends() {
    let bench = Bench::new().await;
    let key = key_of(&bench, "berlin").await;
    let listening = bench.listen().await;
    let first = Inside::start(&bench, &listening.url, &key, "berlin").await;
    let second = Inside::start(&bench, &listening.url, &key, "berlin").await;
    let refused = first.ended().await.refused().expect("it was refused");
    assert_eq!(refused.code, "extractor_replaced");
    assert!(refused.message.contains("EXTRACTOR_ID"), "{}", refused.message);
    second.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_revoked_ends_the_extractor() {
    let bench = Bench::new().await;
    let key = key_of(&bench, "berlin").await;
    let listening = bench.listen().await;
    let inside = Inside::start(&bench, &listening.url, &key, "berlin").await;
    let rows = bench.store.api_keys().await.expect("the keys");
    let own = rows.iter().find(|it| it.extractor.as_deref() == Some("berlin")).expect("its key");
    assert!(bench.store.revoke_api_key(own.id, SystemClock.now()).await.expect("it is revoked"));
    assert_eq!(inside.ended().await.refused().expect("it was refused").code, "invalid_auth");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_no_right_is_not_let_in() {
    let bench = Bench::new().await;
    let listening = bench.listen().await;
    let berlin = key_of(&bench, "berlin").await;
    let come = async |key: &str, name: &str| {
        let outside = Outside::new(route(&listening.url, key), Stop::default()).expect("a way out");
        let error = connect(&outside, &wanted(&bench, name)).await.expect_err("it is refused");
        (outside.refused().map(|it| it.code).unwrap_or_default(), error.to_string())
    };
    assert_eq!(come("weir_wrong", "berlin").await.0, "invalid_auth");
    let scopes = ["connections:write".to_owned(), "queries:run".to_owned()];
    let (_, other) = bench.store.create_api_key("x", &scopes, SystemClock.now()).await.expect("a key");
    assert_eq!(come(other.expose_secret(), "berlin").await.0, "missing_scope");
    let (code, message) = come(&berlin, "paris").await;
    assert!(code == "extractor_refused" && message.contains("berlin"), "{message}");
    // A key that is nobody's yet cannot come as somebody who has one.
    let scopes = ["extractors:run".to_owned()];
    let (_, free) = bench.store.create_api_key("free", &scopes, SystemClock.now()).await.expect("a key");
    assert_eq!(come(free.expose_secret(), "berlin").await.0, "extractor_refused");
    // Nor claim a GitLab that is read already.
    bench.working("gitlab").await;
    assert_eq!(come(free.expose_secret(), "rome").await.0, "extractor_refused");
    assert_eq!(come(&berlin, "berlin").await.0, "extractor_refused");
    let extractors = bench.store.query("select count(*) from weir.extractors").await.expect("a count");
    assert_eq!(extractors.rows[0][0], json!(0), "nothing is left of those who were refused");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_changes_nothing() {
    let bench = Bench::new().await;
    let listening = bench.listen().await;
    let key = key_of(&bench, "berlin").await;
    let outside = Outside::new(route(&listening.url, &key), Stop::default()).expect("a way out");
    let before = bench.store.dump().await.expect("a dump");
    assert_eq!(check(&outside, &wanted(&bench, "berlin")).await.expect("it would be let in"), "0.1.0");
    let without_use = |it: String| it.lines().filter(|it| !it.contains("extractors:run")).collect::<String>();
    assert_eq!(without_use(bench.store.dump().await.expect("a dump")), without_use(before));
}

#[tokio::test]
async fn an_extractor_of_another_version_is_told_which_to_use() {
    let mut bench = Bench::new().await;
    bench.key = key_of(&bench, "berlin").await;
    let greeting = |protocol: &str| {
        json!({ "extractor": "berlin", "session": "0123456789abcdef", "protocol": protocol, "version": "0.0.9",
                "base_url": bench.gitlab.url(), "connectors": ["gitlab"] })
    };
    let reply = bench.post("extractors.connect", greeting("0-old")).await;
    assert_eq!(reply.error(), (409, "version_mismatch"));
    let message = reply.body["message"].as_str().unwrap_or_default();
    assert!(message.contains("use weir 0.1.0") && message.contains("0.0.9"), "{message}");
    let mut without = greeting(&protocol());
    without["connectors"] = json!(["gitlab_pipelines"]);
    assert_eq!(bench.post("extractors.connect", without).await.error(), (409, "gitlab_connection_required"));
    for (field, value) in [
        ("extractor", json!("a b")),
        ("extractor", json!("")),
        ("session", json!("short")),
        ("session", json!("%_%_%_%_%_%_%_%_%_")),
        ("connectors", json!(["gitlab_wiki"])),
        ("base_url", json!("http://169.254.169.254")),
    ] {
        let mut wrong = greeting(&protocol());
        wrong[field] = value;
        let reply = bench.post("extractors.connect", wrong).await;
        assert_eq!(
            (reply.error(), reply.body["field"].is_null()),
            ((422, "invalid_arguments"), false),
            "{field}"
        );
    }
    assert_eq!(bench.post("extractors.connect", Value::Null).await.error().0, 400);
}
