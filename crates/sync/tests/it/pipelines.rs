//! Pipelines and jobs: a first import, what changes, and what only GitLab's silence changes.

use catalogue::Connector;
use fake_gitlab::FakeGitlab;
use fake_gitlab::truth::Reading;
use fake_gitlab::world::change::{Kinds, random_ci_change};
use fake_gitlab::world::generate::Scale;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use sync::Outcome;

use crate::equality::{assert_equal, assert_equal_but};
use crate::harness::Bench;

const BOTH: [Connector; 2] = [Connector::Gitlab, Connector::GitlabPipelines];

async fn bench(seed: u64) -> Bench {
    Bench::new(FakeGitlab::builder().scale(Scale::tiny()).seed(seed)).await
}

async fn import(bench: &Bench, graphql: bool) -> Outcome {
    let outcome = bench
        .sync_with(|it| {
            it.connectors = BOTH.to_vec();
            it.rest_only = !graphql;
        })
        .await;
    assert!(outcome.ok, "{outcome:?}");
    outcome
}

fn reading(graphql: bool) -> Reading {
    Reading::new(graphql, false).with("gitlab_pipelines")
}

/// Changes. CI/CD that was switched off or on meanwhile is put back: a project out of sight keeps its rows, and the truth
/// does not show them.
pub fn change(bench: &Bench, seed: u64, count: usize) {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut world = bench.fake.world_mut();
    let access: Vec<(i64, String)> =
        world.projects.values().map(|it| (it.id, it.builds_access_level.clone())).collect();
    for _ in 0..count {
        let said = random_ci_change(&mut world, &mut random, Kinds::Visible);
        if std::env::var_os("WEIR_TEST_CHANGES").is_some() {
            eprintln!("{said}");
        }
    }
    for (project, level) in access {
        world.set_builds_access(project, &level);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pipelines_and_jobs_equal_the_truth_after_a_first_import() {
    let bench = bench(1).await;
    import(&bench, true).await;
    assert_equal(&bench, reading(true)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pipelines_and_jobs_equal_the_truth_after_a_first_import_by_rest_alone() {
    let bench = bench(2).await;
    import(&bench, false).await;
    assert_equal(&bench, reading(false)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_sync_of_pipelines_writes_nothing() {
    let bench = bench(3).await;
    let first = import(&bench, true).await;
    let second = import(&bench, true).await;
    let written: Vec<_> = second.resources.iter().filter(|(_, it)| it.written > 0).collect();
    assert!(written.is_empty(), "{written:?}");
    eprintln!("requests {} and {}", first.requests, second.requests);
}

async fn changes_are_found(seed: u64, graphql: bool) {
    let bench = bench(seed).await;
    import(&bench, graphql).await;
    change(&bench, seed, 500);
    import(&bench, graphql).await;
    assert_equal(&bench, reading(graphql)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn five_hundred_changes_of_pipelines_are_found() {
    changes_are_found(21, true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn five_hundred_other_changes_of_pipelines_are_found() {
    changes_are_found(22, true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn five_hundred_changes_of_pipelines_are_found_by_rest_alone() {
    changes_are_found(23, false).await;
}

/// GraphQL shows an empty list to a Guest where jobs are not public; REST refuses, and that is told.
#[tokio::test(flavor = "multi_thread")]
async fn pipelines_that_may_not_be_read_are_a_skip_and_not_an_empty_list() {
    let bench = bench(24).await;
    hide(&bench, true);
    let refused = |outcome: &Outcome| {
        outcome.skips.iter().filter(|it| it.resource == "pipelines" && it.reason == "forbidden").count()
    };
    let first = import(&bench, true).await;
    assert!(refused(&first) > 0, "{:?}", first.skips);
    let again = import(&bench, true).await;
    assert_eq!(refused(&again), refused(&first));
    assert!(again.requests < first.requests, "a refusal is not tested in every sync");
    hide(&bench, false);
    let seen = import(&bench, true).await;
    assert_eq!(refused(&seen), 0, "what GitLab shows again is read at once");
    // A bridge that was read before tells nothing of the pipeline that is in sight only now.
    assert_equal_but(&bench, reading(true), &["downstream_"]).await;
}

/// Makes the reader a Guest everywhere and jobs not public, or the reader a Developer again.
fn hide(bench: &Bench, hidden: bool) {
    let reader = bench.fake.viewer().user_id;
    let mut world = bench.fake.world_mut();
    let level = if hidden { 10 } else { 30 };
    for group in world.groups.values_mut() {
        group.members.entry(reader).and_modify(|it| it.access_level = level);
    }
    for project in world.projects.values_mut() {
        project.members.entry(reader).and_modify(|it| it.access_level = level);
        project.public_jobs = !hidden;
    }
}
