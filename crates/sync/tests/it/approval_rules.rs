//! Approval rules: read where they are asked for, of every merge request, and nowhere else.

use chrono::TimeDelta;
use fake_gitlab::truth::{Reading, approval_rules, differences};
use fake_gitlab::world::generate::Scale;
use fake_gitlab::world::model::{Id, MergeRequestState};
use fake_gitlab::{Edition, FakeGitlab};
use sync::Outcome;

use crate::changes::change;
use crate::equality::assert_equal;
use crate::harness::Bench;

const ENDPOINT: &str = "/projects/{id}/merge_requests/{iid}/approval_state";

async fn bench(seed: u64, edition: Edition) -> Bench {
    Bench::new(FakeGitlab::builder().scale(Scale::tiny()).seed(seed).edition(edition)).await
}

async fn with_rules(bench: &Bench, rest_only: bool) -> Outcome {
    let outcome = bench.sync_with(|it| (it.approval_rules, it.rest_only) = (true, rest_only)).await;
    assert!(outcome.ok, "{:?}", outcome.error);
    outcome
}

/// How often rules were asked for since the last time.
fn asked(bench: &Bench) -> u64 {
    let asked = bench.fake.counters().of(ENDPOINT);
    bench.fake.counters().reset();
    asked
}

/// Panics with the first differences of rules, then of everything else.
async fn assert_all_equal(bench: &Bench, edition: Edition, graphql: bool) {
    let wanted = approval_rules(&bench.fake.world(), &bench.fake.viewer(), edition);
    let mut wrong = Vec::new();
    for (table, rows) in wanted {
        assert_eq!(rows.is_empty(), edition != Edition::Premium, "{table}");
        let stored = bench.store.live_rows(table).await.expect("the table can be read");
        wrong.extend(differences(table, &rows, &stored));
    }
    let first: Vec<&String> = wrong.iter().take(30).collect();
    assert!(wrong.is_empty(), "{} differences: {first:#?}", wrong.len());
    assert_equal(bench, Reading::new(graphql, false)).await;
}

/// Merge requests that the reader sees.
fn visible(bench: &Bench) -> u64 {
    let reading = Reading::new(true, false);
    let tables = fake_gitlab::truth::truth(&bench.fake.world(), &bench.fake.viewer(), reading);
    tables["gitlab_merge_requests"].len() as u64
}

/// Open merge requests that the reader sees.
fn open(bench: &Bench) -> Vec<Id> {
    let rules = approval_rules(&bench.fake.world(), &bench.fake.viewer(), Edition::Premium);
    let ids = rules["gitlab_merge_request_approval_rules"].iter().map(|it| it["merge_request_id"].as_i64());
    let world = bench.fake.world();
    let is_open = |id: &Id| {
        let state = world.merge_requests[id].state;
        matches!(state, MergeRequestState::Opened)
    };
    let ids: std::collections::BTreeSet<Id> = ids.flatten().collect();
    ids.into_iter().filter(is_open).collect()
}

/// Changes the rules of every other open merge request, which moves nothing else.
fn change_rules(bench: &Bench) {
    let open = open(bench);
    let mut world = bench.fake.world_mut();
    world.advance(TimeDelta::hours(1));
    for id in open.iter().step_by(2) {
        let author = world.merge_requests[id].author_id;
        world.change_approval_rules(*id, &[author]);
    }
}

