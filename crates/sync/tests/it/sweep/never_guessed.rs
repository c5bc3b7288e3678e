//! Deletion is never guessed: what GitLab answers in the place of a listing leaves everything where it is.

use std::time::Duration;

use fake_gitlab::faults::{Fault, FaultPlan, Scripted};

use super::*;
use crate::shapes::lower_roles;

/// How many rows are marked of what a sweep marks itself.
const MARKED: &str = "select (select count(*) from gitlab_merge_requests where deleted_at is not null)
                           + (select count(*) from gitlab_issues where deleted_at is not null)
                           + (select count(*) from gitlab_pipelines where deleted_at is not null)
                           + (select count(*) from gitlab_deployments where deleted_at is not null)";

/// How many merge requests are marked in projects that have more than a page of them.
const MARKED_IN_LONG: &str = "select count(*) filter (where deleted_at is not null)
                                from gitlab_merge_requests
                               where project_id in (select project_id from gitlab_merge_requests
                                                     group by 1 having count(*) > 110)";

async fn number(bench: &Bench, sql: &str) -> i64 {
    bench.store.query(sql).await.expect("the query runs").rows[0][0].as_i64().expect("a number")
}

/// Deletes every eighth merge request, and every third issue, pipeline and deployment.
fn delete_some(bench: &Bench) {
    let mut world = bench.fake.world_mut();
    let merge_requests: Vec<Id> = world.merge_requests.keys().copied().step_by(8).collect();
    let issues: Vec<Id> = world.issues.keys().copied().step_by(3).collect();
    let pipelines: Vec<Id> = world.ci.pipelines.keys().copied().step_by(3).collect();
    let deployments: Vec<Id> = world.ci.deployments.keys().copied().step_by(3).collect();
    merge_requests.into_iter().for_each(|it| world.delete_merge_request(it));
    issues.into_iter().for_each(|it| world.delete_issue(it));
    pipelines.into_iter().for_each(|it| world.delete_pipeline(it));
    deployments.into_iter().for_each(|it| world.delete_deployment(it));
}

/// A sweep that does not wait long for answers.
async fn hasty_sweep(bench: &Bench, graphql: bool) -> Outcome {
    let mut config = bench.config(&[bench.fake.token()]);
    config.timeout = Duration::from_millis(400);
    config.retry.attempts = 2;
    let client = gitlab_client::Client::new(config).expect("the client is made");
    let mut options = crate::harness::options();
    options.connectors = Connector::ALL.to_vec();
    options.deployment_merge_requests = true;
    (options.rest_only, options.sweep) = (!graphql, true);
    sync::run(client, bench.store.clone(), options, Default::default(), Default::default()).await
}

/// Much was deleted, and GitLab answers every listing by which it would show in this way: nothing is marked, and what could
/// not be proved is said. Once it answers again, the truth is found.
async fn nothing_is_marked(seed: u64, graphql: bool, aims: &[&str], answer: Scripted) {
    nothing_is_marked_of(MARKED, seed, graphql, aims, answer).await;
}

async fn nothing_is_marked_of(marked: &str, seed: u64, graphql: bool, aims: &[&str], answer: Scripted) {
    nothing_is_marked_in(bench(seed).await, marked, graphql, aims, answer).await;
}

async fn nothing_is_marked_in(bench: Bench, marked: &str, graphql: bool, aims: &[&str], answer: Scripted) {
    sync(&bench, graphql, false).await;
    let before = number(&bench, marked).await;
    delete_some(&bench);
    for aim in aims {
        bench.fake.faults().aim(*aim, answer.clone());
    }
    bench.fake.faults().set_plan(Some(FaultPlan { hang_seconds: 1.0, ..FaultPlan::new(0.0, &[], 1) }));
    let outcome = hasty_sweep(&bench, graphql).await;
    assert_eq!(number(&bench, marked).await, before, "{outcome:?}");
    let unproved = "select count(*) from weir.proofs where state = 'unproved' and detail <> ''";
    assert!(number(&bench, unproved).await > 0, "{outcome:?}");
    assert!(outcome.skips.iter().any(|it| it.reason == "unproved"), "{:?}", outcome.skips);
    bench.fake.faults().stop_aiming();
    sync(&bench, graphql, true).await;
    // People who appear nowhere any more stay known.
    assert_equal_but(&bench, reading(graphql), &["gitlab_users"]).await;
}

/// Where the sweep learns what GitLab has.
const COUNTS: [&str; 4] = ["query proof", "query countPipelines", "query countIssues", "/deployments?"];
/// Where it goes on after a first page, and no other listing does.
const SECOND_PAGE: &str = "query proof*\"after\":\"";
const SECOND_PAGE_BY_REST: &str = "/merge_requests?*order_by=created_at*page=2*state=all";
/// Where it asks again for one thing, before it is marked.
const SINGLY: [&str; 3] = ["/merge_requests/", "/pipelines/", "/issues/"];

