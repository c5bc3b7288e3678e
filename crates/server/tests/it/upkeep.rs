//! The life of tokens: warned of, set aside, rotated; and what is left when somebody is killed in the middle.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use fake_gitlab::TokenSpec;
use fake_gitlab::faults::{Fault, FaultPlan};
use fake_gitlab::tokens::TokenState;
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use sync::tasks::Worker;
use sync::{Clock, SystemClock, upkeep};

use crate::harness::Bench;

/// A clock that is off by so much.
#[derive(Debug)]
struct Off(TimeDelta);

impl Clock for Off {
    fn now(&self) -> DateTime<Utc> {
        SystemClock.now() + self.0
    }
}

fn worker(bench: &Bench, owner: &str, days: i64) -> Worker {
    Worker { clock: Arc::new(Off(TimeDelta::days(days))), ..bench.worker(owner) }
}

/// A token that dies in so many days, by the clock of this machine and by GitLab's.
fn token(bench: &Bench, name: &str, days: i64, scopes: &[&str]) {
    let now = SystemClock.now();
    let away = now - bench.gitlab.world().now;
    bench.gitlab.state().advance_clock(away);
    let scopes = scopes.iter().map(|it| (*it).to_owned()).collect();
    let expires_at = Some((now + TimeDelta::days(days)).date_naive());
    bench.token(TokenSpec { scopes, expires_at, ..TokenSpec::personal(name, bench.gitlab.viewer().user_id) });
}

/// A connection with such a credential; its number.
async fn connected(bench: &Bench, kind: &str, token: &str, settings: Value) -> i64 {
    let connection = bench.connection(kind).await;
    let body = json!({ "secrets": { "api_token": token }, "settings": settings });
    bench.post(&format!("connections/{connection}/credentials.create"), body).await.ok(201);
    connection
}

async fn shown(bench: &Bench, connection: i64) -> Value {
    bench.get(&format!("connections/{connection}/credentials.list")).await.ok(200)
}

/// The token that is stored.
async fn stored(bench: &Bench, credential: i64) -> String {
    let token = bench.store.token(&bench.ring, credential).await.expect("it opens").expect("it is there");
    token.expose_secret().to_owned()
}

async fn notes(bench: &Bench, action: &str) -> i64 {
    let sql = format!("select count(*) from weir.audit_log where action = '{action}'");
    bench.store.query(&sql).await.expect("it runs").rows[0][0].as_i64().expect("a number")
}

const ROTATES: &[&str] = &["read_api", "self_rotate"];

fn rotate() -> Value {
    json!({ "rotate": true, "rotate_days": 7 })
}

#[tokio::test]
async fn each_warning_comes_once_and_the_list_says_how_long_is_left() {
    let bench = Bench::new().await;
    token(&bench, "glpat-dying", 40, &["read_api"]);
    let connection = connected(&bench, "gitlab", "glpat-dying", json!({})).await;
    assert_eq!(shown(&bench, connection).await["warnings"], Value::Null);
    for (later, warned) in [(5, 0), (10, 1), (11, 1), (26, 2), (30, 2), (37, 3), (38, 3)] {
        for owner in ["one", "two"] {
            upkeep::once(&worker(&bench, owner, later)).await.unwrap();
        }
        assert_eq!(notes(&bench, "credentials.expires").await, warned, "{later} days later");
    }
    token(&bench, "glpat-soon", 3, &["read_api"]);
    let other = connected(&bench, "gitlab", "glpat-soon", json!({})).await;
    let listed = shown(&bench, other).await;
    assert_eq!(listed["credentials"][0]["expires_in_days"], 3, "{listed}");
    assert!(listed["warnings"][0].as_str().unwrap().contains("dies on"), "{listed}");
}

