//! Nothing is called proved that differs in what GitLab tells beside its counts.

use fake_gitlab::world::model::World;

use super::*;

/// What a proof says of a resource of a project.
async fn proof(bench: &Bench, graphql: bool, resource: &str, project: Id) -> String {
    let mut options = crate::harness::options();
    (options.connectors, options.rest_only) = (Connector::ALL.to_vec(), !graphql);
    let (_, proofs) = sync::prove(bench.client(), bench.store.clone(), options).await;
    let found = proofs.into_iter().find(|it| (it.resource.as_str(), it.project_id) == (resource, project));
    found.expect("there is a proof of it").state
}

async fn number(bench: &Bench, sql: &str) -> i64 {
    bench.store.query(sql).await.expect("the query runs").rows[0][0].as_i64().expect("a number")
}

/// A project whose code is read, and somebody who may push to it.
fn project_with_code(bench: &Bench) -> (Id, Id) {
    let world = bench.fake.world();
    let stored = |it: &&fake_gitlab::world::model::Project| {
        let visible = world.project_access_level(&bench.fake.viewer(), it).is_some();
        visible && it.repository_access_level != "disabled" && !it.archived
    };
    let project = world.projects.values().filter(stored).nth(1).expect("a project").id;
    (project, *world.users.keys().next().expect("a person"))
}

/// Two projects with issues in sight.
fn projects_with_issues(bench: &Bench) -> (Id, Id) {
    let world = bench.fake.world();
    let several = |it: &&Id| {
        let project = &world.projects[*it];
        let visible = world.project_access_level(&bench.fake.viewer(), project).is_some();
        visible && world.visible_issues(&bench.fake.viewer(), project).count() > 3
    };
    let mut found = world.projects.keys().filter(several);
    (*found.next().expect("a project"), *found.next().expect("another"))
}

fn an_issue_of(world: &World, project: Id) -> Id {
    world.issues.values().find(|it| it.project_id == project && !it.confidential).expect("an issue").id
}

#[tokio::test(flavor = "multi_thread")]
async fn a_default_branch_with_as_many_other_commits_is_not_proved() {
    let bench = bench(73).await;
    let (project, by) = project_with_code(&bench);
    bench.fake.world_mut().push_to_trunk(project, by, 2);
    sync(&bench, true, false).await;
    assert_eq!(proof(&bench, true, "commits", project).await, "proved");
    bench.fake.world_mut().advance(TimeDelta::hours(5));
    bench.fake.world_mut().force_push_trunk(project, by, 1);
    assert_eq!(proof(&bench, true, "commits", project).await, "differs");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_default_branch_is_proved_by_its_head_only_where_the_rows_fit_it() {
    let bench = bench(73).await;
    let (project, _) = project_with_code(&bench);
    sync(&bench, false, false).await;
    assert_eq!(proof(&bench, false, "commits", project).await, "proved");
    let reject = format!(
        "insert into weir.sync_rejects (instance, resource, reader, parent_id, error, raw, digest, seen_at)
         values (0, 'commits', 'rest', {project}, 'no sha', '{{}}', 'x', now())"
    );
    bench.execute(&reject).await;
    assert_eq!(proof(&bench, false, "commits", project).await, "unproved");
    bench.execute("delete from weir.sync_rejects").await;
    bench.execute(&format!("delete from gitlab_commits where project_id = {project}")).await;
    assert_eq!(proof(&bench, false, "commits", project).await, "unproved");
    bench.execute(&format!("update weir.trunks set read_at = null where project_id = {project}")).await;
    assert_eq!(proof(&bench, false, "commits", project).await, "unproved");
}

#[tokio::test(flavor = "multi_thread")]
async fn pipelines_of_which_another_is_the_newest_are_not_proved_and_mended() {
    let bench = bench(75).await;
    sync(&bench, true, false).await;
    let project = number(&bench, "select min(project_id) from gitlab_pipelines").await;
    let newest = format!(
        "update gitlab_pipelines set id = id + 1000000, source_id = source_id + 1000000
          where id = (select max(id) from gitlab_pipelines
                       where project_id = {project} and source is distinct from 'parent_pipeline')"
    );
    bench.execute(&newest).await;
    assert_eq!(proof(&bench, true, "pipelines", project).await, "differs");
    bench.fake.world_mut().advance(TimeDelta::minutes(5));
    sync(&bench, true, true).await;
    assert_eq!(proof(&bench, true, "pipelines", project).await, "proved");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_merge_request_with_another_last_change_is_not_proved_and_mended() {
    for graphql in [true, false] {
        let bench = bench(76).await;
        sync(&bench, graphql, false).await;
        let project = number(&bench, "select min(project_id) from gitlab_merge_requests").await;
        assert_eq!(proof(&bench, graphql, "merge_requests", project).await, "proved");
        let older = format!(
            "update gitlab_merge_requests set updated_at = updated_at - interval '1 hour', title = 'Older'
              where id = (select min(id) from gitlab_merge_requests where project_id = {project})"
        );
        bench.execute(&older).await;
        assert_eq!(proof(&bench, graphql, "merge_requests", project).await, "differs");
        sync(&bench, graphql, true).await;
        assert_eq!(proof(&bench, graphql, "merge_requests", project).await, "proved");
        assert_equal(&bench, reading(graphql)).await;
    }
}

/// It keeps the day it was opened and gets a new number: the issue opened last is not the one with the highest number.
#[tokio::test(flavor = "multi_thread")]
async fn a_project_into_which_an_issue_was_moved_is_proved() {
    let bench = bench(77).await;
    let (from, to) = projects_with_issues(&bench);
    let by = *bench.fake.world().users.keys().next().expect("a person");
    {
        let mut world = bench.fake.world_mut();
        world.advance(TimeDelta::hours(1));
        let issue = an_issue_of(&world, from);
        world.move_issue(issue, to, by);
        world.advance(TimeDelta::hours(1));
    }
    sync(&bench, true, true).await;
    assert_eq!(proof(&bench, true, "issues", from).await, "proved");
    assert_eq!(proof(&bench, true, "issues", to).await, "proved");
}

#[tokio::test(flavor = "multi_thread")]
async fn issues_of_which_as_many_are_stored_and_fewer_are_open_are_mended() {
    let bench = bench(78).await;
    sync(&bench, true, false).await;
    let project = number(&bench, "select min(project_id) from gitlab_issues where state = 'opened'").await;
    let closed = format!(
        "update gitlab_issues set state = 'closed'
          where id = (select min(id) from gitlab_issues where project_id = {project} and state = 'opened')"
    );
    bench.execute(&closed).await;
    assert_eq!(proof(&bench, true, "issues", project).await, "differs");
    bench.fake.world_mut().advance(TimeDelta::minutes(5));
    sync(&bench, true, true).await;
    assert_eq!(proof(&bench, true, "issues", project).await, "proved");
    assert_equal(&bench, reading(true)).await;
}
