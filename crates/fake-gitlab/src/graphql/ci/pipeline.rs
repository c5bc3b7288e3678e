//! One pipeline.

use super::{float, job, jobs, readable, status, upper};
use crate::graphql::connection;
use crate::graphql::executor::Run;
use crate::graphql::json::{self, Out};
use crate::graphql::plan::Node;
use crate::graphql::{merge_request, project, user};
use crate::rest::entities::ci::pipeline::has_warnings;
use crate::world::model::{Id, Pipeline, PipelineSource};

/// Writes a pipeline; null where there is none or it may not be read.
pub(super) fn write(run: &Run<'_>, node: &Node, out: &mut Out, id: Option<Id>) {
    match id.and_then(|id| run.world.ci.pipelines.get(&id)).filter(|it| readable(run, it.project_id)) {
        Some(pipeline) => fields(run, node, out, pipeline),
        None => json::null(out),
    }
}

/// Writes a pipeline that may be read.
pub(super) fn fields(run: &Run<'_>, node: &Node, out: &mut Out, it: &Pipeline) {
    json::child(out, node, |field, out| scalar(run, field, out, it));
}

fn scalar(run: &Run<'_>, field: &Node, out: &mut Out, it: &Pipeline) {
    match field.name.as_str() {
        "id" => json::gid(out, "Ci::Pipeline", it.id),
        "iid" => json::quoted(out, it.iid),
        "name" => json::option(out, it.name.as_deref(), json::string),
        "status" => upper(out, it.status.word()),
        "source" => json::plain(out, it.source.word()),
        "type" => json::plain(out, kind(it)),
        "ref" => json::string(out, &it.git_ref),
        "refPath" => json::string(out, &ref_path(run, it)),
        "sha" if field.text("format") == Some("SHORT") => json::plain(out, &it.sha[..8]),
        "sha" => json::plain(out, &it.sha),
        "beforeSha" => json::plain(out, &it.before_sha),
        "coverage" => json::option(out, it.coverage(), float),
        "duration" => json::option(out, it.duration, json::integer),
        "queuedDuration" => json::option(out, it.queued_duration().map(|it| it as f64), float),
        "totalJobs" => json::integer(out, it.jobs.len() as i64),
        "active" => json::boolean(out, it.status.is_active()),
        "complete" => json::boolean(out, it.status.is_complete()),
        "child" => json::boolean(out, it.is_child()),
        "trigger" => json::boolean(out, it.source == PipelineSource::Trigger),
        "warnings" => json::boolean(out, has_warnings(it)),
        "yamlErrors" => json::boolean(out, it.yaml_errors.is_some()),
        "yamlErrorMessages" => json::option(out, it.yaml_errors.as_deref(), json::string),
        "failureReason" => {
            let error = "The pipeline failed due to an error on the CI/CD configuration file.";
            json::option(out, it.yaml_errors.as_ref().map(|_| error), json::string);
        }
        "mergeRequestEventType" => json::option(out, event_type(it), json::plain),
        "path" => json::string(out, &path(run, it)),
        _ => time(run, field, out, it),
    }
}

fn time(run: &Run<'_>, field: &Node, out: &mut Out, it: &Pipeline) {
    match field.name.as_str() {
        "createdAt" => json::time(out, it.created_at),
        "updatedAt" => json::time(out, it.updated_at),
        "startedAt" => json::option(out, it.started_at, json::time),
        "finishedAt" => json::option(out, it.finished_at, json::time),
        "committedAt" => json::option(out, it.committed_at, json::time),
        _ => object(run, field, out, it),
    }
}

fn object(run: &Run<'_>, field: &Node, out: &mut Out, it: &Pipeline) {
    match field.name.as_str() {
        "user" => user::write(run, field, out, it.user_id, None),
        "project" => project::write(run, field, out, Some(it.project_id)),
        "upstream" => write(run, field, out, run.world.ci.upstream(it).map(|upstream| upstream.id)),
        "downstream" => downstream(run, field, out, it),
        "sourceJob" => job::write(run, field, out, it.source_job_id),
        "jobs" => jobs::write(run, field, out, it),
        "mergeRequest" => merge_request::write(run, field, out, merge_request(run, it)),
        "detailedStatus" => status::of_pipeline(field, out, it, &path(run, it)),
        _ => json::null(out),
    }
}

/// Pipelines this one triggered; those that may not be read are left out.
fn downstream(run: &Run<'_>, node: &Node, out: &mut Out, it: &Pipeline) {
    let triggered = it.jobs.iter().filter_map(|job| run.world.ci.pipelines.get(&job.downstream_id?));
    let seen: Vec<&Pipeline> = triggered.filter(|it| readable(run, it.project_id)).collect();
    connection::list(run, node, out, seen, |node, out, it| fields(run, node, out, it));
}

/// Which commits of a merge request it runs on; none for a pipeline of a branch or tag.
fn merge_request_ref(it: &Pipeline) -> Option<(i64, &str)> {
    let (iid, on) = it.git_ref.strip_prefix("refs/merge-requests/")?.split_once('/')?;
    Some((iid.parse().ok()?, on))
}

fn merge_request(run: &Run<'_>, it: &Pipeline) -> Option<Id> {
    run.index.merge_request(it.project_id, merge_request_ref(it)?.0)
}

/// GitLab's `type`: a merge request's pipeline is never one of a tag.
fn kind(it: &Pipeline) -> &'static str {
    match merge_request_ref(it) {
        Some((_, "train")) => "merge_train",
        Some((_, "merge")) => "merged_result",
        Some(_) => "merge_request",
        None if it.tag => "tag",
        None => "branch",
    }
}

fn event_type(it: &Pipeline) -> Option<&'static str> {
    match merge_request_ref(it)?.1 {
        "train" => Some("MERGE_TRAIN"),
        "merge" => Some("MERGED_RESULT"),
        _ => Some("DETACHED"),
    }
}

/// The branch or tag it ran for, as git names it; the source branch for a merge request.
fn ref_path(run: &Run<'_>, it: &Pipeline) -> String {
    let merge_request = merge_request(run, it).and_then(|id| run.world.merge_requests.get(&id));
    match merge_request {
        Some(merge_request) => format!("refs/heads/{}", merge_request.source_branch),
        None if it.tag => format!("refs/tags/{}", it.git_ref),
        None => format!("refs/heads/{}", it.git_ref),
    }
}

fn path(run: &Run<'_>, it: &Pipeline) -> String {
    format!("/{}/-/pipelines/{}", run.index.project_path(it.project_id), it.id)
}
