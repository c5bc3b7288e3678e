//! Environments and deployments: a first import, what changes, what a sync with nothing to do costs, and the merge requests
//! of a deployment.

mod changes;
mod links;

use catalogue::Connector;
use chrono::TimeDelta;
use fake_gitlab::FakeGitlab;
use fake_gitlab::truth::{Reading, Tables, differences, truth};
use fake_gitlab::world::generate::Scale;
use serde_json::Value;
use sync::{Options, Outcome};

use crate::harness::Bench;

const ENVIRONMENTS: &str = "/projects/{id}/environments";
const DEPLOYMENTS: &str = "/projects/{id}/deployments";
const LINKS: &str = "/projects/{id}/deployments/{deployment_id}/merge_requests";
const LINKS_TABLE: &str = "gitlab_deployment_merge_requests";

const ALONE: [Connector; 1] = [Connector::GitlabDeployments];
const TABLES: [&str; 3] = ["gitlab_environments", "gitlab_deployments", LINKS_TABLE];

/// Every third project deploys.
async fn bench(seed: u64) -> Bench {
    let scale = Scale { projects: 12, deployments_per_project: 6, ..Scale::tiny() };
    Bench::new(FakeGitlab::builder().scale(scale).seed(seed)).await
}

async fn import(bench: &Bench, change: impl FnOnce(&mut Options)) -> Outcome {
    bench.fake.counters().reset();
    let outcome = bench.sync_with(change).await;
    assert!(outcome.ok, "{outcome:?}");
    outcome
}

/// A sync of this connector and no other.
async fn alone(bench: &Bench, graphql: bool) -> Outcome {
    import(bench, |it| (it.connectors, it.rest_only) = (ALONE.to_vec(), !graphql)).await
}

/// The same, with the merge requests of deployments.
async fn alone_with_links(bench: &Bench, graphql: bool) -> Outcome {
    let change = |it: &mut Options| {
        (it.connectors, it.rest_only, it.deployment_merge_requests) = (ALONE.to_vec(), !graphql, true);
    };
    import(bench, change).await
}

fn wanted(bench: &Bench, graphql: bool) -> Tables {
    let reading = Reading::new(graphql, false).with("gitlab_pipelines").with("gitlab_deployments");
    truth(&bench.fake.world(), &bench.fake.viewer(), reading)
}

/// Panics with the first differences of these tables.
async fn assert_tables(bench: &Bench, graphql: bool, tables: &[&str]) {
    let wanted = wanted(bench, graphql);
    let mut wrong = Vec::new();
    for table in tables {
        assert!(!wanted[table].is_empty(), "the world has no {table}");
        let stored = bench.store.live_rows(table).await.expect("the table can be read");
        wrong.extend(differences(table, &wanted[table], &stored));
    }
    let first: Vec<&String> = wrong.iter().take(30).collect();
    assert!(wrong.is_empty(), "{} differences: {first:#?}", wrong.len());
}

async fn assert_deployments(bench: &Bench, graphql: bool) {
    assert_tables(bench, graphql, &TABLES[..2]).await;
}

/// Lets GitLab's time pass, as the sync sees it.
fn pass(bench: &Bench, time: TimeDelta) {
    bench.fake.world_mut().advance(time);
}

/// Requests to an endpoint since the last sync began.
fn asked(bench: &Bench, endpoint: &str) -> u64 {
    bench.fake.counters().of(endpoint)
}

/// What a row of a table says.
async fn value(bench: &Bench, sql: &str) -> Value {
    let mut rows = bench.store.query(sql).await.expect("the query is right").rows;
    rows.swap_remove(0).swap_remove(0)
}

fn assert_nothing_written(outcome: &Outcome) {
    let written: Vec<_> = outcome.resources.iter().filter(|(_, it)| it.written > 0).collect();
    assert!(written.is_empty(), "{written:?}");
}

/// At most one request for the environments of a project, one for its deployments, and twelve for a thousand of them.
async fn a_first_import_equals_the_truth(bench: Bench, graphql: bool) {
    let outcome = alone(&bench, graphql).await;
    assert_deployments(&bench, graphql).await;
    let stored = bench.store.live_rows(LINKS_TABLE).await.expect("the table can be read");
    assert_eq!((stored.len(), asked(&bench, LINKS)), (0, 0), "nobody asked for them");
    let tables = wanted(&bench, graphql);
    let deployments = tables["gitlab_deployments"].len() as u64;
    let projects = tables["gitlab_projects"].len() as u64;
    let (listed, looked) = (asked(&bench, DEPLOYMENTS), asked(&bench, ENVIRONMENTS));
    assert!(looked <= projects, "{looked} requests for the environments of {projects} projects");
    assert!(listed <= projects + deployments * 12 / 1000, "{listed} requests for {deployments}");
    eprintln!("{} requests: {looked} and {listed} for {deployments} deployments", outcome.requests);
}

