//! What an ordinary day costs: a little moved in every project, or a lot in one.

use catalogue::Connector;
use chrono::TimeDelta;
use fake_gitlab::FakeGitlab;
use fake_gitlab::truth::Reading;
use fake_gitlab::world::change::{Day, Spread};
use fake_gitlab::world::generate::Scale;
use fake_gitlab::world::model::{MergeRequestState, World};
use sync::Outcome;

use crate::equality::assert_equal;
use crate::harness::Bench;

/// Thirty projects in which there is enough to move.
fn scale() -> Scale {
    Scale {
        projects: 30,
        merge_requests_per_project: 12,
        pipelines_per_project: 6,
        oddities: false,
        shared_timestamp: 0,
        ..Scale::tiny()
    }
}

async fn sync(bench: &Bench) -> Outcome {
    let outcome = bench.sync_with(|it| it.connectors = Connector::ALL.to_vec()).await;
    assert!(outcome.ok, "{:?}", outcome.error);
    outcome
}

/// Deployments have tests of their own.
fn reading() -> Reading {
    let connectors = ["gitlab_pipelines", "gitlab_commits", "gitlab_commits_trunk"];
    connectors.into_iter().fold(Reading::new(true, false).with_issues(), Reading::with)
}

/// Requests of a sync after a day, beyond those of one in which nothing moved, for each that moved.
async fn for_each_that_moved(spread: Spread) -> f64 {
    let bench = Bench::new(FakeGitlab::builder().scale(scale()).seed(91)).await;
    sync(&bench).await;
    let idle = sync(&bench).await;
    let day = Day { merge_requests: 30, pipelines: 30, spread };
    let (merge_requests, pipelines) = bench.fake.world_mut().pass_a_day(day);
    let outcome = sync(&bench).await;
    assert_equal(&bench, reading()).await;
    let beyond = outcome.requests - idle.requests;
    beyond as f64 / (merge_requests + pipelines) as f64
}

#[tokio::test(flavor = "multi_thread")]
async fn a_little_in_every_project_is_read_for_many_projects_at_once() {
    let requests = for_each_that_moved(Spread::Scattered).await;
    assert!(requests <= 1.2, "{requests}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lot_in_one_project_is_read_in_pages() {
    let requests = for_each_that_moved(Spread::Clustered).await;
    // Three projects hold what moved, and each needs a look of its own.
    assert!(requests <= 0.4, "{requests}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_comment_does_not_have_the_default_branch_read() {
    let bench = Bench::new(FakeGitlab::builder().scale(scale()).seed(92)).await;
    sync(&bench).await;
    let day = Day { merge_requests: 30, pipelines: 0, spread: Spread::Scattered };
    assert_eq!(bench.fake.world_mut().pass_a_day(day), (30, 0));
    bench.fake.counters().reset();
    sync(&bench).await;
    assert_equal(&bench, reading()).await;
    let asked = bench.fake.counters().counts().by_operation.get("trunkHeads").copied().unwrap_or_default();
    let read = bench.fake.counters().of("/projects/{id}/repository/commits");
    assert_eq!((asked, read), (1, 0), "where the branches end tells that nothing was pushed");
}

/// One merge request of each of some projects.
fn one_of_each(bench: &Bench, projects: usize) -> Vec<(i64, i64)> {
    let world = bench.fake.world();
    let open = |project: i64| {
        let mut all = world.merge_requests.values().filter(|it| it.project_id == project);
        all.find(|it| it.state == MergeRequestState::Opened).map(|it| (it.id, it.author_id))
    };
    world.projects.keys().filter_map(|it| open(*it)).take(projects).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_merge_request_that_is_open_again_was_closed_by_nobody() {
    let bench = Bench::new(FakeGitlab::builder().scale(scale()).seed(93)).await;
    sync(&bench).await;
    let some = one_of_each(&bench, 5);
    let closed =
        "select count(*) from gitlab_merge_requests where state = 'closed' and closed_by_user_id is not null";
    let change = |with: fn(&mut World, i64, i64)| {
        let mut world = bench.fake.world_mut();
        world.advance(TimeDelta::hours(3));
        some.iter().for_each(|(merge_request, by)| with(&mut world, *merge_request, *by));
    };
    change(World::close);
    sync(&bench).await;
    assert_equal(&bench, reading()).await;
    assert!(bench.store.query(closed).await.expect("it runs").rows[0][0].as_i64() >= Some(5));
    change(World::reopen);
    sync(&bench).await;
    assert_equal(&bench, reading()).await;
}
