//! One job or bridge.

use super::{float, pipeline, readable, status, upper};
use crate::graphql::executor::Run;
use crate::graphql::json::{self, Out};
use crate::graphql::plan::Node;
use crate::graphql::project;
use crate::world::model::{CiStatus, Id, Job, JobKind, Pipeline, PipelineSource, Runner};

/// Writes a job; null where there is none or it may not be read.
pub(super) fn write(run: &Run<'_>, node: &Node, out: &mut Out, id: Option<Id>) {
    match id.and_then(|id| run.world.ci.job(id)).filter(|(it, _)| readable(run, it.project_id)) {
        Some((pipeline, job)) => fields(run, node, out, pipeline, job),
        None => json::null(out),
    }
}

/// Writes a job that may be read.
pub(super) fn fields(run: &Run<'_>, node: &Node, out: &mut Out, pipeline: &Pipeline, it: &Job) {
    json::child(out, node, |field, out| scalar(run, field, out, pipeline, it));
}

fn scalar(run: &Run<'_>, field: &Node, out: &mut Out, pipeline: &Pipeline, it: &Job) {
    let bridge = it.kind == JobKind::Bridge;
    match field.name.as_str() {
        "id" => json::gid(out, if bridge { "Ci::Bridge" } else { "Ci::Build" }, it.id),
        "kind" => upper(out, it.kind.word()),
        "name" => json::string(out, &it.name),
        "status" => upper(out, it.status.word()),
        "allowFailure" => json::boolean(out, it.allow_failure),
        "retried" => json::boolean(out, it.retried),
        "manualJob" => json::boolean(out, it.manual),
        "active" => json::boolean(out, it.status.is_active()),
        "scheduled" => json::boolean(out, it.status == CiStatus::Scheduled),
        "createdByTag" => json::boolean(out, pipeline.tag),
        "triggered" => json::boolean(out, pipeline.source == PipelineSource::Trigger),
        "refName" => json::string(out, &pipeline.git_ref),
        "shortSha" => json::plain(out, &pipeline.sha[..8]),
        "coverage" => json::option(out, it.coverage, float),
        "exitCode" => json::option(out, it.exit_code.map(i64::from), json::integer),
        "failureMessage" => json::option(out, status::failure_message(it), json::string),
        // The schema has whole seconds here; the fraction is cut off.
        "duration" => json::option(out, it.duration(run.world.now).map(|it| it as i64), json::integer),
        "queuedDuration" => json::option(out, it.queued_duration(run.world.now), float),
        "tags" if bridge => json::null(out),
        "tags" => json::array(out, it.tags.iter(), |out, tag| json::string(out, tag)),
        _ => time(run, field, out, pipeline, it),
    }
}

fn time(run: &Run<'_>, field: &Node, out: &mut Out, pipeline: &Pipeline, it: &Job) {
    match field.name.as_str() {
        "createdAt" => json::time(out, it.created_at),
        "queuedAt" => json::option(out, it.queued_at, json::time),
        "startedAt" => json::option(out, it.started_at, json::time),
        "finishedAt" => json::option(out, it.finished_at, json::time),
        "erasedAt" => json::option(out, it.erased_at, json::time),
        _ => object(run, field, out, pipeline, it),
    }
}

fn object(run: &Run<'_>, field: &Node, out: &mut Out, pipeline: &Pipeline, it: &Job) {
    let path = || format!("/{}/-/jobs/{}", run.index.project_path(pipeline.project_id), it.id);
    match field.name.as_str() {
        "stage" => json::child(out, field, |_, out| json::string(out, &it.stage)),
        "runner" => match it.runner_id.and_then(|id| run.world.ci.runners.get(&id)) {
            Some(runner) => self::runner(field, out, runner),
            None => json::null(out),
        },
        "detailedStatus" => status::of_job(run, field, out, it, &path()),
        "downstreamPipeline" => pipeline::write(run, field, out, it.downstream_id),
        "project" => project::write(run, field, out, Some(pipeline.project_id)),
        "webPath" if it.kind == JobKind::Build => json::string(out, &path()),
        _ => json::null(out),
    }
}

fn runner(node: &Node, out: &mut Out, runner: &Runner) {
    json::child(out, node, |field, out| match field.name.as_str() {
        "id" => json::gid(out, "Ci::Runner", runner.id),
        "runnerType" => upper(out, runner.runner_type.word()),
        _ => json::string(out, &runner.description),
    });
}
