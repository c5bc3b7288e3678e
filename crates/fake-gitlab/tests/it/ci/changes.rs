//! What moves a pipeline and what does not.

use fake_gitlab::world::change::{JobOutcome, NewDeployment, NewJob, NewPipeline};
use fake_gitlab::world::model::{
    CiStatus, DeploymentStatus, EnvironmentState, FailureReason, PipelineSource, Tier,
};

use super::Small;

const FAILED: JobOutcome = JobOutcome::Failed(FailureReason::Script);

#[test]
fn a_pipeline_follows_its_jobs() {
    let mut small = Small::new();
    let (pipeline, jobs) = small.begun(&[NewJob::build("test", "rspec"), NewJob::build("deploy", "ship")]);
    assert_eq!(small.pipeline(pipeline).status, CiStatus::Pending);
    assert_eq!(small.status(jobs[1]), CiStatus::Created);
    small.wait(5);
    small.world.start_job(jobs[0]);
    assert_eq!(small.pipeline(pipeline).status, CiStatus::Running);
    assert_eq!(small.pipeline(pipeline).queued_duration(), Some(5));
    small.wait(60);
    small.world.finish_job(jobs[0], JobOutcome::Success);
    assert_eq!(small.status(jobs[1]), CiStatus::Pending);
    small.wait(100);
    small.world.start_job(jobs[1]);
    small.wait(30);
    small.world.finish_job(jobs[1], JobOutcome::Success);
    let done = small.pipeline(pipeline);
    assert_eq!(
        (done.status, done.duration),
        (CiStatus::Success, Some(90)),
        "the wait between jobs is not counted"
    );
    assert!(done.finished_at.unwrap() < done.updated_at);
}

#[test]
fn a_failure_skips_what_comes_later_and_a_retry_brings_it_back() {
    let mut small = Small::new();
    let (pipeline, jobs) = small.begun(&[NewJob::build("test", "rspec"), NewJob::build("deploy", "ship")]);
    small.world.start_job(jobs[0]);
    small.wait(10);
    small.world.finish_job(jobs[0], FAILED);
    assert_eq!(
        (small.pipeline(pipeline).status, small.status(jobs[1])),
        (CiStatus::Failed, CiStatus::Skipped)
    );
    let first = small.pipeline(pipeline).clone();
    small.wait(86_400);
    let again = small.world.retry_job(jobs[0], small.ann);
    let moved = small.pipeline(pipeline);
    assert!(again > jobs[1] && moved.updated_at > first.updated_at);
    assert!(moved.job(jobs[0]).unwrap().retried && !moved.job(again).unwrap().retried);
    assert_eq!((moved.status, moved.started_at), (CiStatus::Pending, first.started_at));
    small.world.start_job(again);
    small.wait(10);
    small.world.finish_job(again, JobOutcome::Success);
    assert_eq!(small.status(jobs[1]), CiStatus::Pending);
}

#[test]
fn a_manual_job_moves_a_finished_pipeline_a_week_later() {
    let mut small = Small::new();
    let manual = NewJob { manual: true, allow_failure: true, ..NewJob::build("deploy", "ship") };
    let (pipeline, jobs) = small.begun(&[NewJob::build("test", "rspec"), manual]);
    small.world.start_job(jobs[0]);
    small.wait(20);
    small.world.finish_job(jobs[0], JobOutcome::Success);
    let first = small.pipeline(pipeline).clone();
    assert_eq!((first.status, small.status(jobs[1])), (CiStatus::Success, CiStatus::Manual));
    small.wait(7 * 86_400);
    small.world.play_job(jobs[1], small.ann);
    assert_eq!(small.pipeline(pipeline).finished_at, first.finished_at, "until it ends again");
    small.world.start_job(jobs[1]);
    small.wait(20);
    small.world.finish_job(jobs[1], JobOutcome::Success);
    let second = small.pipeline(pipeline);
    assert!(second.finished_at > first.finished_at && second.updated_at > first.updated_at);
    assert_eq!(second.duration, Some(40));
}

#[test]
fn a_manual_job_that_must_be_played_holds_the_pipeline_up() {
    let mut small = Small::new();
    let manual = NewJob { manual: true, ..NewJob::build("deploy", "ship") };
    let (pipeline, jobs) =
        small.begun(&[NewJob::build("test", "rspec"), manual, NewJob::build("end", "tell")]);
    small.world.start_job(jobs[0]);
    small.world.finish_job(jobs[0], JobOutcome::Success);
    assert_eq!(
        (small.pipeline(pipeline).status, small.status(jobs[2])),
        (CiStatus::Manual, CiStatus::Created)
    );
}

#[test]
fn a_job_that_ends_while_others_run_does_not_move_the_pipeline() {
    let mut small = Small::new();
    let (pipeline, jobs) = small.begun(&[NewJob::build("test", "rspec"), NewJob::build("test", "jest")]);
    jobs.iter().for_each(|job| small.world.start_job(*job));
    let before = small.pipeline(pipeline).updated_at;
    small.wait(600);
    small.world.finish_job(jobs[0], JobOutcome::Success);
    assert_eq!(small.pipeline(pipeline).updated_at, before);
}

#[test]
fn what_is_cancelled_before_its_start_was_queued_ever_since() {
    let mut small = Small::new();
    let (pipeline, jobs) = small.begun(&[NewJob::build("test", "rspec")]);
    small.wait(60);
    small.world.cancel_pipeline(pipeline);
    let canceled = small.pipeline(pipeline);
    assert_eq!((canceled.status, canceled.started_at, canceled.duration), (CiStatus::Canceled, None, None));
    let queued = |small: &Small| {
        small.world.ci.job(jobs[0]).unwrap().1.queued_duration(small.world.now).unwrap() as i64
    };
    let first = queued(&small);
    small.wait(1_000);
    assert_eq!(queued(&small), first + 1_000);
}

