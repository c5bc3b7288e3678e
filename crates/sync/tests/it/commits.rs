//! Commits of merge requests and of default branches: a first import, what changes, and what only the commits show.

mod pushes;
mod trouble;
mod trunk;

use std::time::Duration;

use catalogue::Connector;
use chrono::TimeDelta;
use fake_gitlab::FakeGitlab;
use fake_gitlab::truth::{Reading, differences, truth};
use fake_gitlab::world::change::{Subject, random_change_among};
use fake_gitlab::world::generate::Scale;
use fake_gitlab::world::model::MergeRequestState;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use sync::Outcome;

use crate::harness::Bench;

const COMMITS: [Connector; 1] = [Connector::GitlabCommits];
const TRUNK: [Connector; 1] = [Connector::GitlabCommitsTrunk];
const BOTH: [Connector; 2] = [Connector::GitlabCommits, Connector::GitlabCommitsTrunk];

async fn bench(seed: u64) -> Bench {
    Bench::new(FakeGitlab::builder().scale(Scale::tiny()).seed(seed)).await
}

async fn import(bench: &Bench, connectors: &[Connector], graphql: bool) -> Outcome {
    let outcome = bench
        .sync_with(|it| {
            it.connectors = connectors.to_vec();
            it.rest_only = !graphql;
        })
        .await;
    assert!(outcome.ok, "{outcome:?}");
    outcome
}

fn tables(connectors: &[Connector]) -> Vec<&'static str> {
    let table = |it: &Connector| match it {
        Connector::GitlabCommits => Some("gitlab_merge_request_commits"),
        Connector::GitlabCommitsTrunk => Some("gitlab_commits"),
        _ => None,
    };
    connectors.iter().filter_map(table).collect()
}

/// Panics with the first differences in the tables of these connectors.
async fn assert_commits(bench: &Bench, connectors: &[Connector]) {
    assert_equal_to(bench, connectors, Reading::GRAPHQL).await;
}

async fn assert_equal_to(bench: &Bench, connectors: &[Connector], reading: Reading) {
    let reading = reading.with("gitlab_commits").with("gitlab_commits_trunk");
    let wanted = truth(&bench.fake.world(), &bench.fake.viewer(), reading);
    for table in tables(connectors) {
        let stored = bench.store.live_rows(table).await.expect("the table can be read");
        assert!(!stored.is_empty(), "{table} is empty");
        let wrong = differences(table, &wanted[table], &stored);
        let first: Vec<&String> = wrong.iter().take(30).collect();
        assert!(wrong.is_empty(), "{} differences: {first:#?}", wrong.len());
    }
}

fn change(bench: &Bench, seed: u64, count: usize) {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut world = bench.fake.world_mut();
    for _ in 0..count {
        let said = random_change_among(&mut world, &mut random, &[Subject::Trunk, Subject::Branches]);
        if std::env::var_os("WEIR_TEST_CHANGES").is_some() {
            eprintln!("{said}");
        }
    }
}

async fn first_import(seed: u64, connectors: &[Connector], graphql: bool) {
    let bench = bench(seed).await;
    let outcome = import(&bench, connectors, graphql).await;
    assert_commits(&bench, connectors).await;
    eprintln!("{connectors:?} graphql {graphql}: {} requests", outcome.requests);
}

