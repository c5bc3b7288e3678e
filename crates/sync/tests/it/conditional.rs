//! Complete listings by REST that GitLab sends only if they changed.

use std::sync::Arc;

use catalogue::Connector;
use chrono::TimeDelta;
use fake_gitlab::truth::Reading;
use fake_gitlab::world::generate::Scale;
use fake_gitlab::world::model::{Id, Owner, World};
use fake_gitlab::{Edition, FakeGitlab, TokenSpec};
use sync::{Options, Outcome, Progress, Stop};

use crate::equality::{assert_equal, assert_equal_but};
use crate::harness::{Bench, options};

const LISTINGS: [&str; 5] = [
    "/projects/{id}/labels",
    "/projects/{id}/milestones",
    "/projects/{id}/members",
    "/groups/{id}/members",
    "/groups/{id}/labels",
];

/// Without the project whose labels fill more than a page.
async fn bench(seed: u64) -> Bench {
    let scale = Scale { oddities: false, ..Scale::tiny() };
    let fake = FakeGitlab::builder().scale(scale).seed(seed).edition(Edition::Ce).graphql(false);
    Bench::new(fake).await
}

async fn import(bench: &Bench, change: impl FnOnce(&mut Options)) -> Outcome {
    bench.fake.counters().reset();
    let outcome = bench.sync_with(change).await;
    assert!(outcome.ok, "{outcome:?}");
    outcome
}

/// A sync with another token.
async fn import_as(bench: &Bench, tokens: &[&str]) -> Outcome {
    bench.fake.counters().reset();
    let (client, store) = (bench.client_with(tokens), bench.store.clone());
    let outcome = sync::run(client, store, options(), Arc::<Progress>::default(), Stop::default()).await;
    assert!(outcome.ok, "{outcome:?}");
    outcome
}

/// Answers of an endpoint since the last sync began: all, and those with status 304.
fn answers(bench: &Bench, endpoint: &str) -> (u64, u64) {
    let counts = bench.fake.counters().counts();
    let of = counts.requests.iter().filter(|it| it.endpoint.ends_with(endpoint));
    of.fold((0, 0), |(all, same), it| (all + it.count, same + if it.status == 304 { it.count } else { 0 }))
}

fn unchanged(bench: &Bench) -> u64 {
    LISTINGS.iter().map(|it| answers(bench, it).1).sum()
}

fn asked(bench: &Bench) -> u64 {
    LISTINGS.iter().map(|it| answers(bench, it).0).sum()
}

fn some_label(bench: &Bench) -> (Id, Id) {
    let world = bench.fake.world();
    let projects = world.projects.values().filter(|it| !it.archived && it.members.len() < 100);
    let of = |id: Id| world.labels_of_project(id).first().map(|it| (id, it.id));
    projects.filter_map(|it| of(it.id)).next().expect("a project has a label")
}

#[tokio::test(flavor = "multi_thread")]
async fn listings_of_a_gitlab_that_did_not_change_are_not_sent_again() {
    let bench = bench(1101).await;
    // Labels of a group are listed in each of its projects.
    let tops =
        |world: &World| world.groups.values().filter(|it| it.parent_id.is_none()).map(|it| it.id).collect();
    let tops: Vec<Id> = tops(&bench.fake.world());
    for (top, number) in tops.into_iter().flat_map(|top| (0..60).map(move |number| (top, number))) {
        bench.fake.world_mut().create_label(Owner::Group(top), &format!("of-all-{number}"), "#aa0000");
    }
    let first = import(&bench, |_| {}).await;
    assert_eq!(first.not_modified, 0);
    let second = import(&bench, |_| {}).await;
    assert_eq!(unchanged(&bench), asked(&bench));
    assert_eq!(second.not_modified, unchanged(&bench));
    assert_equal(&bench, Reading::REST).await;
    for table in ["gitlab_labels", "gitlab_milestones", "gitlab_project_members", "gitlab_group_members"] {
        let stored = bench.store.live_rows(table).await.expect("the table can be read").len() as u64;
        let counts = second.resources[table];
        assert_eq!((counts.read, counts.written, counts.unchanged), (0, 0, stored), "{table}");
    }
    let recorded = bench.store.query("select not_modified from weir.syncs order by id desc limit 1").await;
    assert_eq!(recorded.expect("the query is right").rows[0][0], second.not_modified);
    bench.execute("delete from weir.etags").await;
    let plain = import(&bench, |_| {}).await;
    assert_eq!((plain.not_modified, plain.requests), (0, second.requests));
    let (requests, few, many) = (second.requests, second.bytes, plain.bytes);
    eprintln!(
        "{requests} requests, {} of them answered 304: {few} bytes instead of {many}",
        second.not_modified
    );
    // The rest tells what there is: groups, projects, and approvals of open merge requests.
    assert!(many > 3 * few, "{few} bytes instead of {many}");
}

const ENVIRONMENTS: &str = "/projects/{id}/environments";

