//! Rate limits that processes share through the database.

use std::sync::Arc;
use std::time::{Duration, Instant};

use fake_gitlab::limits::{LimitSettings, Throttle};
use fake_gitlab::world::generate::Scale;
use fake_gitlab::{FakeGitlab, TokenSpec};
use gitlab_client::{Client, ErrorKind, Request, SystemClock};
use store::Store;
use store::testing::TestDatabase;
use sync::SharedGates;

use crate::harness::Bench;

const OTHER_TOKEN: &str = "glpat-another-of-the-same";

/// A GitLab that allows so many requests of a user in so many seconds.
async fn bench(limit: u64, seconds: u64) -> Bench {
    let bench = Bench::new(
        FakeGitlab::builder().scale(Scale::tiny()).latency(Duration::from_millis(5), Duration::ZERO),
    )
    .await;
    set(&bench, limit, seconds);
    let reader = bench.fake.viewer().user_id;
    bench.fake.state().add_token(TokenSpec::personal(OTHER_TOKEN, reader));
    bench
}

fn set(bench: &Bench, limit: u64, seconds: u64) {
    let per_user = Some(Throttle { limit, period: Duration::from_secs(seconds) });
    bench.fake.limits().set(LimitSettings { per_user, ..LimitSettings::default() });
}

/// A client as another process would have it: with connections of its own.
async fn process(bench: &Bench, store: Store, token: &str) -> Client {
    let mut config = bench.config(&[token]);
    let gates = SharedGates::start(&store, Arc::new(SystemClock));
    config.gate_store = gates.clone();
    config.wait.patience = Duration::from_secs(20);
    let client = Client::new(config).expect("the client is made");
    gates.recognise(&client).await;
    client
}

/// Asks with eight at once for so long; how often it was answered.
async fn ask_for(client: &Client, time: Duration) -> u64 {
    let until = Instant::now() + time;
    let lanes = (0..8).map(|_| async {
        let mut answered = 0;
        while Instant::now() < until {
            let version = Request::new("version");
            let asked = tokio::time::timeout_at(until.into(), client.get(&version)).await;
            answered += u64::from(asked.is_ok_and(|it| it.is_ok()));
        }
        answered
    });
    futures::future::join_all(lanes).await.into_iter().sum()
}

fn limited(clients: &[&Client]) -> u64 {
    clients.iter().map(|it| it.usage().rate_limited).sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn two_processes_with_two_tokens_of_one_user_never_exceed_its_limit_and_use_it() {
    let bench = bench(60, 3).await;
    let (one, other) = tokio::join!(
        process(&bench, bench.store.clone(), bench.fake.token()),
        process(&bench, bench.store.clone(), OTHER_TOKEN)
    );
    let time = Duration::from_secs(10);
    let answered = tokio::join!(ask_for(&one, time), ask_for(&other, time));
    let by_window = bench.fake.limits().requests_by_window();
    let told = format!("{by_window:?}, {answered:?}");
    assert!(by_window.iter().all(|it| *it <= 60), "{told}");
    assert_eq!(limited(&[&one, &other]), 0, "{told}");
    assert!(by_window[1] >= 50, "it is used: {told}");
    assert!(answered.0.min(answered.1) * 4 >= answered.0.max(answered.1), "it is shared: {told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_share_of_a_process_that_was_killed_returns_when_its_lease_lapses() {
    let bench = bench(200, 60).await;
    let killed = process(&bench, bench.store.clone(), bench.fake.token()).await;
    for _ in 0..3 {
        killed.get(&Request::new("version")).await.expect("it is answered");
    }
    drop(killed);
    let heir = process(&bench, bench.store.clone(), OTHER_TOKEN).await;
    ask_for(&heir, Duration::from_secs(8)).await;
    let counts = bench.fake.limits().requests_by_window();
    assert_eq!(limited(&[&heir]), 0);
    assert!(counts.contains(&200) || counts.len() > 1, "all of it is used: {counts:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pause_that_one_process_was_told_of_stops_the_other() {
    let bench = bench(10, 600).await;
    let one = process(&bench, bench.store.clone(), bench.fake.token()).await;
    let other = process(&bench, bench.store.clone(), OTHER_TOKEN).await;
    // Both hold a slice already, with which they could go on.
    for client in [&one, &other] {
        client.get(&Request::new("version")).await.expect("it is answered");
    }
    set(&bench, 1, 600);
    let refused = async |client: &Client| {
        let asked = client.get(&Request::new("version")).await.expect_err("it is refused");
        assert!(matches!(asked.kind, ErrorKind::RateLimited { .. }), "{asked:?}");
    };
    bench.fake.limits().count(Some(&bench.fake.viewer().user_id.to_string()), "127.0.0.1");
    refused(&one).await;
    let before = bench.fake.counters().total();
    // The message needs a moment; a process that has not heard of it would send a request.
    tokio::time::sleep(Duration::from_millis(300)).await;
    refused(&other).await;
    assert_eq!(bench.fake.counters().total(), before, "the other sends nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_away_leaves_a_cautious_share() {
    let bench = bench(2000, 60).await;
    let database = TestDatabase::new().await;
    let client = process(&bench, database.store().await, bench.fake.token()).await;
    client.get(&Request::new("version")).await.expect("it is answered");
    let url = database.url().to_owned();
    let path = url.split('?').next().and_then(|it| it.rsplit('/').next());
    let name = path.expect("the address names a database");
    bench.execute(&format!("alter database {name} allow_connections false")).await;
    bench
        .execute(&format!("select pg_terminate_backend(pid) from pg_stat_activity where datname = '{name}'"))
        .await;
    let answered = ask_for(&client, Duration::from_secs(9)).await;
    assert!((100..=1100).contains(&answered), "it goes on, and leaves half to others: {answered}");
    assert_eq!(limited(&[&client]), 0);
}