#[tokio::test(flavor = "multi_thread")]
async fn a_listing_cut_short_marks_nothing() {
    nothing_is_marked(51, true, &COUNTS, Scripted::Fault(Fault::CutBody)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listing_that_breaks_off_after_its_first_page_marks_nothing() {
    // The first page comes; whatever follows a page does not.
    nothing_is_marked_of(MARKED_IN_LONG, 52, true, &[SECOND_PAGE], Scripted::Fault(Fault::BrokenJson)).await;
}

/// Access is lost between the first page and the second, of which GraphQL makes no error.
async fn access_is_lost_after_the_first_page(second: impl Fn(&str) -> String) {
    let bench = bench(52).await;
    let project = long_project(&bench);
    let nodes = second(&format!("\"id\":\"gid://gitlab/Project/{project}\""));
    let answer =
        format!(r#"{{"data":{{"projects":{{"pageInfo":{{"hasNextPage":false}},"nodes":[{nodes}]}}}}}}"#);
    let answer = Scripted::json(200, &answer);
    nothing_is_marked_in(bench, MARKED_IN_LONG, true, &[SECOND_PAGE], answer).await;
}

/// The project with most merge requests.
fn long_project(bench: &Bench) -> Id {
    let world = bench.fake.world();
    let count = |id: &Id| world.merge_requests.values().filter(|it| it.project_id == *id).count();
    world.projects.keys().copied().max_by_key(count).expect("there are projects")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_page_without_the_project_marks_nothing() {
    access_is_lost_after_the_first_page(|_| String::new()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_page_without_a_list_marks_nothing() {
    access_is_lost_after_the_first_page(|id| format!(r#"{{{id},"mergeRequests":null}}"#)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_does_not_say_how_to_go_on_marks_nothing() {
    let list = r#""mergeRequests":{"count":500,"pageInfo":{"hasNextPage":true,"endCursor":null},"nodes":[]}"#;
    access_is_lost_after_the_first_page(|id| format!("{{{id},{list}}}")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listing_by_rest_that_breaks_off_after_its_first_page_marks_nothing() {
    nothing_is_marked_of(
        MARKED_IN_LONG,
        53,
        false,
        &[SECOND_PAGE_BY_REST],
        Scripted::Fault(Fault::BadGateway),
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listing_that_is_refused_marks_nothing() {
    let refusal = Scripted::json(403, r#"{"message":"403 Forbidden"}"#);
    nothing_is_marked(54, true, &COUNTS, refusal).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listing_that_times_out_marks_nothing() {
    nothing_is_marked(55, true, &COUNTS, Scripted::Fault(Fault::Hang)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_gitlab_does_not_deny_when_asked_for_it_alone_is_not_marked() {
    let aims = [&SINGLY[..], &["/deployments/"]].concat();
    nothing_is_marked(56, true, &aims, Scripted::json(403, r#"{"message":"403 Forbidden"}"#)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_times_out_when_asked_for_alone_is_not_marked() {
    let aims = [&SINGLY[..], &["/deployments/"]].concat();
    nothing_is_marked(57, true, &aims, Scripted::Fault(Fault::Hang)).await;
}

/// A listing that is empty where rows are stored is no proof of anything.
#[tokio::test(flavor = "multi_thread")]
async fn an_empty_answer_marks_nothing() {
    let bench = bench(35).await;
    sync(&bench, true, false).await;
    lower_roles(&bench, 10);
    bench.fake.world_mut().projects.values_mut().for_each(|it| it.public_jobs = false);
    let outcome = sync(&bench, true, true).await;
    assert_eq!(number(&bench, MARKED).await, 0);
    let said =
        |resource: &str| outcome.skips.iter().any(|it| it.resource == resource && it.reason == "unproved");
    assert!(said("merge_requests") && said("pipelines"), "{:?}", outcome.skips);
}

/// An issue that was made confidential is not listed to a guest any more, and is denied: just as if it were deleted.
#[tokio::test(flavor = "multi_thread")]
async fn issues_that_a_lower_role_may_not_see_are_not_taken_for_deleted() {
    let bench = bench(58).await;
    sync(&bench, true, false).await;
    lower_roles(&bench, 10);
    {
        let mut world = bench.fake.world_mut();
        let open: Vec<Id> = world.issues.values().filter(|it| !it.confidential).map(|it| it.id).collect();
        open.into_iter().step_by(2).for_each(|it| world.set_issue_confidential(it, true));
    }
    let outcome = sync(&bench, true, true).await;
    assert_eq!(number(&bench, "select count(*) from gitlab_issues where deleted_at is not null").await, 0);
    let said = outcome.skips.iter().find(|it| it.resource == "issues" && it.reason == "unproved");
    assert!(said.is_some_and(|it| it.detail.contains("role")), "{:?}", outcome.skips);
}

/// Two merge requests are not in the listing. One of them is gone, the other was moved over the edge of a page, or opened
/// since: asked for by number it is there.
async fn what_is_there_by_number_is_not_marked(seed: u64, graphql: bool) {
    let bench = bench(seed).await;
    sync(&bench, graphql, false).await;
    let hidden = long_project(&bench);
    let two: Vec<Id> = {
        let world = bench.fake.world();
        world.merge_requests.values().filter(|it| it.project_id == hidden).take(2).map(|it| it.id).collect()
    };
    let (gone, there) = (two[0], two[1]);
    let mut before = bench.fake.world().clone();
    before.delete_merge_request(gone);
    let listing = if graphql { "query proof" } else { "/merge_requests?state=all*order_by=created_at" };
    bench.fake.faults().on_request_like(listing, move |world| {
        world.delete_merge_request(gone);
        world.delete_merge_request(there);
    });
    let by_number = if graphql { "query mergeRequests*iids\":[" } else { "iids%5B%5D=" };
    bench.fake.faults().on_request_like(by_number, move |world| {
        let url = world.url.clone();
        *world = before;
        world.url = url;
    });
    sync(&bench, graphql, true).await;
    assert_eq!(number(&bench, MARKED).await, 1);
    assert_equal_but(&bench, reading(graphql), &["gitlab_users"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_merge_request_that_is_there_by_number_is_not_marked() {
    what_is_there_by_number_is_not_marked(52, true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_merge_request_that_is_there_by_number_is_not_marked_by_rest_alone() {
    what_is_there_by_number_is_not_marked(53, false).await;
}

/// Another process stored them while GitLab was asked.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_read_after_gitlab_was_asked_is_not_marked() {
    let bench = bench(63).await;
    sync(&bench, true, false).await;
    let id = number(&bench, "select min(id) from gitlab_merge_requests").await;
    let project =
        number(&bench, &format!("select project_id from gitlab_merge_requests where id = {id}")).await;
    let now = gitlab_client::Clock::now(&gitlab_client::SystemClock);
    let ids = [id];
    let mark = |asked_at| bench.store.mark_deleted(store::MERGE_REQUEST, project, &ids, asked_at, now);
    assert_eq!(mark(now - TimeDelta::hours(1)).await.expect("it is marked"), 0);
    let below = "select count(*) from gitlab_merge_request_notes where deleted_at is not null";
    assert_eq!(number(&bench, MARKED).await + number(&bench, below).await, 0);
    assert_eq!(mark(now).await.expect("it is marked"), 1);
}

/// What a banned user wrote is hidden from all but administrators: just as if it were deleted.
async fn what_a_banned_user_wrote_is_left(seed: u64, graphql: bool) {
    let bench = bench(seed).await;
    sync(&bench, graphql, false).await;
    {
        let mut world = bench.fake.world_mut();
        let (issue, merge_request) = (
            world.issues.values().nth(3).expect("an issue").author_id,
            world.merge_requests.values().nth(3).expect("a merge request").author_id,
        );
        world.ban_user(issue);
        world.ban_user(merge_request);
        let wrote = world.merge_requests.values().filter(|it| it.author_id == merge_request);
        let wrote: Vec<Id> = wrote.map(|it| it.id).collect();
        wrote.into_iter().for_each(|it| world.delete_merge_request(it));
    }
    let outcome = sync(&bench, graphql, true).await;
    assert_eq!(number(&bench, MARKED).await, 0);
    let said = |resource: &str| {
        let mut skips = outcome.skips.iter().filter(|it| it.resource == resource && it.reason == "unproved");
        skips.any(|it| it.detail.contains("banned"))
    };
    assert!(said("issues") && said("merge_requests"), "{:?}", outcome.skips);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_banned_user_wrote_is_not_taken_for_deleted() {
    what_a_banned_user_wrote_is_left(61, true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_banned_user_wrote_is_not_taken_for_deleted_by_rest_alone() {
    what_a_banned_user_wrote_is_left(62, false).await;
}

/// How many rows are marked of the lists that every sync reads whole.
const MARKED_OF_LISTS: &str = "select (select count(*) from gitlab_labels where deleted_at is not null)
          + (select count(*) from gitlab_milestones where deleted_at is not null)
          + (select count(*) from gitlab_project_members where deleted_at is not null)
          + (select count(*) from gitlab_group_members where deleted_at is not null)
          + (select count(*) from gitlab_merge_request_notes where deleted_at is not null)";

/// Something else than a list would pass for an empty one.
async fn what_is_no_list_takes_nothing_away(seed: u64, answer: Scripted) {
    let bench = bench(seed).await;
    sync(&bench, false, false).await;
    let before = number(&bench, MARKED_OF_LISTS).await;
    for aim in ["/labels?", "/milestones?", "/members?", "/discussions?", "/notes?"] {
        bench.fake.faults().aim(aim, answer.clone());
    }
    let full = |it: &mut sync::Options| (it.rest_only, it.scope.full) = (true, true);
    let outcome = bench.sync_with(full).await;
    assert_eq!(number(&bench, MARKED_OF_LISTS).await, before);
    assert!(!outcome.ok || outcome.skips.iter().any(|it| it.reason == "unavailable"), "{outcome:?}");
    bench.fake.faults().stop_aiming();
    sync(&bench, false, false).await;
    assert_equal(&bench, reading(false)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_in_the_place_of_a_list_takes_nothing_away() {
    what_is_no_list_takes_nothing_away(59, Scripted::json(200, r#"{"message":"later"}"#)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_content_in_the_place_of_a_list_takes_nothing_away() {
    what_is_no_list_takes_nothing_away(60, Scripted::json(204, "")).await;
}
