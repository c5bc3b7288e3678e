//! Random changes of pipelines, jobs, environments and deployments. They are asked for apart from the others, so that
//! a seed of those keeps its meaning.

use chrono::TimeDelta;
use rand::{Rng, RngExt};

use super::{Kinds, person, pick};
use crate::world::change::{JobOutcome, NewDeployment, NewJob, NewPipeline};
use crate::world::model::{
    CiStatus, DeploymentStatus, EnvironmentState, FailureReason, Id, Job, PipelineSource, Tier, World,
};

/// Makes one change of CI/CD, described in a few words. The visible kinds move a pipeline's `updated_at`, concern one
/// that is not finished, or show in a complete listing of environments.
pub fn random_ci_change(world: &mut World, rng: &mut impl Rng, kinds: Kinds) -> String {
    let pause = match kinds {
        Kinds::Visible => rng.random_range(61..900),
        Kinds::All => rng.random_range(0..120),
    };
    world.advance(TimeDelta::seconds(pause));
    let traceless = kinds == Kinds::All && rng.random_bool(0.2);
    let change = match (traceless, rng.random_range(0..20)) {
        (true, _) => traceless_change(world, rng),
        (_, 0..4) => new_pipeline(world, rng),
        (_, 4..9) => step(world, rng),
        (_, 9..11) => retry(world, rng),
        (_, 11) => play(world, rng),
        (_, 12) => cancel(world, rng),
        (_, 13 | 14) => trigger(world, rng),
        (_, 15 | 16) => deploy(world, rng),
        (_, 17 | 18) => environment(world, rng),
        _ => switch(world, rng),
    };
    change.unwrap_or_else(|| "nothing".to_owned())
}

/// A project in which work goes on.
fn project(world: &World, rng: &mut impl Rng) -> Option<Id> {
    let in_use = world.projects.values().filter(|it| !it.archived && it.builds_access_level == "enabled");
    let in_use: Vec<Id> = in_use.map(|it| it.id).collect();
    pick(rng, in_use.into_iter())
}

/// A job that is this and that, of a project in which work goes on.
fn job(world: &World, rng: &mut impl Rng, wanted: impl Fn(&Job) -> bool) -> Option<Id> {
    let project = project(world, rng)?;
    let pipelines = world.ci.pipelines.values().filter(|it| it.project_id == project);
    let jobs = pipelines.flat_map(|it| it.latest_jobs()).filter(|it| wanted(it));
    let jobs: Vec<Id> = jobs.map(|it| it.id).collect();
    pick(rng, jobs.into_iter())
}

fn outcome(rng: &mut impl Rng) -> JobOutcome {
    match rng.random_range(0..10) {
        0..7 => JobOutcome::Success,
        7 => JobOutcome::Failed(FailureReason::RunnerSystem),
        _ => JobOutcome::Failed(FailureReason::Script),
    }
}

fn new_pipeline(world: &mut World, rng: &mut impl Rng) -> Option<String> {
    let (project, by) = (project(world, rng)?, person(world, rng)?);
    let push = NewPipeline::push(project, by, "main");
    let new = match rng.random_range(0..5) {
        0 => NewPipeline::tag(project, by, &format!("v9.{}.0", world.ci.ids.ticks)),
        1 => NewPipeline::merge_request(project, by, rng.random_range(1..5), "head"),
        2 => NewPipeline { source: PipelineSource::Schedule, ..push },
        3 => return Some(invalid_pipeline(world, push)),
        _ => push,
    };
    let pipeline = world.create_pipeline(new);
    for (stage, name) in [("build", "compile"), ("test", "rspec"), ("test", "lint")] {
        world.add_job(pipeline, &NewJob { allow_failure: name == "lint", ..NewJob::build(stage, name) });
    }
    let manual = NewJob::build("deploy", "release");
    world.add_job(pipeline, &NewJob { manual: true, allow_failure: true, ..manual });
    world.begin_pipeline(pipeline);
    if rng.random_bool(0.5) {
        world.run_pipeline(pipeline);
    }
    Some(format!("pipeline {pipeline}: made in project {project}"))
}

fn invalid_pipeline(world: &mut World, new: NewPipeline) -> String {
    let pipeline = world.create_invalid_pipeline(new, "jobs config should contain at least one visible job");
    format!("pipeline {pipeline}: could not be made")
}

/// Something unfinished goes on.
fn step(world: &mut World, rng: &mut impl Rng) -> Option<String> {
    let open = |it: &Job| matches!(it.status, CiStatus::Pending | CiStatus::Running);
    let job = job(world, rng, open)?;
    if world.ci.job(job).is_some_and(|(_, it)| it.status == CiStatus::Pending) {
        world.start_job(job);
        return Some(format!("job {job}: started"));
    }
    let outcome = outcome(rng);
    world.finish_job(job, outcome);
    Some(format!("job {job}: ended, {outcome:?}"))
}

fn retry(world: &mut World, rng: &mut impl Rng) -> Option<String> {
    let job = job(world, rng, |it| matches!(it.status, CiStatus::Failed | CiStatus::Success))?;
    let by = person(world, rng)?;
    let again = world.retry_job(job, by);
    if rng.random_bool(0.5) {
        world.start_job(again);
        world.advance(TimeDelta::seconds(40));
        world.finish_job(again, outcome(rng));
    }
    Some(format!("job {job}: tried again as {again}"))
}