#[test]
fn what_is_erased_or_deleted_leaves_no_trace() {
    let mut small = Small::new();
    let (pipeline, jobs) = small.begun(&[NewJob::build("test", "rspec")]);
    small.world.run_pipeline(pipeline);
    let before = small.pipeline(pipeline).clone();
    small.wait(600);
    small.world.erase_job(jobs[0]);
    assert!(small.world.ci.job(jobs[0]).unwrap().1.erased_at.is_some());
    assert_eq!(small.pipeline(pipeline).updated_at, before.updated_at);
    small.world.delete_pipeline(pipeline);
    assert!(small.world.ci.pipelines.is_empty() && small.world.ci.job(jobs[0]).is_none());
}

#[test]
fn a_bridge_makes_a_child_or_a_downstream_pipeline() {
    let mut small = Small::new();
    let group = *small.world.groups.keys().next().unwrap();
    let namespace = fake_gitlab::world::model::Namespace::Group(group);
    let other = small.world.create_project(namespace, "docs", "docs", "private");
    let (parent, bridges) = small.begun(&[NewJob::bridge("deploy", "a"), NewJob::bridge("deploy", "b")]);
    let child = small.world.trigger_child(bridges[0]);
    let downstream = small.world.trigger_downstream(bridges[1], other);
    assert_eq!(small.pipeline(parent).status, CiStatus::Success);
    assert_eq!(small.pipeline(child).source, PipelineSource::ParentPipeline);
    assert_eq!(small.pipeline(child).sha, small.pipeline(parent).sha);
    assert_eq!(
        (small.pipeline(downstream).source, small.pipeline(downstream).project_id),
        (PipelineSource::Pipeline, other)
    );
    let upstream = small.world.ci.upstream(small.pipeline(child)).unwrap().id;
    assert_eq!(upstream, parent);
    small.world.delete_pipeline(parent);
    assert!(small.world.ci.upstream(small.pipeline(child)).is_none(), "the child stays, and is an orphan");
}

#[test]
fn every_source_can_make_a_pipeline() {
    let mut small = Small::new();
    for source in PipelineSource::ALL {
        let new = NewPipeline { source: *source, ..NewPipeline::push(small.project, small.ann, "main") };
        let id = small.world.create_pipeline(new);
        assert_eq!(PipelineSource::of(small.pipeline(id).source.word()), Some(*source));
    }
}

#[test]
fn a_deployment_follows_its_job_and_brings_what_was_merged() {
    let mut small = Small::new();
    let mr = small.world.open_merge_request(fake_gitlab::world::change::NewMergeRequest {
        project_id: small.project,
        author_id: small.ann,
        title: "Add".to_owned(),
        draft: false,
        source_project_id: None,
    });
    small.world.merge(mr, small.ann, fake_gitlab::world::change::MergeStyle::Squash);
    let environment = small.world.create_environment(small.project, "production", Tier::Production, None);
    let job = NewJob { environment_id: Some(environment), ..NewJob::build("deploy", "ship") };
    let (_, jobs) = small.begun(&[job]);
    let deployment = |small: &Small| small.world.ci.deployments.values().last().unwrap().clone();
    let made = deployment(&small);
    assert_eq!((made.status, made.job_id), (DeploymentStatus::Created, Some(jobs[0])));
    small.world.start_job(jobs[0]);
    assert_eq!(deployment(&small).status, DeploymentStatus::Running);
    small.wait(30);
    small.world.finish_job(jobs[0], JobOutcome::Success);
    let done = deployment(&small);
    assert_eq!((done.status, done.merge_request_ids.clone()), (DeploymentStatus::Success, vec![mr]));
    assert!(done.updated_at > made.updated_at && done.finished_at.is_some());
    let new = NewDeployment { environment_id: environment, git_ref: "main", user_id: None };
    let second = small.world.create_deployment(&new);
    small.world.move_deployment(second, DeploymentStatus::Success);
    assert!(deployment(&small).merge_request_ids.is_empty(), "it is there already");
    small.world.delete_deployment(second);
    assert_eq!(deployment(&small).id, done.id);
    small.world.delete_environment(environment);
    assert!(small.world.ci.deployments.is_empty());
}

#[test]
fn environments_move_when_they_are_changed() {
    let mut small = Small::new();
    let id = small.world.create_environment(small.project, "Review/Feature X", Tier::Other, None);
    let made = small.world.ci.environments[&id].clone();
    assert!(made.slug.starts_with("review-feature-x-") && made.slug.len() <= 24, "{}", made.slug);
    small.wait(60);
    small.world.set_environment_tier(id, Tier::Testing);
    small.world.set_environment_state(id, EnvironmentState::Stopped);
    let changed = &small.world.ci.environments[&id];
    assert!(changed.updated_at > made.updated_at);
    assert_eq!((changed.tier, changed.state), (Tier::Testing, EnvironmentState::Stopped));
    let new = NewDeployment { environment_id: id, git_ref: "main", user_id: None };
    let deployment = small.world.create_deployment(&new);
    small.world.move_deployment(deployment, DeploymentStatus::Success);
    assert_eq!(small.world.ci.environments[&id].state, EnvironmentState::Available);
}

#[test]
fn a_deleted_project_takes_its_pipelines_along() {
    let mut small = Small::new();
    small.begun(&[NewJob::build("test", "rspec")]);
    small.world.create_environment(small.project, "production", Tier::Production, None);
    small.world.delete_project(small.project);
    let ci = &small.world.ci;
    assert!(ci.pipelines.is_empty() && ci.pipeline_of.is_empty() && ci.environments.is_empty());
}
