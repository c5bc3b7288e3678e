//! Pushes that leave little trace, and lists that are long.

use catalogue::Connector;
use chrono::TimeDelta;
use fake_gitlab::world::model::{Id, MergeRequestState, Time};

use super::{COMMITS, assert_commits, bench, import};
use crate::harness::Bench;

/// An open merge request in sight, one that has commits.
fn open(bench: &Bench) -> (Id, Id) {
    let world = bench.fake.world();
    let sees = |project: Id| {
        world.check_merge_requests(&bench.fake.viewer(), &world.projects[&project]).is_ok()
            && world.project_access_level(&bench.fake.viewer(), &world.projects[&project]).is_some()
    };
    let mut open = world
        .merge_requests
        .values()
        .filter(|it| it.state == MergeRequestState::Opened && !it.commits.is_empty() && sees(it.project_id));
    let it = open.next().expect("a merge request is open");
    (it.id, it.author_id)
}

fn moved(bench: &Bench, id: Id) -> Time {
    bench.fake.world().merge_requests[&id].updated_at
}

/// Says something, which moves it, and lets the sync see that.
async fn touched(bench: &Bench, connectors: &[Connector], graphql: bool) -> (Id, Id) {
    let (id, author) = open(bench);
    bench.fake.world_mut().advance(TimeDelta::hours(1));
    bench.fake.world_mut().comment(id, author, "Soon.");
    import(bench, connectors, graphql).await;
    (id, author)
}

async fn a_push_within_a_minute_is_found(seed: u64, connectors: &[Connector], graphql: bool) {
    for force in [false, true] {
        let bench = bench(seed).await;
        let (id, author) = touched(&bench, connectors, graphql).await;
        let before = moved(&bench, id);
        bench.fake.world_mut().advance(TimeDelta::seconds(20));
        match force {
            true => bench.fake.world_mut().force_push(id, author),
            false => bench.fake.world_mut().push_commits(id, author, 2),
        }
        assert_eq!(moved(&bench, id), before, "GitLab does not move it");
        // Beyond what is read again behind the last sync: only the head shows it.
        bench.fake.world_mut().advance(TimeDelta::hours(3));
        let outcome = import(&bench, connectors, graphql).await;
        assert!(outcome.resources["gitlab_merge_request_commits"].written > 0, "{outcome:?}");
        assert_commits(&bench, &COMMITS).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_push_that_moves_nothing_is_known_by_its_head() {
    a_push_within_a_minute_is_found(901, &COMMITS, true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_push_that_moves_nothing_is_known_by_its_head_with_all_connectors() {
    a_push_within_a_minute_is_found(902, &Connector::ALL, true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_push_that_moves_nothing_is_known_by_its_head_by_rest_alone() {
    a_push_within_a_minute_is_found(903, &COMMITS, false).await;
}

/// What a forced push replaced is marked with the reason, and lives again when it returns.
#[tokio::test(flavor = "multi_thread")]
async fn commits_that_a_forced_push_replaced_are_marked_and_heal() {
    const GONE: &str = "select count(*) from gitlab_merge_request_commits where deleted_reason = 'removed'";
    let bench = bench(904).await;
    import(&bench, &COMMITS, true).await;
    let (id, author) = open(&bench);
    let (before, sha) = {
        let it = &bench.fake.world().merge_requests[&id];
        (it.commits.clone(), it.sha.clone())
    };
    bench.fake.world_mut().advance(TimeDelta::hours(1));
    bench.fake.world_mut().force_push(id, author);
    import(&bench, &COMMITS, true).await;
    assert_commits(&bench, &COMMITS).await;
    let gone = || async { bench.store.query(GONE).await.expect("it counts").rows[0][0].as_i64() };
    assert_eq!(gone().await, Some(before.len() as i64));
    {
        let mut world = bench.fake.world_mut();
        world.advance(TimeDelta::hours(1));
        let it = world.merge_requests.get_mut(&id).expect("it is there");
        (it.commits, it.sha) = (before.clone(), sha);
    }
    bench.fake.world_mut().comment(id, author, "Back again.");
    import(&bench, &COMMITS, true).await;
    assert_commits(&bench, &COMMITS).await;
    assert_eq!(gone().await, Some(before.len() as i64), "those of the forced push are gone now");
}

/// One merge request of the first project has 250 commits.
#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_and_fifty_commits_are_read_whole() {
    for graphql in [true, false] {
        let bench = bench(905).await;
        let many: Vec<Id> = {
            let world = bench.fake.world();
            world.merge_requests.values().filter(|it| it.commits.len() >= 250).map(|it| it.id).collect()
        };
        assert!(!many.is_empty(), "the fake has one");
        import(&bench, &COMMITS, graphql).await;
        assert_commits(&bench, &COMMITS).await;
        let lists = bench.fake.counters().of("/projects/{id}/merge_requests/{iid}/commits");
        assert!(!graphql || lists == 3 * many.len() as u64, "{lists} requests");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn commits_of_merge_requests_cost_a_fraction_of_a_request_each() {
    use fake_gitlab::FakeGitlab;
    use fake_gitlab::world::generate::Scale;
    let bench = Bench::new(FakeGitlab::builder().scale(Scale::small()).seed(906)).await;
    let outcome = import(&bench, &COMMITS, true).await;
    assert_commits(&bench, &COMMITS).await;
    let merge_requests = bench
        .store
        .query("select count(distinct (project_id, merge_request_id)) from gitlab_merge_request_commits");
    let merge_requests = merge_requests.await.expect("it counts").rows[0][0].as_u64().expect("a number");
    eprintln!("{} requests for {merge_requests} merge requests", outcome.requests);
    assert!(outcome.requests * 10 <= merge_requests, "{} for {merge_requests}", outcome.requests);
}

/// A GitLab whose GraphQL does not list commits is read by REST.
#[tokio::test(flavor = "multi_thread")]
async fn an_older_schema_is_no_obstacle() {
    use fake_gitlab::world::generate::Scale;
    use fake_gitlab::{FakeGitlab, Settings};
    for field in ["MergeRequest.commits", "Commit.fullTitle", "Commit.committedDate", "Project.statistics"] {
        let settings = Settings { graphql_without: vec![field.to_owned()], ..Settings::default() };
        let builder = FakeGitlab::builder().scale(Scale::tiny()).seed(907).settings(settings);
        let bench = Bench::new(builder).await;
        import(&bench, &super::BOTH, true).await;
        assert_commits(&bench, &super::BOTH).await;
    }
}