fn play(world: &mut World, rng: &mut impl Rng) -> Option<String> {
    let job = job(world, rng, |it| it.status == CiStatus::Manual)?;
    let by = person(world, rng)?;
    world.play_job(job, by);
    Some(format!("job {job}: played"))
}

fn cancel(world: &mut World, rng: &mut impl Rng) -> Option<String> {
    let job = job(world, rng, |it| it.status.is_active())?;
    let pipeline = world.ci.pipeline_of[&job];
    world.cancel_pipeline(pipeline);
    Some(format!("pipeline {pipeline}: cancelled"))
}

fn trigger(world: &mut World, rng: &mut impl Rng) -> Option<String> {
    let (here, by) = (project(world, rng)?, person(world, rng)?);
    let pipeline = world.create_pipeline(NewPipeline::push(here, by, "main"));
    let bridge = world.add_job(pipeline, &NewJob::bridge("deploy", "trigger"));
    world.begin_pipeline(pipeline);
    let triggered = match rng.random_range(0..3) {
        0 => world.trigger_child(bridge),
        1 => {
            let there = project(world, rng)?;
            world.trigger_downstream(bridge, there)
        }
        _ => {
            world.fail_bridge(bridge, FailureReason::DownstreamCreation, Some("Reference not found"));
            return Some(format!("bridge {bridge}: failed"));
        }
    };
    world.add_job(triggered, &NewJob::build("test", "accept"));
    world.run_pipeline(triggered);
    Some(format!("bridge {bridge}: triggered pipeline {triggered}"))
}

fn deploy(world: &mut World, rng: &mut impl Rng) -> Option<String> {
    let open = |status| matches!(status, DeploymentStatus::Created | DeploymentStatus::Running);
    let open = world.ci.deployments.values().filter(|it| it.job_id.is_none() && open(it.status));
    let open: Vec<Id> = open.map(|it| it.id).collect();
    if let Some(deployment) = pick(rng, open.into_iter()).filter(|_| rng.random_bool(0.5)) {
        let next = [DeploymentStatus::Running, DeploymentStatus::Success, DeploymentStatus::Failed];
        world.move_deployment(deployment, next[rng.random_range(0..3)]);
        return Some(format!("deployment {deployment}: moved"));
    }
    let environment_id = pick(rng, world.ci.environments.keys().copied())?;
    let by = person(world, rng)?;
    if rng.random_bool(0.4) {
        let new = NewDeployment { environment_id, git_ref: "main", user_id: Some(by) };
        return Some(format!("deployment {}: made by the API", world.create_deployment(&new)));
    }
    let project = world.ci.environments[&environment_id].project_id;
    let pipeline = world.create_pipeline(NewPipeline::push(project, by, "main"));
    let job = NewJob { environment_id: Some(environment_id), ..NewJob::build("deploy", "ship") };
    world.add_job(pipeline, &job);
    world.run_pipeline(pipeline);
    Some(format!("pipeline {pipeline}: deployed to environment {environment_id}"))
}

fn environment(world: &mut World, rng: &mut impl Rng) -> Option<String> {
    let tier = Tier::ALL[rng.random_range(0..Tier::ALL.len())];
    let known = pick(rng, world.ci.environments.keys().copied());
    Some(match (rng.random_range(0..3), known) {
        (0, Some(id)) => {
            world.set_environment_state(id, EnvironmentState::Stopped);
            format!("environment {id}: stopped")
        }
        (1, Some(id)) => {
            world.set_environment_tier(id, tier);
            format!("environment {id}: is for {}", tier.word())
        }
        _ => {
            let project = project(world, rng)?;
            let name = format!("review/{}", world.ci.ids.ticks);
            format!("environment {}: made", world.create_environment(project, &name, tier, None))
        }
    })
}

fn switch(world: &mut World, rng: &mut impl Rng) -> Option<String> {
    let project = pick(rng, world.projects.keys().copied())?;
    let level =
        if world.projects[&project].builds_access_level == "disabled" { "enabled" } else { "disabled" };
    world.set_builds_access(project, level);
    Some(format!("project {project}: CI/CD is {level}"))
}

/// A change no timestamp shows.
fn traceless_change(world: &mut World, rng: &mut impl Rng) -> Option<String> {
    Some(match rng.random_range(0..6) {
        0 | 1 => {
            let job = job(world, rng, |it| it.started_at.is_some() && it.finished_at.is_some())?;
            world.erase_job(job);
            format!("job {job}: erased")
        }
        2 | 3 => {
            let pipeline = pick(rng, world.ci.pipelines.keys().copied())?;
            world.delete_pipeline(pipeline);
            format!("pipeline {pipeline}: deleted")
        }
        4 => {
            let deployment = pick(rng, world.ci.deployments.keys().copied())?;
            world.delete_deployment(deployment);
            format!("deployment {deployment}: deleted")
        }
        _ => {
            let environment = pick(rng, world.ci.environments.keys().copied())?;
            world.delete_environment(environment);
            format!("environment {environment}: deleted with its deployments")
        }
    })
}