#[tokio::test(flavor = "multi_thread")]
async fn deployments_equal_the_truth_after_a_first_import() {
    a_first_import_equals_the_truth(bench(801).await, true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn deployments_equal_the_truth_after_a_first_import_by_rest_alone() {
    a_first_import_equals_the_truth(bench(802).await, false).await;
}

async fn long(seed: u64) -> Bench {
    let scale = Scale { deployments_per_project: 450, ..Scale::tiny() };
    Bench::new(FakeGitlab::builder().scale(scale).seed(seed)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_list_of_deployments_is_read_whole() {
    a_first_import_equals_the_truth(long(808).await, true).await;
}

/// More than a page of them: there is no telling by their times where a page ended.
#[tokio::test(flavor = "multi_thread")]
async fn deployments_that_share_one_moment_are_read_whole() {
    let bench = long(809).await;
    {
        let mut world = bench.fake.world_mut();
        let moment = world.ci.deployments.values().nth(200).expect("there are many").updated_at;
        for deployment in world.ci.deployments.values_mut().skip(50).take(280) {
            deployment.updated_at = moment;
        }
    }
    alone(&bench, true).await;
    assert_deployments(&bench, true).await;
    // Again, and forward.
    pass(&bench, TimeDelta::hours(1));
    {
        let mut world = bench.fake.world_mut();
        let now = world.now;
        for deployment in world.ci.deployments.values_mut().skip(50).take(280) {
            deployment.updated_at = now;
        }
    }
    pass(&bench, TimeDelta::hours(25));
    alone(&bench, true).await;
    assert_deployments(&bench, true).await;
}

async fn all_connectors_equal_the_truth(seed: u64, graphql: bool) {
    let bench = bench(seed).await;
    let change = |it: &mut Options| (it.connectors, it.rest_only) = (Connector::ALL.to_vec(), !graphql);
    import(&bench, change).await;
    let wanted = wanted(&bench, graphql);
    let tables: Vec<&str> = wanted.keys().copied().filter(|it| *it != LINKS_TABLE).collect();
    for table in &tables {
        let stored = bench.store.live_rows(table).await.expect("the table can be read");
        assert_eq!(differences(table, &wanted[table], &stored), Vec::<String>::new());
    }
    let second = import(&bench, change).await;
    assert_nothing_written(&second);
}

#[tokio::test(flavor = "multi_thread")]
async fn deployments_beside_the_other_connectors_equal_the_truth() {
    all_connectors_equal_the_truth(803, true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn deployments_beside_the_other_connectors_equal_the_truth_by_rest_alone() {
    all_connectors_equal_the_truth(804, false).await;
}

/// 3P/100 + T + O/50 + 10: what a sync with nothing to do may cost.
fn idle_bound(bench: &Bench) -> u64 {
    let tables = wanted(bench, true);
    let world = bench.fake.world();
    let tops = world.groups.values().filter(|it| it.parent_id.is_none()).count() as u64;
    let open = tables["gitlab_merge_requests"].iter().filter(|it| it["state"] == "opened").count() as u64;
    3 * tables["gitlab_projects"].len() as u64 / 100 + tops + open / 50 + 10
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sync_of_all_connectors_with_nothing_to_do_stays_within_its_bound() {
    let scale = Scale { projects: 60, oddities: false, ..Scale::tiny() };
    let bench = Bench::new(FakeGitlab::builder().scale(scale).seed(805)).await;
    let all = |it: &mut Options| it.connectors = Connector::ALL.to_vec();
    import(&bench, all).await;
    // What moved within the last two minutes is read again: GitLab's times are not that exact.
    pass(&bench, TimeDelta::hours(1));
    import(&bench, all).await;
    pass(&bench, TimeDelta::hours(1));
    let idle = import(&bench, all).await;
    assert_nothing_written(&idle);
    let bound = idle_bound(&bench);
    eprintln!("{} requests, {bound} allowed", idle.requests);
    assert!(idle.requests <= bound, "{} requests, {bound} allowed", idle.requests);
    assert_eq!((asked(&bench, ENVIRONMENTS), asked(&bench, DEPLOYMENTS)), (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn deployments_alone_cost_nothing_while_nothing_moves() {
    let bench = bench(806).await;
    alone(&bench, true).await;
    pass(&bench, TimeDelta::hours(1));
    alone(&bench, true).await;
    pass(&bench, TimeDelta::hours(1));
    let idle = alone(&bench, true).await;
    assert_nothing_written(&idle);
    let (looked, listed) = (asked(&bench, ENVIRONMENTS), asked(&bench, DEPLOYMENTS));
    eprintln!("{} requests: {looked} and {listed}", idle.requests);
    assert_eq!(looked, 0);
    // The world has a project in which a pipeline runs for ever.
    assert!(listed <= 1, "{listed}");
    assert!(idle.requests <= idle_bound(&bench), "{} requests", idle.requests);
}

#[tokio::test(flavor = "multi_thread")]
async fn by_rest_alone_a_sync_with_nothing_to_do_costs_a_request_for_each_project() {
    let bench = bench(807).await;
    alone(&bench, false).await;
    pass(&bench, TimeDelta::hours(1));
    let idle = alone(&bench, false).await;
    assert_nothing_written(&idle);
    let projects = wanted(&bench, false)["gitlab_projects"].len() as u64;
    assert_eq!(asked(&bench, ENVIRONMENTS), 0);
    assert!(asked(&bench, DEPLOYMENTS) <= projects, "{}", asked(&bench, DEPLOYMENTS));
}
