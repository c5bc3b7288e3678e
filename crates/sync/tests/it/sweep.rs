//! What GitLab does not show when it happens is found by a sweep, and nothing is marked on a guess.

mod anything;
mod internal_notes;
mod never_guessed;
mod part;
mod projects;
mod proofs;
mod users;

use catalogue::Connector;
use chrono::TimeDelta;
use fake_gitlab::FakeGitlab;
use fake_gitlab::truth::Reading;
use fake_gitlab::world::generate::Scale;
use fake_gitlab::world::model::Id;
use serde_json::json;
use sync::Outcome;

use crate::equality::{assert_equal, assert_equal_but};
use crate::harness::Bench;

async fn bench(seed: u64) -> Bench {
    // Enough of everything that no project loses the last of a kind.
    let scale = Scale { deployments_per_project: 6, ..Scale::tiny() };
    Bench::new(FakeGitlab::builder().scale(scale).seed(seed)).await
}

async fn sync(bench: &Bench, graphql: bool, sweep: bool) -> Outcome {
    let change = |it: &mut sync::Options| {
        it.connectors = Connector::ALL.to_vec();
        it.deployment_merge_requests = true;
        it.rest_only = !graphql;
        it.sweep = sweep;
    };
    let outcome = bench.sync_with(change).await;
    assert!(outcome.ok, "{outcome:?}");
    outcome
}

fn reading(graphql: bool) -> Reading {
    Connector::ALL.iter().fold(Reading::new(graphql, false), |it, connector| it.with(connector.name()))
}

/// Merge requests of the project that has most of them.
fn some_merge_requests(bench: &Bench, count: usize) -> Vec<Id> {
    let world = bench.fake.world();
    let seen = |project: Id| {
        let project = &world.projects[&project];
        world.check_merge_requests(&bench.fake.viewer(), project).is_ok()
            && world.project_access_level(&bench.fake.viewer(), project).is_some()
    };
    let all = world.merge_requests.values().filter(|it| seen(it.project_id));
    all.step_by(7).take(count).map(|it| it.id).collect()
}

async fn deletions_are_found(seed: u64, graphql: bool) {
    let bench = bench(seed).await;
    sync(&bench, graphql, false).await;
    for id in some_merge_requests(&bench, 6) {
        bench.fake.world_mut().delete_merge_request(id);
    }
    let pipelines: Vec<Id> = {
        let world = bench.fake.world();
        world.ci.pipelines.values().filter(|it| !it.is_child()).step_by(9).map(|it| it.id).collect()
    };
    for id in pipelines {
        bench.fake.world_mut().delete_pipeline(id);
    }
    let notes: Vec<Id> = {
        let world = bench.fake.world();
        world.notes.values().filter(|it| !it.system).step_by(11).map(|it| it.id).collect()
    };
    for id in notes {
        bench.fake.world_mut().delete_note(id);
    }
    let (issues, deployments, environment) = {
        let world = bench.fake.world();
        let issues: Vec<Id> = world.issues.keys().copied().step_by(5).collect();
        let deployments: Vec<Id> = world.ci.deployments.keys().copied().step_by(4).collect();
        // The last one of a project is left: a list that is empty proves nothing.
        let several =
            |it: Id| world.ci.environments.values().filter(|other| other.project_id == it).count() > 1;
        let environment = world.ci.environments.values().find(|it| several(it.project_id)).map(|it| it.id);
        (issues, deployments, environment)
    };
    for id in issues {
        bench.fake.world_mut().delete_issue(id);
    }
    for id in deployments {
        bench.fake.world_mut().delete_deployment(id);
    }
    bench.fake.world_mut().delete_environment(environment.expect("there are environments"));
    // Environments are listed once in a run, and by GitLab's clock runs are told apart.
    bench.fake.world_mut().advance(TimeDelta::minutes(5));
    sync(&bench, graphql, true).await;
    // People who appear nowhere any more stay known.
    assert_equal_but(&bench, reading(graphql), &["gitlab_users"]).await;
    let reasons = "select distinct deleted_reason from gitlab_merge_requests where deleted_at is not null";
    assert_eq!(bench.store.query(reasons).await.expect("the query runs").rows, [[json!("deleted")]]);
    let below = "select count(*) > 0 from gitlab_jobs where deleted_reason = 'parent_deleted'";
    assert_eq!(bench.store.query(below).await.expect("the query runs").rows, [[json!(true)]]);
    let unproved = "select count(*) from weir.proofs where state <> 'proved'";
    assert_eq!(bench.store.query(unproved).await.expect("the query runs").rows, [[json!(0)]]);
}

#[tokio::test(flavor = "multi_thread")]
async fn deleted_things_are_found_by_a_sweep() {
    deletions_are_found(31, true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn deleted_things_are_found_by_a_sweep_by_rest_alone() {
    deletions_are_found(32, false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sweep_that_finds_nothing_writes_nothing_and_costs_little() {
    let bench = bench(33).await;
    sync(&bench, true, false).await;
    let plain = sync(&bench, true, false).await;
    let swept = sync(&bench, true, true).await;
    let written: Vec<_> = swept.resources.iter().filter(|(_, it)| it.written > 0).collect();
    assert!(written.is_empty(), "{written:?}");
    let (projects, merge_requests, deploying) = {
        let world = bench.fake.world();
        let deploying: std::collections::BTreeSet<_> =
            world.ci.deployments.values().map(|it| it.project_id).collect();
        (world.projects.len() as u64, world.merge_requests.len() as u64, deploying.len() as u64)
    };
    // GraphQL counts no deployments: a sweep asks for them, and for the environments, of each project that has any.
    let most = projects.div_ceil(10) + merge_requests.div_ceil(100) + 2 * deploying;
    assert!(swept.requests - plain.requests <= most, "{} and {}", plain.requests, swept.requests);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_crash_or_a_person_took_away_from_the_tables_is_read_again() {
    let bench = bench(34).await;
    sync(&bench, true, false).await;
    for id in some_merge_requests(&bench, 4) {
        let sql = format!("delete from gitlab_merge_requests where id = {id}");
        bench.execute(&sql).await;
    }
    bench.execute("delete from gitlab_pipelines where id % 5 = 0").await;
    sync(&bench, true, true).await;
    assert_equal(&bench, reading(true)).await;
}

/// What comes back, because it was only hidden, is healed with everything below it.
#[tokio::test(flavor = "multi_thread")]
async fn what_returns_is_healed() {
    let bench = bench(36).await;
    sync(&bench, true, false).await;
    let before = bench.fake.world().clone();
    for id in some_merge_requests(&bench, 5) {
        bench.fake.world_mut().delete_merge_request(id);
    }
    sync(&bench, true, true).await;
    assert_equal(&bench, reading(true)).await;
    let url = bench.fake.world().url.clone();
    *bench.fake.world_mut() = before;
    bench.fake.world_mut().url = url;
    sync(&bench, true, true).await;
    assert_equal(&bench, reading(true)).await;
}
