//! Internal notes are hidden from a lower role, which looks as if they were deleted.

use super::*;
use crate::shapes::lower_roles;

const LIVING: &str = "select count(*) from gitlab_merge_request_notes where internal and deleted_at is null";

async fn number(bench: &Bench, sql: &str) -> i64 {
    bench.store.query(sql).await.expect("the query runs").rows[0][0].as_i64().expect("a number")
}

/// Every seventh comment is an internal one.
async fn bench_with_internal_notes(seed: u64, graphql: bool) -> Bench {
    let bench = bench(seed).await;
    {
        let mut world = bench.fake.world_mut();
        let comments = world.notes.values_mut().filter(|it| !it.system);
        comments.step_by(7).for_each(|it| it.internal = true);
    }
    sync(&bench, graphql, false).await;
    bench
}

/// Everybody may read merge requests, and the token's user is a guest.
fn lower(bench: &Bench) {
    {
        let mut world = bench.fake.world_mut();
        world.projects.values_mut().for_each(|it| it.visibility = "public".to_owned());
        world.groups.values_mut().for_each(|it| it.visibility = "public".to_owned());
    }
    lower_roles(bench, 10);
}

async fn a_lower_role_loses_sight_of_them(seed: u64, graphql: bool) {
    let bench = bench_with_internal_notes(seed, graphql).await;
    let before = number(&bench, LIVING).await;
    assert!(before > 20);
    lower(&bench);
    let full = |it: &mut sync::Options| (it.rest_only, it.scope.full) = (!graphql, true);
    assert!(bench.sync_with(full).await.ok);
    assert_eq!(number(&bench, LIVING).await, before);
    sync(&bench, graphql, true).await;
    assert_eq!(number(&bench, LIVING).await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn internal_notes_that_a_lower_role_may_not_see_are_not_taken_for_deleted() {
    a_lower_role_loses_sight_of_them(54, true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn internal_notes_that_a_lower_role_may_not_see_are_not_taken_for_deleted_by_rest_alone() {
    a_lower_role_loses_sight_of_them(54, false).await;
}

async fn deleted_ones_are_found(seed: u64, graphql: bool) {
    let bench = bench_with_internal_notes(seed, graphql).await;
    bench.fake.world_mut().advance(TimeDelta::hours(1));
    let internal: Vec<Id> = {
        let world = bench.fake.world();
        world.notes.values().filter(|it| it.internal).map(|it| it.id).collect()
    };
    internal.into_iter().for_each(|it| bench.fake.world_mut().delete_note(it));
    sync(&bench, graphql, true).await;
    assert_equal_but(&bench, reading(graphql), &["gitlab_users"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn internal_notes_that_were_deleted_are_found_by_a_sweep() {
    deleted_ones_are_found(55, true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn internal_notes_that_were_deleted_are_found_by_a_sweep_by_rest_alone() {
    deleted_ones_are_found(55, false).await;
}