async fn rules_equal_the_truth(seed: u64, edition: Edition, rest_only: bool) {
    let bench = bench(seed, edition).await;
    with_rules(&bench, rest_only).await;
    let (asked, wanted) = (asked(&bench), visible(&bench) + 1);
    // By REST, rows that share a millisecond are read until a pass brings nothing new, with all that hangs on them.
    assert!(
        asked == wanted || rest_only && asked > wanted,
        "one for each, and one to see whether there are any"
    );
    assert_all_equal(&bench, edition, !rest_only).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_equal_the_truth_on_premium() {
    rules_equal_the_truth(501, Edition::Premium, false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_equal_the_truth_on_premium_by_rest_alone() {
    rules_equal_the_truth(502, Edition::Premium, true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_licence_there_are_no_rules() {
    rules_equal_the_truth(503, Edition::Free, false).await;
}

async fn the_community_edition_is_one_skip(seed: u64, rest_only: bool) {
    let bench = bench(seed, Edition::Ce).await;
    for _ in 0..2 {
        let outcome = with_rules(&bench, rest_only).await;
        let skips: Vec<_> = outcome.skips.iter().filter(|it| it.resource == "approval_rules").collect();
        assert_eq!(skips.len(), 1, "{skips:?}");
        assert_eq!((skips[0].reason.as_str(), skips[0].parent.as_str()), ("tier_missing", ""));
        assert_eq!(asked(&bench), 1);
    }
    assert_all_equal(&bench, Edition::Ce, !rest_only).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_community_edition_is_one_skip_and_one_request() {
    the_community_edition_is_one_skip(504, false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_community_edition_is_one_skip_and_one_request_by_rest_alone() {
    the_community_edition_is_one_skip(505, true).await;
}

async fn a_silent_change_of_rules_is_found(seed: u64, rest_only: bool) {
    let bench = bench(seed, Edition::Premium).await;
    with_rules(&bench, rest_only).await;
    change_rules(&bench);
    asked(&bench);
    with_rules(&bench, rest_only).await;
    let asked = asked(&bench);
    assert!(asked < visible(&bench) * 9 / 10, "only the open ones are asked about: {asked}");
    assert_all_equal(&bench, Edition::Premium, !rest_only).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_rules_that_moves_nothing_is_found_by_the_next_sync() {
    a_silent_change_of_rules_is_found(506, false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_rules_that_moves_nothing_is_found_by_the_next_sync_by_rest_alone() {
    a_silent_change_of_rules_is_found(507, true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_follow_a_thousand_changes() {
    let bench = bench(508, Edition::Premium).await;
    with_rules(&bench, false).await;
    change(&bench, 508, 1000);
    change_rules(&bench);
    with_rules(&bench, false).await;
    assert_all_equal(&bench, Edition::Premium, true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_asks_for_rules_unless_told_to() {
    for rest_only in [false, true] {
        let bench = bench(509, Edition::Premium).await;
        for _ in 0..2 {
            assert!(bench.sync_with(|it| it.rest_only = rest_only).await.ok);
            change(&bench, 509, 30);
        }
        assert_eq!(asked(&bench), 0);
        let stored = bench.store.live_rows("gitlab_merge_request_approval_rules").await;
        assert!(stored.expect("the table can be read").is_empty());
    }
}

/// Merge requests that were read without their rules get them from the first sync that wants rules, whether they moved
/// or not, and only from the first.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_read_without_rules_gets_them_later() {
    let bench = bench(510, Edition::Premium).await;
    assert!(bench.sync().await.ok);
    with_rules(&bench, false).await;
    assert_eq!(asked(&bench), visible(&bench) + 1);
    assert_all_equal(&bench, Edition::Premium, true).await;
    // A sync without rules reads what moved; the one after it with rules makes up for that.
    change(&bench, 510, 300);
    assert!(bench.sync().await.ok);
    assert_eq!(asked(&bench), 0);
    with_rules(&bench, false).await;
    assert_all_equal(&bench, Edition::Premium, true).await;
    asked(&bench);
    with_rules(&bench, false).await;
    let open = open(&bench).len() as u64;
    assert!(asked(&bench) < visible(&bench).min(open + 10), "what has its rules is not asked about again");
}

/// Rules that a sync left unread stay with the syncs that want them: one that does not ends without them.
#[tokio::test(flavor = "multi_thread")]
async fn rules_left_by_a_sync_that_was_cut_short_wait_for_the_next_that_wants_them() {
    let bench = bench(511, Edition::Premium).await;
    assert!(bench.sync().await.ok);
    let projects: Vec<Id> = bench.fake.world().projects.keys().copied().collect();
    let left = bench.store.ask_for_approval_rules(0, &projects, None).await.expect("they are noted");
    assert_eq!(left, visible(&bench));
    assert!(bench.sync().await.ok);
    assert_eq!(asked(&bench), 0);
    with_rules(&bench, false).await;
    assert_all_equal(&bench, Edition::Premium, true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_sync_with_rules_and_nothing_changed_writes_nothing() {
    let bench = bench(512, Edition::Premium).await;
    with_rules(&bench, false).await;
    let outcome = with_rules(&bench, false).await;
    let written: Vec<_> = outcome.resources.iter().filter(|(_, it)| it.written > 0).collect();
    assert!(written.is_empty(), "{written:?}");
}