#[tokio::test(flavor = "multi_thread")]
async fn environments_that_did_not_change_are_not_sent_again() {
    let scale = Scale { projects: 12, deployments_per_project: 6, oddities: false, ..Scale::tiny() };
    let fake = FakeGitlab::builder().scale(scale).seed(1108).edition(Edition::Ce).graphql(false);
    let bench = Bench::new(fake).await;
    let both = |it: &mut Options| it.connectors = vec![Connector::Gitlab, Connector::GitlabDeployments];
    let reading = || Reading::REST.with("gitlab_deployments");
    import(&bench, both).await;
    bench.fake.world_mut().advance(TimeDelta::hours(25));
    import(&bench, both).await;
    let (all, same) = answers(&bench, ENVIRONMENTS);
    assert!(all > 0 && same == all, "{same} of {all}");
    assert_equal_but(&bench, reading(), &["gitlab_deployment_merge_requests"]).await;
    let gone = *bench.fake.world().ci.environments.keys().next().expect("there is an environment");
    bench.fake.world_mut().delete_environment(gone);
    bench.fake.world_mut().advance(TimeDelta::hours(25));
    import(&bench, both).await;
    assert_eq!(answers(&bench, ENVIRONMENTS), (all, same - 1));
    assert_equal_but(&bench, reading(), &["gitlab_deployment_merge_requests"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_sync_asks_for_everything() {
    let bench = bench(1107).await;
    import(&bench, |_| {}).await;
    let full = import(&bench, |it| it.scope.full = true).await;
    assert!(asked(&bench) > 0);
    assert_eq!((full.not_modified, unchanged(&bench)), (0, 0));
    assert_equal(&bench, Reading::REST).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_changed_is_sent_and_stored() {
    let bench = bench(1102).await;
    import(&bench, |_| {}).await;
    let (_, label) = some_label(&bench);
    bench.fake.world_mut().recolor_label(label, "#123456");
    let second = import(&bench, |_| {}).await;
    assert!(second.resources["gitlab_labels"].written > 0);
    assert_equal(&bench, Reading::REST).await;
    let (all, same) = answers(&bench, LISTINGS[0]);
    assert!(same > 0 && same < all, "{same} of {all}");
    bench.fake.world_mut().delete_label(label);
    import(&bench, |_| {}).await;
    assert_equal(&bench, Reading::REST).await;
    import(&bench, |_| {}).await;
    assert_eq!(unchanged(&bench), asked(&bench));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_changed_or_lost_here_is_read_again() {
    let bench = bench(1103).await;
    import(&bench, |_| {}).await;
    for change in [
        "update gitlab_labels set color = 'none'",
        "update gitlab_milestones set title = 'none'",
        "delete from gitlab_project_members",
        "update gitlab_group_members set access_level = access_level + 1",
        "delete from weir.group_labels",
    ] {
        bench.execute(change).await;
    }
    import(&bench, |_| {}).await;
    assert_equal(&bench, Reading::REST).await;
    let empty = LISTINGS.iter().map(|it| answers(&bench, it)).filter(|(all, _)| *all == 0).count();
    assert_eq!(empty, 0);
    import(&bench, |_| {}).await;
    assert_eq!(unchanged(&bench), asked(&bench));
}

#[tokio::test(flavor = "multi_thread")]
async fn another_token_is_told_everything_once() {
    let bench = bench(1104).await;
    let user = bench.fake.viewer().user_id;
    bench.fake.state().add_token(TokenSpec::personal("glpat-another", user));
    import(&bench, |_| {}).await;
    let other = import_as(&bench, &["glpat-another"]).await;
    assert_eq!(other.not_modified, 0);
    // Both were told the same, so each is asked by the name it was told.
    let again = import_as(&bench, &["glpat-another", bench.fake.token()]).await;
    assert_eq!((unchanged(&bench), again.not_modified), (asked(&bench), asked(&bench)));
    assert_equal(&bench, Reading::REST).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_was_told_something_else_takes_away_what_others_were_told() {
    let bench = bench(1105).await;
    let user = bench.fake.viewer().user_id;
    bench.fake.state().add_token(TokenSpec::personal("glpat-another", user));
    import(&bench, |_| {}).await;
    let (project, label) = some_label(&bench);
    let before = bench.fake.world().labels.get(&label).map(|it| it.color.clone()).expect("it is there");
    bench.fake.world_mut().recolor_label(label, "#123456");
    import_as(&bench, &["glpat-another"]).await;
    // GitLab answers the first token as it did at first; what is stored is what the other was told.
    bench.fake.world_mut().recolor_label(label, &before);
    import(&bench, |_| {}).await;
    assert_equal(&bench, Reading::REST).await;
    let (all, same) = answers(&bench, LISTINGS[0]);
    assert!(same < all, "{project}: {same} of {all}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listing_of_a_full_page_is_read_whole_every_time() {
    let bench = bench(1106).await;
    let (project, _) = some_label(&bench);
    let has = bench.fake.world().labels_of_project(project).len();
    let fill = |count: usize, from: usize| {
        let mut world = bench.fake.world_mut();
        for number in from..from + count {
            world.create_label(Owner::Project(project), &format!("l{number}"), "#111111");
        }
    };
    fill(100 - has, 0);
    import(&bench, |_| {}).await;
    import(&bench, |_| {}).await;
    let (all, same) = answers(&bench, LISTINGS[0]);
    assert_eq!(same, all - 1, "a full page may have another behind it");
    fill(1, 100);
    import(&bench, |_| {}).await;
    assert_equal(&bench, Reading::REST).await;
}