#[tokio::test(flavor = "multi_thread")]
async fn commits_of_merge_requests_equal_the_truth_after_a_first_import() {
    first_import(801, &COMMITS, true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn commits_of_merge_requests_equal_the_truth_after_a_first_import_by_rest_alone() {
    first_import(802, &COMMITS, false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn commits_of_default_branches_equal_the_truth_after_a_first_import() {
    first_import(803, &TRUNK, true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn commits_of_default_branches_equal_the_truth_after_a_first_import_by_rest_alone() {
    first_import(804, &TRUNK, false).await;
}

/// Commits are stored by the time that issues are asked for.
#[tokio::test(flavor = "multi_thread")]
async fn a_first_import_does_not_check_what_it_has_just_read() {
    let builder = FakeGitlab::builder().scale(Scale::tiny()).seed(818);
    let bench = Bench::new(builder.latency(Duration::from_millis(30), Duration::ZERO)).await;
    import(&bench, &Connector::ALL, true).await;
    let counts = bench.fake.counters().counts();
    let checks = counts.by_operation.get("openMergeRequests").copied().unwrap_or_default();
    assert_eq!(checks, 0);
}

async fn all_connectors(seed: u64, graphql: bool) {
    let bench = bench(seed).await;
    import(&bench, &Connector::ALL, graphql).await;
    let reading = Reading::new(graphql, false).with("gitlab_pipelines");
    let reading = reading.with("gitlab_commits").with("gitlab_commits_trunk");
    crate::equality::assert_equal(&bench, reading).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn all_connectors_together_equal_the_truth() {
    all_connectors(805, true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn all_connectors_together_equal_the_truth_by_rest_alone() {
    all_connectors(806, false).await;
}

async fn a_second_sync_writes_nothing(seed: u64, connectors: &[Connector], graphql: bool) -> u64 {
    let bench = bench(seed).await;
    import(&bench, connectors, graphql).await;
    // Where GitLab does not count commits, what follows an activity within the hour leaves no trace.
    bench.fake.world_mut().advance(TimeDelta::hours(2));
    if !graphql {
        import(&bench, connectors, graphql).await;
    }
    let second = import(&bench, connectors, graphql).await;
    let written: Vec<_> = second.resources.iter().filter(|(_, it)| it.written > 0).collect();
    assert!(written.is_empty(), "{written:?}");
    second.requests
}

/// 3P/100 + T + O/50 + 10 for P projects, T top-level groups and O open merge requests.
async fn bound(seed: u64) -> u64 {
    let bench = bench(seed).await;
    let world = bench.fake.world();
    let open = world.merge_requests.values().filter(|it| it.state == MergeRequestState::Opened).count();
    let groups = world.groups.values().filter(|it| it.parent_id.is_none()).count();
    (3 * world.projects.len()).div_ceil(100) as u64 + groups as u64 + (open / 50) as u64 + 10
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_sync_of_all_connectors_writes_nothing_and_stays_within_the_bound() {
    let requests = a_second_sync_writes_nothing(807, &Connector::ALL, true).await;
    let bound = bound(807).await;
    assert!(requests <= bound, "{requests} requests, {bound} are allowed");
    eprintln!("all connectors, nothing to do: {requests} requests of {bound}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_sync_of_commits_alone_writes_nothing_and_stays_within_the_bound() {
    let requests = a_second_sync_writes_nothing(808, &BOTH, true).await;
    let bound = bound(808).await;
    assert!(requests <= bound, "{requests} requests, {bound} are allowed");
    eprintln!("commits alone, nothing to do: {requests} requests of {bound}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_sync_of_commits_by_rest_alone_writes_nothing() {
    let requests = a_second_sync_writes_nothing(809, &BOTH, false).await;
    eprintln!("commits by REST alone, nothing to do: {requests} requests");
}

async fn changes_are_found(seed: u64, connectors: &[Connector], graphql: bool) {
    let bench = bench(seed).await;
    import(&bench, connectors, graphql).await;
    for round in 0..3 {
        change(&bench, seed + round, 150);
        import(&bench, connectors, graphql).await;
        assert_commits(&bench, connectors).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn hundreds_of_pushes_and_merges_are_found() {
    changes_are_found(810, &Connector::ALL, true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn hundreds_of_other_pushes_and_merges_are_found_by_the_connectors_of_commits_alone() {
    for seed in [820, 830, 840] {
        changes_are_found(seed, &BOTH, true).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn hundreds_of_pushes_and_merges_are_found_by_rest_alone() {
    for seed in [850, 860] {
        changes_are_found(seed, &BOTH, false).await;
    }
}
