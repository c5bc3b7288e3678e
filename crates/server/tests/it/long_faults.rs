//! What lasts: a GitLab that is away, a clock that jumps, a database that is restarted, a key that is changed meanwhile.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering::Relaxed};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use fake_gitlab::FakeGitlab;
use fake_gitlab::faults::{Fault, FaultPlan};
use fake_gitlab::world::generate::Scale;
use serde_json::{Value, json};
use store::Delivery;
use store::vault::{Key, Keyring};
use sync::tasks::{Tokens, Worker};
use sync::{Clock, SystemClock};

use crate::harness::Bench;

/// A clock that can be put forward and back.
#[derive(Debug, Default, Clone)]
pub struct Jumping(Arc<AtomicI64>);

impl Jumping {
    pub fn jump(&self, by: TimeDelta) {
        self.0.fetch_add(by.num_seconds(), Relaxed);
    }
}

impl Clock for Jumping {
    fn now(&self) -> DateTime<Utc> {
        SystemClock.now() + TimeDelta::seconds(self.0.load(Relaxed))
    }
}

fn sync_task(shown: &Value) -> &Value {
    let tasks = shown["tasks"].as_array().expect("tasks");
    tasks.iter().find(|it| it["activity"] == "sync").unwrap_or(&Value::Null)
}

fn is_idle(shown: &Value) -> bool {
    shown["last_synced_at"].is_string() && sync_task(shown)["running"] == false
}

/// A delivery about nothing that exists, of this GitLab.
fn delivery(gitlab: &FakeGitlab) -> Delivery {
    let project = gitlab.world().projects.keys().next().copied().expect("a project");
    let body =
        json!({ "object_kind": "issue", "project": { "id": project }, "object_attributes": { "iid": 1 } });
    Delivery {
        key: vec![1; 16],
        sender: Some(gitlab.url().to_owned()),
        event: "issue".to_owned(),
        body: body.to_string(),
        received_at: SystemClock.now(),
    }
}

async fn state_of_inbox(bench: &Bench) -> Value {
    bench.store.query("select state from weir.inbox").await.expect("it runs").rows[0][0].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_hour_without_gitlab_is_told_delays_nobody_else_and_loses_nothing() {
    let bench = Bench::new().await;
    let other = FakeGitlab::builder().scale(Scale::tiny()).start().await.expect("another one starts");
    let clock = Jumping::default();
    let working = bench.run(Worker { clock: Arc::new(clock.clone()), ..bench.worker("one") });
    let away = bench.working("gitlab").await;
    bench.until(away, is_idle).await;
    let settings = json!({ "base_url": other.url() });
    let body = json!({ "type": "gitlab", "settings": settings });
    let fine = bench.post("connections.create", body).await.ok(201)["connection"]["id"].as_i64().unwrap();
    let body = json!({ "secrets": { "api_token": other.token() } });
    bench.post(&format!("connections/{fine}/credentials.create"), body).await.ok(201);
    bench.until(fine, is_idle).await;
    bench.gitlab.faults().set_plan(Some(FaultPlan::new(1.0, &[Fault::Unavailable], 1)));
    bench.store.receive(&[delivery(&bench.gitlab)]).await.unwrap();
    for minutes in 1..=4 {
        clock.jump(TimeDelta::minutes(15));
        let failed = bench
            .until(away, |it| {
                sync_task(it)["failures"].as_i64() >= Some(minutes) || it["disabled_at"].is_string()
            })
            .await;
        assert_eq!(failed["disabled_at"], Value::Null, "an absence is no refusal: {failed}");
        let before = bench.until(fine, |_| true).await["last_synced_at"].clone();
        bench.post("connections.sync", json!({ "id": fine })).await.ok(200);
        bench.until(fine, |it| it["last_synced_at"] != before && is_idle(it)).await;
        assert_eq!(state_of_inbox(&bench).await, "due");
    }
    let shown = bench.until(away, |it| sync_task(it)["error"]["message"].is_string()).await;
    assert_eq!(sync_task(&shown)["outcome"], "failed", "{shown}");
    bench.gitlab.faults().set_plan(None);
    clock.jump(TimeDelta::hours(1));
    bench.until(away, |it| sync_task(it)["failures"] == 0 && is_idle(it)).await;
    for _ in 0..400 {
        if state_of_inbox(&bench).await == "done" {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(state_of_inbox(&bench).await, "done");
    working.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_jumps_days_forward_and_back_stops_no_schedule() {
    let bench = Bench::new().await;
    let clock = Jumping::default();
    let worker = Worker { clock: Arc::new(clock.clone()), ..bench.worker("one") };
    let working = bench.run(worker);
    let id = bench.working("gitlab").await;
    let mut synced = 0;
    for jump in [
        TimeDelta::zero(),
        TimeDelta::days(3),
        -TimeDelta::days(3),
        -TimeDelta::hours(5),
        TimeDelta::hours(5),
    ] {
        clock.jump(jump);
        synced += 1;
        let sql =
            format!("select count(*) from weir.syncs where connection_id = {id} and state = 'complete'");
        let mut count = 0;
        for _ in 0..600 {
            count = bench.store.query(&sql).await.expect("it runs").rows[0][0].as_i64().unwrap();
            if count >= synced {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        assert!(count >= synced, "{count} syncs after a jump by {jump}");
        bench.until(id, is_idle).await;
    }
    // A delivery that was put off by a clock that was ahead is not left for days.
    bench.store.receive(&[delivery(&bench.gitlab)]).await.unwrap();
    bench.database.execute("update weir.inbox set due_at = now() + interval '3 days', until = null").await;
    bench.store.catch_up_deliveries(clock.now()).await.unwrap();
    for _ in 0..400 {
        if state_of_inbox(&bench).await != "due" {
            return working.stop().await;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the delivery waits for a clock that nobody has");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_restarted_under_the_server_costs_no_data() {
    let bench = Bench::new().await;
    let working = bench.work("one");
    let id = bench.working("gitlab").await;
    for _ in 0..4 {
        tokio::time::sleep(Duration::from_millis(150)).await;
        bench.database.cut_off().await;
    }
    bench.until(id, |it| is_idle(it) && sync_task(it)["outcome"] == "complete").await;
    bench.assert_equal().await;
    bench.get("connections.list").await.ok(200);
    working.stop().await;
}

#[tokio::test]
async fn a_key_that_is_changed_under_a_worker_is_told_and_nothing_is_lost() {
    let bench = Bench::new().await;
    let id = bench.working("gitlab").await;
    let old = bench.worker("old");
    let former = Key::parse(&bench.key_of_ring).expect("a key");
    let both = Arc::new(Keyring::new(Key::generate().0, vec![former]));
    bench.store.rotate_key(&both, SystemClock.now()).await.unwrap();
    let working = bench.run(old);
    let shown = bench.until(id, |it| sync_task(it)["error"]["message"].is_string()).await;
    let told = sync_task(&shown)["error"]["message"].as_str().unwrap().to_owned();
    assert!(told.contains("key"), "{told}");
    assert_eq!(shown["disabled_at"], Value::Null, "a key is no refusal: {shown}");
    working.stop().await;
    let restarted = bench.run(Worker {
        tokens: Tokens::Sealed { store: bench.store.clone(), ring: both },
        ..bench.worker("new")
    });
    bench.until(id, is_idle).await;
    restarted.stop().await;
}
