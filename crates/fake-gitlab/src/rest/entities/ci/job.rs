//! Jobs and bridges.

use serde::Serialize;
use serde_json::{Value, json};

use super::pipeline::PipelineView;
use crate::rest::Ask;
use crate::rest::entities::Millis;
use crate::rest::users::in_job;
use crate::world::hash::{hex40, kind, mix};
use crate::world::model::{CiStatus, Id, Job, Pipeline, Runner, World};

/// What jobs of one pipeline share.
pub struct Scene<'a> {
    world: &'a World,
    pipeline: &'a Pipeline,
    project_path: String,
}

impl<'a> Scene<'a> {
    /// Around a pipeline.
    pub fn of(ask: &Ask<'a>, pipeline: &'a Pipeline) -> Self {
        let project_path = ask.world.project_full_path(&ask.world.projects[&pipeline.project_id]);
        Self { world: ask.world, pipeline, project_path }
    }
}

/// GitLab's `JobBasic`.
#[derive(Debug, Serialize)]
struct JobBasic<'a> {
    id: Id,
    status: &'static str,
    stage: &'a str,
    name: &'a str,
    #[serde(rename = "ref")]
    git_ref: &'a str,
    tag: bool,
    coverage: Option<f64>,
    allow_failure: bool,
    created_at: Millis,
    started_at: Option<Millis>,
    finished_at: Option<Millis>,
    erased_at: Option<Millis>,
    duration: Option<f64>,
    queued_duration: Option<f64>,
    user: Option<Value>,
    commit: Commit<'a>,
    pipeline: PipelineView<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    failure_reason: Option<&'static str>,
    web_url: String,
    project: ProjectSettings,
}

#[derive(Debug, Serialize)]
struct ProjectSettings {
    ci_job_token_scope_enabled: bool,
}

impl<'a> JobBasic<'a> {
    fn of(scene: &Scene<'a>, job: &'a Job) -> Self {
        let Scene { world, pipeline, project_path } = scene;
        let failed = job.status == CiStatus::Failed;
        Self {
            id: job.id,
            status: job.status.word(),
            stage: &job.stage,
            name: &job.name,
            git_ref: &pipeline.git_ref,
            tag: pipeline.tag,
            coverage: job.coverage,
            allow_failure: job.allow_failure,
            created_at: Millis(job.created_at),
            started_at: job.started_at.map(Millis),
            finished_at: job.finished_at.map(Millis),
            erased_at: job.erased_at.map(Millis),
            duration: job.duration(world.now),
            queued_duration: job.queued_duration(world.now),
            user: job.user_id.and_then(|id| in_job(world, id)),
            commit: Commit::of(scene),
            pipeline: PipelineView::of(world, pipeline, project_path),
            failure_reason: job.failure_reason.filter(|_| failed).map(|reason| reason.word()),
            web_url: format!("{}/{project_path}/-/jobs/{}", world.url, job.id),
            project: ProjectSettings { ci_job_token_scope_enabled: false },
        }
    }
}

/// The commit a job runs on: as much as a job shows of it.
#[derive(Debug, Serialize)]
struct Commit<'a> {
    id: &'a str,
    short_id: &'a str,
    created_at: Millis,
    parent_ids: [String; 1],
    title: String,
    message: String,
    author_name: &'static str,
    author_email: &'static str,
    authored_date: Millis,
    committer_name: &'static str,
    committer_email: &'static str,
    committed_date: Millis,
    trailers: Empty,
    extended_trailers: Empty,
    web_url: String,
}

#[derive(Debug, Serialize)]
struct Empty {}

impl<'a> Commit<'a> {
    fn of(scene: &Scene<'a>) -> Self {
        let Scene { world, pipeline, project_path } = scene;
        let at = Millis(pipeline.created_at);
        let title = format!("Change {}", &pipeline.sha[..8]);
        Self {
            id: &pipeline.sha,
            short_id: &pipeline.sha[..8],
            created_at: at,
            parent_ids: [hex40(kind::PIPELINE, mix(pipeline.id as u64))],
            message: format!("{title}\n"),
            title,
            author_name: "Somebody",
            author_email: "somebody@example.com",
            authored_date: at,
            committer_name: "Somebody",
            committer_email: "somebody@example.com",
            committed_date: at,
            trailers: Empty {},
            extended_trailers: Empty {},
            web_url: format!("{}/{project_path}/-/commit/{}", world.url, pipeline.sha),
        }
    }
}

/// A job that runs.
#[derive(Debug, Serialize)]
pub struct JobView<'a> {
    #[serde(flatten)]
    basic: JobBasic<'a>,
    artifacts: Vec<Value>,
    runner: Option<Value>,
    artifacts_expire_at: Option<Millis>,
    archived: bool,
    tag_list: Vec<&'a str>,
}

impl<'a> JobView<'a> {
    /// Renders a job.
    pub fn of(scene: &Scene<'a>, job: &'a Job) -> Self {
        let log = job.started_at.is_some() && job.erased_at.is_none();
        let runner = job.runner_id.and_then(|id| scene.world.ci.runners.get(&id));
        Self {
            basic: JobBasic::of(scene, job),
            artifacts: log.then(|| trace(job)).into_iter().collect(),
            runner: runner.map(runner_view),
            artifacts_expire_at: None,
            archived: false,
            tag_list: job.tags.iter().map(|tag| &**tag).collect(),
        }
    }
}

fn trace(job: &Job) -> Value {
    let size = 2_000 + mix(job.id as u64) % 9_000;
    json!({ "file_type": "trace", "size": size, "filename": "job.log", "file_format": null })
}

fn runner_view(runner: &Runner) -> Value {
    let word = runner.runner_type.word();
    json!({
        "id": runner.id,
        "description": runner.description,
        "ip_address": "10.1.5.65",
        "active": true,
        "paused": false,
        "is_shared": word == "instance_type",
        "runner_type": word,
        "name": "gitlab-runner",
        "online": true,
        "status": "online",
    })
}

/// A job that triggers.
#[derive(Debug, Serialize)]
pub struct BridgeView<'a> {
    #[serde(flatten)]
    basic: JobBasic<'a>,
    downstream_pipeline: Option<PipelineView<'a>>,
}

impl<'a> BridgeView<'a> {
    /// Renders a bridge. What it triggered is shown to whoever sees the bridge, wherever it runs.
    pub fn of(scene: &Scene<'a>, job: &'a Job) -> Self {
        let downstream = job.downstream_id.and_then(|id| scene.world.ci.pipelines.get(&id));
        Self {
            basic: JobBasic::of(scene, job),
            downstream_pipeline: downstream.map(|it| PipelineView::anywhere(scene.world, it)),
        }
    }
}