#[tokio::test]
async fn a_token_whose_day_has_come_is_set_aside_and_a_clock_put_forward_sets_nothing_aside() {
    let bench = Bench::new().await;
    token(&bench, "glpat-dying", 2, &["read_api"]);
    let connection = connected(&bench, "gitlab", "glpat-dying", json!({})).await;
    upkeep::once(&worker(&bench, "one", 300)).await.unwrap();
    assert_eq!(shown(&bench, connection).await["credentials"][0]["disabled_at"], Value::Null);
    bench.gitlab.state().advance_clock(TimeDelta::days(2));
    upkeep::once(&worker(&bench, "one", 2)).await.unwrap();
    let listed = shown(&bench, connection).await;
    let reason = listed["credentials"][0]["disabled_reason"].as_str().unwrap();
    assert!(reason.contains("died on") && reason.contains("credentials.update"), "{reason}");
    let info = bench.get(&format!("connections.info/{connection}")).await.ok(200);
    assert!(info["connection"]["disabled_reason"].as_str().unwrap().contains("died on"), "{info}");
}

#[tokio::test]
async fn a_token_rotates_itself_once_for_all_connections_that_use_it() {
    let bench = Bench::new().await;
    token(&bench, "glpat-old", 5, ROTATES);
    let first = connected(&bench, "gitlab", "glpat-old", rotate()).await;
    let second = connected(&bench, "gitlab_pipelines", "glpat-old", json!({})).await;
    let (one, two) = (worker(&bench, "one", 0), worker(&bench, "two", 0));
    let (left, right) = tokio::join!(upkeep::once(&one), upkeep::once(&two));
    left.and(right).unwrap();
    assert_eq!(bench.gitlab.state().rotations.count(), 1, "two processes rotate once");
    for (connection, credential) in [(first, 1), (second, 2)] {
        assert_eq!(stored(&bench, credential).await, "glpat-successor-1");
        let shown = shown(&bench, connection).await["credentials"][0].take();
        assert!(shown["rotated_at"].is_string() && shown["rotation_began_at"].is_null(), "{shown}");
        assert!(shown["expires_in_days"].as_i64() > Some(7), "{shown}");
    }
    assert!(bench.gitlab.state().token("glpat-old").unwrap().state == TokenState::Revoked);
    let working = bench.work("one");
    bench.until(first, |it| it["last_synced_at"].is_string()).await;
    working.stop().await;
    let dump = bench.store.dump().await.unwrap();
    assert!(
        !dump.contains("glpat-old") && !dump.contains("glpat-successor"),
        "no token stands anywhere in clear"
    );
}

#[tokio::test]
async fn who_looked_before_a_token_was_rotated_does_not_rotate_it_again() {
    let bench = Bench::new().await;
    token(&bench, "glpat-old", 5, ROTATES);
    let connection = connected(&bench, "gitlab", "glpat-old", rotate()).await;
    let seen = bench.store.credential(connection, 1).await.unwrap().unwrap();
    upkeep::once(&worker(&bench, "one", 0)).await.unwrap();
    assert_eq!(stored(&bench, 1).await, "glpat-successor-1");
    let late = bench.store.begin_rotation("two", &seen, SystemClock.now()).await.unwrap();
    assert_eq!(late, None, "GitLab would revoke the successor");
}

#[tokio::test(flavor = "multi_thread")]
async fn syncs_of_other_processes_let_go_of_a_token_and_go_on_with_its_successor() {
    let bench = Bench::new().await;
    token(&bench, "glpat-old", 5, ROTATES);
    let connection = connected(&bench, "gitlab", "glpat-old", rotate()).await;
    let plan = FaultPlan { hang_seconds: 3.0, ..FaultPlan::new(0.5, &[Fault::Hang], 1) };
    bench.gitlab.faults().set_plan(Some(plan));
    let working = bench.work("one");
    while bench.worker("x").here.running().is_empty() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    bench.gitlab.faults().set_plan(None);
    upkeep::once(&worker(&bench, "two", 0)).await.unwrap();
    assert_eq!(stored(&bench, 1).await, "glpat-successor-1");
    let shown = bench.until(connection, |it| it["last_synced_at"].is_string()).await;
    assert_eq!(shown["disabled_at"], Value::Null, "{shown}");
    working.stop().await;
}

