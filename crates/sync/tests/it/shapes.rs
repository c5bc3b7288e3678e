//! GitLabs of other shapes: older schemas, answers that are not whole, many rows of one moment.

use fake_gitlab::truth::Reading;
use fake_gitlab::world::generate::Scale;
use fake_gitlab::{FakeGitlab, Settings};
use serde_json::json;

use crate::changes::change;
use crate::equality::assert_equal;
use crate::harness::Bench;

const GRAPHQL: Reading = Reading::new(true, false);
const REST: Reading = Reading::new(false, false);

async fn bench(settings: Settings, seed: u64) -> Bench {
    Bench::new(FakeGitlab::builder().scale(Scale::tiny()).seed(seed).settings(settings)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_schema_without_approvals_and_review_states_is_completed_by_rest() {
    let lacks = [
        "MergeRequest.approvedBy",
        "UserMergeRequestInteraction.reviewState",
        "Note.systemNoteMetadata",
        "UserCore.type",
        "MergeRequest.mergeUser",
    ];
    let settings = Settings { graphql_without: lacks.map(str::to_owned).to_vec(), ..Settings::default() };
    let bench = bench(settings, 81).await;
    let outcome = bench.sync().await;
    assert!(outcome.ok, "{:?}", outcome.error);
    change(&bench, 81, 100);
    let outcome = bench.sync().await;
    assert!(outcome.ok, "{:?}", outcome.error);
    assert_equal(&bench, GRAPHQL).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn where_graphql_is_off_rest_reads_everything_and_says_what_it_cannot() {
    let bench = bench(Settings { graphql: false, ..Settings::default() }, 82).await;
    let outcome = bench.sync().await;
    assert!(outcome.ok, "{:?}", outcome.error);
    assert!(outcome.skips.iter().any(|it| it.reason == "graphql_off"), "{:?}", outcome.skips);
    assert_equal(&bench, REST).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_time_of_an_approval_comes_from_the_approval_where_rest_tells_it() {
    let settings = Settings { approvals_have_time: Some(true), ..Settings::default() };
    let bench = bench(settings, 83).await;
    let outcome = bench.sync_with(|it| it.rest_only = true).await;
    assert!(outcome.ok, "{:?}", outcome.error);
    assert_equal(&bench, Reading::new(false, true)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_with_null_nodes_never_passes_as_complete() {
    let bench = bench(Settings { graphql_null_nodes: 0.02, ..Settings::default() }, 84).await;
    let outcome = bench.sync().await;
    assert!(outcome.ok, "{:?}", outcome.error);
    assert_equal(&bench, GRAPHQL).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_takes_gitlab_too_long_is_asked_for_in_smaller_pieces() {
    let bench = bench(Settings { graphql_timeout_above_items: Some(400), ..Settings::default() }, 85).await;
    let outcome = bench.sync().await;
    assert!(outcome.ok, "{:?}", outcome.error);
    assert_equal(&bench, GRAPHQL).await;
}

async fn a_thousand_of_one_moment(rest_only: bool, reading: Reading) {
    let scale = Scale { shared_timestamp: 1000, ..Scale::tiny() };
    let bench = Bench::new(FakeGitlab::builder().scale(scale).seed(86)).await;
    let outcome = bench.sync_with(|it| it.rest_only = rest_only).await;
    assert!(outcome.ok, "{:?}", outcome.error);
    assert_equal(&bench, reading).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_merge_requests_that_share_one_time_are_all_read() {
    a_thousand_of_one_moment(false, GRAPHQL).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_merge_requests_that_share_one_time_are_all_read_by_rest() {
    a_thousand_of_one_moment(true, REST).await;
}

/// Reading by turns writes nothing where nothing changed: the two ways agree.
#[tokio::test(flavor = "multi_thread")]
async fn graphql_and_rest_read_in_turn_write_nothing() {
    let bench = bench(Settings::default(), 87).await;
    let full = |rest_only: bool| {
        move |it: &mut sync::Options| {
            it.rest_only = rest_only;
            it.scope.full = true;
        }
    };
    bench.sync_with(full(false)).await;
    // REST knows milliseconds, which are kept.
    bench.sync_with(full(true)).await;
    for rest_only in [false, true] {
        let outcome = bench.sync_with(full(rest_only)).await;
        assert!(outcome.ok, "{:?}", outcome.error);
        let written: Vec<_> = outcome.resources.iter().filter(|(_, it)| it.written > 0).collect();
        assert!(written.is_empty(), "rest only {rest_only}: {written:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_full_sync_nothing_refers_to_what_is_not_there() {
    let bench = bench(Settings::default(), 88).await;
    bench.sync().await;
    let merge_request = "(select from gitlab_merge_requests m where m.project_id = t.project_id and m.id = t.merge_request_id)";
    let user = |column: &str| {
        format!("{column} is null or exists (select from gitlab_users u where u.id = {column})")
    };
    let label = "(select from gitlab_labels l where l.project_id = t.project_id and l.id = t.label_id)";
    let rules = [
        ("gitlab_merge_request_notes", format!("exists {merge_request} and ({})", user("t.user_id"))),
        ("gitlab_merge_request_labels", format!("exists {merge_request} and exists {label}")),
        ("gitlab_merge_request_assignees", format!("exists {merge_request} and ({})", user("t.user_id"))),
        ("gitlab_merge_request_reviewers", format!("exists {merge_request} and ({})", user("t.user_id"))),
        ("gitlab_merge_request_approvals", format!("exists {merge_request} and ({})", user("t.user_id"))),
        ("gitlab_reviews", format!("exists {merge_request} and ({})", user("t.user_id"))),
        ("gitlab_merge_requests", format!("({}) and ({})", user("t.user_id"), user("t.merged_by_user_id"))),
        (
            "gitlab_merge_requests",
            "exists (select from gitlab_projects p where p.id = t.project_id)".to_owned(),
        ),
        ("gitlab_group_members", "exists (select from gitlab_groups g where g.id = t.group_id)".to_owned()),
        (
            "gitlab_project_members",
            "exists (select from gitlab_projects p where p.id = t.project_id)".to_owned(),
        ),
    ];
    for (table, rule) in rules {
        let orphans = format!("select count(*) from {table} t where t.deleted_at is null and not ({rule})");
        let found = bench.store.query(&orphans).await.expect("the query is right");
        assert_eq!(found.rows, [[json!(0)]], "{table}: {rule}");
    }
}

/// GitLab gives a moved project's merge requests other labels without moving them.
#[tokio::test(flavor = "multi_thread")]
async fn a_project_that_moved_to_another_group_gets_its_labels_read_again() {
    for (seed, rest_only, reading) in [(91, false, GRAPHQL), (92, true, REST)] {
        let bench = bench(Settings::default(), seed).await;
        assert!(bench.sync_with(|it| it.rest_only = rest_only).await.ok);
        let (project, group) = with_group_labels(&bench).expect("a merge request with a group's label");
        {
            let mut world = bench.fake.world_mut();
            world.advance(chrono::TimeDelta::hours(1));
            world.transfer_project(project, group);
        }
        assert!(bench.sync_with(|it| it.rest_only = rest_only).await.ok);
        assert_equal(&bench, reading).await;
    }
}

/// A project whose merge requests bear labels of its group, and another group to move it to.
fn with_group_labels(bench: &Bench) -> Option<(i64, i64)> {
    use fake_gitlab::world::model::{Namespace, Owner};
    let world = bench.fake.world();
    let bears = |it: &fake_gitlab::world::model::MergeRequest| {
        it.label_ids.iter().any(|label| matches!(world.labels[label].owner, Owner::Group(_)))
    };
    let project = world
        .merge_requests
        .values()
        .find(|it| bears(it) && !world.projects[&it.project_id].archived)?
        .project_id;
    let Namespace::Group(from) = world.projects[&project].namespace else { return None };
    let top = |mut id: i64| {
        while let Some(parent) = world.groups[&id].parent_id {
            id = parent;
        }
        id
    };
    let sees = |it: &&fake_gitlab::world::model::Group| it.members.contains_key(&bench.fake.viewer().user_id);
    let other = world.groups.values().filter(sees).find(|it| top(it.id) != top(from))?;
    Some((project, other.id))
}

/// A Guest sees a private project and not its merge requests: GraphQL shows an empty list, REST refuses.
#[tokio::test(flavor = "multi_thread")]
async fn access_that_is_lost_is_said_and_access_that_returns_is_used() {
    let bench = bench(Settings::default(), 93).await;
    let roles = lower_roles(&bench, 10);
    let outcome = bench.sync().await;
    assert!(outcome.ok, "{:?}", outcome.error);
    let refused =
        outcome.skips.iter().filter(|it| it.resource == "merge_requests" && it.reason == "forbidden");
    assert!(refused.count() > 0, "{:?}", outcome.skips);
    restore_roles(&bench, &roles);
    assert!(bench.sync().await.ok);
    assert_equal(&bench, GRAPHQL).await;
    lower_roles(&bench, 10);
    let outcome = bench.sync().await;
    assert!(outcome.skips.iter().any(|it| it.resource == "merge_requests" && it.reason == "forbidden"));
    restore_roles(&bench, &roles);
    change(&bench, 93, 50);
    assert!(bench.sync().await.ok);
    assert_equal(&bench, GRAPHQL).await;
}

/// Without it every closed list would cost a request in every sync.
#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_is_repeated_for_a_day_and_then_tested_again() {
    let bench = bench(Settings::default(), 95).await;
    lower_roles(&bench, 10);
    let refused = |outcome: &sync::Outcome| {
        outcome.skips.iter().filter(|it| it.resource == "merge_requests" && it.reason == "forbidden").count()
    };
    let first = bench.sync().await;
    let again = bench.sync().await;
    assert!(refused(&first) > 0);
    assert_eq!(refused(&first), refused(&again), "a skip that is not tested is still told");
    let closed = refused(&first) as u64;
    assert!(again.requests + closed <= first.requests, "{} and {}", first.requests, again.requests);
    bench.fake.world_mut().advance(chrono::TimeDelta::hours(25));
    let next_day = bench.sync().await;
    assert_eq!(refused(&next_day), refused(&first));
    assert!(next_day.requests >= again.requests + closed, "{} and {}", next_day.requests, again.requests);
    assert!(bench.sync().await.requests < next_day.requests);
}

pub type Roles = Vec<(bool, i64, i32)>;

/// Gives the reader this level everywhere. What it had before is returned: (whether a group, id, level).
pub fn lower_roles(bench: &Bench, level: i32) -> Roles {
    let reader = bench.fake.viewer().user_id;
    let mut world = bench.fake.world_mut();
    world.advance(chrono::TimeDelta::hours(1));
    let mut roles = Roles::new();
    for (id, group) in &mut world.groups {
        if let Some(member) = group.members.get_mut(&reader) {
            roles.push((true, *id, std::mem::replace(&mut member.access_level, level)));
        }
    }
    for (id, project) in &mut world.projects {
        if let Some(member) = project.members.get_mut(&reader) {
            roles.push((false, *id, std::mem::replace(&mut member.access_level, level)));
        }
    }
    roles
}

pub fn restore_roles(bench: &Bench, roles: &Roles) {
    let reader = bench.fake.viewer().user_id;
    let mut world = bench.fake.world_mut();
    for (is_group, id, level) in roles {
        let members = match is_group {
            true => world.groups.get_mut(id).map(|it| &mut it.members),
            false => world.projects.get_mut(id).map(|it| &mut it.members),
        };
        if let Some(member) = members.and_then(|it| it.get_mut(&reader)) {
            member.access_level = *level;
        }
    }
}
