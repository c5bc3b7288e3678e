//! What an operator has to see, in the API and in the figures: keys, tokens, absences, clocks.

use std::sync::Arc;

use chrono::{Days, TimeDelta};
use fake_gitlab::faults::{Fault, FaultPlan};
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use store::vault::{Key, Keyring};
use sync::{Clock, SystemClock};

use crate::harness::Bench;
use crate::long_faults::Jumping;
use crate::metrics::{ask, values};

/// A figure, by its name and labels.
async fn figure(bench: &Bench, name: &str) -> f64 {
    let told = ask(bench, "/metrics").await.text;
    *values(&told).get(name).unwrap_or_else(|| panic!("{name} is told: {told}"))
}

async fn system(bench: &Bench) -> Value {
    bench.get("system.info").await.ok(200)["system"].take()
}

#[tokio::test]
async fn the_key_that_secrets_are_sealed_with_can_be_seen_before_and_after_it_is_changed() {
    let bench = Bench::new().await;
    bench.working("gitlab").await;
    let before = system(&bench).await["encryption"].take();
    assert_eq!(before["secrets"], 1, "{before}");
    assert_eq!(figure(&bench, "weir_encrypted_secrets").await, 1.0);
    let key = |it: &Value| it["key"].as_str().expect("a digest").to_owned();
    let since = |key: &str| format!("weir_encryption_key_since_timestamp_seconds{{key=\"{key}\"}}");
    assert!(figure(&bench, &since(&key(&before))).await > 1e9);
    assert!(!bench.key_of_ring.expose_secret().contains(&key(&before)), "the digest is no part of the key");

    let former = Key::parse(&bench.key_of_ring).expect("a key");
    let both = Keyring::new(Key::generate().0, vec![former]);
    bench.store.rotate_key(&both, SystemClock.now()).await.expect("it is changed");
    let after = system(&bench).await["encryption"].take();
    assert_ne!(key(&after), key(&before));
    assert_eq!(key(&after), both.current().id());
    assert!(after["since"].as_str() > before["since"].as_str(), "{before} {after}");
}

#[tokio::test]
async fn a_token_that_dies_soon_and_one_that_has_died_can_be_seen() {
    let bench = Bench::new().await;
    let id = bench.working("gitlab").await;
    for (days, state, count) in [(9, "working", 1.0), (0, "expired", 1.0)] {
        let day = SystemClock.now().date_naive() + Days::new(days);
        bench.database.execute(&format!("update weir.credentials set expiration_date = '{day}'")).await;
        let listed = bench.get(&format!("connections/{id}/credentials.list")).await.ok(200);
        assert_eq!(listed["credentials"][0]["expiration_date"], day.to_string(), "{listed}");
        // What the figures tell may be five seconds old.
        tokio::time::sleep(std::time::Duration::from_millis(5_100)).await;
        let left = figure(&bench, "weir_credential_expiry_days{connection=\"1\",credential=\"1\"}").await;
        assert_eq!(left, days as f64);
        let counted = format!("weir_credentials{{connection=\"1\",state=\"{state}\"}}");
        assert_eq!(figure(&bench, &counted).await, count);
    }
}

#[tokio::test]
async fn a_gitlab_that_is_away_can_be_seen() {
    let bench = Bench::new().await;
    let working = bench.work("one");
    let id = bench.working("gitlab").await;
    bench.until(id, |it| it["last_synced_at"].is_string() && it["tasks"][0]["running"] == false).await;
    bench.gitlab.faults().set_plan(Some(FaultPlan::new(1.0, &[Fault::Unavailable], 1)));
    bench.post("connections.sync", json!({ "id": id })).await.ok(200);
    let failing =
        |it: &Value| it["tasks"].as_array().is_some_and(|all| all.iter().any(|t| t["failures"] == 1));
    let shown = bench.until(id, failing).await;
    let task = shown["tasks"].as_array().unwrap().iter().find(|it| it["failures"] == 1).unwrap();
    assert!(task["error"]["message"].is_string(), "{shown}");
    assert_eq!(figure(&bench, "weir_task_failures{activity=\"sync\",connection=\"1\"}").await, 1.0);
    assert_eq!(figure(&bench, "weir_tasks{connection=\"1\",state=\"failing\"}").await, 1.0);
    working.stop().await;
}

#[tokio::test]
async fn a_clock_that_is_wrong_can_be_seen() {
    let clock = Jumping::default();
    let bench = Bench::with(|app| app.clock = Arc::new(clock.clone())).await;
    let fine = system(&bench).await["clock_offset_seconds"].as_f64().expect("seconds");
    assert!(fine.abs() < 5.0, "{fine}");
    clock.jump(TimeDelta::hours(-3));
    let told = system(&bench).await["clock_offset_seconds"].as_f64().expect("seconds");
    assert!((told + 10_800.0).abs() < 5.0, "{told}");
    let told = figure(&bench, "weir_clock_offset_seconds").await;
    assert!((told + 10_800.0).abs() < 5.0, "{told}");
}

#[tokio::test]
async fn an_extractor_that_has_come_can_be_seen() {
    let bench = Bench::new().await;
    bench
        .database
        .execute(
            "with i as (insert into weir.instances (number, base_url) values (0, 'https://gitlab.example.com') returning number)
             insert into weir.extractors (name, instance, version, connected_at, heard_at, created_at)
             select 'berlin', number, '0.1.0', now(), now() - interval '1 minute', now() from i",
        )
        .await;
    let shown = system(&bench).await;
    assert_eq!(shown["extractors"][0]["name"], "berlin", "{shown}");
    assert_eq!(shown["extractors"][0]["base_url"], "https://gitlab.example.com", "{shown}");
    assert!(figure(&bench, "weir_extractor_silent_seconds{extractor=\"1\"}").await >= 60.0);
}
