//! What changes between two syncs.

use catalogue::Connector;
use chrono::TimeDelta;
use fake_gitlab::TokenSpec;
use fake_gitlab::truth::Row;
use fake_gitlab::world::change::{JobOutcome, NewDeployment, NewJob, NewPipeline};
use fake_gitlab::world::model::{CiStatus, DeploymentStatus, EnvironmentState, Id, Tier};
use gitlab_client::TokenKind;
use serde_json::json;
use sync::{Options, Outcome, Scope};

use super::{
    ALONE, DEPLOYMENTS, ENVIRONMENTS, TABLES, alone, alone_with_links, asked, assert_deployments,
    assert_tables, bench, import, pass, value, wanted,
};
use crate::harness::{Bench, options};
use crate::pipelines::change;
use crate::shapes::{lower_roles, restore_roles};

/// A day and more passes while so much changes.
const CHANGES: usize = 500;

async fn changes_are_found(seed: u64, graphql: bool) {
    let bench = bench(seed).await;
    alone(&bench, graphql).await;
    change(&bench, seed, CHANGES);
    alone(&bench, graphql).await;
    assert_deployments(&bench, graphql).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn five_hundred_changes_of_deployments_are_found() {
    changes_are_found(811, true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn five_hundred_changes_of_deployments_are_found_by_rest_alone() {
    changes_are_found(812, false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn five_hundred_changes_are_found_beside_the_other_connectors_with_merge_requests() {
    let bench = bench(813).await;
    let all = |it: &mut Options| {
        (it.connectors, it.deployment_merge_requests) = (Connector::ALL.to_vec(), true);
    };
    import(&bench, all).await;
    change(&bench, 813, CHANGES);
    import(&bench, all).await;
    assert_tables(&bench, true, &TABLES).await;
}

/// A project that deploys and that the reader sees, and one of its environments.
fn place(bench: &Bench) -> (Id, Id) {
    let stored = &wanted(bench, true)["gitlab_environments"];
    let world = bench.fake.world();
    let in_use = |it: &&Row| !world.projects[&it["project_id"].as_i64().expect("a number")].archived;
    let row = stored.iter().find(in_use).expect("the world has an environment");
    (row["project_id"].as_i64().expect("a number"), row["id"].as_i64().expect("a number"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_look_lists_the_environments_though_another_sync_began_in_the_same_second() {
    let bench = bench(819).await;
    alone(&bench, true).await;
    let (_, environment) = place(&bench);
    bench.fake.world_mut().set_environment_state(environment, EnvironmentState::Stopped);
    bench
        .execute("update weir.partitions set complete_to = '2100-01-01' where resource = 'environments'")
        .await;
    import(&bench, |it| (it.connectors, it.sweep) = (ALONE.to_vec(), true)).await;
    assert_tables(&bench, true, &["gitlab_environments"]).await;
}

/// Ends every pipeline of a project that runs.
fn end_pipelines(bench: &Bench, project: Id) {
    let mut world = bench.fake.world_mut();
    let ours = world.ci.pipelines.values().filter(|it| it.project_id == project);
    let running: Vec<Id> = ours.filter(|it| it.status == CiStatus::Running).map(|it| it.id).collect();
    for pipeline in running {
        world.cancel_pipeline(pipeline);
    }
}

async fn status(bench: &Bench, deployment: Id) -> serde_json::Value {
    value(bench, &format!("select status from gitlab_deployments where id = {deployment}")).await
}

/// A pipeline with a job that deploys, and the deployment; the job runs.
fn deploying(bench: &Bench) -> (Id, Id) {
    let (project, environment) = place(bench);
    let mut world = bench.fake.world_mut();
    let user = *world.users.keys().next().expect("there are people");
    let pipeline = world.create_pipeline(NewPipeline::push(project, user, "main"));
    let job = NewJob { environment_id: Some(environment), ..NewJob::build("deploy", "ship") };
    let job = world.add_job(pipeline, &job);
    world.begin_pipeline(pipeline);
    world.start_job(job);
    let deployment = world.ci.job(job).and_then(|(_, it)| it.deployment_id).expect("the job deploys");
    (job, deployment)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deployment_that_ends_days_later_is_read_again_when_its_job_ends() {
    let bench = bench(814).await;
    let (job, deployment) = deploying(&bench);
    alone(&bench, true).await;
    assert_eq!(status(&bench, deployment).await, json!("running"));
    for _ in 0..3 {
        pass(&bench, TimeDelta::hours(30));
        alone(&bench, true).await;
    }
    pass(&bench, TimeDelta::hours(1));
    bench.fake.world_mut().finish_job(job, JobOutcome::Success);
    pass(&bench, TimeDelta::minutes(5));
    alone(&bench, true).await;
    assert_eq!(status(&bench, deployment).await, json!("success"));
    let finished = format!("select finished_at is not null from gitlab_deployments where id = {deployment}");
    assert_eq!(value(&bench, &finished).await, json!(true));
    assert_deployments(&bench, true).await;
}

/// The pipeline runs before and after, and shows nothing of the job that began within it.
#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_ends_within_a_running_pipeline_is_found_at_once() {
    let bench = bench(815).await;
    let (job, deployment) = deploying(&bench);
    let pipeline = bench.fake.world().ci.pipeline_of[&job];
    let other = bench.fake.world_mut().add_job(pipeline, &NewJob::build("deploy", "smoke"));
    bench.fake.world_mut().start_job(other);
    pass(&bench, TimeDelta::hours(1));
    alone(&bench, true).await;
    pass(&bench, TimeDelta::hours(1));
    let moved = |bench: &Bench| bench.fake.world().ci.pipelines[&pipeline].updated_at;
    let before = moved(&bench);
    bench.fake.world_mut().finish_job(job, JobOutcome::Success);
    assert_eq!(moved(&bench), before, "the pipeline shows nothing");
    pass(&bench, TimeDelta::hours(1));
    alone(&bench, true).await;
    assert_eq!(status(&bench, deployment).await, json!("success"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deployment_made_by_the_api_is_found_within_a_day_and_followed_from_then_on() {
    let bench = bench(816).await;
    let (project, environment_id) = place(&bench);
    end_pipelines(&bench, project);
    pass(&bench, TimeDelta::hours(1));
    alone(&bench, true).await;
    pass(&bench, TimeDelta::hours(1));
    let new = NewDeployment { environment_id, git_ref: "main", user_id: None };
    let deployment = bench.fake.world_mut().create_deployment(&new);
    pass(&bench, TimeDelta::hours(1));
    alone(&bench, true).await;
    let count = format!("select count(*) from gitlab_deployments where id = {deployment}");
    assert_eq!(value(&bench, &count).await, json!(0), "nothing shows it, and the last look was today");
    pass(&bench, TimeDelta::hours(21));
    alone(&bench, true).await;
    assert_eq!(status(&bench, deployment).await, json!("created"));
    for next in [DeploymentStatus::Running, DeploymentStatus::Success] {
        pass(&bench, TimeDelta::hours(1));
        bench.fake.world_mut().move_deployment(deployment, next);
        pass(&bench, TimeDelta::hours(1));
        alone(&bench, true).await;
        assert_eq!(status(&bench, deployment).await, json!(next.word()));
        assert_deployments(&bench, true).await;
    }
    pass(&bench, TimeDelta::hours(1));
    alone(&bench, true).await;
    assert!(asked(&bench, DEPLOYMENTS) <= 1, "it has ended");
}

#[tokio::test(flavor = "multi_thread")]
async fn by_rest_alone_a_deployment_made_by_the_api_is_found_by_the_next_sync() {
    let bench = bench(817).await;
    alone(&bench, false).await;
    let (project, _) = place(&bench);
    pass(&bench, TimeDelta::hours(1));
    {
        let mut world = bench.fake.world_mut();
        let environment_id = world.create_environment(project, "made/by-api", Tier::Production, None);
        world.create_deployment(&NewDeployment { environment_id, git_ref: "main", user_id: None });
    }
    pass(&bench, TimeDelta::hours(1));
    alone(&bench, false).await;
    assert_eq!(asked(&bench, ENVIRONMENTS), 1, "where a deployment is new, its environment may be");
    assert_deployments(&bench, false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_environment_that_is_deleted_ends_its_deployments() {
    let bench = bench(818).await;
    alone_with_links(&bench, true).await;
    assert_tables(&bench, true, &TABLES).await;
    let (_, environment) = place(&bench);
    bench.fake.world_mut().delete_environment(environment);
    pass(&bench, TimeDelta::hours(25));
    alone_with_links(&bench, true).await;
    assert_tables(&bench, true, &TABLES).await;
    let reason = format!("select deleted_reason from gitlab_environments where id = {environment}");
    assert_eq!(value(&bench, &reason).await, json!("deleted"));
    let below = format!(
        "select array_agg(distinct deleted_reason) from gitlab_deployments where environment_id = {environment}"
    );
    assert_eq!(value(&bench, &below).await, json!(["parent_deleted"]));
}

/// Rows stay: switched off is not deleted.
#[tokio::test(flavor = "multi_thread")]
async fn ci_that_is_switched_off_is_a_skip_and_takes_nothing_away() {
    let bench = bench(819).await;
    alone(&bench, true).await;
    let (project, _) = place(&bench);
    let count = format!(
        "select count(*) from gitlab_deployments where project_id = {project} and deleted_at is null"
    );
    let before = value(&bench, &count).await;
    bench.fake.world_mut().set_builds_access(project, "disabled");
    pass(&bench, TimeDelta::hours(25));
    let outcome = alone(&bench, true).await;
    assert_eq!(skipped(&outcome, project), ["feature_disabled"]);
    assert_eq!(value(&bench, &count).await, before);
    bench.fake.world_mut().set_builds_access(project, "enabled");
    alone(&bench, true).await;
    assert_deployments(&bench, true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn environments_that_are_switched_off_are_a_skip_without_a_request() {
    let bench = bench(821).await;
    let (project, _) = place(&bench);
    bench.fake.world_mut().set_environments_access(project, "disabled");
    let outcome = alone(&bench, true).await;
    assert_eq!(skipped(&outcome, project), ["feature_disabled"]);
    let all = wanted(&bench, true)["gitlab_projects"].len() as u64;
    assert!(asked(&bench, ENVIRONMENTS) < all, "of {all} projects one is not asked about");
    assert_deployments(&bench, true).await;
}

/// Why deployments of a project are skipped.
fn skipped(outcome: &Outcome, project: Id) -> Vec<&str> {
    let ours = outcome.skips.iter().filter(|it| it.resource == "deployments" && it.parent_id == project);
    ours.map(|it| it.reason.as_str()).collect()
}

/// A Guest sees a private project and its pipelines, and not its deployments.
#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_is_noted_in_every_sync_and_tested_once_a_day() {
    let bench = bench(820).await;
    let roles = lower_roles(&bench, 10);
    let first = alone(&bench, true).await;
    let closed = asked(&bench, DEPLOYMENTS);
    let refused = |outcome: &Outcome| {
        outcome.skips.iter().filter(|it| it.resource == "deployments" && it.reason == "forbidden").count()
    };
    assert!(refused(&first) > 0 && closed > 0, "{:?}", first.skips);
    pass(&bench, TimeDelta::hours(1));
    let second = alone(&bench, true).await;
    assert_eq!(refused(&second), refused(&first));
    assert!(asked(&bench, DEPLOYMENTS) + refused(&first) as u64 <= closed, "what is closed is not asked for");
    restore_roles(&bench, &roles);
    pass(&bench, TimeDelta::hours(25));
    let third = alone(&bench, true).await;
    assert_eq!(refused(&third), 0);
    assert_deployments(&bench, true).await;
}

/// Syncs follow each other every few hours, and deployments are listed in each; still there is a look a day.
async fn an_environment_that_changes_alone_is_found_within_a_day(seed: u64, graphql: bool) {
    let bench = bench(seed).await;
    alone(&bench, graphql).await;
    let (_, environment) = place(&bench);
    pass(&bench, TimeDelta::hours(1));
    bench.fake.world_mut().set_environment_tier(environment, Tier::Testing);
    let mut looks = Vec::new();
    for _ in 0..5 {
        pass(&bench, TimeDelta::hours(5));
        alone(&bench, graphql).await;
        looks.push(asked(&bench, ENVIRONMENTS));
    }
    assert_deployments(&bench, graphql).await;
    let projects = wanted(&bench, graphql)["gitlab_projects"].len() as u64;
    assert_eq!(looks.iter().filter(|it| **it > 1).count(), 1, "{looks:?}");
    assert!(looks.iter().sum::<u64>() <= projects, "{looks:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_an_environment_alone_is_found_within_a_day() {
    an_environment_that_changes_alone_is_found_within_a_day(822, true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_an_environment_alone_is_found_within_a_day_by_rest_alone() {
    an_environment_that_changes_alone_is_found_within_a_day(823, false).await;
}

/// Old versions let a job token read neither list.
#[tokio::test(flavor = "multi_thread")]
async fn a_job_token_gets_a_skip() {
    let bench = bench(824).await;
    let (project, _) = place(&bench);
    let user = bench.fake.viewer().user_id;
    bench.fake.state().add_token(TokenSpec::job("glcbt-job", user, project));
    let mut options = options();
    options.connectors = ALONE.to_vec();
    options.job_token = true;
    options.scope = Scope { projects: vec![project.to_string()], ..Scope::default() };
    let client = bench.client_of(TokenKind::Job, "glcbt-job");
    let outcome =
        sync::run(client, bench.store.clone(), options, Default::default(), Default::default()).await;
    assert!(outcome.ok, "{:?}", outcome.error);
    assert_eq!(skipped(&outcome, project), ["job_token"]);
}
