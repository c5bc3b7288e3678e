//! What a generated world holds of CI/CD.

use std::collections::BTreeSet;

use fake_gitlab::world::generate::{Scale, generate};
use fake_gitlab::world::model::{
    CiStatus, DeploymentStatus, EnvironmentState, FailureReason, Pipeline, PipelineSource,
};

use super::find;

#[test]
fn the_scales_hold_what_they_promise() {
    let world = generate(1, &Scale::small());
    let of = |project: i64| world.ci.pipelines.values().filter(move |it| it.project_id == project);
    let last = *world.projects.keys().nth(19).unwrap();
    assert_eq!(of(last).count(), 20);
    assert!(of(last).all(|it| it.latest_jobs().count() == 5));
    let with_environments: BTreeSet<i64> = world.ci.environments.values().map(|it| it.project_id).collect();
    assert_eq!(with_environments.len(), 6, "of every third project, the empty one is left out");
}

#[test]
fn nothing_is_newer_than_ten_minutes_and_ids_are_in_order() {
    for seed in 0..3 {
        let world = generate(seed, &Scale::tiny());
        let bound = world.now - chrono::TimeDelta::minutes(10);
        assert!(
            world.ci.pipelines.values().all(|it| it.updated_at <= bound && it.created_at <= it.updated_at)
        );
        assert!(world.ci.deployments.values().all(|it| it.updated_at <= bound));
        for pipeline in world.ci.pipelines.values() {
            assert!(pipeline.jobs.is_sorted_by_key(|job| job.id));
            assert!(pipeline.jobs.iter().all(|job| world.ci.pipeline_of[&job.id] == pipeline.id));
        }
    }
}

#[test]
fn every_oddity_is_there() {
    let world = generate(1, &Scale::tiny());
    let any = |wanted: &dyn Fn(&Pipeline) -> bool| assert!(world.ci.pipelines.values().any(wanted));
    any(&|it| it.yaml_errors.is_some() && it.started_at.is_none() && it.duration.is_none());
    any(&|it| it.status == CiStatus::Canceled && it.started_at.is_none());
    any(&|it| it.status == CiStatus::Success && it.jobs.iter().any(|job| job.status == CiStatus::Failed));
    any(&|it| it.jobs.len() == 150);
    any(&|it| it.jobs.iter().filter(|job| &*job.name == "flaky").count() == 6);
    any(&|it| it.status == CiStatus::Manual);
    any(&|it| it.status == CiStatus::Skipped && it.jobs.is_empty());
    any(&|it| it.user_id.is_none() && it.queued_duration().is_none());
    any(&|it| it.coverage() == Some(87.4));
    any(&|it| it.finished_at.is_some_and(|end| end - it.created_at > chrono::TimeDelta::days(20)));
    any(&|it| world.ci.upstream(it).is_some_and(|parent| parent.is_child()));
    let shared = find(&world, |it| it.iid == 60).updated_at;
    assert!(world.ci.pipelines.values().filter(|it| it.updated_at == shared).count() >= 130);
}

#[test]
fn every_word_is_met() {
    let world = generate(1, &Scale::tiny());
    let statuses: BTreeSet<_> = world.ci.pipelines.values().map(|it| it.status).collect();
    assert_eq!(statuses.len(), CiStatus::ALL.len(), "{statuses:?}");
    let sources: BTreeSet<_> = world.ci.pipelines.values().map(|it| it.source).collect();
    assert_eq!(sources.len(), PipelineSource::ALL.len() - 1, "all but unknown");
    let reasons =
        world.ci.pipelines.values().flat_map(|it| it.jobs.iter().filter_map(|job| job.failure_reason));
    assert_eq!(reasons.collect::<BTreeSet<_>>().len(), FailureReason::ALL.len());
    let deployments: BTreeSet<_> = world.ci.deployments.values().map(|it| it.status).collect();
    assert_eq!(deployments.len(), DeploymentStatus::ALL.len());
    assert!(world.ci.environments.values().any(|it| it.state == EnvironmentState::Stopped));
    assert!(world.ci.deployments.values().any(|it| !it.merge_request_ids.is_empty()));
    let gone = |id: &i64| world.ci.job(*id).is_none();
    assert!(world.ci.deployments.values().any(|it| it.job_id.as_ref().is_some_and(gone)));
}
