//! Projects that GitLab has deleted, and those that are only out of sight.

use super::*;

async fn text(bench: &Bench, sql: &str) -> serde_json::Value {
    let mut rows = bench.store.query(sql).await.expect("the query runs").rows;
    rows.swap_remove(0).swap_remove(0)
}

fn some_project(bench: &Bench) -> Id {
    let world = bench.fake.world();
    let viewer = bench.fake.viewer();
    let seen = |id: &&Id| world.project_access_level(&viewer, &world.projects[*id]).is_some();
    let with = |id: &&Id| world.merge_requests.values().any(|it| it.project_id == **id);
    *world.projects.keys().filter(seen).find(with).expect("a project with merge requests")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_project_that_anybody_but_an_administrator_misses_may_only_be_out_of_sight() {
    let bench = bench(61).await;
    sync(&bench, true, false).await;
    let project = some_project(&bench);
    bench.fake.world_mut().delete_project(project);
    sync(&bench, true, true).await;
    let reason = format!("select inaccessible_reason from gitlab_projects where id = {project}");
    assert_eq!(text(&bench, &reason).await, "not_found_or_no_access");
    let marked = format!(
        "select count(*) from gitlab_merge_requests where project_id = {project} and deleted_at is not null"
    );
    assert_eq!(text(&bench, &marked).await, 0);
}

/// Where Admin Mode is on, a token without the scope sees its user's memberships alone: with it nothing is hidden.
async fn an_administrator_misses_a_project_in(scopes: &[&str]) -> serde_json::Value {
    let settings = fake_gitlab::Settings { admin_mode: true, ..Default::default() };
    let bench = Bench::new(FakeGitlab::builder().scale(Scale::tiny()).seed(63).settings(settings)).await;
    let reader = bench.fake.viewer().user_id;
    bench.fake.world_mut().admins.insert(reader);
    let scopes = scopes.iter().map(|it| (*it).to_owned()).collect();
    let token = fake_gitlab::TokenSpec { scopes, ..fake_gitlab::TokenSpec::personal("glpat-admin", reader) };
    bench.fake.state().add_token(token);
    sync(&bench, true, false).await;
    let project = some_project(&bench);
    bench.fake.world_mut().delete_project(project);
    let (client, mut options) = (bench.client_with(&["glpat-admin"]), crate::harness::options());
    (options.connectors, options.sweep) = (Connector::ALL.to_vec(), true);
    let outcome =
        sync::run(client, bench.store.clone(), options, Default::default(), Default::default()).await;
    assert!(outcome.ok, "{outcome:?}");
    text(&bench, &format!("select deleted_reason from gitlab_projects where id = {project}")).await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_administrator_outside_admin_mode_may_only_not_see_a_project() {
    assert_eq!(an_administrator_misses_a_project_in(&["read_api"]).await, serde_json::Value::Null);
    assert_eq!(an_administrator_misses_a_project_in(&["read_api", "admin_mode"]).await, "project_deleted");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_project_that_an_administrator_misses_was_deleted_and_comes_back_whole() {
    let bench = bench(62).await;
    let reader = bench.fake.viewer().user_id;
    bench.fake.world_mut().admins.insert(reader);
    sync(&bench, true, false).await;
    let project = some_project(&bench);
    let before = bench.fake.world().clone();
    bench.fake.world_mut().delete_project(project);
    sync(&bench, true, true).await;
    // People who appear nowhere any more stay known.
    assert_equal_but(&bench, reading(true), &["gitlab_users"]).await;
    let marked = format!(
        "select count(*) filter (where deleted_reason = 'project_deleted') = count(*) and count(*) > 0
           from gitlab_merge_requests where project_id = {project}"
    );
    assert_eq!(text(&bench, &marked).await, true);
    let reason = format!("select deleted_reason from gitlab_projects where id = {project}");
    assert_eq!(text(&bench, &reason).await, "project_deleted");
    let url = bench.fake.world().url.clone();
    *bench.fake.world_mut() = before;
    bench.fake.world_mut().url = url;
    sync(&bench, true, false).await;
    assert_equal(&bench, reading(true)).await;
}
