//! Two `weir worker` on one database.

use std::process::Stdio;
use std::time::Duration;

use fake_gitlab::FakeGitlab;
use fake_gitlab::limits::{LimitSettings, Throttle};
use fake_gitlab::truth::{Reading, differences, truth};
use fake_gitlab::world::generate::Scale;

use crate::bench::Bench;
use crate::serve::{KEY, serve, with_key};

const LIMIT: u64 = 40;
const WINDOW: Duration = Duration::from_secs(3);

/// Imports with two workers and kills one of them in the middle.
async fn import(killed: usize) {
    let scale = Scale { projects: 12, merge_requests_per_project: 60, ..Scale::tiny() };
    let bench = Bench::with(
        FakeGitlab::builder().scale(scale).seed(17).latency(Duration::from_millis(30), Duration::ZERO),
    )
    .await;
    let per_user = Some(Throttle { limit: LIMIT, period: WINDOW });
    let serving = serve(&bench, "serve --no-workers").await;
    bench.fake.limits().set(LimitSettings { per_user, ..LimitSettings::default() });
    let id = serving.connect(&bench).await;
    let before = bench.fake.counters().total();
    let mut workers = Vec::new();
    for _ in 0..2 {
        workers.push(with_key(&bench, "worker", KEY).stderr(Stdio::null()).spawn().unwrap());
        // The first leads.
        while bench.fake.counters().total() == before {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
    while bench.fake.counters().total() < before + 50 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    workers[killed].kill().await.unwrap();
    // What it held is free when its leases lapse, a minute or two later.
    for table in ["tasks", "leases", "pending"] {
        let lapse = format!("update weir.{table} set until = clock_timestamp() where until is not null");
        bench.database.execute(&lapse).await;
    }
    serving.until_synced(id).await;
    let by_window = bench.fake.limits().requests_by_window();
    // How much of its share a killed process has used only GitLab can tell: one request may be one too many.
    assert!(by_window.iter().all(|it| *it <= LIMIT + 1), "{by_window:?}");
    let store = bench.database.store().await;
    let wanted = truth(&bench.fake.world(), &bench.fake.viewer(), Reading::GRAPHQL.with_issues());
    for (table, rows) in wanted {
        let wrong = differences(table, &rows, &store.live_rows(table).await.unwrap());
        assert!(wrong.is_empty(), "{table}: {wrong:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_leads_may_be_killed_and_the_other_ends_the_sync_within_the_limit() {
    import(0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_helps_may_be_killed_and_the_other_ends_the_sync_within_the_limit() {
    import(1).await;
}
