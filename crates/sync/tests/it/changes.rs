//! What changes between two syncs is found by the second.

use fake_gitlab::truth::Reading;
use fake_gitlab::world::change::{Kinds, random_change};
use fake_gitlab::world::generate::Scale;
use fake_gitlab::{Edition, FakeGitlab};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use crate::equality::assert_equal;
use crate::harness::Bench;

const CHANGES: usize = 1000;

/// A sync, a thousand changes, another sync, and the truth.
async fn changes_are_found(seed: u64, edition: Edition, graphql: bool) {
    let bench = Bench::new(FakeGitlab::builder().scale(Scale::tiny()).seed(seed).edition(edition)).await;
    let first = bench.sync_with(|it| it.rest_only = !graphql).await;
    assert!(first.ok, "{:?}", first.error);
    assert_equal(&bench, Reading::new(graphql, false)).await;
    change(&bench, seed, CHANGES);
    let second = bench.sync_with(|it| it.rest_only = !graphql).await;
    assert!(second.ok, "{:?}", second.error);
    assert_equal(&bench, Reading::new(graphql, false)).await;
}

pub fn change(bench: &Bench, seed: u64, count: usize) {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut world = bench.fake.world_mut();
    for _ in 0..count {
        let said = random_change(&mut world, &mut random, Kinds::Visible);
        if std::env::var_os("WEIR_TEST_CHANGES").is_some() {
            eprintln!("{said}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_changes_are_found_by_graphql() {
    changes_are_found(301, Edition::Free, true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_changes_are_found_by_graphql_on_premium() {
    changes_are_found(12, Edition::Premium, true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_changes_are_found_by_graphql_on_the_community_edition() {
    changes_are_found(403, Edition::Ce, true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_changes_are_found_by_rest_alone() {
    changes_are_found(704, Edition::Free, false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_changes_are_found_by_rest_alone_on_the_community_edition() {
    changes_are_found(15, Edition::Ce, false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_changes_are_found_by_rest_alone_on_premium() {
    changes_are_found(16, Edition::Premium, false).await;
}