#[tokio::test]
async fn a_token_that_may_not_rotate_itself_is_left_as_it_is_with_the_reason() {
    let bench = Bench::new().await;
    token(&bench, "glpat-old", 5, &["read_api"]);
    let connection = bench.connection("gitlab").await;
    let body = json!({ "secrets": { "api_token": "glpat-old" }, "settings": rotate() });
    let made = bench.post(&format!("connections/{connection}/credentials.create"), body).await.ok(201);
    assert!(made["warnings"][0].as_str().unwrap().contains("self_rotate"), "{made}");
    upkeep::once(&worker(&bench, "one", 0)).await.unwrap();
    let listed = shown(&bench, connection).await["credentials"][0].take();
    assert!(listed["rotation_error"].as_str().unwrap().contains("self_rotate"), "{listed}");
    assert_eq!(
        (listed["disabled_at"].clone(), stored(&bench, 1).await),
        (Value::Null, "glpat-old".to_owned())
    );
    let body = json!({ "id": 1, "settings": { "rotate_days": 4000 } });
    let path = format!("connections/{connection}/credentials.update");
    assert_eq!(bench.post(&path, body).await.error(), (422, "invalid_arguments"));
}

/// As if the process that rotates had been silent for longer than its lease.
async fn lapse(bench: &Bench) {
    bench.database.execute("update weir.credentials set rotation_until = now() - interval '1 second'").await;
}

