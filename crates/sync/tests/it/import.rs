//! A first import, and a second one with nothing to do.

use fake_gitlab::FakeGitlab;
use fake_gitlab::truth::Reading;
use fake_gitlab::world::generate::Scale;

use crate::equality::assert_equal;
use crate::harness::Bench;

const GRAPHQL: Reading = Reading::GRAPHQL;

#[tokio::test(flavor = "multi_thread")]
async fn after_a_full_sync_every_table_equals_the_truth() {
    let bench = Bench::new(FakeGitlab::builder().scale(Scale::tiny()).seed(1)).await;
    let outcome = bench.sync().await;
    assert!(outcome.ok, "{outcome:?}");
    assert_equal(&bench, GRAPHQL).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_full_sync_by_rest_alone_every_table_equals_the_truth() {
    let bench = Bench::new(FakeGitlab::builder().scale(Scale::tiny()).seed(2)).await;
    let outcome = bench.sync_with(|it| it.rest_only = true).await;
    assert!(outcome.ok, "{outcome:?}");
    assert_equal(&bench, Reading::REST).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_sync_with_nothing_changed_writes_nothing() {
    let bench = Bench::new(FakeGitlab::builder().scale(Scale::tiny()).seed(3)).await;
    bench.sync().await;
    let outcome = bench.sync().await;
    assert!(outcome.ok, "{outcome:?}");
    let written: Vec<_> = outcome.resources.iter().filter(|(_, it)| it.written > 0).collect();
    assert!(written.is_empty(), "{written:?}");
    eprintln!("requests {}", outcome.requests);
}
