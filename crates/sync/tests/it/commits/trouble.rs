//! Commits under hard conditions: a world that moves, a process that dies, and rights that are missing.

use std::time::Duration;

use fake_gitlab::world::change::{Subject, random_change_among};
use fake_gitlab::world::model::Id;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::{BOTH, TRUNK, assert_commits, bench, import};
use crate::harness::options;

/// Something is pushed with every request; when the world stands still, the next sync brings the rest.
async fn a_moving_world_is_read(seed: u64, graphql: bool) {
    let bench = bench(seed).await;
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    bench.fake.faults().on_every_request(move |_, world| {
        random_change_among(world, &mut random, &[Subject::Trunk, Subject::Branches]);
    });
    import(&bench, &BOTH, graphql).await;
    import(&bench, &BOTH, graphql).await;
    bench.fake.faults().stop_hooks();
    import(&bench, &BOTH, graphql).await;
    assert_commits(&bench, &BOTH).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn branches_that_move_while_they_are_read_are_right_after_the_next_sync() {
    a_moving_world_is_read(931, true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn branches_that_move_while_they_are_read_by_rest_are_right_after_the_next_sync() {
    a_moving_world_is_read(932, false).await;
}

/// The sync is dropped at random moments, as a killed process would be, while things are pushed.
#[tokio::test(flavor = "multi_thread")]
async fn a_sync_of_commits_that_is_killed_again_and_again_loses_nothing() {
    let bench = bench(933).await;
    let mut random = ChaCha8Rng::seed_from_u64(933);
    for _ in 0..40 {
        let mut options = options();
        options.connectors = BOTH.to_vec();
        let syncing =
            sync::run(bench.client(), bench.store.clone(), options, Default::default(), Default::default());
        let _ = tokio::time::timeout(Duration::from_millis(random.random_range(1..300)), syncing).await;
        let mut world = bench.fake.world_mut();
        random_change_among(&mut world, &mut random, &[Subject::Trunk, Subject::Branches]);
    }
    import(&bench, &BOTH, true).await;
    assert_commits(&bench, &BOTH).await;
}

/// A Guest of a private project may not read its code: a skip, asked about once a day, and what was read stays.
#[tokio::test(flavor = "multi_thread")]
async fn code_that_may_not_be_read_is_a_skip() {
    let bench = bench(934).await;
    import(&bench, &TRUNK, true).await;
    let before = bench.store.live_rows("gitlab_commits").await.expect("it can be read").len();
    let groups: Vec<Id> = bench.fake.world().groups.keys().copied().collect();
    {
        let (mut world, viewer) = (bench.fake.world_mut(), bench.fake.viewer());
        for group in groups {
            if world.groups[&group].members.contains_key(&viewer.user_id) {
                world.set_group_member(group, viewer.user_id, 10, None);
            }
        }
        world.advance(chrono::TimeDelta::hours(2));
    }
    for asked in [true, false] {
        bench.fake.counters().reset();
        let outcome = import(&bench, &TRUNK, true).await;
        let skips = outcome.skips.iter().filter(|it| it.resource == "commits" && it.reason == "forbidden");
        assert!(skips.count() > 0, "{:?}", outcome.skips);
        assert_eq!(bench.fake.counters().of("/projects/{id}/repository/commits") > 0, asked);
        let now = bench.store.live_rows("gitlab_commits").await.expect("it can be read").len();
        assert_eq!(now, before, "nothing is taken for deleted");
    }
}