/// Waits until a rotation has begun.
async fn begun(bench: &Bench) {
    for _ in 0..400 {
        let sql = "select count(*) from weir.credentials where rotation_began_at is not null";
        if bench.store.query(sql).await.expect("it runs").rows[0][0] == 1 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("no rotation began");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_before_gitlab_was_reached_costs_nothing() {
    let bench = Bench::new().await;
    token(&bench, "glpat-old", 5, ROTATES);
    let connection = connected(&bench, "gitlab", "glpat-old", rotate()).await;
    bench.gitlab.faults().aim("self/rotate", fake_gitlab::faults::Scripted::Fault(Fault::Unavailable));
    bench.gitlab.faults().aim("tokens/self", fake_gitlab::faults::Scripted::Fault(Fault::Unavailable));
    // Killed with the intention written and nothing known of GitLab.
    let row = bench.store.credential(connection, 1).await.unwrap().unwrap();
    assert!(bench.store.begin_rotation("one", &row, SystemClock.now()).await.unwrap().is_some());
    assert!(bench.store.usable_credentials(&bench.ring, 1).await.unwrap().is_empty(), "nobody works with it");
    upkeep::once(&worker(&bench, "two", 0)).await.unwrap();
    assert_eq!(stored(&bench, 1).await, "glpat-old", "the first one may still be at it");
    lapse(&bench).await;
    upkeep::once(&worker(&bench, "two", 0)).await.unwrap();
    assert!(
        bench.store.usable_credentials(&bench.ring, 1).await.unwrap().is_empty(),
        "GitLab does not say yet"
    );
    bench.gitlab.faults().stop_aiming();
    lapse(&bench).await;
    upkeep::once(&worker(&bench, "two", 0)).await.unwrap();
    assert_eq!(bench.store.usable_credentials(&bench.ring, 1).await.unwrap().len(), 1, "it works on");
    assert_eq!(bench.gitlab.state().rotations.count(), 0);
    bench.database.execute("update weir.credentials set rotation_failed_at = now() - interval '1 day'").await;
    upkeep::once(&worker(&bench, "two", 0)).await.unwrap();
    assert_eq!(stored(&bench, 1).await, "glpat-successor-1");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_between_gitlabs_rotation_and_its_answer_is_told_and_never_rotates_the_old_one_again() {
    let bench = Bench::new().await;
    token(&bench, "glpat-old", 5, ROTATES);
    let connection = connected(&bench, "gitlab", "glpat-old", rotate()).await;
    bench.gitlab.state().rotations.answer_after(Duration::from_secs(60));
    let first = worker(&bench, "one", 0);
    let rotating = tokio::spawn(async move { upkeep::once(&first).await });
    begun(&bench).await;
    while bench.gitlab.state().rotations.count() == 0 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    rotating.abort();
    lapse(&bench).await;
    for _ in 0..3 {
        upkeep::once(&worker(&bench, "two", 0)).await.unwrap();
    }
    let listed = shown(&bench, connection).await["credentials"][0].take();
    let reason = listed["disabled_reason"].as_str().unwrap();
    assert!(reason.contains("lost") && reason.contains("credentials.update"), "{reason}");
    assert_eq!(bench.gitlab.state().rotations.count(), 1);
    let lost = bench.gitlab.state().token("glpat-successor-1").unwrap();
    assert_eq!(
        lost.state,
        TokenState::Active,
        "the family was not revoked: nobody rotated the old token again"
    );
    token(&bench, "glpat-new", 300, ROTATES);
    let body = json!({ "id": 1, "secrets": { "api_token": "glpat-new" } });
    bench.post(&format!("connections/{connection}/credentials.update"), body).await.ok(200);
    assert_eq!(bench.store.usable_credentials(&bench.ring, connection).await.unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_the_database_does_not_take_is_stored_once_it_does() {
    let bench = Bench::new().await;
    token(&bench, "glpat-old", 5, ROTATES);
    connected(&bench, "gitlab", "glpat-old", rotate()).await;
    bench.gitlab.state().rotations.answer_after(Duration::from_millis(500));
    let first = worker(&bench, "one", 0);
    let rotating = tokio::spawn(async move { upkeep::once(&first).await });
    begun(&bench).await;
    bench.database.execute("alter table weir.credentials rename to away").await;
    while bench.gitlab.state().rotations.count() == 0 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    tokio::time::sleep(Duration::from_millis(1500)).await;
    bench.database.execute("alter table weir.away rename to credentials").await;
    rotating.await.unwrap().unwrap();
    assert_eq!(stored(&bench, 1).await, "glpat-successor-1");
}

#[tokio::test]
async fn an_answer_that_is_cut_off_is_looked_into_at_once() {
    let bench = Bench::new().await;
    token(&bench, "glpat-old", 5, ROTATES);
    let connection = connected(&bench, "gitlab", "glpat-old", rotate()).await;
    bench.gitlab.faults().aim("self/rotate", fake_gitlab::faults::Scripted::Fault(Fault::CutBody));
    upkeep::once(&worker(&bench, "one", 0)).await.unwrap();
    let listed = shown(&bench, connection).await["credentials"][0].take();
    assert!(listed["disabled_reason"].as_str().unwrap().contains("lost"), "{listed}");
}

#[tokio::test]
async fn the_fake_revokes_the_family_of_a_token_that_is_rotated_twice() {
    let bench = Bench::new().await;
    token(&bench, "glpat-old", 50, ROTATES);
    let listening = bench.gitlab.url().to_owned();
    let rotate = async |token: &str| {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let address = listening.trim_start_matches("http://").to_owned();
        let mut stream = tokio::net::TcpStream::connect(&address).await.unwrap();
        let request = format!(
            "POST /api/v4/personal_access_tokens/self/rotate HTTP/1.1\r\nhost: {address}\r\nprivate-token: {token}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    };
    assert!(rotate("glpat-old").await.contains("glpat-successor-1"));
    assert!(rotate("glpat-old").await.starts_with("HTTP/1.1 401"));
    let successor = bench.gitlab.state().token("glpat-successor-1").unwrap();
    assert_eq!(successor.state, TokenState::Revoked, "the family is revoked");
    assert!(rotate(bench.gitlab.token()).await.starts_with("HTTP/1.1 403"), "read_api is not enough");
}
