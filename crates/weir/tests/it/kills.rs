//! kill -9 at random moments: the command that is run again ends with the truth.

use std::time::Duration;

use fake_gitlab::FakeGitlab;
use fake_gitlab::faults::{ALL_FAULTS, FaultPlan};
use fake_gitlab::truth::{Reading, differences, truth};
use fake_gitlab::world::generate::Scale;

use crate::bench::Bench;

const KILLS: u64 = 50;

/// A number below `most` that differs from one kill to the next and is the same in every run.
fn scattered(number: u64, most: u64) -> u64 {
    number.wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(29) % most
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_kills_at_random_moments_lose_nothing() {
    let bench = Bench::with(FakeGitlab::builder().scale(Scale::tiny()).seed(101)).await;
    // With faults the client tries again and backs off, so that there is time to be killed in.
    bench.fake.faults().set_plan(Some(FaultPlan::new(0.02, &ALL_FAULTS[..5], 101)));
    let mut killed = 0;
    for number in 1..=KILLS {
        let mut running = bench.weir("sync --json").spawn().unwrap();
        tokio::time::sleep(Duration::from_millis(10 + scattered(number, 290))).await;
        killed += u64::from(running.try_wait().unwrap().is_none());
        running.kill().await.unwrap();
    }
    assert!(killed >= KILLS / 2, "most were killed in the middle: {killed} of {KILLS}");
    bench.fake.faults().set_plan(None);
    bench.run("sync --json").await.ended_with(0);
    let store = bench.database.store().await;
    let reading = Reading::new(true, false)
        .with("gitlab_pipelines")
        .with("gitlab_commits")
        .with("gitlab_commits_trunk")
        .with_issues();
    let wanted = truth(&bench.fake.world(), &bench.fake.viewer(), reading);
    for (table, rows) in wanted {
        let wrong = differences(table, &rows, &store.live_rows(table).await.unwrap());
        assert!(wrong.is_empty(), "{table}: {wrong:?}");
    }
}
