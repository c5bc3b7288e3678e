//! Tokens of users who do not see the same.

use fake_gitlab::TokenSpec;

use super::*;

const OTHER: &str = "glpat-of-another-user";

/// A second user who is a member of everything but one project, in which most was done.
fn another_user(bench: &Bench) -> Id {
    let reader = bench.fake.viewer().user_id;
    let other = bench.fake.world_mut().create_twin(reader, "other");
    bench.fake.state().add_token(TokenSpec::personal(OTHER, other));
    let mut world = bench.fake.world_mut();
    let count = |id: &Id| world.merge_requests.values().filter(|it| it.project_id == *id).count();
    let hidden = world.projects.keys().copied().max_by_key(count).expect("a project");
    let (groups, projects) = (world.project_groups(&world.projects[&hidden]), world.projects.clone());
    let visible = projects.values().filter(|it| it.id != hidden);
    let visible = visible.filter(|it| world.project_access_level(&bench.fake.viewer(), it).is_some());
    let visible: Vec<Id> = visible.map(|it| it.id).collect();
    visible.into_iter().for_each(|it| world.set_project_member(it, other, 40, None));
    groups.into_iter().for_each(|it| world.remove_group_member(it, other));
    world.remove_project_member(hidden, other);
    world.projects.get_mut(&hidden).expect("it is there").visibility = "private".to_owned();
    hidden
}

async fn sync_with_both(bench: &Bench, graphql: bool, sweep: bool) -> Outcome {
    let mut options = crate::harness::options();
    (options.connectors, options.rest_only) = (Connector::ALL.to_vec(), !graphql);
    (options.sweep, options.deployment_merge_requests) = (sweep, true);
    let client = bench.client_with(&[OTHER, bench.fake.token()]);
    sync::run(client, bench.store.clone(), options, Default::default(), Default::default()).await
}

async fn what_one_of_two_users_sees_is_read_and_kept(seed: u64, graphql: bool) {
    let bench = bench(seed).await;
    let hidden = another_user(&bench);
    for round in 0..3 {
        let outcome = sync_with_both(&bench, graphql, round > 0).await;
        assert!(outcome.ok, "{outcome:?}");
        let of_hidden = |it: &&store::Skip| it.parent_id == hidden && it.reason != "graphql_off";
        let skips: Vec<_> = outcome.skips.iter().filter(of_hidden).collect();
        assert!(skips.is_empty(), "round {round}: {skips:?}");
        bench.fake.world_mut().advance(TimeDelta::hours(26));
    }
    // Where a fork comes from is told to those who see that, and was written as the last of them was told.
    assert_equal_but(&bench, reading(graphql), &["gitlab_projects"]).await;
    let gone = some_merge_requests(&bench, 60).into_iter();
    let gone: Vec<Id> =
        gone.filter(|it| bench.fake.world().merge_requests[it].project_id == hidden).collect();
    gone.into_iter().for_each(|it| bench.fake.world_mut().delete_merge_request(it));
    assert!(sync_with_both(&bench, graphql, true).await.ok);
    assert_equal_but(&bench, reading(graphql), &["gitlab_projects", "gitlab_users"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_only_one_of_two_users_sees_is_read_and_kept() {
    what_one_of_two_users_sees_is_read_and_kept(52, true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_only_one_of_two_users_sees_is_read_and_kept_by_rest_alone() {
    what_one_of_two_users_sees_is_read_and_kept(53, false).await;
}
