//! A sweep of what is stored only from a day on, and of default branches.

use chrono::{DateTime, Utc};

use super::*;

async fn sync_since(bench: &Bench, graphql: bool, since: DateTime<Utc>, sweep: bool) -> Outcome {
    let change = |it: &mut sync::Options| {
        it.connectors = Connector::ALL.to_vec();
        it.scope.since = Some(since);
        (it.rest_only, it.sweep) = (!graphql, sweep);
    };
    let outcome = bench.sync_with(change).await;
    assert!(outcome.ok, "{outcome:?}");
    outcome
}

async fn count(bench: &Bench, sql: &str) -> i64 {
    bench.store.query(sql).await.expect("the query runs").rows[0][0].as_i64().expect("a number")
}

const ROWS: &str =
    "select (select count(*) from gitlab_merge_requests) + (select count(*) from gitlab_issues)
                         + (select count(*) from gitlab_pipelines) + (select count(*) from gitlab_deployments)
                         + (select count(*) from gitlab_commits)";

async fn what_is_older_than_asked_for_is_left_alone(seed: u64, graphql: bool) {
    let bench = bench(seed).await;
    let since = {
        let world = bench.fake.world();
        let mut moved: Vec<_> = world.merge_requests.values().map(|it| it.updated_at).collect();
        moved.sort();
        moved[moved.len() / 2]
    };
    sync_since(&bench, graphql, since, false).await;
    let before = count(&bench, ROWS).await;
    sync_since(&bench, graphql, since, true).await;
    assert_eq!(count(&bench, ROWS).await, before);
    let open =
        "select project_id, resource, state, theirs, ours, detail from weir.proofs where state <> 'proved'";
    let open = bench.store.query(open).await.expect("the query runs").rows;
    assert!(open.is_empty(), "{open:?}");
    // What is deleted of the newer part is found all the same.
    let newer: Vec<Id> = {
        let world = bench.fake.world();
        let some = some_merge_requests(&bench, 20).into_iter();
        some.filter(|it| world.merge_requests[it].updated_at >= since).take(3).collect()
    };
    assert!(!newer.is_empty());
    for id in &newer {
        bench.fake.world_mut().delete_merge_request(*id);
    }
    sync_since(&bench, graphql, since, true).await;
    let marked = "select count(*) from gitlab_merge_requests where deleted_at is not null";
    assert_eq!(count(&bench, marked).await, newer.len() as i64);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sweep_leaves_alone_what_is_older_than_was_asked_for() {
    what_is_older_than_asked_for_is_left_alone(71, true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sweep_by_rest_alone_leaves_alone_what_is_older_than_was_asked_for() {
    what_is_older_than_asked_for_is_left_alone(72, false).await;
}

/// As many commits in the place of others, within the hour in which GitLab does not move the last activity again.
#[tokio::test(flavor = "multi_thread")]
async fn a_default_branch_that_was_replaced_unseen_is_found_by_a_sweep() {
    let bench = bench(73).await;
    let (project, by) = {
        let world = bench.fake.world();
        let stored = |it: &&fake_gitlab::world::model::Project| {
            world.project_access_level(&bench.fake.viewer(), it).is_some()
                && it.repository_access_level != "disabled"
                && !it.archived
        };
        let project = world.projects.values().filter(stored).nth(1).expect("a project").id;
        (project, *world.users.keys().next().expect("a person"))
    };
    bench.fake.world_mut().push_to_trunk(project, by, 2);
    sync(&bench, true, false).await;
    bench.fake.world_mut().advance(TimeDelta::minutes(5));
    bench.fake.world_mut().force_push_trunk(project, by, 1);
    bench.fake.world_mut().advance(TimeDelta::minutes(5));
    sync(&bench, true, true).await;
    assert_equal(&bench, reading(true)).await;
}

/// The tables lack what GitLab has always had, and no sign moves.
#[tokio::test(flavor = "multi_thread")]
async fn commits_that_were_lost_from_the_tables_are_read_again() {
    let bench = bench(74).await;
    sync(&bench, true, false).await;
    bench.execute("delete from gitlab_commits where left(sha, 1) in ('a', 'b')").await;
    bench.fake.world_mut().advance(TimeDelta::minutes(5));
    sync(&bench, true, true).await;
    assert_equal(&bench, reading(true)).await;
}
